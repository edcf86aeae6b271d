#include "explain.h"

#include "gcompile/ir/op.h"
#include "gcompile/ir/print.h"

namespace gcompile::tool {
namespace {

void explain_graph(const ir::Graph& graph, std::ostream& out) {
  int count = 0;
  for (const ir::Node* n : graph.topological()) {
    const ir::AttrValue* reason = n->attrs.find("reason");
    if (n->op->name != "fusion" || !reason || !std::holds_alternative<std::string>(*reason)) continue;
    const std::size_t nodes = n->body ? n->body->topological().size() - n->body->inputs.size() : 0;
    out << "fusion " << count++ << " of " << nodes << " nodes: " << std::get<std::string>(*reason)
        << ir::print_locations(graph.where(n)) << '\n';
  }
  if (count == 0) out << "nothing is fused at this level; --passes=...,fuse or --emit=program decides\n";
}

void explain_kernels(const ir::KernelModule& module, std::ostream& out) {
  for (const ir::Kernel& k : module.kernels) {
    out << "kernel " << k.name << ir::print_locations(k.locations) << '\n';
    for (const std::string& reason : k.reasons) out << "  " << reason << '\n';
  }
}

void explain_program(const ir::Program& program, std::ostream& out) {
  const auto& buffers = program.module.buffers;
  const auto buffer = [&](int i) -> const ir::Buffer& { return buffers[static_cast<std::size_t>(i)]; };
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
  if (program.slots.empty()) out << "no temporary needs the arena\n";
}

}  // namespace

void explain(const passes::Stage& stage, std::ostream& out) {
  if (const auto* graph = std::get_if<ir::Graph>(&stage)) explain_graph(*graph, out);
  if (const auto* module = std::get_if<ir::KernelModule>(&stage)) explain_kernels(*module, out);
  if (const auto* program = std::get_if<ir::Program>(&stage)) {
    explain_kernels(program->module, out);
    explain_program(*program, out);
  }
}

}  // namespace gcompile::tool
