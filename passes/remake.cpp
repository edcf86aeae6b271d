#include "gcompile/passes/remake.h"

#include <algorithm>
#include <numeric>

#include "gcompile/ir/op.h"
#include "gcompile/passes/expand_math.h"

namespace gcompile::passes {
namespace {

using ir::Graph;
using ir::Node;
using ir::Value;

constexpr double kCheapChain = 256;  // instructions for an element that are worth its memory

bool is_remade(const Node& n) {
  return std::holds_alternative<ir::ElementLowering>(n.op->lower) ||
         std::holds_alternative<ir::ViewLowering>(n.op->lower);
}

class Chooser {
 public:
  Chooser(const Graph& graph, const KeptValues& kept, const Target& target)
      : kept_(kept), target_(target), extents_(typical_extents(graph)), peak_(kept.peak()) {
    for (const auto& r : graph.results) stays_.insert(r.value.node);
    for (const auto& u : graph.updates) new_.insert(u.value.node);
  }

  // The best at the moment of the peak, but those that are banned. Ties go to the value that is made first.
  std::optional<Remake> best(const std::unordered_set<const Node*>& banned) const {
    std::optional<Remake> found;
    for (const KeptValues::Kept& k : kept_.temporaries) {
      if (banned.count(k.node) || k.first >= peak_ || k.last <= peak_) continue;
      if (std::find(k.readers.begin(), k.readers.end(), peak_) != k.readers.end()) continue;
      Remake c;
      c.value = &k;
      c.freed = k.bytes;
      if (!is_remade(*k.node) || !add(*k.node, c) || c.freed <= 0) continue;
      if (!found || c.score() > found->score()) found = std::move(c);
    }
    return found;
  }

 private:
  // Adds a node and what it needs that is not there any more. False where that cannot be made again.
  bool add(const Node& n, Remake& c) const {
    if (std::find(c.chain.begin(), c.chain.end(), &n) != c.chain.end()) return true;
    for (const Value& v : n.operands) {
      const Node& o = *v.node;
      if (o.op->is(ir::kLeaf) || stays_.count(&o)) continue;
      const KeptValues::Kept* k = kept_.find(&o);
      if (k && k->last >= c.value->last) continue;
      if (k && k->last >= peak_ && k->first <= peak_) continue;  // it waits a little longer
      if (is_remade(o) && !new_.count(&o)) {
        if (!add(o, c)) return false;
      } else if (k) {
        c.freed -= k->bytes;  // it has to wait in its stead
      } else {
        return false;
      }
    }
    const double elements = static_cast<double>(n.types[0].size().evaluate(extents_));
    c.operations += std::max(element_cost(n, target_), 0.0) * elements;
    c.chain.push_back(&n);
    return c.operations <= kCheapChain * static_cast<double>(c.value->bytes) / 4;
  }

  const KeptValues& kept_;
  const Target& target_;
  const std::map<std::string, std::int64_t> extents_;
  const int peak_;
  std::unordered_set<const Node*> stays_, new_;
};

class Remaking {
 public:
  Remaking(const Graph& graph, const KeptValues& kept, const Remake& choice)
      : graph_(graph), out_(graph), b_(out_), choice_(choice), peak_(kept.peak()), launches_(kept.launches) {
    for (const int reader : choice.value->readers)
      if (reader > peak_) late_.insert(reader);
  }

  Graph run(std::unordered_map<const Node*, const Node*>& now) {
    for (const Node* n : graph_.topological()) {
      if (n->op->is(ir::kLeaf)) continue;
      main_[n] = make(*n, is_late_only(*n));
      now[n] = main_[n];
    }
    for (auto& r : out_.results) r.value = mapped(r.value);
    for (auto& u : out_.updates) u.value = mapped(u.value);
    return std::move(out_);
  }

 private:
  bool is_late_only(const Node& n) const {
    const auto it = launches_.find(&n);
    return it != launches_.end() &&
           std::all_of(it->second.begin(), it->second.end(), [&](int l) { return late_.count(l) != 0; });
  }
  // Computed by a late reader and by another kernel: a view of the value, say.
  bool is_in_both(const Node& n) const {
    const auto it = launches_.find(&n);
    return it != launches_.end() && !is_late_only(n) &&
           std::any_of(it->second.begin(), it->second.end(), [&](int l) { return late_.count(l) != 0; });
  }
  bool reads_value(const Node& n) const {
    return std::any_of(n.operands.begin(), n.operands.end(), [&](const Value& v) {
      return v.node == choice_.value->node || (is_in_both(*v.node) && reads_value(*v.node));
    });
  }

  const Node* make(const Node& n, bool late) {
    std::vector<Value> operands;
    for (const Value& v : n.operands) operands.push_back(late ? of_late(v) : mapped(v));
    b_.where = graph_.where(&n);
    return b_.make(*n.op, std::move(operands), n.attrs, n.bodies).node;
  }
  Value mapped(Value v) const {
    const auto it = main_.find(v.node);
    return it == main_.end() ? v : Value{it->second, v.index};
  }
  Value of_late(Value v) {
    if (v.node == choice_.value->node) {
      if (again_.empty())
        for (const Node* n : choice_.chain) again_[n] = remade(*n);
      return {again_.at(v.node), v.index};
    }
    if (!is_in_both(*v.node) || !reads_value(*v.node)) return mapped(v);
    const auto it = copies_.find(v.node);
    return {it != copies_.end() ? it->second : copies_[v.node] = make(*v.node, true), v.index};
  }
  // What it is made of is read through a view, or `fuse` would make it where that is stored, or beside what else reads
  // it: as before.
  const Node* remade(const Node& n) {
    std::vector<Value> operands;
    for (const Value& v : n.operands) {
      const auto it = again_.find(v.node);
      if (it != again_.end())
        operands.push_back({it->second, v.index});
      else if (v.type().rank() == 0 || (v.node->op->is(ir::kLeaf) && !ir::is_argument(*v.node)))
        operands.push_back(mapped(v));
      else
        operands.push_back(seen_from_afar(mapped(v)));
    }
    b_.where = graph_.where(&n);
    return b_.make(*n.op, std::move(operands), n.attrs, n.bodies).node;
  }

  Value seen_from_afar(Value v) {
    std::vector<std::int64_t> axes(v.type().dims.size());
    std::iota(axes.begin(), axes.end(), 0);
    return b_.make("broadcast", {v}, {{"axes", axes}, {"dims", v.type().dims}});
  }

  const Graph& graph_;
  Graph out_;
  ir::Builder b_;
  const Remake& choice_;
  const int peak_;
  const std::unordered_map<const Node*, std::vector<int>>& launches_;
  std::unordered_set<int> late_;
  std::unordered_map<const Node*, const Node*> main_, again_, copies_;
};

}  // namespace

double Remake::score() const { return static_cast<double>(freed) / std::max(operations, 1.0); }

std::optional<Remake> best_remake(const Graph& graph, const KeptValues& kept, const Target& target,
                                  const std::unordered_set<const Node*>& banned) {
  return Chooser(graph, kept, target).best(banned);
}

Graph remade(const Graph& graph, const KeptValues& kept, const Remake& remake,
             std::unordered_map<const Node*, const Node*>& now) {
  return Remaking(graph, kept, remake).run(now);
}

}  // namespace gcompile::passes
