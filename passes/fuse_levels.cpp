#include "gcompile/passes/fuse_levels.h"

#include <algorithm>
#include <map>

#include "gcompile/ir/control.h"
#include "gcompile/passes/contiguous_view.h"
#include "gcompile/passes/fuse.h"

namespace gcompile::passes {
namespace {

using ir::Graph;
using ir::Node;
using ir::Value;
using Values = std::unordered_set<Value, ir::ValueHash>;

bool is_leaf(Value v) { return v.node->op->is(ir::kLeaf); }
bool is_view(Value v) { return v.node->op->is(ir::kView); }

// The value that a chain of views reads.
Value source_of(Value v) {
  while (is_view(v)) v = v.node->operands[0];
  return v;
}

// Nodes of one level as a graph, and what its inputs and results stand for.
struct Segment {
  Graph graph;
  std::vector<Value> inputs, outputs;  // of the graph around
  UniformInputs uniform = {};
};

class Levels {
 public:
  Levels(const Graph& graph, const UniformInputs& uniform, const PassContext& context)
      : graph_(graph), uniform_(uniform), context_(context), out_(graph), b_(out_) {}

  Graph run() {
    place();
    for (int level = 0; level <= last_; ++level) {
      add_segment(level);
      for (const Node* n : control_[level]) add_control(*n);
    }
    for (auto& r : out_.results) r.value = outer(r.value);
    for (auto& u : out_.updates) u.value = outer(u.value);
    return std::move(out_);
  }

 private:
  // What must be in memory: operands of control flow, results, updates. Of sequences what they are views of.
  std::vector<Value> stored() const {
    std::vector<Value> values;
    for (const Node* n : graph_.topological())
      if (n->op->is(ir::kControl))
        for (std::size_t i = 0; i < n->operands.size(); ++i)
          values.push_back(ir::control_parts(*n).is_sequence(i) ? contiguous_view(n->operands[i]).source
                                                                : n->operands[i]);
    for (const auto& r : graph_.results) values.push_back(r.value);
    for (const auto& u : graph_.updates) values.push_back(u.value);
    return values;
  }

  // The level of every node: how many control flow nodes, one after the other, it needs the results of.
  void place() {
    std::unordered_set<const Node*> stored_views;
    for (const Value& v : stored())
      if (is_view(v)) stored_views.insert(v.node);
    for (const Node* n : graph_.topological()) {
      int level = 0;
      for (const Value& v : n->operands)
        level = std::max(level, level_.at(v.node) + (v.node->op->is(ir::kControl) ? 1 : 0));
      level_[n] = level;
      last_ = std::max(last_, level);
      if (n->op->is(ir::kControl))
        control_[level].push_back(n);
      else if (!n->op->is(ir::kLeaf) && (!n->op->is(ir::kView) || stored_views.count(n)))
        nodes_[level].push_back(n);
    }
    for (const auto& [level, nodes] : nodes_)
      for (const Node* n : nodes)
        for (const Value& v : n->operands)
          if (const Value s = source_of(v); level_.at(s.node) != level) outputs_.insert(s);
    for (const Value& v : stored()) outputs_.insert(v);
  }

  // The nodes of a level, copied.
  Segment segment(int level) const {
    Segment s{Graph(graph_.name), {}, {}};
    s.graph.bounds = graph_.bounds;
    ir::Builder b(s.graph);
    ir::ValueMap<Value> map;
    const auto copy = [&](const Node& n, std::vector<Value> operands) {
      b.where = graph_.where(&n);
      const Value made = b.make(*n.op, std::move(operands), n.attrs);
      for (int r = 0; r < static_cast<int>(n.types.size()); ++r) map[{&n, r}] = {made.node, r};
    };
    const auto root = [&](Value v) {
      b.where = graph_.where(v.node);
      if (const int i = graph_.state_index(v); i >= 0) {
        const Graph::State& state = graph_.states[static_cast<std::size_t>(i)];
        map[v] = b.state(state.name, v.type(), state.storage, state.trainable);
        s.graph.states.back().order = state.order;
      } else if (is_leaf(v) && !ir::is_argument(*v.node)) {
        return copy(*v.node, {});
      } else {
        const std::string name = ir::is_argument(*v.node) ? v.node->attrs.get<std::string>("name") : "t";
        map[v] = b.input(name, v.type());
        if (uniform_.count(v)) s.uniform.insert(map[v]);
      }
      s.inputs.push_back(v);
    };
    const auto inside = [&](Value v) {
      std::vector<const Node*> views;
      for (; !map.count(v) && is_view(v); v = v.node->operands[0]) views.push_back(v.node);
      if (!map.count(v)) root(v);
      for (; !views.empty(); views.pop_back()) copy(*views.back(), {map.at(views.back()->operands[0])});
    };
    for (const Node* n : nodes_.at(level)) {
      std::vector<Value> operands;
      for (const Value& v : n->operands) {
        inside(v);
        operands.push_back(map.at(v));
      }
      if (!map.count({n, 0})) copy(*n, std::move(operands));
    }
    for (const Node* n : nodes_.at(level))
      for (int r = 0; r < static_cast<int>(n->types.size()); ++r)
        if (outputs_.count({n, r})) {
          s.outputs.push_back({n, r});
          s.graph.results.push_back({map.at({n, r}), ""});
        }
    for (const auto& u : graph_.updates) {
      const Value state = graph_.states[static_cast<std::size_t>(u.state)].value;
      const auto made = map.find(u.value);
      if (made == map.end() || is_leaf(u.value) || level_.at(u.value.node) != level) continue;
      inside(state);
      s.graph.updates.push_back({s.graph.state_index(map.at(state)), made->second});
    }
    return s;
  }

