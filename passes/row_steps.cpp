#include "gcompile/passes/row_steps.h"

#include <algorithm>
#include <functional>
#include <unordered_map>

#include "gcompile/ir/op.h"
#include "gcompile/passes/expand_math.h"
#include "gcompile/passes/lower.h"
#include "gcompile/passes/places.h"

namespace gcompile::passes {
namespace {

using ir::Index;
using ir::Node;

constexpr double kCheap = 2;  // instructions that cost no more than a store and a load

Dim row_elements(const Type& t, int rows) {
  Dim size = 1;
  for (int a = rows; a < t.rank(); ++a) size *= t.dim(a);
  return size;
}
bool is_one(const Node& n, int rows) { return row_elements(n.types[0], rows).is(1); }
bool is_long(const Dim& extent) { return !extent.is_constant() || extent.constant() >= kFewLanes; }

// A reduction of which every row gives one element, along the only axis of its rows.
bool is_row_sum(const Node& n, int rows) {
  if (!std::holds_alternative<ir::ReduceLowering>(n.op->lower) || n.types[0].rank() != rows) return false;
  const auto& axes = n.attrs.ints("axes");
  return axes.size() == 1 && axes[0] == rows && n.operands[0].type().rank() == rows + 1;
}
// A value with one axis along the row.
bool is_along(const Node& n, int rows) { return n.types[0].rank() == rows + 1 && !folds(n) && !is_one(n, rows); }

// Calls f(placed value, whether it is read at the element at hand alone) for what a value's element is made of.
using Read = std::function<void(const Node&, bool)>;
void reads(const Node& n, const Index& at, const NodeSet& placed, int rows, const Read& f) {
  const auto* view = std::get_if<ir::ViewLowering>(&n.op->lower);
  const bool elementwise = std::holds_alternative<ir::ElementLowering>(n.op->lower);
  Index inner;  // empty: unknown
  if (elementwise) inner = at;
  if (view && !at.empty()) inner = view->map(n, at);
  if (is_row_sum(n, rows)) inner = at;
  for (const ir::Value& v : n.operands) {
    const Node& o = *v.node;
    if (o.op->is(ir::kLeaf)) continue;
    if (!placed.count(&o)) {
      reads(o, inner, placed, rows, f);
      continue;
    }
    Index here;
    for (int a = 0; a <= rows; ++a) here.emplace_back("r" + std::to_string(a));
    f(o, inner == here);
  }
}
// The index of an element of a sweep: the row, and the place in it.
void reads(const Node& n, const NodeSet& placed, int rows, const Read& f) {
  Index at;
  if (is_row_sum(n, rows) || is_along(n, rows))
    for (int a = 0; a <= rows; ++a) at.emplace_back("r" + std::to_string(a));
  reads(n, at, placed, rows, f);
}

class Steps {
 public:
  Steps(const Nodes& nodes, const NodeSet& placed, int rows, const Target& target)
      : nodes_(nodes), placed_(placed), rows_(rows), most_sums_(std::max(target.accumulators() / kSums, 1)) {}

  std::vector<RowStep> run() {
    for (const Node* n : nodes_)
      if (placed_.count(n)) place(*n);
    std::vector<RowStep> steps;
    for (Level& level : levels_)
      for (auto* list : {&level.scalars, &level.others})
        for (RowStep& step : *list) steps.push_back(std::move(step));
    return steps;
  }

 private:
  struct Level {
    std::vector<RowStep> scalars, others;
  };
  struct Place {
    std::size_t level = 0;
    const Node* sweep = nullptr;  // the first value of the sweep that makes it
    bool is_sum = false, is_scalar = false;
  };

  void place(const Node& n) {
    std::size_t at = 0;
    const Node* sweep = nullptr;  // of this level, that makes what n reads there
    bool torn = false;            // between two of them
    const auto wait_for = [&](const Node& o, bool here) {
      const Place& p = places_.at(&o);
      if (p.is_scalar) return raise(at, p.level, sweep, torn);
      if (!p.sweep || p.is_sum || !here) return raise(at, p.level + 1, sweep, torn);
      if (p.level < at) return;
      raise(at, p.level, sweep, torn);
      torn |= sweep && sweep != p.sweep;
      sweep = p.sweep;
    };
    reads(n, placed_, rows_, wait_for);
    const bool sum = is_row_sum(n, rows_);
    if (!sum && is_one(n, rows_)) {
      // What it reads of a sweep is read when that is done.
      if (sweep) ++at;
      add(at).scalars.push_back({RowStep::Kind::kScalar, 0, {&n}});
      places_[&n] = {at, nullptr, false, true};
      return;
    }
    const Dim extent = sum                       ? n.operands[0].type().dims.back()
                       : n.types[0].dims.empty() ? Dim(1)
                                                 : n.types[0].dims.back();
    if (!(sum || is_along(n, rows_)) || !is_long(extent)) {
      if (sweep) ++at;
      add(at).others.push_back({RowStep::Kind::kAlone, 0, {&n}});
      places_[&n] = {at, nullptr};
      return;
    }
    if (torn) {
      ++at;
      sweep = nullptr;
    }
    RowStep* step = find(at, extent, sweep, sum);
    if (!step && sweep) step = find(++at, extent, nullptr, sum);
    if (!step) {
      add(at).others.push_back({RowStep::Kind::kSweep, extent, {}});
      step = &levels_[at].others.back();
    }
    step->values.push_back(&n);
    places_[&n] = {at, step->values.front(), sum};
  }

