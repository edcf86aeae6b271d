#include "gcompile/passes/estimate_units.h"

#include <algorithm>
#include <string_view>

#include "gcompile/ir/op.h"

namespace gcompile::passes {
namespace {

using ir::Instr;
using ir::Opcode;

struct OpUnit {
  std::string_view op;
  Unit unit;
  double latency;  // of a float, in units of Rates::latency
};
// Minima and maxima are made where products are. Others take an operation, and half an fma's latency. A negation
// becomes part of the fma that reads it.
constexpr OpUnit kOps[] = {{"fma", kProduct, 1},   {"mul", kProduct, 1},  {"add", kSum, 1},
                           {"sub", kSum, 1},       {"div", kDivision, 3}, {"sqrt", kDivision, 4},
                           {"min", kProduct, 0.5}, {"max", kProduct, 0.5}};

const OpUnit* unit_of(const Instr& i) {
  if (i.opcode != Opcode::kOp || !is_float(i.type.dtype)) return nullptr;
  const auto* it = std::find_if(std::begin(kOps), std::end(kOps), [&](const OpUnit& o) { return o.op == i.op->name; });
  return it == std::end(kOps) ? nullptr : it;
}

bool is_free(const Instr& i) {
  return i.opcode == Opcode::kLiteral || i.opcode == Opcode::kIndex || (i.opcode == Opcode::kOp && i.op->name == "neg");
}

void add_access(const Instr& i, const Target& target, Units& units) {
  const Rates& r = target.rates;
  const bool store = i.opcode == Opcode::kStore;
  const Unit unit = store ? kStoreUnit : kLoadUnit;
  const double each = 1 / (store ? r.stores : r.loads), bytes = store ? r.store_bytes : r.load_bytes;
  if (!has_lanes(i)) {
    units[kIssue] += 1 / r.issue;
    units[unit] += each;
  } else if (lanes_are_neighbours(i)) {
    const ir::VType type{store && i.type.dtype == DType::kBool ? DType::kF32 : i.type.dtype, true};
    const double registers = registers_of(type, target);
    units[kIssue] += registers / r.issue;
    units[unit] += registers * std::max(each, target.vector_bytes / bytes);
  } else {
    units[kIssue] += 2 * ir::kLanes / r.issue;
    units[unit] += ir::kLanes * r.gather;
  }
}

}  // namespace

double registers_of(const ir::VType& type, const Target& target) {
  if (!type.lanes) return 1;
  const bool in_f32 = type.dtype == DType::kBool || is_float16(type.dtype);
  const double bytes = in_f32 ? 4 : static_cast<double>(size_of(type.dtype));
  return std::max(1.0, ir::kLanes * bytes / target.vector_bytes);
}

bool has_lanes(const Instr& i) {
  return std::any_of(i.index.begin(), i.index.end(), [](const Dim& d) { return d.uses(ir::kLaneSymbol); }) ||
         (i.opcode == Opcode::kLoad && i.type.lanes);
}

bool lanes_are_neighbours(const Instr& i) {
  if (i.index.empty()) return false;
  for (std::size_t a = 0; a + 1 < i.index.size(); ++a)
    if (i.index[a].uses(ir::kLaneSymbol)) return false;
  const auto step = i.index.back().coefficient_of(ir::kLaneSymbol);
  return step && step->is(1) && i.operands.size() <= (i.opcode == Opcode::kStore ? 1u : 0u);
}

void add_units(const Instr& i, const Target& target, Units& units) {
  const Rates& r = target.rates;
  if (is_free(i)) return;
  switch (i.opcode) {
    case Opcode::kLoad:
    case Opcode::kStore: return add_access(i, target, units);
    case Opcode::kPrefetch:
      units[kIssue] += 1 / r.issue;
      units[kLoadUnit] += 1 / r.loads;
      return;
    case Opcode::kLaneReduce:
    case Opcode::kLoadTransposed:
    case Opcode::kStoreTransposed: {
      // Two shuffles and an operation for each of 16 sums; four for a column, which is loaded and stored too.
      const bool moves = i.opcode != Opcode::kLaneReduce;
      const double columns = static_cast<double>(i.extent.constant());
      const double registers = registers_of({DType::kF32, true}, target);
      const double operations = columns * registers * (moves ? 4 : 3);
      units[kIssue] += (operations + 2 * columns * registers) / r.issue;
      units[kOperation] += operations / r.operations;
      units[kLoadUnit] += columns * registers * std::max(1 / r.loads, target.vector_bytes / r.load_bytes);
      if (moves) units[kStoreUnit] += columns * registers * std::max(1 / r.stores, target.vector_bytes / r.store_bytes);
      return;
    }
    default: break;
  }
  const double registers = registers_of(i.type, target);
  units[kIssue] += registers / r.issue;
  units[kOperation] += registers / r.operations;
  const OpUnit* known = unit_of(i);
  if (!known) return;
  if (known->unit == kDivision) {
    const double wide = i.type.dtype == DType::kF64 ? 2 : 1, narrow = i.type.lanes ? 1 : 0.4;
    units[kDivision] += registers * wide * narrow * (known->op == "sqrt" ? r.root : r.division);
  } else {
    units[known->unit] += registers / r.products;
  }
}

double latency_of(const Instr& i, const Rates& r) {
  if (is_free(i)) return 0;
  if (i.opcode == Opcode::kLoad) return has_lanes(i) && !lanes_are_neighbours(i) ? 4 * r.latency : r.forwarding;
  if (i.opcode == Opcode::kStore || i.opcode == Opcode::kPrefetch) return 0;
  if (i.opcode != Opcode::kOp) return 7 * r.latency;  // four levels of shuffles and operations
  const OpUnit* known = unit_of(i);
  return r.latency * (known ? known->latency : 0.5);
}

double cycles(const Units& units) { return *std::max_element(units.begin(), units.end()); }

std::set<std::string> accessed(const Instr& statement, bool written) {
  std::set<std::string> names;
  if (written) {
    if (!statement.memory.empty() && statement.opcode != Opcode::kLoad && statement.opcode != Opcode::kPrefetch)
      names.insert(statement.memory);
  } else {
    if (statement.opcode == Opcode::kLoad) names.insert(statement.memory);
    if (!statement.source.empty()) names.insert(statement.source);
  }
  for (const Instr& i : statement.body) names.merge(accessed(i, written));
  return names;
}

}  // namespace gcompile::passes
