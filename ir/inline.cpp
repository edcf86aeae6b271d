#include "gcompile/ir/inline.h"

#include <algorithm>
#include <unordered_set>

#include "gcompile/base/error.h"
#include "gcompile/ir/op.h"

namespace gcompile::ir {
namespace {

// Nodes between the parameters and the results, operands first; what does not depend on a parameter is in it only from
// the id `first` on.
std::vector<const Node*> dependent(const Graph& source, std::span<const Value> results,
                                   const std::unordered_set<const Node*>& leaves, int first) {
  Graph piece;
  piece.arena = source.arena;
  for (const Value& v : results) piece.results.push_back({v, ""});
  std::unordered_set<const Node*> depends = leaves;
  std::vector<const Node*> found;
  for (const Node* n : piece.topological()) {
    if (leaves.count(n) || n->op->is(kLeaf)) continue;
    if (n->id < first &&
        std::none_of(n->operands.begin(), n->operands.end(), [&](Value v) { return depends.count(v.node) > 0; }))
      continue;
    depends.insert(n);
    found.push_back(n);
  }
  return found;
}

// Copies of nodes of one graph in another.
class Copier {
 public:
  Copier(const Graph& source, Builder& b) : source_(source), b_(b) {}

  ValueMap<Value> map;

  void copy(const Node& n, std::vector<Value> operands) {
    b_.where = source_.where(&n);
    const Value made = b_.make(*n.op, std::move(operands), n.attrs, n.bodies);
    for (int r = 0; r < static_cast<int>(n.types.size()); ++r) map[{&n, r}] = {made.node, r};
  }

 private:
  const Graph& source_;
  Builder& b_;
};

}  // namespace

std::vector<Value> inline_graph(Builder& b, const Graph& body, std::span<const Value> arguments) {
  if (arguments.size() != body.inputs.size())
    throw InternalError(body.name + " takes " + std::to_string(body.inputs.size()) + " arguments, got " +
                        std::to_string(arguments.size()));
  const std::vector<Location> where = b.where;
  Copier copier(body, b);
  for (std::size_t i = 0; i < arguments.size(); ++i) copier.map[body.inputs[i].value] = arguments[i];
  for (const Node* n : body.topological()) {
    if (copier.map.count({n, 0})) continue;
    std::vector<Value> operands;
    for (const Value& v : n->operands) operands.push_back(copier.map.at(v));
    copier.copy(*n, std::move(operands));
  }
  b.where = where;
  std::vector<Value> results;
  for (const auto& r : body.results) results.push_back(copier.map.at(r.value));
  return results;
}

Closure close_over(const Graph& source, std::span<const Value> results,
                   const std::vector<std::pair<std::string, Value>>& parameters, const std::string& name,
                   int first_inside) {
  Closure closure{std::make_shared<Graph>(name), {}};
  Graph& body = *closure.body;
  body.bounds = source.bounds;
  Builder b(body);
  Copier copier(source, b);
  std::unordered_set<const Node*> leaves;
  for (const auto& [parameter, leaf] : parameters) {
    b.where = source.where(leaf.node);
    copier.map[leaf] = b.input(parameter, leaf.type());
    leaves.insert(leaf.node);
  }
  // What lies outside: a stack in place of recursion, for chains of views may be long.
  const auto outside = [&](Value wanted) {
    std::vector<Value> todo{wanted};
    while (!todo.empty()) {
      const Value v = todo.back();
      const Node& n = *v.node;
      if (copier.map.count(v)) {
        todo.pop_back();
        continue;
      }
      const bool made_inside = (n.op->is(kLeaf) && !is_argument(n)) || n.op->is(kView);
      if (!made_inside) {
        b.where = source.where(&n);
        const std::string known = is_argument(n) ? n.attrs.get<std::string>("name") : "c";
        copier.map[v] = b.input(known, v.type());
        closure.captured.push_back(v);
      } else if (n.operands.empty() || copier.map.count(n.operands[0])) {
        std::vector<Value> operands;
        for (const Value& o : n.operands) operands.push_back(copier.map.at(o));
        copier.copy(n, std::move(operands));
      } else {
        todo.push_back(n.operands[0]);
      }
    }
  };
  for (const Node* n : dependent(source, results, leaves, first_inside)) {
    std::vector<Value> operands;
    for (const Value& v : n->operands) {
      if (!copier.map.count(v)) outside(v);
      operands.push_back(copier.map.at(v));
    }
    copier.copy(*n, std::move(operands));
  }
  for (const Value& v : results) {
    if (!copier.map.count(v)) outside(v);
    body.results.push_back({copier.map.at(v), ""});
  }
  return closure;
}

Graph with_bodies(const Graph& graph, const std::function<Graph(const Graph&)>& change) {
  return rewrite(graph,
                 [&](const Node& n, const std::vector<Value>& operands, Builder& b) -> std::optional<Replacement> {
                   if (!n.op->is(kControl)) return std::nullopt;
                   Bodies bodies;
                   for (const auto& body : n.bodies) bodies.push_back(std::make_shared<const Graph>(change(*body)));
                   const Value made = b.make(*n.op, operands, n.attrs, std::move(bodies));
                   Replacement values;
                   for (int r = 0; r < static_cast<int>(n.types.size()); ++r) values.push_back({made.node, r});
                   return values;
                 });
}

}  // namespace gcompile::ir
