#include "gcompile/passes/fuse.h"

#include <algorithm>

#include "gcompile/ir/op.h"
#include "gcompile/passes/places.h"

namespace gcompile::passes {
namespace {

using ir::Graph;
using ir::Node;
using ir::Value;

using Nodes = std::vector<const Node*>;

// Results and updates that are computed, each once, in order.
std::vector<Value> outputs_of(const Graph& g) {
  std::vector<Value> out;
  const auto add = [&](Value v) {
    if (!v.node->op->is(ir::kLeaf) && std::find(out.begin(), out.end(), v) == out.end()) out.push_back(v);
  };
  for (const auto& r : g.results) add(r.value);
  for (const auto& u : g.updates) add(u.value);
  return out;
}

bool is_argument(const Node& n) { return n.op->name == "input" || n.op->name == "state"; }

// Bytes of the values that a single kernel would keep in its frame, for one sample or for all.
std::int64_t frame_bytes(const std::unordered_set<const Node*>& placed, const NestPlan* plan,
                         const AxisClasses* classes, int anchor_class) {
  std::int64_t bytes = 0;
  for (const Node* n : placed) {
    std::int64_t size = static_cast<std::int64_t>(size_of(n->types[0].dtype));
    const int p = plan ? classes->find({n, 0}, anchor_class) : -1;
    for (int a = 0; a < n->types[0].rank(); ++a)
      if (a != p) size *= n->types[0].dim(a).constant();
    const bool lanes = plan && plan->category.at(n) != Category::kUniform;
    bytes += size * (lanes ? ir::kLanes : 1);
  }
  return bytes;
}

// Extents of the axes of a dot's operand that are contracted, or of its free ones, multiplied.
Dim extent_of(const Node& dot, std::size_t operand, bool contracted) {
  const auto &sums = dot.attrs.ints(operand == 0 ? "lhs_contract" : "rhs_contract"),
             &batch = dot.attrs.ints(operand == 0 ? "lhs_batch" : "rhs_batch");
  const auto is = [](const std::vector<std::int64_t>& axes, int a) {
    return std::find(axes.begin(), axes.end(), a) != axes.end();
  };
  const Type& t = dot.operands[operand].type();
  Dim product = 1;
  for (int a = 0; a < t.rank(); ++a)
    if (!is(batch, a) && is(sums, a) == contracted) product *= t.dim(a);
  return product;
}

// A dot of a nest with a matrix that is large enough for tiles: its uniform operand, the sums over the samples, or the
// result of each sample. Both of that matrix's extents count; the samples do not.
const Node* better_in_tiles(const Nodes& computed, const NestPlan& plan, const Target& target) {
  constexpr std::int64_t kNarrow = 8;  // tiles along a shorter axis are mostly empty
  for (const Node* n : computed) {
    if (!n->op->is(ir::kContraction)) continue;
    const auto category = [&](std::size_t i) { return plan.category.at(n->operands[i].node); };
    Dim rows = 0, columns = 0;
    if (category(0) == Category::kCarried && category(1) == Category::kCarried) {
      rows = extent_of(*n, 0, false);
      columns = extent_of(*n, 1, false);
    } else if (plan.category.at(n) == Category::kCarried && category(0) != category(1)) {
      const std::size_t uniform = category(0) == Category::kUniform ? 0 : 1;
      rows = extent_of(*n, uniform, false);
      columns = extent_of(*n, uniform, true);
    }
    if (!rows.is_constant() || !columns.is_constant()) continue;
    if (std::min(rows.constant(), columns.constant()) >= kNarrow && (rows * columns).constant() >= target.tile_elements)
      return n;
  }
  return nullptr;
}

// A scatter_add of a nest that is faster in loops: those go from an update to its element, a nest asks for every
// element of a sample whether an update is its own.
const Node* better_in_loops(const Nodes& computed, const NestPlan& plan, const AxisClasses& classes, int anchor,
                            const Target& target) {
  for (const Node* n : computed) {
    if (n->op->name != "scatter_add" || plan.category.at(n) == Category::kUniform) continue;
    const auto without_anchor = [&](Value v) {
      std::int64_t size = 1;
      for (int a = 0; a < v.type().rank(); ++a)
        if (a != classes.find(v, anchor)) size *= v.type().dim(a).constant();
      return size;
    };
    if (without_anchor({n, 0}) * without_anchor(n->operands[1]) >= target.tile_elements) return n;
  }
  return nullptr;
}

// Makes the fusion node of `nodes` (without arguments; other leaves are copied into the body) with the given outputs.
class Fuser {
 public:
  explicit Fuser(const Graph& graph) : source_(graph), out_(graph), b_(out_) {}

