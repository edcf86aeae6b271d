#include "gcompile/passes/lower_module.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "gcompile/base/error.h"
#include "gcompile/ir/op.h"

namespace gcompile::passes {

using ir::Buffer;
using ir::BufferRole;
using ir::Graph;
using ir::Node;
using ir::Value;

bool is_computed(Value v) { return !v.node->op->is(ir::kLeaf); }

LoweredModule::LoweredModule(const Graph& graph, const PassContext& context) : context_(context), graph_(&graph) {
  module_.name = graph.name;
  module_.bounds = graph.bounds;
  module_.requirements = ir::requirements_of(graph);
  module_.reasons = graph.reasons;
}

void LoweredModule::inside(const Graph& body, int region, const std::vector<std::string>& inputs,
                           const std::function<void()>& make) {
  const ir::ValueMap<std::string> names_around = std::exchange(names_, {});
  const Graph* graph_around = std::exchange(graph_, &body);
  const int region_around = std::exchange(region_, region);
  for (std::size_t i = 0; i < inputs.size(); ++i) names_[body.inputs[i].value] = inputs[i];
  make();
  region_ = region_around;
  graph_ = graph_around;
  names_ = names_around;
}

std::string LoweredModule::add(std::string name, const Type& type, BufferRole role) {
  for (char& ch : name)
    if (!std::isalnum(static_cast<unsigned char>(ch)) && ch != '_' && ch != '.') ch = '_';
  const bool begins_a_name = !name.empty() && (std::isalpha(static_cast<unsigned char>(name[0])) || name[0] == '_');
  if (!begins_a_name) name = "_" + name;
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

std::string LoweredModule::buffer_of(Value v) {
  if (const auto it = names_.find(v); it != names_.end()) return it->second;
  if (v.node->op->name == "constant") {
    names_[v] = add("c", v.type(), BufferRole::kConstant);
    module_.buffers.back().data = v.node->attrs.get<Array>("value");
    return names_[v];
  }
  return names_[v] = add("t", v.type(), BufferRole::kTemp);
}

// The frame of a kernel: a body whose inputs are placed in buffers. What belongs to no node of the body (masks, loops)
// has the first location of `node`.
void LoweredModule::add_kernel(const Node& node, const Graph& body, const std::vector<std::string>& inputs,
                               const std::string& reason, const std::function<void(BodyLowering&)>& fill) {
  ir::Kernel kernel;
  kernel.name = "k" + std::to_string(module_.kernels.size());
  kernel.region = region_;
  if (!reason.empty()) kernel.reasons.push_back(reason);
  {
    KernelBuilder builder(kernel);
    if (const auto& where = graph().where(&node); !where.empty()) builder.where = builder.location(where.front());
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

// A graph that was contracted for another target.
void LoweredModule::check_target(const Graph& body) const {
  if (context_.target.has_fma) return;
  for (const Node* n : body.topological())
    if (n->op->name == "fma")
      throw ModelError(body.first_location(n),
                       "fma: the target " + context_.target.name + " has no such instruction; write mul and add");
}

void LoweredModule::add_fusion(const Node& n) {
  const Graph& body = n.body();
  check_target(body);
  std::vector<std::string> inputs;
  for (const Value& v : n.operands) inputs.push_back(buffer_of(v));
  std::vector<Output> outputs;
  for (std::size_t i = 0; i < body.results.size(); ++i)
    outputs.push_back({body.results[i].value, buffer_of({&n, static_cast<int>(i)})});
  const std::string reason = n.attrs.has("reason") ? n.attrs.get<std::string>("reason") : "";
  add_kernel(n, body, inputs, reason, [&](BodyLowering& c) {
    if (n.attrs.get<std::string>("kind") == "nest")
      lower_nest(c, body, n.attrs.ints("anchor"), outputs);
    else if (n.attrs.has("rows"))
      lower_rows(c, body, static_cast<int>(n.attrs.get<std::int64_t>("rows")), outputs);
    else
      lower_loops(c, body, outputs);
  });
}

void LoweredModule::add_copy(const Output& to) {
  const Node& n = *to.value.node;
  Graph body("copy");
  ir::Builder b(body);
  b.where = graph().where(&n);
  Value v;
  std::vector<std::string> inputs;
  if (is_computed(to.value) || ir::is_argument(n)) {
    v = b.input("from", to.value.type());
    inputs.push_back(names_.at(to.value));
  } else {
    v = b.make(*n.op, {}, n.attrs);
  }
  body.results.push_back({v, ""});
  add_kernel(n, body, inputs, "copy", [&](BodyLowering& c) { emit_value(c, v, {to.buffer}); });
}

}  // namespace gcompile::passes
