#include "gcompile/passes/plan_memory.h"

#include <algorithm>
#include <functional>
#include <set>

#include "gcompile/passes/region_memory.h"
#include "gcompile/passes/tile.h"
#include "gcompile/passes/work.h"

namespace gcompile::passes {
namespace {

using ir::Block;
using ir::Instr;
using ir::Opcode;

void walk(const Block& block, const std::function<void(const Instr&, const Block&)>& f) {
  for (const Instr& i : block) {
    f(i, block);
    if (i.opcode == Opcode::kFor) walk(i.body, f);
  }
}

bool reads(const Instr& i, const std::string& memory) {
  return (i.opcode == Opcode::kLoad && i.memory == memory) || i.source == memory;
}

bool writes(const Instr& i, const std::string& memory) {
  return i.memory == memory &&
         (i.opcode == Opcode::kStore || i.opcode == Opcode::kLaneReduce || is_transposed(i.opcode));
}

bool touches(const Instr& statement, const std::string& memory, bool (*how)(const Instr&, const std::string&)) {
  bool found = how(statement, memory);
  if (statement.opcode == Opcode::kFor)
    walk(statement.body, [&](const Instr& i, const Block&) { found |= how(i, memory); });
  return found;
}

bool touches(const ir::Kernel& kernel, const std::string& memory, bool (*how)(const Instr&, const std::string&)) {
  return std::any_of(kernel.body.begin(), kernel.body.end(), [&](const Instr& s) { return touches(s, memory, how); });
}

// Whether a load of the state is followed, in its block, by the store of the value at its index: as an element is
// stored once, it is read before.
bool is_stored_after(const Block& block, std::size_t load, const std::string& value) {
  const Instr& l = block[load];
  if (l.opcode != Opcode::kLoad || !l.operands.empty()) return false;
  bool after = false;
  for (std::size_t i = 0; i < block.size(); ++i)
    if (block[i].opcode == Opcode::kStore && block[i].memory == value && block[i].index == l.index) {
      if (i < load) return false;
      after = true;
    }
  return after;
}

// Whether a statement of a block reads the state otherwise.
bool reads_another_element(const Block& block, std::size_t at, const std::string& state, const std::string& value) {
  const Instr& statement = block[at];
  if (reads(statement, state)) return !is_stored_after(block, at, value);
  for (std::size_t i = 0; i < statement.body.size(); ++i)
    if (reads_another_element(statement.body, i, state, value)) return true;
  return false;
}

}  // namespace

// The kernels' statements one after the other: from the first that stores the value on, they read an element of the
// state only to store it.
bool may_update_in_place(const ir::KernelModule& module, const std::string& state, const std::string& value) {
  // What a loop or a branch makes, or reads by another name, is in no single kernel's order.
  const RegionMemory regions(module);
  const int from = module.find_buffer(state), to = module.find_buffer(value);
  for (int b = 0; b < static_cast<int>(module.buffers.size()); ++b)
    if (b != from && regions.behind(b).count(from)) return false;
  if (regions.is_kept(from) || regions.is_kept(to)) return false;
  for (const ir::Kernel& kernel : module.kernels)
    if (kernel.region >= 0 && touches(kernel, value, writes)) return false;
  bool written = false;
  for (const ir::Kernel& kernel : module.kernels)
    for (std::size_t i = 0; i < kernel.body.size(); ++i) {
      written |= touches(kernel.body[i], value, writes);
      if (written && reads_another_element(kernel.body, i, state, value)) return false;
    }
  return written;
}

ir::Program plan_memory(const ir::KernelModule& module, const PassContext&) {
  refuse_contracts(module, "plan-memory");
  ir::Program program;
  program.module = module;
  auto& buffers = program.module.buffers;
  program.placements.resize(buffers.size());
  for (std::size_t k = 0; k < module.kernels.size(); ++k) {
    const Instr* loop = module.kernels[k].parallel_loop();
    program.launches.push_back({static_cast<int>(k), loop ? work_of(*loop) : Dim(0)});
  }
  std::set<std::string> symbols;
  for (const ir::Buffer& b : buffers)
    if (b.role == ir::BufferRole::kInput || b.role == ir::BufferRole::kState)
      for (const Dim& d : b.type.dims) symbols.merge(d.symbols());
  program.symbols.assign(symbols.begin(), symbols.end());

  std::set<int> kept;  // temporaries that are read by copies at the end
  for (const auto& u : module.updates) {
    const int state = module.find_buffer(u.state), value = module.find_buffer(u.value);
    ir::Buffer& v = buffers[static_cast<std::size_t>(value)];
    if (v.role == ir::BufferRole::kTemp && v.alias < 0 && may_update_in_place(module, u.state, u.value)) {
      v.alias = state;
    } else {
      program.copies.push_back({state, value});
      kept.insert(value);
    }
  }

  const RegionMemory regions(program.module);
  std::vector<std::vector<int>> kernels_of(buffers.size());
  for (std::size_t k = 0; k < module.kernels.size(); ++k)
    for (std::size_t b = 0; b < buffers.size(); ++b)
      if (touches(module.kernels[k], buffers[b].name, reads) || touches(module.kernels[k], buffers[b].name, writes))
        kernels_of[b].push_back(static_cast<int>(k));
  const std::vector<Lifetime> lives = regions.lifetimes(kernels_of);
  std::vector<int> free_after;  // per slot: the last kernel that uses its tenant
  for (int k = 0; k < static_cast<int>(module.kernels.size()); ++k)
    for (std::size_t b = 0; b < buffers.size(); ++b) {
      if (buffers[b].role != ir::BufferRole::kTemp || buffers[b].alias >= 0 || lives[b].first != k) continue;
      if (regions.is_borrowed(static_cast<int>(b))) continue;
      Dim bytes = buffers[b].type.size() * Dim(static_cast<std::int64_t>(size_of(buffers[b].type.dtype)));
      if (regions.is_double(static_cast<int>(b))) bytes = ir::aligned_bytes(buffers[b].type) * Dim(2);
      // A slot that is free and has a tenant of the same size, else any free one, else a new one.
      int chosen = -1;
      for (std::size_t s = 0; s < free_after.size(); ++s) {
        if (free_after[s] >= k || program.slots[s].per_worker != buffers[b].per_worker) continue;
        const auto& sizes = program.slots[s].sizes;
        const bool same = std::find(sizes.begin(), sizes.end(), bytes) != sizes.end();
        if (chosen < 0 || same) chosen = static_cast<int>(s);
        if (same) break;
      }
      if (chosen < 0) {
        chosen = static_cast<int>(program.slots.size());
        program.slots.push_back({{}, buffers[b].per_worker});
        free_after.push_back(-1);
      }
      const auto s = static_cast<std::size_t>(chosen);
      auto& sizes = program.slots[s].sizes;
      if (std::find(sizes.begin(), sizes.end(), bytes) == sizes.end()) sizes.push_back(bytes);
      free_after[s] = kept.count(static_cast<int>(b)) ? static_cast<int>(module.kernels.size()) : lives[b].last;
      program.placements[b].slot = chosen;
    }
  return program;
}

}  // namespace gcompile::passes