  void add(const Nodes& nodes, const std::vector<Value>& outputs, const std::string& kind, const std::string& reason,
           const std::function<int(Value)>& anchor_axis) {
    auto body = std::make_shared<Graph>("fusion");
    body->bounds = source_.bounds;
    ir::Builder inner(*body);
    ir::ValueMap<Value> map;
    std::vector<Value> operands;
    std::vector<std::int64_t> anchors;
    std::vector<Location> where;
    const auto inside = [&](Value v) {
      if (const auto it = map.find(v); it != map.end()) return it->second;
      if (v.node->op->is(ir::kLeaf) && !is_argument(*v.node)) return map[v] = clone(inner, *v.node, {});
      inner.where = source_.where(v.node);
      const std::string name = is_argument(*v.node) ? v.node->attrs.get<std::string>("name") : "t";
      operands.push_back(outer(v));
      anchors.push_back(anchor_axis(v));
      return map[v] = inner.input(name, v.type());
    };
    for (const Node* n : nodes) {
      std::vector<Value> args;
      for (const Value& v : n->operands) args.push_back(inside(v));
      map[{n, 0}] = clone(inner, *n, std::move(args));
      for (const Location& l : source_.where(n))
        if (std::find(where.begin(), where.end(), l) == where.end()) where.push_back(l);
    }
    for (const Value& v : outputs) body->results.push_back({map.at(v), ""});
    b_.where = std::move(where);
    const Value fusion = b_.make("fusion", operands, {{"kind", kind}, {"anchor", anchors}, {"reason", reason}}, body);
    for (std::size_t i = 0; i < outputs.size(); ++i) map_[outputs[i]] = {fusion.node, static_cast<int>(i)};
  }

  Graph finish() {
    for (auto& r : out_.results) r.value = outer(r.value);
    for (auto& u : out_.updates) u.value = outer(u.value);
    return std::move(out_);
  }

 private:
  Value outer(Value v) const {
    const auto it = map_.find(v);
    return it == map_.end() ? v : it->second;
  }
  Value clone(ir::Builder& b, const Node& n, std::vector<Value> operands) {
    b.where = source_.where(&n);
    return b.make(*n.op, std::move(operands), n.attrs, n.body);
  }

