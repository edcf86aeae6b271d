#include "explain.h"

#include <algorithm>
#include <set>

#include "gcompile/ir/op.h"
#include "gcompile/ir/print.h"
#include "gcompile/passes/estimate.h"

namespace gcompile::tool {
namespace {

void explain_graph(const ir::Graph& graph, std::ostream& out) {
  int count = 0;
  for (const ir::Node* n : graph.topological()) {
    const ir::AttrValue* reason = n->attrs.find("reason");
    if (n->op->name != "fusion" || !reason || !std::holds_alternative<std::string>(*reason)) continue;
    const std::size_t nodes = n->bodies.empty() ? 0 : n->body().topological().size() - n->body().inputs.size();
    out << "fusion " << count++ << " of " << nodes << " nodes: " << std::get<std::string>(*reason)
        << ir::print_locations(graph.where(n)) << '\n';
  }
  if (count == 0) out << "nothing is fused at this level; --passes=...,fuse or --emit=program decides\n";
}

bool has_contract(const ir::Block& block) {
  return std::any_of(block.begin(), block.end(),
                     [](const ir::Instr& i) { return i.opcode == ir::Opcode::kContract || has_contract(i.body); });
}

// ", N = 256" for every symbol, which are taken for a typical extent.
std::string typical_extents(const ir::KernelModule& module) {
  std::set<std::string> symbols;
  for (const ir::Buffer& b : module.buffers)
    for (const Dim& d : b.type.dims) symbols.merge(d.symbols());
  std::string text;
  for (const std::string& s : symbols)
    text += ", " + s + " = " + std::to_string(passes::typical_extent(module.bounds, s));
  return text;
}

void explain_kernels(const ir::KernelModule& module, const Target& target, std::ostream& out) {
  const bool finished = std::none_of(module.kernels.begin(), module.kernels.end(),
                                     [](const ir::Kernel& k) { return has_contract(k.body); });
  std::vector<passes::Estimate> estimates, on_two;
  if (finished) {
    estimates = passes::estimate(module, {}, target);
    on_two = passes::estimate(module, {}, target, 2);
  }
  for (std::size_t i = 0; i < module.kernels.size(); ++i) {
    const ir::Kernel& k = module.kernels[i];
    out << "kernel " << k.name << ir::print_locations(k.locations) << '\n';
    for (const std::string& reason : k.reasons) out << "  " << reason << '\n';
    if (!finished) continue;
    const passes::Estimate& e = estimates[i];
    out << "  estimate: " << passes::duration(e.nanoseconds()) << " (computes " << passes::duration(e.compute)
        << ", moves memory " << passes::duration(e.memory) << typical_extents(module) << ")";
    if (k.is_parallel()) out << ", on two threads " << passes::duration(on_two[i].nanoseconds());
    out << '\n';
  }
}

void explain_program(const ir::Program& program, std::ostream& out) {
  const auto& buffers = program.module.buffers;
  const auto buffer = [&](int i) -> const ir::Buffer& { return buffers[static_cast<std::size_t>(i)]; };
  for (const ir::Buffer& b : buffers)
    if (!b.order.empty())
      out << "state " << b.name << ": lies in memory as " << b.type.str() << "," << print_order(b.order)
          << ", so that the products which read it need not transpose it\n";
  for (const auto& update : program.module.updates) {
    const int value = program.module.find_buffer(update.value);
    if (value >= 0 && buffer(value).alias >= 0)
      out << "update of " << update.state << ": in place, nothing reads the old value after the first write of "
          << update.value << '\n';
    else
      out << "update of " << update.state << ": copied from " << update.value
          << " after the last launch, because the old value may be read after a write of the new one\n";
  }
  for (std::size_t i = 0; i < buffers.size(); ++i)
    if (const int slot = program.placements[i].slot; slot >= 0)
      out << "temporary " << buffers[i].name << ": " << buffers[i].type.str() << " in slot " << slot
          << " of the arena\n";
  for (const ir::Region& r : program.module.regions) {
    const std::vector<ir::Kernel>& kernels = program.module.kernels;
    const auto launches = std::count_if(kernels.begin(), kernels.end(), [&](const ir::Kernel& k) {
      return program.module.lies_in(k.region, static_cast<int>(&r - program.module.regions.data()));
    });
    if (r.kind == ir::Region::Kind::kLoop)
      out << "loop " << r.name << ": " << r.extent.str() << " steps of " << launches << " launches, "
          << r.carries.size() << " values go from step to step, " << r.slices.size() << " move along a sequence\n";
  }
  if (program.slots.empty()) out << "no temporary needs the arena\n";
}

}  // namespace

void explain(const passes::Stage& stage, const Target& target, std::ostream& out) {
  const auto* whole = std::get_if<ir::Graph>(&stage);
  const auto* planned = std::get_if<ir::Program>(&stage);
  for (const std::string& reason : whole     ? whole->reasons
                                   : planned ? planned->module.reasons
                                             : std::get<ir::KernelModule>(stage).reasons)
    out << reason << '\n';
  if (const auto* graph = std::get_if<ir::Graph>(&stage)) explain_graph(*graph, out);
  if (const auto* module = std::get_if<ir::KernelModule>(&stage)) explain_kernels(*module, target, out);
  if (const auto* program = std::get_if<ir::Program>(&stage)) {
    explain_kernels(program->module, target, out);
    explain_program(*program, out);
    out << "estimate of a call: " << passes::duration(passes::estimated_call(*program, {}, target)) << '\n';
  }
}

}  // namespace gcompile::tool
