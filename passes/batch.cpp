#include "gcompile/passes/batch.h"

#include <algorithm>
#include <memory>
#include <unordered_set>

#include "gcompile/base/error.h"
#include "gcompile/ir/build.h"
#include "gcompile/ir/op.h"

namespace gcompile::passes {
namespace {

using ir::Node;
using ir::Value;

class Walk {
 public:
  Walk(ir::Builder& b, Dim size) : b_(b), size_(std::move(size)) {}

  void place(Value leaf, Value value) {
    const Type wanted = leaf.type().with_leading(size_);
    if (!(value.type() == wanted))
      throw ModelError(b_.graph().first_location(leaf.node), "batch: the batch of a " + leaf.type().str() + " is " +
                                                                 value.type().str() + "; it must be " + wanted.str());
    batched_[leaf] = value;
  }

  // What the results are made from, up to the placeholders, operands before users.
  std::vector<const Node*> nodes(std::span<const Value> results) const {
    std::vector<const Node*> todo, found;
    std::unordered_set<const Node*> seen;
    const auto visit = [&](Value v) {
      if (!batched_.count(v) && seen.insert(v.node).second) todo.push_back(v.node);
    };
    for (const Value& v : results) visit(v);
    while (!todo.empty()) {
      const Node* n = todo.back();
      todo.pop_back();
      found.push_back(n);
      for (const Value& v : n->operands) visit(v);
    }
    std::sort(found.begin(), found.end(), [](const Node* a, const Node* b) { return a->id < b->id; });
    return found;
  }

  void visit(const Node* node) {
    const std::size_t count = node->operands.size();
    const auto batched = std::make_unique<bool[]>(count);
    std::vector<Value> operands = node->operands;
    for (std::size_t i = 0; i < count; ++i) {
      const auto it = batched_.find(operands[i]);
      batched[i] = it != batched_.end();
      if (batched[i]) operands[i] = it->second;
    }
    if (std::none_of(batched.get(), batched.get() + count, [](bool x) { return x; })) return;
    const std::string name(node->op->name);
    if (!node->op->batch)
      throw ModelError(b_.graph().first_location(node),
                       name + ": cannot be done to every element of a batch: the op has no batching rule");
    b_.where = b_.graph().where(node);
    ir::BatchContext context{b_, *node, operands, {batched.get(), count}, size_, batch};
    const std::vector<Value> made = node->op->batch(context);
    if (made.size() != node->types.size())
      throw InternalError("the batching rule of " + name + " returns " + std::to_string(made.size()) + " values for " +
                          std::to_string(node->types.size()));
    for (std::size_t i = 0; i < made.size(); ++i) {
      const Type wanted = node->types[i].with_leading(size_);
      if (!(made[i].type() == wanted))
        throw InternalError("the batching rule of " + name + " returns " + made[i].type().str() + " for " +
                            wanted.str());
      batched_.try_emplace(node->result(static_cast<int>(i)), made[i]);  // a placeholder stays what it is
    }
  }

  Value result(Value v) {
    const auto it = batched_.find(v);
    if (it != batched_.end()) return it->second;
    b_.where = b_.graph().where(v.node);
    const bool none = false;
    return ir::BatchContext{b_, *v.node, {&v, 1}, {&none, 1}, size_}.operand(0);
  }

 private:
  ir::Builder& b_;
  Dim size_;
  ir::ValueMap<Value> batched_;
};

}  // namespace

std::vector<Value> batch(ir::Builder& b, std::span<const Value> results,
                         std::span<const std::pair<Value, Value>> batched_leaves, const Dim& size) {
  const std::vector<Location> before = b.where;
  Walk walk(b, size);
  for (const auto& [leaf, value] : batched_leaves) walk.place(leaf, value);
  for (const Node* node : walk.nodes(results)) walk.visit(node);
  std::vector<Value> out;
  for (const Value& v : results) out.push_back(walk.result(v));
  b.where = before;
  return out;
}

}  // namespace gcompile::passes
