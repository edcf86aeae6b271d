#include "gcompile/passes/lower_control.h"

#include <algorithm>

#include "gcompile/passes/contiguous_view.h"

namespace gcompile::passes {

using ir::BufferRole;
using ir::ControlParts;
using ir::Graph;
using ir::Node;
using ir::Region;
using ir::Value;

std::set<const Node*> views_of_sequences(const Graph& graph) {
  std::set<const Node*> views;
  for (const Node* n : graph.topological()) {
    const ControlParts parts = ir::control_parts(*n);
    for (std::size_t i = 0; i < n->operands.size(); ++i) {
      if (!parts.is_sequence(i)) continue;
      const Value source = contiguous_view(n->operands[i]).source;
      for (Value v = n->operands[i]; !(v == source); v = v.node->operands[0]) views.insert(v.node);
    }
  }
  return views;
}

bool ControlLowering::lower(const Node& n) {
  const ControlParts parts = ir::control_parts(n);
  switch (parts.kind) {
    case ControlParts::Kind::kCall: return false;
    case ControlParts::Kind::kLoop: loop(n, parts); break;
    case ControlParts::Kind::kWhile: while_loop(n, parts); break;
    case ControlParts::Kind::kBranches: branches(n, parts); break;
  }
  return true;
}

// The kernels of a body, in a region: its inputs are these buffers, its results go to those, or nowhere by themselves
// (an empty name).
void ControlLowering::body(const Graph& g, int region, const Names& inputs, const Names& outputs) {
  Graph chosen = g;
  chosen.results.clear();
  std::vector<Output> wanted;
  for (std::size_t i = 0; i < outputs.size(); ++i)
    if (!outputs[i].empty()) {
      chosen.results.push_back(g.results[i]);
      wanted.push_back({g.results[i].value, outputs[i]});
    }
  out_.inside(chosen, region, inputs, [&] { fill_(wanted); });
}

int ControlLowering::add_region(Region::Kind kind, int parent) {
  std::vector<Region>& regions = out_.module().regions;
  Region r;
  r.name = "r" + std::to_string(regions.size());
  r.kind = kind;
  r.parent = parent;
  regions.push_back(std::move(r));
  return static_cast<int>(regions.size()) - 1;
}

// The buffers of operands, of sequences those that they are views of; what is in no memory yet is put there.
ControlLowering::Names ControlLowering::operand_buffers(const Node& n, const ControlParts& parts) {
  Names buffers;
  for (std::size_t i = 0; i < n.operands.size(); ++i) {
    const Value v = parts.is_sequence(i) ? contiguous_view(n.operands[i]).source : n.operands[i];
    const bool is_constant = v.node->op->name == "constant";
    if (v.node->op->is(ir::kLeaf) && !ir::is_argument(*v.node) && !is_constant && !out_.has_buffer(v))
      out_.add_copy({v, out_.buffer_of(v)});
    buffers.push_back(out_.buffer_of(v));
  }
  return buffers;
}

ControlLowering::Names ControlLowering::result_buffers(const Node& n) {
  Names buffers;
  for (int r = 0; r < static_cast<int>(n.types.size()); ++r) buffers.push_back(out_.buffer_of({&n, r}));
  return buffers;
}

std::string ControlLowering::add_carry(int r, const Graph::Input& input, const std::string& out,
                                       const std::string& initial, const std::string& result) {
  const Type& type = input.value.type();
  const std::string in = out_.add(input.name, type, BufferRole::kTemp);
  const std::string next = out.empty() ? out_.add("next " + input.name, type, BufferRole::kTemp) : out;
  region(r).carries.push_back({in, next, initial, result});
  return in;
}

void ControlLowering::loop(const Node& n, const ControlParts& parts) {
  const Graph& g = n.body();
  const Names operands = operand_buffers(n, parts), results = result_buffers(n);
  const int r = add_region(Region::Kind::kLoop, out_.region());
  region(r).extent = parts.steps;
  region(r).reverse = parts.reverse;
  const auto slice = [&](const std::string& name, const Type& type, const std::string& whole, const Dim& offset = 0) {
    const std::string element = out_.add(name, type, BufferRole::kTemp);
    region(r).slices.push_back({element, whole, offset});
    return element;
  };
  Names inputs, outputs(g.results.size());
  for (std::size_t i = parts.carries; i < g.results.size(); ++i)
    outputs[i] = slice("y", g.results[i].value.type(), results[i]);
  for (std::size_t i = 0; i < operands.size(); ++i) {
    if (parts.is_carry(i)) {
      // A carry that is also stacked is read from there.
      const Value next = g.results[i].value;
      std::string out;
      for (std::size_t k = parts.carries; k < g.results.size() && is_computed(next); ++k)
        if (out.empty() && g.results[k].value == next) out = outputs[k];
      const bool shared = !out.empty() && std::none_of(region(r).carries.begin(), region(r).carries.end(),
                                                       [&](const auto& c) { return c.out == out; });
      inputs.push_back(add_carry(r, g.inputs[i], shared ? out : "", operands[i], results[i]));
      outputs[i] = shared ? "" : region(r).carries.back().out;
    } else if (parts.is_sequence(i)) {
      inputs.push_back(
          slice(g.inputs[i].name, g.inputs[i].value.type(), operands[i], contiguous_view(n.operands[i]).offset));
    } else {
      inputs.push_back(operands[i]);
    }
  }
  body(g, r, inputs, outputs);
}

void ControlLowering::while_loop(const Node& n, const ControlParts& parts) {
  const Graph &test = n.body(0), &step = n.body(1);
  const Names operands = operand_buffers(n, parts), results = result_buffers(n);
  const int loop = add_region(Region::Kind::kWhile, out_.region());
  Names inputs, outputs;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const bool is_carry = parts.is_carry(i);
    inputs.push_back(is_carry ? add_carry(loop, step.inputs[i], "", operands[i], results[i]) : operands[i]);
    if (is_carry) outputs.push_back(region(loop).carries.back().out);
  }
  const int decides = add_region(Region::Kind::kTest, loop);
  const std::string goes_on = out_.add("goes on", {DType::kBool, {}}, BufferRole::kTemp);
  region(decides).predicate = goes_on;
  body(test, decides, inputs, {goes_on});
  body(step, loop, inputs, outputs);
}

void ControlLowering::branches(const Node& n, const ControlParts& parts) {
  const Names operands = operand_buffers(n, parts), results = result_buffers(n);
  const Names inputs(operands.begin() + static_cast<std::ptrdiff_t>(parts.deciding), operands.end());
  for (const auto kind : {Region::Kind::kThen, Region::Kind::kElse}) {
    const int r = add_region(kind, out_.region());
    region(r).predicate = operands[0];
    body(n.body(kind == Region::Kind::kThen ? 0 : 1), r, inputs, results);
  }
}

}  // namespace gcompile::passes
