#include "gcompile/passes/lower.h"

#include <algorithm>
#include <set>
#include <utility>

#include "gcompile/base/error.h"
#include "gcompile/ir/op.h"
#include "gcompile/ir/ops/scan.h"
#include "gcompile/passes/contiguous_view.h"

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
    std::vector<Copy> wanted;
    for (const auto& r : graph_.results)
      wanted.push_back({r.value, add(r.name.empty() ? "result" : r.name, r.value.type(), BufferRole::kResult)});
    std::set<Value, Before> made;
    for (const Copy& c : wanted) made.insert(c.from);
    for (const auto& u : graph_.updates) {
      const std::string state = names_.at(graph_.states[static_cast<std::size_t>(u.state)].value);
      if (is_computed(u.value) && !made.insert(u.value).second) {
        const auto it = std::find_if(wanted.begin(), wanted.end(), [&](const Copy& c) { return c.from == u.value; });
        module_.updates.push_back({state, it->to});
        continue;
      }
      wanted.push_back({u.value, add("new " + state, u.value.type(), BufferRole::kTemp)});
      module_.updates.push_back({state, wanted.back().to});
    }
    fill(wanted);
    return std::move(module_);
  }

 private:
  struct Copy {
    Value from;
    std::string to;
  };
  struct Before {
    bool operator()(Value a, Value b) const {
      return a.node->id != b.node->id ? a.node->id < b.node->id : a.index < b.index;
    }
  };

  // Kernels that put values of the graph at hand into buffers.
  void fill(const std::vector<Copy>& wanted) {
    std::vector<Copy> copies;
    for (const Copy& w : wanted) {
      if (is_computed(w.from) && !names_.count(w.from))
        names_[w.from] = w.to;
      else
        copies.push_back(w);
    }
    // Copies of leaves come first: they read states before any update. Copies of results come after what makes them.
    for (const Copy& c : copies)
      if (!is_computed(c.from)) copy(c);
    const std::set<const Node*> views = views_of_sequences();
    for (const Node* n : graph().topological()) {
      if (n->op->is(ir::kLeaf) || views.count(n)) continue;
      if (n->op->name == "fusion") {
        check_target(n->body());
        kernel(*n);
      } else if (n->op->name == "scan") {
        scan(*n);
      } else if (n->op->name == "while") {
        while_loop(*n);
      } else if (n->op->name == "cond") {
        branches(*n);
      } else {
        throw ModelError(graph().where(n).empty() ? Location{} : graph().where(n).front(),
                         std::string(n->op->name) + ": lower needs a graph whose nodes are fused (run fuse before it)");
      }
    }
    for (const Copy& c : copies)
      if (is_computed(c.from)) copy(c);
  }

  // ---- control flow

  // The kernels of a body, in a region: its inputs are these buffers, its results go to those.
  void body(const Graph& g, int region, const std::vector<std::string>& inputs,
            const std::vector<std::string>& outputs) {
    const ir::ValueMap<std::string> outside = std::exchange(names_, {});
    const int around = std::exchange(region_, region);
    graphs_.push_back(&g);
    for (std::size_t i = 0; i < inputs.size(); ++i) names_[g.inputs[i].value] = inputs[i];
    std::vector<Copy> wanted;
    for (std::size_t i = 0; i < outputs.size(); ++i) wanted.push_back({g.results[i].value, outputs[i]});
    fill(wanted);
    graphs_.pop_back();
    region_ = around;
    names_ = outside;
  }

  int add_region(ir::Region::Kind kind) {
    ir::Region r;
    r.name = "r" + std::to_string(module_.regions.size());
    r.kind = kind;
    r.parent = region_;
    module_.regions.push_back(std::move(r));
    return static_cast<int>(module_.regions.size()) - 1;
  }
  ir::Region& region(int i) { return module_.regions[static_cast<std::size_t>(i)]; }

  // Views that scans look through at their sequences.
  std::set<const Node*> views_of_sequences() const {
    std::set<const Node*> views;
    for (const Node* n : graph().topological())
      if (n->op->name == "scan")
        for (std::size_t i = 0; i < n->operands.size(); ++i)
          if (ir::ScanParts(*n).is_sequence(i))
            for (Value v = n->operands[i]; !(v == contiguous_view(n->operands[i]).source); v = v.node->operands[0])
              views.insert(v.node);
    return views;
  }

  // The buffers of operands, of sequences those that they are views of; what is in no memory yet is put there.
  std::vector<std::string> operand_buffers(const Node& n) {
    std::vector<std::string> buffers;
    for (std::size_t i = 0; i < n.operands.size(); ++i) {
      const bool is_sequence = n.op->name == "scan" && ir::ScanParts(n).is_sequence(i);
      const Value v = is_sequence ? contiguous_view(n.operands[i]).source : n.operands[i];
      const bool is_constant = v.node->op->name == "constant";
      if (v.node->op->is(ir::kLeaf) && !ir::is_argument(*v.node) && !is_constant && !names_.count(v)) {
        names_[v] = add("t", v.type(), BufferRole::kTemp);
        copy({v, names_.at(v)});
      }
      buffers.push_back(buffer_of(v));
    }
    return buffers;
  }
  std::vector<std::string> result_buffers(const Node& n) {
    std::vector<std::string> buffers;
    for (int r = 0; r < static_cast<int>(n.types.size()); ++r) buffers.push_back(buffer_of({&n, r}));
    return buffers;
  }

  std::string add_carry(int r, const ir::Graph::Input& input, const std::string& out, const std::string& initial,
                        const std::string& result) {
    const std::string in = add(input.name, input.value.type(), BufferRole::kTemp);
    region(r).carries.push_back(
        {in, out.empty() ? add("next " + input.name, input.value.type(), BufferRole::kTemp) : out, initial, result});
    return in;
  }

  void scan(const Node& n) {
    const ir::ScanParts s(n);
    const Graph& g = s.body();
    const std::vector<std::string> operands = operand_buffers(n), results = result_buffers(n);
    const int r = add_region(ir::Region::Kind::kLoop);
    region(r).extent = s.length;
    region(r).reverse = s.reverse;
    const auto slice = [&](const std::string& name, const Type& type, const std::string& whole, const Dim& offset = 0) {
      const std::string element = add(name, type, BufferRole::kTemp);
      region(r).slices.push_back({element, whole, offset});
      return element;
    };
    std::vector<std::string> inputs, outputs(g.results.size());
    for (std::size_t i = s.carries; i < g.results.size(); ++i)
      outputs[i] = slice("y", g.results[i].value.type(), results[i]);
    for (std::size_t i = 0; i < operands.size(); ++i) {
      if (s.is_carry(i)) {
        // A carry that is also stacked is read from there.
        const Value next = g.results[i].value;
        std::string out;
        for (std::size_t k = s.carries; k < g.results.size() && is_computed(next); ++k)
          if (out.empty() && g.results[k].value == next) out = outputs[k];
        const bool shared = !out.empty() && std::none_of(region(r).carries.begin(), region(r).carries.end(),
                                                         [&](const auto& c) { return c.out == out; });
        inputs.push_back(add_carry(r, g.inputs[i], shared ? out : "", operands[i], results[i]));
        outputs[i] = shared ? "" : region(r).carries.back().out;
      } else {
        inputs.push_back(s.is_sequence(i) ? slice(g.inputs[i].name, g.inputs[i].value.type(), operands[i],
                                                  contiguous_view(n.operands[i]).offset)
                                          : operands[i]);
      }
    }
    fill_body(g, r, inputs, outputs);
  }

  // The same where some results go nowhere by themselves (an empty name).
  void fill_body(const Graph& g, int r, const std::vector<std::string>& inputs,
                 const std::vector<std::string>& outputs) {
    Graph chosen = g;
    chosen.results.clear();
    std::vector<std::string> named;
    for (std::size_t i = 0; i < outputs.size(); ++i)
      if (!outputs[i].empty()) {
        chosen.results.push_back(g.results[i]);
        named.push_back(outputs[i]);
      }
    body(chosen, r, inputs, named);
  }

  void while_loop(const Node& n) {
    const auto carries = static_cast<std::size_t>(n.attrs.get<std::int64_t>("carries"));
    const std::vector<std::string> operands = operand_buffers(n), results = result_buffers(n);
    const int loop = add_region(ir::Region::Kind::kWhile);
    std::vector<std::string> inputs, outputs;
    for (std::size_t i = 0; i < operands.size(); ++i) {
      inputs.push_back(i < carries ? add_carry(loop, n.body(1).inputs[i], "", operands[i], results[i]) : operands[i]);
      if (i < carries) outputs.push_back(region(loop).carries.back().out);
    }
    const int around = std::exchange(region_, loop);
    const int test = add_region(ir::Region::Kind::kTest);
    region_ = around;
    region(test).predicate = add("goes on", {DType::kBool, {}}, BufferRole::kTemp);
    body(n.body(0), test, inputs, {std::string(region(test).predicate)});
    body(n.body(1), loop, inputs, outputs);
  }

  void branches(const Node& n) {
    const std::vector<std::string> operands = operand_buffers(n), results = result_buffers(n);
    const std::vector<std::string> inputs(operands.begin() + 1, operands.end());
    for (const auto kind : {ir::Region::Kind::kThen, ir::Region::Kind::kElse}) {
      const int r = add_region(kind);
      region(r).predicate = operands[0];
      body(n.body(kind == ir::Region::Kind::kThen ? 0 : 1), r, inputs, results);
    }
  }

  const Graph& graph() const { return *graphs_.back(); }

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
    kernel.region = region_;
    if (!reason.empty()) kernel.reasons.push_back(reason);
    {
      KernelBuilder builder(kernel);
      if (const auto& where = graph().where(node); !where.empty()) builder.where = builder.location(where.front());
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
    const Graph& body = n.body();
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
    b.where = graph().where(&n);
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
  ir::ValueMap<std::string> names_;            // buffers of values of the graph at hand
  std::vector<const Graph*> graphs_{&graph_};  // the one at hand, and those around it
  int region_ = -1;
};

}  // namespace

ir::KernelModule lower(const Graph& graph, const PassContext& context) { return Lowering(graph, context).run(); }

}  // namespace gcompile::passes