  const Graph& source_;
  Graph out_;
  ir::Builder b_;
  ir::ValueMap<Value> map_;
};

// The classes that the leading axes of the inputs belong to, symbolic ones first, each once, in the inputs' order.
std::vector<int> anchor_candidates(const Graph& g, const AxisClasses& classes) {
  std::vector<int> symbolic, fixed;
  for (const auto& input : g.inputs) {
    if (input.value.type().rank() == 0) continue;
    const int c = classes.of(input.value, 0);
    auto& list = input.value.type().dim(0).is_constant() ? fixed : symbolic;
    if (std::find(list.begin(), list.end(), c) == list.end()) list.push_back(c);
  }
  symbolic.insert(symbolic.end(), fixed.begin(), fixed.end());
  return symbolic;
}

// Whether a value has, besides the anchor, an axis that some input leads with. In another compilation of the same
// function its extent may be symbolic, where a nest would not be legal; so it is not wanted with a constant one either.
bool has_other_leading_axis(const Nodes& nodes, const AxisClasses& classes, const std::vector<int>& leading,
                            int anchor) {
  for (const Node* n : nodes)
    for (int a = 0; a < n->types[0].rank(); ++a) {
      const int c = classes.of({n, 0}, a);
      if (c != anchor && std::find(leading.begin(), leading.end(), c) != leading.end()) return true;
    }
  return false;
}

bool fuse_as_nest(const Graph& g, const Nodes& all, const Nodes& computed, const std::vector<Value>& outputs,
                  const PassContext& context, Fuser& fuser, std::string& why_not) {
  const AxisClasses classes(all);
  // Inputs that are only passed on take no part.
  Nodes used;
  for (const Node* n : all)
    if (!n->op->is(ir::kLeaf) || std::any_of(computed.begin(), computed.end(), [&](const Node* user) {
          return std::find(user->operands.begin(), user->operands.end(), Value{n, 0}) != user->operands.end();
        }))
      used.push_back(n);
  const std::vector<int> leading = anchor_candidates(g, classes);
  for (const int anchor : leading) {
    std::string why;
    const auto plan = legal_nest(used, classes, anchor, &why);
    if (plan && has_other_leading_axis(used, classes, leading, anchor)) {
      why_not += "no nest: an input leads with another axis; ";
      continue;
    }
    if (!plan) {
      why_not += "no nest: " + why + "; ";
      continue;
    }
    if (plan->reductions - plan->scatters + plan->carried_dots == 0) {
      why_not += "no nest: nothing is contracted or summed along the samples; ";
      continue;
    }
    if (const Node* dot = better_in_tiles(computed, *plan, context.target)) {
      why_not += "no nest: the dot " + dot->operands[0].type().str() + " x " + dot->operands[1].type().str() +
                 " is faster in tiles; ";
      continue;
    }
    if (const Node* scatter = better_in_loops(computed, *plan, classes, anchor, context.target)) {
      why_not += "no nest: the scatter_add to " + scatter->types[0].str() + " is faster in loops; ";
      continue;
    }
    const auto placed = placed_nodes(computed, outputs);
    const std::int64_t bytes = frame_bytes(placed, &*plan, &classes, anchor);
    if (bytes > context.target.stack_limit) {
      why_not += "no nest: " + std::to_string(bytes) + " bytes of values per tile, more than " +
                 std::to_string(context.target.stack_limit) + "; ";
      continue;
    }
    fuser.add(computed, outputs, "nest",
              why_not + "anchored nest over " + plan->extent.str() + ": " + std::to_string(plan->reductions) +
                  " reductions over the anchor, " + std::to_string(bytes) + " bytes of values per tile",
              [&](Value v) { return std::max(classes.find(v, anchor), -1); });
    return true;
  }
  return false;
}

int no_anchor(Value) { return -1; }

// One kernel with a loop nest per placed value: everything is small.
bool fuse_as_one(const Nodes& computed, const std::vector<Value>& outputs, const PassContext& context, Fuser& fuser,
                 const std::string& why_not) {
  for (const Node* n : computed)
    if (!n->types[0].is_static()) return false;
  const std::int64_t bytes = frame_bytes(placed_for_loops(computed, outputs), nullptr, nullptr, -1);
  if (bytes > context.target.l1_bytes / 2) return false;
  fuser.add(computed, outputs, "loops",
            why_not + "one kernel: all values together take " + std::to_string(bytes) + " bytes", no_anchor);
  return true;
}

using Nodeset = std::unordered_set<const Node*>;

// One kernel per placed value, with what is computed where it is read; with a dot also what rides on it.
void fuse_by_place(const Nodes& computed, const std::vector<Value>& outputs, Fuser& fuser, const std::string& why_not) {
  const auto placed = placed_for_loops(computed, outputs);
  Nodeset done;
  for (const Node* root : computed) {
    if (!placed.count(root) || done.count(root)) continue;
    Nodes group, stored;
    const auto store = [&](const Node* n) {
      stored.push_back(n);
      done.insert(n);
      Nodes todo{n};
      group.push_back(n);
      while (!todo.empty()) {
        const Node* reader = todo.back();
        todo.pop_back();
        for (const Value& v : reader->operands)
          if (!v.node->op->is(ir::kLeaf) && !placed.count(v.node) &&
              std::find(group.begin(), group.end(), v.node) == group.end()) {
            group.push_back(v.node);
            todo.push_back(v.node);
          }
      }
    };
    store(root);
    const auto is_dot = [](const Node* n) { return n->op->is(ir::kContraction); };
    if (std::any_of(group.begin(), group.end(), is_dot))
      for (const Node* n : computed)
        if (placed.count(n) && !done.count(n) &&
            rides_on(*n, stored, placed, [&](const Node* o) { return done.count(o) != 0; }))
          store(n);
    std::sort(group.begin(), group.end(), [](const Node* a, const Node* b) { return a->id < b->id; });
    std::vector<Value> results;
    for (const Node* n : stored) results.push_back({n, 0});
    fuser.add(group, results, "loops",
              why_not + std::string(root->op->name) + " with " + std::to_string(group.size() - stored.size()) +
                  " producers computed in place" +
                  (stored.size() > 1 ? ", and " + std::to_string(stored.size() - 1) + " values made of it" : ""),
              no_anchor);
  }
}

}  // namespace

Graph fuse(const Graph& graph, const PassContext& context) {
  const Nodes all = graph.topological();
  Nodes computed;
  for (const Node* n : all) {
    if (n->op->name == "fusion") return graph;
    if (!n->op->is(ir::kLeaf)) computed.push_back(n);
  }
  if (computed.empty()) return graph;
  const auto outputs = outputs_of(graph);
  Fuser fuser(graph);
  std::string why_not;
  if (!fuse_as_nest(graph, all, computed, outputs, context, fuser, why_not) &&
      !fuse_as_one(computed, outputs, context, fuser, why_not))
    fuse_by_place(computed, outputs, fuser, why_not);
  return fuser.finish();
}

}  // namespace gcompile::passes
