#include "gcompile/ir/graph.h"

#include <algorithm>
#include <set>

#include "gcompile/base/error.h"
#include "gcompile/ir/op.h"

namespace gcompile::ir {

const std::vector<Location>& Graph::where(const Node* node) const {
  static const std::vector<Location> kNone;
  const auto it = locations.find(node);
  return it == locations.end() ? kNone : it->second;
}

Location Graph::first_location(const Node* node) const {
  const std::vector<Location>& at = where(node);
  return at.empty() ? Location{} : at.front();
}

void Graph::add_locations(const Node* to, const std::vector<Location>& from) {
  if (from.empty()) return;
  auto& have = locations[to];
  for (const Location& l : from)
    if (std::find(have.begin(), have.end(), l) == have.end()) have.push_back(l);
}

bool Graph::is_backward(const Node* node) const {
  return std::any_of(backward.begin(), backward.end(),
                     [&](const auto& ids) { return ids.first <= node->id && node->id < ids.second; });
}

int Graph::state_index(Value v) const {
  for (std::size_t i = 0; i < states.size(); ++i)
    if (states[i].value == v) return static_cast<int>(i);
  return -1;
}

int Graph::find_state(std::string_view state_name) const {
  for (std::size_t i = 0; i < states.size(); ++i)
    if (states[i].name == state_name) return static_cast<int>(i);
  return -1;
}

std::vector<const Node*> Graph::topological() const {
  std::vector<const Node*> todo, found;
  for (const Input& i : inputs) todo.push_back(i.value.node);
  for (const State& s : states) todo.push_back(s.value.node);
  for (const Result& r : results) todo.push_back(r.value.node);
  for (const Update& u : updates) todo.push_back(u.value.node);
  std::vector<bool> seen(arena->size());
  while (!todo.empty()) {
    const Node* n = todo.back();
    todo.pop_back();
    if (!n || seen[static_cast<std::size_t>(n->id)]) continue;  // null in a broken graph, which still must print
    seen[static_cast<std::size_t>(n->id)] = true;
    found.push_back(n);
    for (const Value& v : n->operands) todo.push_back(v.node);
  }
  std::sort(found.begin(), found.end(), [](const Node* a, const Node* b) { return a->id < b->id; });
  return found;
}

std::vector<std::string> Graph::symbols() const {
  std::set<std::string> names;
  const auto collect = [&](const Type& t) {
    for (const Dim& d : t.dims) names.merge(d.symbols());
  };
  for (const Input& i : inputs) collect(i.value.type());
  for (const State& s : states) collect(s.value.type());
  return {names.begin(), names.end()};
}

namespace {

// Of constant extents, which every later product of extents would refuse without a location.
void check_elements(const OpDef& op, const std::vector<Type>& results) {
  for (const Type& t : results) {
    const auto none = [](const Dim& d) { return d.is(0); };
    if (std::any_of(t.dims.begin(), t.dims.end(), none)) continue;
    std::int64_t elements = 1;
    for (const Dim& d : t.dims)
      if (d.is_constant() && __builtin_mul_overflow(elements, d.constant(), &elements))
        throw ModelError(std::string(op.name) + ": the number of elements of " + t.str() + " does not fit in 63 bits");
  }
}

}  // namespace

Value Builder::make(const OpDef& op, std::vector<Value> operands, Attrs attrs, Bodies bodies) {
  const Location at = where.empty() ? Location{} : where.front();
  if (op.arity >= 0 && operands.size() != static_cast<std::size_t>(op.arity))
    throw ModelError(at, std::string(op.name) + ": takes " + std::to_string(op.arity) + " operands, got " +
                             std::to_string(operands.size()));
  std::vector<Type> types;
  for (const Value& v : operands) types.push_back(v.type());
  std::vector<Type> results;
  try {
    results = op.infer(InferContext{op, types, attrs, bodies});
    check_elements(op, results);
  } catch (const ModelError& e) {
    if (e.where().known()) throw;
    throw ModelError(at, e.what());
  }
  const Node* node =
      graph_->arena->add({0, &op, std::move(operands), std::move(attrs), std::move(results), std::move(bodies)});
  graph_->add_locations(node, where);
  return {node, 0};
}

Value Builder::make(std::string_view op_name, std::vector<Value> operands, Attrs attrs, Bodies bodies) {
  return make(op(op_name), std::move(operands), std::move(attrs), std::move(bodies));
}

namespace {

template <class List>
std::string unique_name(const List& list, std::string name) {
  const auto taken = [&](const std::string& s) {
    return std::any_of(list.begin(), list.end(), [&](const auto& e) { return e.name == s; });
  };
  if (!taken(name)) return name;
  for (int i = 2;; ++i)
    if (std::string s = name + "_" + std::to_string(i); !taken(s)) return s;
}

}  // namespace

Value Builder::input(std::string name, Type type) {
  name = unique_name(graph_->inputs, std::move(name));
  const Value v = make("input", {}, {{"name", name}, {"dtype", type.dtype}, {"dims", type.dims}});
  graph_->inputs.push_back({v, name});
  return v;
}

Value Builder::state(std::string name, Type type, std::shared_ptr<StateStorage> storage, bool trainable) {
  name = unique_name(graph_->states, std::move(name));
  const Value v = make("state", {}, {{"name", name}, {"dtype", type.dtype}, {"dims", type.dims}});
  graph_->states.push_back({v, name, std::move(storage), trainable, {}});
  return v;
}

Value Builder::constant(Array value) { return make("constant", {}, {{"value", std::move(value)}}); }

Value Builder::scalar(DType dtype, double value) { return constant(Array::full(dtype, Shape{}, value)); }

Graph rewrite(const Graph& graph,
              const std::function<std::optional<Replacement>(const Node&, const std::vector<Value>& operands,
                                                             Builder&)>& replace) {
  Graph out = graph;
  Builder b(out);
  ValueMap<Value> map;
  const auto mapped = [&](Value v) {
    const auto it = map.find(v);
    return it == map.end() ? v : it->second;
  };
  for (const Node* node : graph.topological()) {
    std::vector<Value> operands;
    for (const Value& v : node->operands) operands.push_back(mapped(v));
    b.where = graph.where(node);
    if (auto values = replace(*node, operands, b)) {
      for (std::size_t i = 0; i < values->size(); ++i) {
        map[{node, static_cast<int>(i)}] = (*values)[i];
        out.add_locations((*values)[i].node, graph.where(node));
      }
    } else if (operands != node->operands) {
      const Value v = b.make(*node->op, operands, node->attrs, node->bodies);
      for (std::size_t i = 0; i < node->types.size(); ++i)
        map[{node, static_cast<int>(i)}] = {v.node, static_cast<int>(i)};
    }
  }
  for (auto& r : out.results) r.value = mapped(r.value);
  for (auto& u : out.updates) u.value = mapped(u.value);
  return out;
}

}  // namespace gcompile::ir
