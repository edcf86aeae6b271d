// Values for inputs and states where none are given, for running and checking IR text: functions of seed and name, so
// that a graph and its kernels get the same.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "gcompile/ir/graph.h"
#include "gcompile/ir/program.h"

namespace gcompile::codegen {

// Floats uniform in [-1, 1), i32 in -2 .. 5, bools by a coin.
Array sample(const Type& type, const std::map<std::string, std::int64_t>& dims, std::uint64_t seed,
             const std::string& name);

// Makes the storages that are missing, filled with samples. A state with a symbolic extent throws Error.
void fill_states(ir::Graph& graph, std::uint64_t seed);
void fill_states(ir::KernelModule& module, std::uint64_t seed);

}  // namespace gcompile::codegen
