#include "gcompile/passes/gradient.h"

#include <algorithm>
#include <array>
#include <unordered_set>

#include "gcompile/base/error.h"
#include "gcompile/ir/build.h"
#include "gcompile/ir/op.h"

namespace gcompile::passes {
namespace {

using ir::Node;
using ir::Value;

// The builder's locations, put back when the walk ends or throws.
class KeepWhere {
 public:
  explicit KeepWhere(ir::Builder& b) : b_(b), saved_(b.where) {}
  ~KeepWhere() { b_.where = std::move(saved_); }
  KeepWhere(const KeepWhere&) = delete;
  KeepWhere& operator=(const KeepWhere&) = delete;

 private:
  ir::Builder& b_;
  std::vector<Location> saved_;
};

// What the results are computed from, themselves included, users before operands.
std::vector<const Node*> ancestors(std::span<const Value> results) {
  std::vector<const Node*> todo, found;
  std::unordered_set<const Node*> seen;
  for (const Value& v : results)
    if (seen.insert(v.node).second) todo.push_back(v.node);
  while (!todo.empty()) {
    const Node* n = todo.back();
    todo.pop_back();
    found.push_back(n);
    for (const Value& v : n->operands)
      if (seen.insert(v.node).second) todo.push_back(v.node);
  }
  std::sort(found.begin(), found.end(), [](const Node* a, const Node* b) { return a->id > b->id; });
  return found;
}

// The values among the ancestors that carry a derivative with respect to wrt: floats that depend on one of them.
std::unordered_set<Value, ir::ValueHash> active_values(const std::vector<const Node*>& nodes,
                                                       std::span<const Value> wrt) {
  std::unordered_set<Value, ir::ValueHash> active;
  for (const Value& v : wrt)
    if (v && is_float(v.type().dtype)) active.insert(v);
  for (auto it = nodes.rbegin(); it != nodes.rend(); ++it) {
    const Node* n = *it;
    if (n->op->is(ir::kStopsGradient)) continue;
    if (std::none_of(n->operands.begin(), n->operands.end(), [&](const Value& v) { return active.contains(v); }))
      continue;
    for (std::size_t r = 0; r < n->types.size(); ++r)
      if (is_float(n->types[r].dtype)) active.insert(n->result(static_cast<int>(r)));
  }
  return active;
}

class Walk {
 public:
  Walk(ir::Builder& b, std::span<const Value> wrt, const std::vector<const Node*>& nodes)
      : b_(b), active_(active_values(nodes, wrt)) {}

  bool active(Value v) const { return active_.contains(v); }
  void give(Value v, Value cotangent) { contributions_[v].push_back(cotangent); }

  // The sum of what the users of v gave; made once, when all of them have been visited.
  Value cotangent(Value v) {
    const auto it = contributions_.find(v);
    if (it == contributions_.end()) return {};
    auto& parts = it->second;
    for (std::size_t i = 1; i < parts.size(); ++i) parts[0] = b_.make("add", {parts[0], parts[i]});
    parts.resize(1);
    return parts[0];
  }

  void visit(const Node* node) {
    b_.where = b_.graph().where(node);
    std::vector<Value> cotangents;
    for (std::size_t r = 0; r < node->types.size(); ++r)
      cotangents.push_back(cotangent(node->result(static_cast<int>(r))));
    if (std::none_of(cotangents.begin(), cotangents.end(), [](const Value& v) { return static_cast<bool>(v); })) return;
    if (std::none_of(node->operands.begin(), node->operands.end(), [&](const Value& v) { return active(v); })) return;
    check_differentiable(node);
    ir::VjpContext context{b_, *node, cotangents};
    context.differentiate = cotangents_of;
    for (const Value& v : node->operands) context.wanted.push_back(active(v));
    const std::vector<Value> given = node->op->vjp(context);
    if (given.size() != node->operands.size())
      throw InternalError("the gradient rule of " + std::string(node->op->name) + " returns " +
                          std::to_string(given.size()) + " cotangents for " + std::to_string(node->operands.size()) +
                          " operands");
    for (std::size_t i = 0; i < given.size(); ++i) {
      const Value operand = node->operands[i];
      if (!given[i] || !active(operand)) continue;
      if (given[i].type() != operand.type())
        throw InternalError("the gradient rule of " + std::string(node->op->name) + " returns " +
                            given[i].type().str() + " for an operand " + operand.type().str());
      give(operand, given[i]);
    }
  }

