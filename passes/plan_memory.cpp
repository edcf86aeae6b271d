#include "gcompile/passes/plan_memory.h"

#include <algorithm>
#include <functional>
#include <set>

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
  return (i.opcode == Opcode::kLoad && i.memory == memory) ||
         ((i.opcode == Opcode::kLaneReduce || i.opcode == Opcode::kLoadTransposed) && i.source == memory);
}

bool writes(const Instr& i, const std::string& memory) {
  return i.memory == memory &&
         (i.opcode == Opcode::kStore || i.opcode == Opcode::kLaneReduce || i.opcode == Opcode::kLoadTransposed);
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

// Inside one statement: every load of the state stands in the block of the only store of the value, before it, and has
// its index.
bool same_element_only(const Instr& statement, const std::string& state, const std::string& value) {
  const Block* store_block = nullptr;
  ir::Index store_index;
  int stores = 0;
  const std::function<void(const Block&)> find = [&](const Block& block) {
    for (const Instr& i : block) {
      if (writes(i, value)) {
        ++stores;
        store_block = &block;
        store_index = i.index;
        if (i.opcode != Opcode::kStore) stores = 2;
      }
      find(i.body);
    }
  };
  find(statement.body);
  if (stores != 1 || !store_block) return false;
  bool fine = true;
  const std::function<void(const Block&)> check = [&](const Block& block) {
    bool stored = false;
    for (const Instr& i : block) {
      stored |= writes(i, value);
      if (reads(i, state)) fine &= &block == store_block && !stored && i.index == store_index && i.operands.empty();
      check(i.body);
    }
  };
  check(statement.body);
  return fine;
}

struct Lifetime {
  int first = -1, last = -1;  // kernels
};

}  // namespace

bool may_update_in_place(const ir::KernelModule& module, const std::string& state, const std::string& value) {
  bool written = false;
  for (const ir::Kernel& kernel : module.kernels) {
    if (written && touches(kernel, state, reads)) return false;
    bool written_here = false;
    for (const Instr& statement : kernel.body) {
      const bool w = touches(statement, value, writes);
      const bool r = touches(statement, state, reads);
      if (r && written_here) return false;
      if (r && w && !same_element_only(statement, state, value)) return false;
      written_here |= w;
    }
    if (written && written_here) return false;  // one kernel makes a value
    written |= written_here;
  }
  return written;
}

ir::Program plan_memory(const ir::KernelModule& module, const PassContext&) {
  ir::Program program;
  program.module = module;
  auto& buffers = program.module.buffers;
  program.placements.resize(buffers.size());
  for (std::size_t k = 0; k < module.kernels.size(); ++k) program.launches.push_back({static_cast<int>(k)});
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

  std::vector<Lifetime> lives(buffers.size());
  for (std::size_t k = 0; k < module.kernels.size(); ++k)
    for (std::size_t b = 0; b < buffers.size(); ++b)
      if (touches(module.kernels[k], buffers[b].name, reads) || touches(module.kernels[k], buffers[b].name, writes)) {
        if (lives[b].first < 0) lives[b].first = static_cast<int>(k);
        lives[b].last = static_cast<int>(k);
      }
  std::vector<int> free_after;  // per slot: the last kernel that uses its tenant
  for (int k = 0; k < static_cast<int>(module.kernels.size()); ++k)
    for (std::size_t b = 0; b < buffers.size(); ++b) {
      if (buffers[b].role != ir::BufferRole::kTemp || buffers[b].alias >= 0 || lives[b].first != k) continue;
      const Dim bytes = buffers[b].type.size() * Dim(static_cast<std::int64_t>(size_of(buffers[b].type.dtype)));
      // A slot that is free and has a tenant of the same size, else any free one, else a new one.
      int chosen = -1;
      for (std::size_t s = 0; s < free_after.size(); ++s) {
        if (free_after[s] >= k) continue;
        const auto& sizes = program.slots[s].sizes;
        const bool same = std::find(sizes.begin(), sizes.end(), bytes) != sizes.end();
        if (chosen < 0 || same) chosen = static_cast<int>(s);
        if (same) break;
      }
      if (chosen < 0) {
        chosen = static_cast<int>(program.slots.size());
        program.slots.emplace_back();
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
