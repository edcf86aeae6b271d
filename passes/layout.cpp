#include "gcompile/passes/layout.h"

#include "gcompile/ir/op.h"
#include "gcompile/passes/layout_groups.h"

namespace gcompile::passes {
namespace {

using ir::Attrs;
using ir::Builder;
using ir::Graph;
using ir::Node;
using ir::Value;

// Rebuilds a graph in which matrices of turned groups are made as their transposes.
class Turner {
 public:
  Turner(const Graph& graph, const LayoutGroups& groups) : graph_(graph), groups_(groups), out_(graph), b_(out_) {}

  Graph run() {
    bool changes = false;
    for (std::size_t i = 0; i < graph_.states.size(); ++i) changes |= lay_out(i);
    if (!changes) return graph_;
    for (const Node* n : graph_.topological()) {
      b_.where = graph_.where(n);
      if (made_.count(n->result())) continue;
      if (n->types.size() == 1 && groups_.is_turned(n->result()))
        made_[n->result()] = turned(*n);
      else
        rebuild(*n);
    }
    for (auto& r : out_.results) r.value = made(r.value);  // of no turned group
    for (auto& u : out_.updates) u.value = stored(u);
    return std::move(out_);
  }

 private:
  // The leaf of a state, in the order that its storage has or should have. Returns whether it is not that of the shape.
  bool lay_out(std::size_t i) {
    const Graph::State& state = graph_.states[i];
    const bool turned = groups_.is_turned(state.value);
    const auto pinned = state.storage ? state.storage->pinned_order() : std::nullopt;
    if (!state.order.empty() || !(pinned ? !pinned->empty() : turned)) return false;
    const AxisOrder order = pinned ? *pinned : kTurned;
    const Type type{state.value.type().dtype, in_order(state.value.type().dims, order)};
    b_.where = graph_.where(state.value.node);
    Graph::State& changed = out_.states[i];
    changed.value = b_.make("state", {}, {{"name", state.name}, {"dtype", type.dtype}, {"dims", type.dims}});
    changed.order = order;
    made_[state.value] = turned ? changed.value : moved(changed.value, inverse(order));
    return true;
  }

  Value moved(Value v, const AxisOrder& order) {
    return b_.make("transpose", {v}, {{"permutation", std::vector<std::int64_t>(order.begin(), order.end())}});
  }

  // What stands for a value in the new graph; the transpose of a matrix that is turned.
  Value made(Value v) const {
    const auto it = made_.find(v);
    return it == made_.end() ? v : it->second;
  }

  // A matrix of a turned group: its transpose.
  Value turned(const Node& n) {
    if (swaps_axes(n)) {
      const Value v = made(n.operands[0]);
      return groups_.is_turned(n.operands[0]) ? moved(v, kTurned) : v;
    }
    if (n.op->is(ir::kRepeating)) {
      const Type& t = n.types[0];
      std::vector<std::int64_t> axes;
      for (const std::int64_t a : n.attrs.ints("axes")) axes.push_back(1 - a);
      return b_.make(*n.op, {made(n.operands[0])}, {{"axes", axes}, {"dims", in_order(t.dims, kTurned)}});
    }
    if (const auto axes = as_matrix_product(n)) return product(n, 1, axes->right, 0, axes->left);
    std::vector<Value> operands;
    for (const Value& v : n.operands) operands.push_back(made(v));  // of the same group
    return b_.make(*n.op, std::move(operands), n.attrs);
  }

  // The dot of two operands of a dot, in that order.
  Value product(const Node& n, std::size_t a, std::int64_t a_axis, std::size_t b, std::int64_t b_axis) {
    const auto axis = [&](std::size_t i, std::int64_t x) { return groups_.is_turned(n.operands[i]) ? 1 - x : x; };
    Attrs attrs = n.attrs;
    attrs.set("lhs_contract", std::vector<std::int64_t>{axis(a, a_axis)});
    attrs.set("rhs_contract", std::vector<std::int64_t>{axis(b, b_axis)});
    return b_.make(*n.op, {made(n.operands[a]), made(n.operands[b])}, std::move(attrs));
  }

  void rebuild(const Node& n) {
    bool changed = false, reads_turned = false;
    std::vector<Value> operands;
    for (const Value& v : n.operands) {
      changed |= !(made(v) == v);
      reads_turned |= groups_.is_turned(v);
      operands.push_back(made(v));
    }
    if (!changed && !reads_turned) return;
    if (!reads_turned) return keep(n, b_.make(*n.op, std::move(operands), n.attrs, n.bodies));
    if (swaps_axes(n)) return keep(n, operands[0]);
    const auto axes = as_matrix_product(n);
    keep(n, product(n, 0, axes->left, 1, axes->right));
  }
  void keep(const Node& n, Value v) {
    out_.add_locations(v.node, graph_.where(&n));
    for (int r = 0; r < static_cast<int>(n.types.size()); ++r) made_[{&n, r}] = {v.node, v.index + r};
  }

  // What an update stores: the axes in the storage's order, which matrices of a turned group have.
  Value stored(const Graph::Update& u) {
    const auto state = static_cast<std::size_t>(u.state);
    const Value value = made(u.value);
    const AxisOrder& order = out_.states[state].order;
    return groups_.is_turned(u.value) || order == graph_.states[state].order ? value : moved(value, order);
  }

  const Graph& graph_;
  const LayoutGroups& groups_;
  Graph out_;
  Builder b_;
  ir::ValueMap<Value> made_;
};

}  // namespace

Graph layout(const Graph& graph, const PassContext& context) {
  return Turner(graph, LayoutGroups(graph, context.target)).run();
}

}  // namespace gcompile::passes
