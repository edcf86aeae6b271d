#include "gcompile/passes/row_groups.h"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "gcompile/ir/op.h"
#include "gcompile/passes/axes.h"
#include "gcompile/passes/places.h"
#include "gcompile/passes/row_steps.h"
#include "gcompile/passes/siblings.h"

namespace gcompile::passes {
namespace {

using ir::Node;
using ir::Value;
using Nodeset = std::unordered_set<const Node*>;

constexpr std::int64_t kNarrowRow = 8;      // shorter rows leave most lanes empty
constexpr std::size_t kLargestGroup = 256;  // nodes, which bounds the time LLVM takes

bool is_dot(const Node* n) { return n->op->is(ir::kContraction); }
// A reduction of which elements along a row of memory are made side by side.
bool keeps_last_axis(const Node& n) {
  if (!n.op->is(ir::kReduction) || !n.attrs.has("axes") || n.types[0].rank() == 0) return false;
  const auto& axes = n.attrs.ints("axes");
  return !axes.empty() && axes.back() != n.operands[0].type().rank() - 1;
}
bool contains(const Nodes& nodes, const Node* n) { return std::find(nodes.begin(), nodes.end(), n) != nodes.end(); }

Dim row_size(const Type& t, int rows) {
  Dim size = 1;
  for (int a = rows; a < t.rank(); ++a) size *= t.dim(a);
  return size;
}

class Grouping {
 public:
  Grouping(const Nodes& nodes, const std::vector<Value>& outputs, const Target& target)
      : nodes_(nodes), outputs_(outputs), target_(target), placed_(placed_for_loops(nodes, outputs)) {}

  std::vector<Group> run() {
    one_by_one();
    for (std::size_t g = 0; g < groups_.size(); ++g)
      for (const std::size_t other : reads(g))
        if (owner(g) != owner(other)) try_to_merge(owner(other), owner(g));
    choose_outputs();
    return in_order();
  }

 private:
  // A kernel per placed value, and what rides on a dot.
  void one_by_one() {
    Nodeset done;
    for (const Node* root : nodes_) {
      if (!placed_.count(root) || done.count(root)) continue;
      Group g;
      const auto store = [&](const Node* n) {
        g.stored.push_back(n);
        done.insert(n);
        Nodes todo{n};
        g.nodes.push_back(n);
        while (!todo.empty()) {
          const Node* reader = todo.back();
          todo.pop_back();
          for (const Value& v : reader->operands)
            if (!v.node->op->is(ir::kLeaf) && !placed_.count(v.node) && !contains(g.nodes, v.node)) {
              g.nodes.push_back(v.node);
              todo.push_back(v.node);
            }
        }
      };
      store(root);
      const bool has_dot = std::any_of(g.nodes.begin(), g.nodes.end(), is_dot);
      if (has_dot || keeps_last_axis(*root))
        for (const Node* n : nodes_)
          if (placed_.count(n) && !done.count(n) &&
              rides_on(*n, g.stored, placed_, [&](const Node* o) { return done.count(o) != 0; }))
            store(n);
      const auto& lowering = root->op->lower;
      const bool whole = std::holds_alternative<ir::ScatterLowering>(lowering) ||  // its rows come from anywhere
                         std::holds_alternative<ir::LoopLowering>(lowering);
      if (!has_dot && !whole && g.stored.size() == 1) g.rows = root->types[0].rank();
      for (const Node* n : g.stored) stored_by_[n] = groups_.size();
      merged_into_.push_back(groups_.size());
      groups_.push_back(std::move(g));
    }
  }

  std::size_t owner(std::size_t g) const {
    while (merged_into_[g] != g) g = merged_into_[g];
    return g;
  }

  // The kernels whose values a kernel reads.
  std::set<std::size_t> reads(std::size_t g) const {
    std::set<std::size_t> found;
    for (const Node* n : groups_[g].nodes)
      for (const Value& v : n->operands)
        if (const auto it = stored_by_.find(v.node); it != stored_by_.end() && owner(it->second) != owner(g))
          found.insert(owner(it->second));
    return found;
  }

  // Whether `from` depends on `to` by way of a third kernel. Ids ascend from operands to readers, so what was made
  // before all of `to` is not looked at.
  bool depends_around(std::size_t from, std::size_t to) const {
    std::set<std::size_t> seen;
    std::vector<std::size_t> todo;
    int first = groups_[to].stored[0]->id;
    for (const Node* n : groups_[to].stored) first = std::min(first, n->id);
    const auto is_later = [&](std::size_t g) {
      const Nodes& stored = groups_[g].stored;
      return std::any_of(stored.begin(), stored.end(), [&](const Node* n) { return n->id > first; });
    };
    for (const std::size_t g : reads(from))
      if (g != to && is_later(g)) todo.push_back(g);
    while (!todo.empty()) {
      const std::size_t g = todo.back();
      todo.pop_back();
      if (g == to) return true;
      if (!seen.insert(g).second) continue;
      for (const std::size_t next : reads(g))
        if (next == to || is_later(next)) todo.push_back(next);
    }
    return false;
  }

