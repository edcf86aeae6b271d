#include "gcompile/ir/kernel.h"

#include <algorithm>

#include "gcompile/base/error.h"

namespace gcompile::ir {

const Instr* Kernel::parallel_loop() const {
  if (body.empty()) return nullptr;
  const Instr& last = body.back();
  if (last.opcode != Opcode::kFor || last.loop != LoopKind::kParallel || !last.types.empty()) return nullptr;
  const bool alone = std::all_of(body.begin(), body.end() - 1, [](const Instr& i) {
    return i.opcode == Opcode::kOp || i.opcode == Opcode::kLiteral || i.opcode == Opcode::kIndex ||
           i.opcode == Opcode::kLoad;
  });
  return alone ? &last : nullptr;
}

const Scratch* Kernel::find_scratch(const std::string& scratch_name) const {
  for (const Scratch& s : scratch)
    if (s.name == scratch_name) return &s;
  return nullptr;
}

int KernelModule::find_buffer(const std::string& buffer_name) const {
  for (std::size_t i = 0; i < buffers.size(); ++i)
    if (buffers[i].name == buffer_name) return static_cast<int>(i);
  return -1;
}

const Buffer& KernelModule::buffer(const std::string& buffer_name) const {
  const int i = find_buffer(buffer_name);
  if (i < 0) throw InternalError("the module '" + name + "' has no buffer '" + buffer_name + "'");
  return buffers[static_cast<std::size_t>(i)];
}

}  // namespace gcompile::ir
