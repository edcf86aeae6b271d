#include "gcompile/passes/layout_groups.h"

#include "gcompile/ir/op.h"

namespace gcompile::passes {

using ir::Node;
using ir::Value;

std::optional<MatrixProduct> as_matrix_product(const Node& node) {
  if (!node.op->is(ir::kContraction) || node.operands.size() != 2 || node.types[0].rank() != 2) return std::nullopt;
  if (node.operands[0].type().rank() != 2 || node.operands[1].type().rank() != 2) return std::nullopt;
  const auto &left = node.attrs.ints("lhs_contract"), &right = node.attrs.ints("rhs_contract");
  if (left.size() != 1 || !node.attrs.ints("lhs_batch").empty()) return std::nullopt;
  return MatrixProduct{left[0], right[0]};
}

bool swaps_axes(const Node& node) {
  return node.op->name == "transpose" && node.attrs.ints("permutation") == std::vector<std::int64_t>{1, 0};
}

LayoutGroups::LayoutGroups(const ir::Graph& graph, const Target& target) : graph_(graph), target_(target) {
  const std::vector<const Node*> nodes = graph.topological();
  for (const Node* n : nodes)
    if (n->types.size() == 1 && n->types[0].rank() == 2) {
      numbers_.emplace(n->result(), static_cast<int>(parents_.size()));
      parents_.push_back(static_cast<int>(parents_.size()));
    }
  for (const Node* n : nodes)
    if (n->op->is(ir::kElementwise))
      for (const Value& v : n->operands) unite(n->result(), v);
  for (const auto& u : graph.updates) unite(graph.states[static_cast<std::size_t>(u.state)].value, u.value);

  for (const auto& s : graph.states)
    if (Group* g = group_of(s.value)) {
      g->has_state = true;
      g->fixed |= !s.order.empty();
      const auto pinned = s.storage ? s.storage->pinned_order() : std::nullopt;
      if (pinned) (*pinned == kTurned ? g->pinned_turned : g->pinned_as_is) = true;
    }
  for (const Node* n : nodes) {
    add_producer(*n);
    add_reader(*n);
  }
  for (const auto& r : graph.results)
    if (Group* g = group_of(r.value)) g->fixed = true;
}

int LayoutGroups::find(Value v) const {
  const auto it = numbers_.find(v);
  if (it == numbers_.end()) return -1;
  int root = it->second;
  while (parents_[static_cast<std::size_t>(root)] != root) {
    int& parent = parents_[static_cast<std::size_t>(root)];
    root = parent = parents_[static_cast<std::size_t>(parent)];
  }
  return root;
}

void LayoutGroups::unite(Value a, Value b) {
  const int x = find(a), y = find(b);
  if (x >= 0 && y >= 0) parents_[static_cast<std::size_t>(y)] = x;
}

LayoutGroups::Group* LayoutGroups::group_of(Value v) {
  const int root = find(v);
  return root < 0 ? nullptr : &groups_[root];
}

// What cannot be made turned in its stead.
void LayoutGroups::add_producer(const Node& node) {
  if (node.types.size() != 1) return;
  Group* g = group_of(node.result());
  if (!g) return;
  const bool is_row_or_scalar = node.op->is(ir::kRepeating) && node.operands[0].type().rank() < 2;
  const bool can_turn = node.op->is(ir::kElementwise) || node.op->name == "state" || swaps_axes(node) ||
                        is_row_or_scalar || as_matrix_product(node);
  if (!can_turn) g->fixed = true;
}

void LayoutGroups::add_reader(const Node& node) {
  if (node.op->is(ir::kElementwise)) return;
  if (as_matrix_product(node)) {
    add_product(node, 0);
    add_product(node, 1);
    return;
  }
  if (swaps_axes(node)) return;
  for (const Value& v : node.operands)
    if (Group* g = group_of(v)) g->fixed = true;
}

void LayoutGroups::add_product(const Node& dot, int operand) {
  const MatrixProduct axes = *as_matrix_product(dot);
  Value matrix = dot.operands[static_cast<std::size_t>(operand)];
  std::int64_t contracted = operand == 0 ? axes.left : axes.right;
  count(matrix, contracted);
  // Through transposes, which turn with what they read.
  while (swaps_axes(*matrix.node)) {
    matrix = matrix.node->operands[0];
    contracted = 1 - contracted;
    count(matrix, contracted);
  }
}

// A product that sums over axis `contracted` of a matrix. Small ones become no tiles.
void LayoutGroups::count(Value matrix, std::int64_t contracted) {
  Group* g = group_of(matrix);
  if (!g || !g->has_state || !matrix.type().is_static()) return;
  const std::int64_t size = matrix.type().size().constant();
  if (size < target_.tile_elements) return;
  if (!g->has_product) g->first_wants_turned = contracted == 1;
  g->has_product = true;
  (contracted == 1 ? g->as_is : g->turned) += static_cast<double>(size);
}

bool LayoutGroups::Group::turns() const {
  if (!has_state || fixed) return false;
  if (pinned_as_is || pinned_turned) return pinned_turned && !pinned_as_is;
  return turned < as_is || (turned == as_is && has_product && first_wants_turned);
}

bool LayoutGroups::is_turned(Value v) const {
  const auto it = groups_.find(find(v));
  return it != groups_.end() && it->second.turns();
}

}  // namespace gcompile::passes