  void add_segment(int level) {
    if (!nodes_.count(level)) return;
    const Segment s = segment(level);
    const Graph fused = fuse_and_tell(s.graph, context_, s.uniform).graph;
    ir::ValueMap<Value> map;
    std::size_t input = 0, state = 0;
    for (const Value& v : s.inputs)
      map[graph_.state_index(v) >= 0 ? fused.states[state++].value : fused.inputs[input++].value] = outer(v);
    for (const Node* n : fused.topological()) {
      if (map.count({n, 0})) continue;
      std::vector<Value> operands;
      for (const Value& v : n->operands) operands.push_back(map.at(v));
      b_.where = fused.where(n);
      const Value made = b_.make(*n->op, std::move(operands), n->attrs, n->bodies);
      for (int r = 0; r < static_cast<int>(n->types.size()); ++r) map[{n, r}] = {made.node, r};
    }
    for (std::size_t i = 0; i < s.outputs.size(); ++i) map_[s.outputs[i]] = map.at(fused.results[i].value);
  }

  void add_control(const Node& n) {
    const ir::ControlParts parts = ir::control_parts(n);
    std::vector<Value> operands;
    for (std::size_t i = 0; i < n.operands.size(); ++i)
      operands.push_back(parts.is_sequence(i) ? viewed(n.operands[i]) : outer(n.operands[i]));
    // The first inputs of a loop's body are other values in each step, those that follow are not.
    const std::size_t varying = parts.is_loop() ? parts.carries + parts.sequences : n.operands.size();
    ir::Bodies bodies;
    for (const auto& body : n.bodies) {
      UniformInputs uniform;
      for (std::size_t i = varying; i < body->inputs.size(); ++i) uniform.insert(body->inputs[i].value);
      bodies.push_back(std::make_shared<const Graph>(fuse_levels(*body, uniform, context_)));
    }
    b_.where = graph_.where(&n);
    const Value made = b_.make(*n.op, std::move(operands), n.attrs, std::move(bodies));
    for (int r = 0; r < static_cast<int>(n.types.size()); ++r) map_[{&n, r}] = {made.node, r};
  }

  // The same contiguous view of what stands for its source.
  Value viewed(Value v) {
    const Value source = contiguous_view(v).source;
    std::vector<const Node*> views;
    for (; !(v == source); v = v.node->operands[0]) views.push_back(v.node);
    Value made = outer(source);
    for (auto it = views.rbegin(); it != views.rend(); ++it) {
      b_.where = graph_.where(*it);
      made = b_.make(*(*it)->op, {made}, (*it)->attrs);
    }
    return made;
  }

  Value outer(Value v) const {
    const auto it = map_.find(v);
    return it == map_.end() ? v : it->second;
  }

  const Graph& graph_;
  const UniformInputs& uniform_;
  const PassContext& context_;
  Graph out_;
  ir::Builder b_;
  std::unordered_map<const Node*, int> level_;
  std::map<int, std::vector<const Node*>> nodes_;    // that get memory or are made where they are read, by level
  std::map<int, std::vector<const Node*>> control_;  // control flow, by level
  int last_ = 0;
  Values outputs_;  // read elsewhere
  ir::ValueMap<Value> map_;
};

}  // namespace

bool has_control(const Graph& graph) {
  const auto nodes = graph.topological();
  return std::any_of(nodes.begin(), nodes.end(), [](const Node* n) { return n->op->is(ir::kControl); });
}

Graph fuse_levels(const Graph& graph, const UniformInputs& uniform, const PassContext& context) {
  return has_control(graph) ? Levels(graph, uniform, context).run() : fuse_and_tell(graph, context, uniform).graph;
}

}  // namespace gcompile::passes