  // How many of the first `depth` axes of a stored value all values in `stored` are read at the index of.
  int shared_rows(const Node& root, const Nodeset& stored, int depth) const {
    std::vector<int> axes;
    for (int a = 0; a < depth; ++a) axes.push_back(a);
    follow(root, axes, stored, depth);
    return depth;
  }
  // axes[i]: the axis of the node's result that is axis i of the root's; -1 where it has none.
  void follow(const Node& n, const std::vector<int>& axes, const Nodeset& stored, int& depth) const {
    const auto relations = axis_relations(n);
    for (std::size_t o = 0; o < n.operands.size(); ++o) {
      const Node* operand = n.operands[o].node;
      const bool is_stored = stored.count(operand) != 0;
      if (!folds(n) && (operand->op->is(ir::kLeaf) || (placed_.count(operand) && !is_stored))) continue;
      std::vector<int> inner(axes.size(), -1);
      for (std::size_t i = 0; i < axes.size(); ++i)
        for (const AxisRelation& r : relations)
          if (axes[i] >= 0 && r.operand == static_cast<int>(o) && r.result_axis == axes[i]) inner[i] = r.operand_axis;
      if (n.op->is(ir::kRowMajor) && needs_memory(n)) inner.assign(axes.size(), -1);
      // The rows of what is summed lie one after the other in memory, too.
      if (folds(n))
        for (int i = 0; i < depth; ++i)
          if (inner[static_cast<std::size_t>(i)] != i) depth = i;
      if (operand->op->is(ir::kLeaf) || (placed_.count(operand) && !is_stored)) continue;
      if (!is_stored) {
        follow(*operand, inner, stored, depth);
        continue;
      }
      for (int i = 0; i < depth; ++i)
        if (inner[static_cast<std::size_t>(i)] != i) depth = i;
    }
  }

  void try_to_merge(std::size_t a, std::size_t b) {
    Group &into = groups_[a], &from = groups_[b];
    if (into.rows == 0 || from.rows == 0 || depends_around(a, b) || depends_around(b, a)) return;
    Group merged;
    merged.stored = into.stored;
    merged.stored.insert(merged.stored.end(), from.stored.begin(), from.stored.end());
    merged.nodes = into.nodes;
    for (const Node* n : from.nodes)
      if (!contains(merged.nodes, n)) merged.nodes.push_back(n);
    if (merged.nodes.size() > kLargestGroup) return;
    const auto by_id = [](const Node* x, const Node* y) { return x->id < y->id; };
    std::sort(merged.stored.begin(), merged.stored.end(), by_id);
    std::sort(merged.nodes.begin(), merged.nodes.end(), by_id);
    const Nodeset stored(merged.stored.begin(), merged.stored.end());
    merged.rows = std::min(into.rows, from.rows);
    for (const Node* n : merged.stored) merged.rows = std::min(merged.rows, n->types[0].rank());
    for (const Node* n : merged.stored) merged.rows = shared_rows(*n, stored, merged.rows);
    if (merged.rows == 0 || !is_worth_it(merged)) return;
    into = std::move(merged);
    from = {};
    merged_into_[b] = a;
  }

  bool is_worth_it(const Group& g) const {
    if (std::none_of(g.stored.begin(), g.stored.end(), [](const Node* n) { return folds(*n); })) return false;
    std::int64_t frame = 0;
    bool wide = false;
    const auto look_at = [&](const Type& t, int rows) {
      const Dim size = row_size(t, rows);
      wide |= !size.is_constant() || size.constant() >= kNarrowRow;
    };
    for (const Node* n : g.stored) {
      look_at(n->types[0], g.rows);
      if (folds(*n)) look_at(n->operands[0].type(), g.rows);
      if (const Dim size = row_size(n->types[0], g.rows); size.is_constant())
        frame += size.constant() * static_cast<std::int64_t>(size_of(n->types[0].dtype));
    }
    return wide && frame <= target_.stack_limit / 2;
  }

  void choose_outputs() {
    std::unordered_map<const Node*, bool> read;
    for (const Value& v : outputs_) read[v.node] = true;
    for (std::size_t g = 0; g < groups_.size(); ++g)
      for (const Node* n : groups_[g].nodes)
        for (const Value& v : n->operands)
          if (const auto it = stored_by_.find(v.node); it != stored_by_.end() && owner(it->second) != owner(g))
            read[v.node] = true;
    for (Group& g : groups_) {
      if (g.stored.size() == 1 || !g.rows) g.rows = 0;
      NodeSet remade;
      if (g.rows) {
        NodeSet kept;
        for (const Node* n : g.stored)
          if (read.count(n)) kept.insert(n);
        remade = remade_in_rows(g.nodes, {g.stored.begin(), g.stored.end()}, kept, g.rows, target_);
      }
      for (const Node* n : g.stored) {
        const bool in_frame = row_size(n->types[0], g.rows).is_constant() || remade.count(n);
        if (!g.rows || read.count(n) || !in_frame) g.outputs.push_back({n, 0});
      }
    }
  }

  std::vector<Group> in_order() {
    std::vector<Group> order;
    std::vector<bool> done(groups_.size());
    for (std::size_t first = 0; first < groups_.size(); ++first) {
      std::vector<std::pair<std::size_t, bool>> todo{{owner(first), false}};
      while (!todo.empty()) {
        const auto [g, ready] = todo.back();
        todo.pop_back();
        if (done[g]) continue;
        if (ready) {
          done[g] = true;
          order.push_back(groups_[g]);
          continue;
        }
        todo.push_back({g, true});
        const auto needed = reads(g);
        for (auto it = needed.rbegin(); it != needed.rend(); ++it)
          if (!done[*it]) todo.push_back({*it, false});
      }
    }
    for (Group& g : order)
      std::sort(g.nodes.begin(), g.nodes.end(), [](const Node* x, const Node* y) { return x->id < y->id; });
    return order;
  }

  const Nodes& nodes_;
  const std::vector<Value>& outputs_;
  const Target& target_;
  const Nodeset placed_;
  std::vector<Group> groups_;
  std::vector<std::size_t> merged_into_;
  std::unordered_map<const Node*, std::size_t> stored_by_;
};

}  // namespace

std::vector<Group> grouped(const Nodes& nodes, const std::vector<Value>& outputs, const Target& target) {
  return join_siblings(Grouping(nodes, outputs, target).run(), outputs, target);
}

}  // namespace gcompile::passes