  static void raise(std::size_t& at, std::size_t to, const Node*& sweep, bool& torn) {
    if (to <= at) return;
    at = to;
    sweep = nullptr;
    torn = false;
  }

  Level& add(std::size_t level) {
    if (levels_.size() <= level) levels_.resize(level + 1);
    return levels_[level];
  }

  // A sweep of the level with room for the value; that one which begins with `first` where it is given.
  RowStep* find(std::size_t level, const Dim& extent, const Node* first, bool sum) {
    for (RowStep& s : add(level).others) {
      if (s.kind != RowStep::Kind::kSweep || !(s.extent == extent) || (first && s.values.front() != first)) continue;
      const auto sums =
          std::count_if(s.values.begin(), s.values.end(), [&](const Node* n) { return is_row_sum(*n, rows_); });
      if (!sum || sums < most_sums_) return &s;
    }
    return nullptr;
  }

  const Nodes& nodes_;
  const NodeSet& placed_;
  const int rows_;
  const std::ptrdiff_t most_sums_;
  std::vector<Level> levels_;
  std::unordered_map<const Node*, Place> places_;
};

}  // namespace

std::vector<RowStep> row_steps(const Nodes& nodes, const NodeSet& placed, int rows, const Target& target) {
  return Steps(nodes, placed, rows, target).run();
}

NodeSet read_in_sweep_alone(const Nodes& nodes, const NodeSet& placed, const std::vector<RowStep>& steps, int rows) {
  std::unordered_map<const Node*, const RowStep*> made;
  NodeSet alone;
  for (const RowStep& s : steps)
    for (const Node* n : s.values) {
      made[n] = &s;
      if (s.kind == RowStep::Kind::kSweep && is_along(*n, rows)) alone.insert(n);
    }
  for (const Node* n : nodes)
    if (placed.count(n))
      reads(*n, placed, rows, [&](const Node& o, bool here) {
        if (!here || made.at(&o) != made.at(n)) alone.erase(&o);
      });
  return alone;
}

NodeSet remade_in_rows(const Nodes& nodes, const NodeSet& placed, const NodeSet& kept, int rows, const Target& target) {
  NodeSet remade, along;
  std::unordered_map<const Node*, bool> by_element;  // whether all readers are elementwise or add up the row
  for (const Node* n : nodes)
    for (const ir::Value& v : n->operands) {
      const bool fits = is_row_sum(*n, rows) || std::holds_alternative<ir::ElementLowering>(n->op->lower);
      by_element.emplace(v.node, true).first->second &= fits;
    }
  struct Cost {
    double instructions = 0;
    int vectors = 0;
  };
  const std::function<void(const Node&, Cost&)> add = [&](const Node& n, Cost& cost) {
    const double own = element_cost(n, target);
    cost.instructions += own < 0 ? kCheap + 1 : own;
    if (cost.instructions > kCheap) return;
    for (const ir::Value& v : n.operands) {
      const Node* o = v.node;
      // A value of the row is a scalar there; of another operand that is broadcast only those along the row are read.
      if (o->op->is(ir::kRepeating) && !placed.count(o)) {
        const auto& axes = o->attrs.ints("axes");
        const Node* source = o->operands[0].node;
        if (!source->op->is(ir::kLeaf) && !placed.count(source) && source->types[0].rank() > 0) cost.vectors = 2;
        cost.vectors += std::find(axes.begin(), axes.end(), rows) != axes.end();
      } else if (o->op->is(ir::kLeaf) || (placed.count(o) && !remade.count(o))) {
        cost.vectors += !o->types[0].size().is(1) && o->types[0].rank() > rows;
      } else {
        add(*o, cost);
      }
    }
  };
  for (const Node* n : nodes) {
    if (!placed.count(n) || kept.count(n) || !is_along(*n, rows) || !by_element[n]) continue;
    Cost cost;
    add(*n, cost);
    if (cost.instructions <= kCheap && cost.vectors <= 1) remade.insert(n);
  }
  return remade;
}

}  // namespace gcompile::passes
