#include "gcompile/passes/lower.h"

#include <algorithm>

#include "gcompile/base/error.h"
#include "gcompile/ir/op.h"

namespace gcompile::passes {
namespace {

using ir::Buffer;
using ir::BufferRole;
using ir::Graph;
using ir::Node;
using ir::Value;

class Lowering {
 public:
  Lowering(const Graph& graph, const PassContext& context) : graph_(graph), context_(context) {
    module_.name = graph.name;
    module_.bounds = graph.bounds;
    module_.reasons = graph.reasons;
  }

  ir::KernelModule run() {
    for (const auto& i : graph_.inputs) names_[i.value] = add(i.name, i.value.type(), BufferRole::kInput);
    for (const auto& s : graph_.states) {
      names_[s.value] = add(s.name, s.value.type(), BufferRole::kState);
      module_.buffers.back().storage = s.storage;
      module_.buffers.back().trainable = s.trainable;
      module_.buffers.back().order = s.order;
    }
    for (const auto& r : graph_.results) {
      const std::string name = add(r.name.empty() ? "result" : r.name, r.value.type(), BufferRole::kResult);
      if (is_computed(r.value) && !names_.count(r.value))
        names_[r.value] = name;
      else
        copies_.push_back({r.value, name});
    }
    for (const auto& u : graph_.updates) {
      const std::string state = names_.at(graph_.states[static_cast<std::size_t>(u.state)].value);
      std::string value;
      if (is_computed(u.value)) {
        if (!names_.count(u.value)) names_[u.value] = add("new " + state, u.value.type(), BufferRole::kTemp);
        value = names_.at(u.value);
      } else {
        value = add("new " + state, u.value.type(), BufferRole::kTemp);
        copies_.push_back({u.value, value});
      }
      module_.updates.push_back({state, value});
    }
    // Copies of leaves come first: they read states before any update. Copies of results come after what makes them.
    for (const Copy& c : copies_)
      if (!is_computed(c.from)) copy(c);
    for (const Node* n : graph_.topological()) {
      if (n->op->is(ir::kLeaf)) continue;
      if (n->op->name != "fusion")
        throw ModelError(graph_.where(n).empty() ? Location{} : graph_.where(n).front(),
                         std::string(n->op->name) + ": lower needs a graph whose nodes are fused (run fuse before it)");
      check_target(*n->body);
      kernel(*n);
    }
    for (const Copy& c : copies_)
      if (is_computed(c.from)) copy(c);
    return std::move(module_);
  }

 private:
  struct Copy {
    Value from;
    std::string to;
  };

  // A graph that was contracted for another target.
  void check_target(const Graph& body) const {
    if (context_.target.has_fma) return;
    for (const Node* n : body.topological())
      if (n->op->name == "fma")
        throw ModelError(body.where(n).empty() ? Location{} : body.where(n).front(),
                         "fma: the target " + context_.target.name + " has no such instruction; write mul and add");
  }

  static bool is_computed(Value v) { return !v.node->op->is(ir::kLeaf); }

  // Adds a buffer with a name that no other buffer has; characters that are no identifier's become '_'.
  std::string add(std::string name, const Type& type, BufferRole role) {
    for (char& ch : name)
      if (!std::isalnum(static_cast<unsigned char>(ch)) && ch != '_' && ch != '.') ch = '_';
    if (name.empty() || !(std::isalpha(static_cast<unsigned char>(name[0])) || name[0] == '_')) name = "_" + name;
    std::string unique = name;
    const auto taken = [&] {
      return std::any_of(module_.buffers.begin(), module_.buffers.end(),
                         [&](const Buffer& b) { return b.name == unique; });
    };
    for (int i = 2; taken(); ++i) unique = name + "_" + std::to_string(i);
    Buffer b;
    b.name = unique;
    b.type = type;
    b.role = role;
    module_.buffers.push_back(std::move(b));
    return unique;
  }

  std::string buffer_of(Value v) {
    if (const auto it = names_.find(v); it != names_.end()) return it->second;
    if (v.node->op->name == "constant") {
      names_[v] = add("c", v.type(), BufferRole::kConstant);
      module_.buffers.back().data = v.node->attrs.get<Array>("value");
      return names_[v];
    }
    return names_[v] = add("t", v.type(), BufferRole::kTemp);
  }

  // The frame of a kernel: a body whose inputs are placed in buffers. What belongs to no node of the body (masks,
  // loops) has the first location of `node`.
  template <class F>
  void make_kernel(const Node* node, const Graph& body, const std::vector<std::string>& inputs,
                   const std::string& reason, F&& fill) {
    ir::Kernel kernel;
    kernel.name = "k" + std::to_string(module_.kernels.size());
    if (!reason.empty()) kernel.reasons.push_back(reason);
    {
      KernelBuilder builder(kernel);
      if (const auto& where = graph_.where(node); !where.empty()) builder.where = builder.location(where.front());
      BodyLowering c(
          builder, body, context_,
          [&](const Array& value) {
            const std::string name = add("c", Type::of(value.dtype(), value.shape()), BufferRole::kConstant);
            module_.buffers.back().data = value;
            return name;
          },
          [&](const Type& type) { return add("w", type, BufferRole::kTemp); });
      for (const Buffer& b : module_.buffers) c.reserved.insert(b.name);
      for (std::size_t i = 0; i < inputs.size(); ++i) c.place_buffer(body.inputs[i].value, inputs[i]);
      fill(c);
    }
    module_.kernels.push_back(std::move(kernel));
  }

  void kernel(const Node& n) {
    const Graph& body = *n.body;
    std::vector<std::string> inputs;
    for (const Value& v : n.operands) inputs.push_back(buffer_of(v));
    std::vector<Output> outputs;
    for (std::size_t i = 0; i < body.results.size(); ++i)
      outputs.push_back({body.results[i].value, buffer_of({&n, static_cast<int>(i)})});
    const std::string reason = n.attrs.has("reason") ? n.attrs.get<std::string>("reason") : "";
    make_kernel(&n, body, inputs, reason, [&](BodyLowering& c) {
      if (n.attrs.get<std::string>("kind") == "nest")
        lower_nest(c, body, n.attrs.ints("anchor"), outputs);
      else if (n.attrs.has("rows"))
        lower_rows(c, body, static_cast<int>(n.attrs.get<std::int64_t>("rows")), outputs);
      else
        lower_loops(c, body, outputs);
    });
  }

  // A kernel that copies a leaf or a result that has a buffer already.
  void copy(const Copy& what) {
    Graph body("copy");
    ir::Builder b(body);
    Value v;
    std::vector<std::string> inputs;
    const Node& n = *what.from.node;
    b.where = graph_.where(&n);
    const bool in_memory = is_computed(what.from) || ir::is_argument(n);
    if (in_memory) {
      v = b.input("from", what.from.type());
      inputs.push_back(names_.at(what.from));
    } else {
      v = b.make(*n.op, {}, n.attrs);
    }
    body.results.push_back({v, ""});
    make_kernel(&n, body, inputs, "copy", [&](BodyLowering& c) { emit_value(c, v, {what.to}); });
  }

  const Graph& graph_;
  const PassContext& context_;
  ir::KernelModule module_;
  ir::ValueMap<std::string> names_;
  std::vector<Copy> copies_;
};

}  // namespace

ir::KernelModule lower(const Graph& graph, const PassContext& context) { return Lowering(graph, context).run(); }

}  // namespace gcompile::passes
