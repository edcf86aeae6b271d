// What one instruction of a kernel takes of a core: cycles of each of its units, and the latency of its result.
#pragma once

#include <array>
#include <set>
#include <string>

#include "gcompile/ir/kernel.h"
#include "gcompile/ir/target.h"

namespace gcompile::passes {

// Those that several instructions share, each with the cycles that it is busy.
enum Unit { kIssue, kOperation, kProduct, kSum, kDivision, kLoadUnit, kStoreUnit, kUnitCount };
using Units = std::array<double, kUnitCount>;

// Adds an instruction that is no loop.
void add_units(const ir::Instr& i, const Target& target, Units& units);
double latency_of(const ir::Instr& i, const Rates& rates);
// Of the busiest one.
double cycles(const Units& units);

// Registers that a value takes.
double registers_of(const ir::VType& type, const Target& target);
// Whether lanes of an access are neighbours in memory; false when they are scattered.
bool lanes_are_neighbours(const ir::Instr& access);
bool has_lanes(const ir::Instr& access);

// Memories that a statement, or one inside it, reads or writes.
std::set<std::string> accessed(const ir::Instr& statement, bool written);

}  // namespace gcompile::passes
