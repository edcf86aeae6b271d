#include "gcompile/passes/siblings.h"

#include <algorithm>
#include <unordered_set>

#include "gcompile/ir/op.h"
#include "gcompile/passes/lower.h"
#include "gcompile/passes/places.h"

namespace gcompile::passes {
namespace {

using ir::Node;
using ir::Value;
using NodeSet = std::unordered_set<const Node*>;

constexpr std::size_t kNear = 4;      // launches: what moves further ahead would keep its memory for long
constexpr int kNarrowestColumns = 2;  // vectors side by side that a sum down the rows should have

// The loop that a group's kernel is, where it can be shared.
struct Loop {
  enum class Kind { kOther, kFlat, kSums } kind = Kind::kOther;
  std::vector<Dim> dims = {};           // of what the loop goes over
  std::vector<std::int64_t> axes = {};  // that are summed
  bool last_axis = false;
  int sums = 0;
};

bool is_sum(const Node& n) {
  return std::holds_alternative<ir::ReduceLowering>(n.op->lower) && !n.attrs.ints("axes").empty();
}

Loop loop_of(const Group& g, const NodeSet& placed) {
  Loop loop;
  if (g.rows > 0) return loop;
  const Node& first = *g.stored.front();
  if (is_sum(first)) {
    loop.dims = first.operands[0].type().dims;
    loop.axes = first.attrs.ints("axes");
    loop.last_axis = reduces_last_axis(first);
    for (const Node* n : g.stored) {
      const bool alike = is_sum(*n) && n->operands[0].type().dims == loop.dims && n->attrs.ints("axes") == loop.axes;
      if (!alike && (is_sum(*n) || loop.last_axis)) return {};
      loop.sums += alike;
    }
    loop.kind = Loop::Kind::kSums;
    return loop;
  }
  loop.dims = first.types[0].dims;
  for (const Node* n : g.stored)
    if (n->types[0].dims != loop.dims || !is_flat(*n, placed)) return {};
  if (!loop.dims.empty()) loop.kind = Loop::Kind::kFlat;
  return loop;
}

class Siblings {
 public:
  Siblings(std::vector<Group> groups, const std::vector<Value>& outputs, const Target& target)
      : groups_(std::move(groups)), outputs_(outputs), target_(target) {
    for (const Group& g : groups_) placed_.insert(g.stored.begin(), g.stored.end());
    for (const Group& g : groups_) loops_.push_back(loop_of(g, placed_));
  }

  std::vector<Group> run() {
    // What had nothing in common alone may have when others have joined it.
    while (sweep()) {
    }
    std::erase_if(groups_, [](const Group& g) { return g.stored.empty(); });
    drop_inner_outputs();
    return std::move(groups_);
  }

 private:
  bool sweep() {
    bool joined = false;
    for (std::size_t j = 1; j < groups_.size(); ++j)
      for (std::size_t i = j; i-- > 0 && !groups_[j].stored.empty();)
        if (!groups_[i].stored.empty() && fit(i, j)) {
          join(i, j);
          joined = true;
        }
    return joined;
  }

  // What a group's nodes read of memory: arguments, and what groups store, its own values too.
  NodeSet memory_read(const Group& g) const {
    NodeSet read;
    for (const Node* n : g.nodes)
      for (const Value& v : n->operands)
        if (placed_.count(v.node) || ir::is_argument(*v.node)) read.insert(v.node);
    return read;
  }
  static bool reads_any(const NodeSet& read, const Nodes& nodes) {
    return std::any_of(nodes.begin(), nodes.end(), [&](const Node* n) { return read.count(n) != 0; });
  }

  // Whether a later group may run together with an earlier one, and gains by it.
  bool fit(std::size_t i, std::size_t j) const {
    const Loop &a = loops_[i], &b = loops_[j];
    if (a.kind == Loop::Kind::kOther || a.kind != b.kind || a.dims != b.dims || a.axes != b.axes) return false;
    const Group &early = groups_[i], &late = groups_[j];
    if (early.nodes.size() + late.nodes.size() > kMostNodesTogether) return false;
    const bool sums = a.kind == Loop::Kind::kSums;
    const int room = sums && a.last_axis ? target_.accumulators() / kSums : target_.accumulators() / kNarrowestColumns;
    if (sums && a.sums + b.sums > room) return false;
    const NodeSet read = memory_read(late);
    std::size_t between = 0;
    for (std::size_t k = i + 1; k < j; ++k) {
      if (groups_[k].stored.empty()) continue;
      ++between;
      if (reads_any(read, groups_[k].stored)) return false;
      // A state that is read in between could no more be updated in place.
      for (const Node* n : memory_read(groups_[k]))
        if (n->op->name == "state" && read.count(n)) return false;
    }
    if (!sums && between >= kNear) return false;
    if (reads_any(read, early.stored)) return !sums;
    const NodeSet before = memory_read(early);
    return std::any_of(read.begin(), read.end(),
                       [&](const Node* n) { return before.count(n) && n->types[0].dims == a.dims; });
  }

  void join(std::size_t i, std::size_t j) {
    Group &into = groups_[i], &from = groups_[j];
    for (const Node* n : from.nodes)
      if (std::find(into.nodes.begin(), into.nodes.end(), n) == into.nodes.end()) into.nodes.push_back(n);
    into.stored.insert(into.stored.end(), from.stored.begin(), from.stored.end());
    into.outputs.insert(into.outputs.end(), from.outputs.begin(), from.outputs.end());
    into.siblings += 1 + from.siblings;
    std::sort(into.nodes.begin(), into.nodes.end(), [](const Node* x, const Node* y) { return x->id < y->id; });
    loops_[i].sums += loops_[j].sums;
    from = {};
  }

  // What one loop makes of elements for elements, and nothing else reads, needs no memory.
  void drop_inner_outputs() {
    for (Group& g : groups_) {
      if (g.siblings == 0 || loop_of(g, placed_).kind != Loop::Kind::kFlat) continue;
      std::erase_if(g.outputs, [&](const Value& v) {
        return std::find(outputs_.begin(), outputs_.end(), v) == outputs_.end() &&
               std::none_of(groups_.begin(), groups_.end(),
                            [&](const Group& other) { return &other != &g && memory_read(other).count(v.node); });
      });
    }
  }

  std::vector<Group> groups_;
  const std::vector<Value>& outputs_;
  const Target& target_;
  NodeSet placed_;
  std::vector<Loop> loops_;
};

}  // namespace

std::vector<Group> join_siblings(std::vector<Group> groups, const std::vector<Value>& outputs, const Target& target) {
  return Siblings(std::move(groups), outputs, target).run();
}

}  // namespace gcompile::passes
