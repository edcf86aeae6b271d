#include "gcompile/passes/work.h"

#include <algorithm>
#include <set>
#include <string_view>

namespace gcompile::passes {
namespace {

using ir::Instr;
using ir::Opcode;

struct OpFlops {
  std::string_view op;
  std::int64_t count;  // for one element
};
constexpr OpFlops kFlops[] = {{"add", 1}, {"sub", 1},  {"mul", 1}, {"div", 1},
                              {"fma", 2}, {"sqrt", 1}, {"min", 1}, {"max", 1}};

std::int64_t elements(const ir::VType& type) { return type.lanes ? ir::kLanes : 1; }

std::int64_t flops(const Instr& i) {
  if (i.opcode == Opcode::kLaneReduce) return i.extent.constant() * (ir::kLanes - 1);
  if (i.opcode != Opcode::kOp || !i.op || !is_float(i.type.dtype)) return 0;
  const auto* known =
      std::find_if(std::begin(kFlops), std::end(kFlops), [&](const OpFlops& f) { return f.op == i.op->name; });
  return known == std::end(kFlops) ? 0 : known->count * elements(i.type);
}

// Elements of a memory that an instruction reads, or writes.
std::int64_t reads(const Instr& i, const std::string& memory) {
  if (i.opcode == Opcode::kLoad && i.memory == memory) return elements(i.type);
  const bool from = (i.opcode == Opcode::kLaneReduce || ir::is_transposed(i.opcode)) && i.source == memory;
  return from ? i.extent.constant() * ir::kLanes : 0;
}
std::int64_t writes(const Instr& i, const std::string& memory) {
  if (i.memory != memory) return 0;
  if (i.opcode == Opcode::kLaneReduce) return i.extent.constant();
  if (ir::is_transposed(i.opcode)) return i.extent.constant() * ir::kLanes;
  if (i.opcode != Opcode::kStore) return 0;
  const bool lanes = std::any_of(i.index.begin(), i.index.end(), [](const Dim& d) { return d.uses(ir::kLaneSymbol); });
  return lanes ? ir::kLanes : 1;
}

void collect(const ir::Block& block, std::set<std::string>& memories) {
  for (const Instr& i : block) {
    memories.insert(i.memory);
    memories.insert(i.source);
    collect(i.body, memories);
  }
}

void collect_variables(const Instr& i, std::set<std::string>& variables) {
  if (i.opcode == Opcode::kFor) variables.insert(i.var);
  for (const Instr& inner : i.body) collect_variables(inner, variables);
}

}  // namespace

Dim total_of(const Instr& statement, const std::function<std::int64_t(const Instr&)>& each) {
  std::set<std::string> variables;
  collect_variables(statement, variables);
  const std::function<Dim(const Instr&)> total = [&](const Instr& i) -> Dim {
    if (i.opcode != Opcode::kFor) return each(i);
    Dim extent = i.extent, sum = 0;
    for (const std::string& s : i.extent.symbols())
      if (variables.count(s)) extent = Dim(std::max<std::int64_t>(i.extent.constant(), 1));
    std::int64_t straight = 0;  // a Dim for every instruction would take its time
    for (const Instr& inner : i.body)
      if (inner.opcode == Opcode::kFor)
        sum += total(inner);
      else
        straight += each(inner);
    return extent * (sum + Dim(straight));
  };
  return total(statement);
}

Dim work_of(const Instr& loop) {
  return total_of(loop, [](const Instr& i) -> std::int64_t {
    if (i.opcode == Opcode::kLiteral || i.opcode == Opcode::kIndex) return 0;
    if (i.opcode == Opcode::kLaneReduce || ir::is_transposed(i.opcode)) return i.extent.constant() * 3;
    return 1;
  });
}

ir::Cost cost_of(const ir::Kernel& kernel, const ir::KernelModule& module) {
  ir::Cost cost;
  for (const Instr& s : kernel.body) cost.flops += total_of(s, flops);
  std::set<std::string> memories;
  collect(kernel.body, memories);
  for (const std::string& name : memories) {
    const int index = module.find_buffer(name);
    if (index < 0) continue;  // scratch
    const Type& type = module.buffers[static_cast<std::size_t>(index)].type;
    const Dim bytes(static_cast<std::int64_t>(size_of(type.dtype)));
    Dim read = 0, written = 0;
    for (const Instr& s : kernel.body) {
      read += total_of(s, [&](const Instr& i) { return reads(i, name); });
      written += total_of(s, [&](const Instr& i) { return writes(i, name); });
    }
    for (const Dim& elements : {read, written})
      if (!(elements == Dim(0))) cost.traffic.push_back({elements * bytes, type.size() * bytes});
  }
  return cost;
}

}  // namespace gcompile::passes
