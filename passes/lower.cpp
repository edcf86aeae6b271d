#include "gcompile/passes/lower.h"

#include <algorithm>
#include <set>

#include "gcompile/base/error.h"
#include "gcompile/ir/op.h"
#include "gcompile/passes/lower_control.h"
#include "gcompile/passes/lower_module.h"

namespace gcompile::passes {
namespace {

using ir::BufferRole;
using ir::Graph;
using ir::Node;
using ir::Value;

class Lowering {
 public:
  Lowering(const Graph& graph, const PassContext& context)
      : out_(graph, context), control_(out_, [this](const std::vector<Output>& wanted) { fill(wanted); }) {}

  ir::KernelModule run() {
    const Graph& graph = out_.graph();
    for (const auto& i : graph.inputs) out_.set_buffer(i.value, out_.add(i.name, i.value.type(), BufferRole::kInput));
    for (const auto& s : graph.states) {
      out_.set_buffer(s.value, out_.add(s.name, s.value.type(), BufferRole::kState));
      ir::Buffer& buffer = out_.module().buffers.back();
      buffer.storage = s.storage;
      buffer.trainable = s.trainable;
      buffer.order = s.order;
    }
    std::vector<Output> wanted;
    for (const auto& r : graph.results)
      wanted.push_back({r.value, out_.add(r.name.empty() ? "result" : r.name, r.value.type(), BufferRole::kResult)});
    std::set<Value, Before> made;
    for (const Output& o : wanted) made.insert(o.value);
    for (const auto& u : graph.updates) {
      const std::string state = out_.buffer_of(graph.states[static_cast<std::size_t>(u.state)].value);
      if (is_computed(u.value) && !made.insert(u.value).second) {
        const auto it = std::find_if(wanted.begin(), wanted.end(), [&](const Output& o) { return o.value == u.value; });
        out_.module().updates.push_back({state, it->buffer});
        continue;
      }
      wanted.push_back({u.value, out_.add("new " + state, u.value.type(), BufferRole::kTemp)});
      out_.module().updates.push_back({state, wanted.back().buffer});
    }
    fill(wanted);
    return std::move(out_.module());
  }

 private:
  struct Before {
    bool operator()(Value a, Value b) const {
      return a.node->id != b.node->id ? a.node->id < b.node->id : a.index < b.index;
    }
  };

  // Kernels that put values of the graph at hand into buffers.
  void fill(const std::vector<Output>& wanted) {
    std::vector<Output> copies;
    for (const Output& o : wanted) {
      if (is_computed(o.value) && !out_.has_buffer(o.value))
        out_.set_buffer(o.value, o.buffer);
      else
        copies.push_back(o);
    }
    // Copies of leaves come first: they read states before any update. Copies of results come after what makes them.
    for (const Output& o : copies)
      if (!is_computed(o.value)) out_.add_copy(o);
    const Graph& graph = out_.graph();
    const std::set<const Node*> views = views_of_sequences(graph);
    for (const Node* n : graph.topological()) {
      if (n->op->is(ir::kLeaf) || views.count(n)) continue;
      if (n->op->name == "fusion")
        out_.add_fusion(*n);
      else if (!control_.lower(*n))
        throw ModelError(graph.first_location(n),
                         std::string(n->op->name) + ": lower needs a graph whose nodes are fused (run fuse before it)");
    }
    for (const Output& o : copies)
      if (is_computed(o.value)) out_.add_copy(o);
  }

  LoweredModule out_;
  ControlLowering control_;
};

}  // namespace

ir::KernelModule lower(const Graph& graph, const PassContext& context) { return Lowering(graph, context).run(); }

}  // namespace gcompile::passes
