// The memory bound of an estimate: bytes that the kernels of a program move from beyond each cache, by the distances
// between the uses of what they touch. A loop that touches more than a cache holds finds nothing in it that it touched
// an iteration before.
#pragma once

#include <array>
#include <vector>

#include "gcompile/ir/kernel.h"
#include "gcompile/ir/target.h"
#include "gcompile/passes/estimate_compute.h"

namespace gcompile::passes {

// Bytes that miss the L1, the L2 and the L3 cache.
using Misses = std::array<double, 3>;

// One for each kernel, run in order, again and again.
std::vector<Misses> misses_of(const ir::KernelModule& module, const SymbolValue& symbols, const Target& target);
// Cycles until they are there, when so many threads ask for equal parts: caches answer each, memory all together.
double memory_cycles(const Misses& misses, const Rates& rates, int threads);

}  // namespace gcompile::passes