 private:
  void check_differentiable(const Node* node) const {
    if (node->op->differentiable()) return;
    const Location at = b_.graph().first_location(node);
    const std::string name(node->op->name);
    if (name == "fusion") throw ModelError(at, name + ": fused nodes have no gradient rule; run gradient before fuse");
    throw ModelError(at, name + ": is not differentiable, but the loss depends on its operand; " +
                             (node->op->no_gradient.empty()
                                  ? "wrap the operand in stop_gradient() where no gradient should flow"
                                  : std::string(node->op->no_gradient)));
  }

  ir::Builder& b_;
  std::unordered_set<Value, ir::ValueHash> active_;
  ir::ValueMap<std::vector<Value>> contributions_;
};

void check_loss(const ir::Graph& graph, Value loss, Value seed) {
  const Type& type = loss.type();
  const Location at = graph.first_location(loss.node);
  if (!is_float(type.dtype))
    throw ModelError(at,
                     "gradient: the loss is " + type.str() + ", a gradient needs a float scalar; cast it to a float");
  if (!seed && type.rank() != 0)
    throw ModelError(at, "gradient: the loss is " + type.str() +
                             ", a gradient needs a scalar; reduce it with mean() or sum()");
  if (seed && seed.type() != type)
    throw ModelError(at, "gradient: the seed is " + seed.type().str() + ", the loss is " + type.str() +
                             "; they must have the same type");
}

}  // namespace

std::string unused_result(const ir::Graph& graph, const std::string& wanted) {
  std::string name = wanted;
  const auto taken = [&] {
    return std::any_of(graph.results.begin(), graph.results.end(), [&](const auto& r) { return r.name == name; });
  };
  for (int i = 2; taken(); ++i) name = wanted + "_" + std::to_string(i);
  return name;
}

std::vector<Value> cotangents_of(ir::Builder& b, std::span<const Value> results, std::span<const Value> cotangents,
                                 std::span<const Value> wrt) {
  const KeepWhere keep(b);
  const auto first_made = static_cast<int>(b.graph().arena->size());
  const std::vector<const Node*> nodes = ancestors(results);
  Walk walk(b, wrt, nodes);
  for (std::size_t i = 0; i < results.size(); ++i)
    if (cotangents[i] && walk.active(results[i])) walk.give(results[i], cotangents[i]);
  for (const Node* node : nodes) walk.visit(node);
  std::vector<Value> result;
  for (const Value& v : wrt) result.push_back(v ? walk.cotangent(v) : Value{});
  b.graph().backward.emplace_back(first_made, static_cast<int>(b.graph().arena->size()));
  return result;
}

std::vector<Value> gradient(ir::Builder& b, Value loss, std::span<const Value> wrt, Value seed) {
  check_loss(b.graph(), loss, seed);
  const KeepWhere keep(b);
  b.where = b.graph().where(loss.node);
  const std::array results{loss}, cotangents{seed ? seed : ir::splat(b, loss.type(), 1)};
  return cotangents_of(b, results, cotangents, wrt);
}

ir::Graph gradient_pass(const ir::Graph& graph, const PassContext&) {
  const auto loss = std::find_if(graph.results.begin(), graph.results.end(), [](const ir::Graph::Result& r) {
    return r.value.type().rank() == 0 && is_float(r.value.type().dtype);
  });
  if (loss == graph.results.end())
    throw ModelError("gradient: no result of " + graph.name +
                     " is a float scalar; a gradient needs one, reduce a result with mean() or sum()");
  std::vector<Value> wrt;
  std::vector<std::string> names;
  for (const auto& s : graph.states)
    if (s.trainable && is_float(s.value.type().dtype)) {
      wrt.push_back(s.value);
      names.push_back("d" + s.name);
    }
  for (const auto& i : graph.inputs)
    if (is_float(i.value.type().dtype)) {
      wrt.push_back(i.value);
      names.push_back("d" + i.name);
    }
  ir::Graph out = graph;
  ir::Builder b(out);
  const std::vector<Value> gradients = gradient(b, loss->value, wrt);
  for (std::size_t i = 0; i < wrt.size(); ++i) {
    b.where = out.where(wrt[i].node);
    out.results.push_back({gradients[i] ? gradients[i] : ir::splat(b, wrt[i].type(), 0), unused_result(out, names[i])});
  }
  return out;
}

}  // namespace gcompile::passes
