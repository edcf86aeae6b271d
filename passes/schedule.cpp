#include "gcompile/passes/schedule.h"

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "gcompile/passes/tile.h"

namespace gcompile::passes {
namespace {

using ir::Block;
using ir::Instr;
using ir::Opcode;

// All unrolled loops that are not inside another unrolled loop, with the loops that enclose nothing but serial ones.
void outermost_unrolled(Block& block, std::vector<Instr*>& out) {
  for (Instr& i : block) {
    if (i.opcode != Opcode::kFor) continue;
    if (ir::is_unrolled(i.loop))
      out.push_back(&i);
    else
      outermost_unrolled(i.body, out);
  }
}

// Calls f(memory, index, the serial loops around) for every access to memory.
using Chain = std::vector<const Instr*>;
void accesses(const Block& block, Chain& serial,
              const std::function<void(const std::string&, const ir::Index&, const Chain&)>& f) {
  for (const Instr& i : block) {
    if (i.opcode == Opcode::kFor) {
      const bool rolled = !ir::is_unrolled(i.loop);
      if (rolled) serial.push_back(&i);
      accesses(i.body, serial, f);
      if (rolled) serial.pop_back();
      continue;
    }
    const bool indexed = i.opcode == Opcode::kLoad || i.opcode == Opcode::kStore;
    if (!i.memory.empty()) f(i.memory, indexed ? i.index : ir::Index{}, serial);
    if (!i.source.empty()) f(i.source, {}, serial);
  }
}

// Scratch can live in registers when all its accesses stand in the same rolled loop and no index depends on a rolled
// loop's variable.
void settle_scratch(ir::Kernel& kernel) {
  struct Use {
    bool seen = false, memory = false;
    Chain chain;
  };
  std::map<std::string, Use> uses;
  Chain serial;
  accesses(kernel.body, serial, [&](const std::string& name, const ir::Index& index, const Chain& chain) {
    Use& u = uses[name];
    if (u.seen && u.chain != chain) u.memory = true;
    u.seen = true;
    u.chain = chain;
    for (const Instr* loop : chain)
      for (const Dim& d : index) u.memory |= d.uses(loop->var);
    for (const Dim& d : index)
      for (const std::string& s : d.symbols()) u.memory |= s[0] == '$';
  });
  for (ir::Scratch& s : kernel.scratch)
    if (uses[s.name].memory) s.kind = ir::Scratch::Kind::kStack;
}

void schedule_kernel(ir::Kernel& kernel, const PassContext& context) {
  int rolled = 0;
  const auto demote = [&](Instr& loop) {
    loop.loop = ir::LoopKind::kSerial;
    ++rolled;
  };
  // Loops without a constant extent cannot be unrolled.
  const std::function<void(Block&)> demote_symbolic = [&](Block& block) {
    for (Instr& i : block) {
      if (i.opcode == Opcode::kFor && ir::is_unrolled(i.loop) && !i.extent.is_constant()) demote(i);
      demote_symbolic(i.body);
    }
  };
  demote_symbolic(kernel.body);
  const std::int64_t limit = context.target.unroll_limit;
  const std::int64_t before = unrolled_size(kernel.body);
  while (unrolled_size(kernel.body) > limit) {
    std::vector<Instr*> loops;
    outermost_unrolled(kernel.body, loops);
    const auto largest = std::max_element(loops.begin(), loops.end(),
                                          [](const Instr* a, const Instr* b) { return size_of(*a) < size_of(*b); });
    // Rolling a loop that is small already gains nothing.
    if (largest == loops.end() || size_of(**largest) <= std::min<std::int64_t>(64, limit / 4)) break;
    demote(**largest);
  }
  settle_scratch(kernel);
  kernel.reasons.push_back("schedule: " + std::to_string(before) + " instructions unrolled, " +
                           std::to_string(unrolled_size(kernel.body)) + " after rolling " + std::to_string(rolled) +
                           " loops (limit " + std::to_string(limit) + ")");
}

}  // namespace

std::int64_t size_of(const Instr& i) {
  switch (i.opcode) {
    case Opcode::kFor: {
      const std::int64_t body = unrolled_size(i.body) + 2;
      return ir::is_unrolled(i.loop) && i.extent.is_constant() ? i.extent.constant() * body : body;
    }
    case Opcode::kLiteral:
    case Opcode::kIndex: return 0;
    case Opcode::kLaneReduce: return 3 * i.extent.constant();  // two shuffles and an operation, amortised
    case Opcode::kLoadTransposed:
    case Opcode::kStoreTransposed: return 5 * i.extent.constant();
    default: return 1;
  }
}

std::int64_t unrolled_size(const ir::Block& block) {
  std::int64_t n = 0;
  for (const Instr& i : block) n += size_of(i);
  return n;
}

ir::KernelModule schedule(const ir::KernelModule& module, const PassContext& context) {
  refuse_contracts(module, "schedule");
  ir::KernelModule out = module;
  for (ir::Kernel& k : out.kernels) schedule_kernel(k, context);
  return out;
}

}  // namespace gcompile::passes
