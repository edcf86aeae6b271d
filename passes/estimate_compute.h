// The compute bound of an estimate: cycles that a core needs for the instructions of a kernel while all of its memory
// is in the L1 cache.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "gcompile/ir/kernel.h"
#include "gcompile/ir/target.h"

namespace gcompile::passes {

// The value of a symbol of the module.
using SymbolValue = std::function<std::int64_t(const std::string&)>;

// The iterations of a parallel loop count for one thread out of `threads`.
double compute_cycles(const ir::Kernel& kernel, const SymbolValue& symbols, const Target& target, int threads);

}  // namespace gcompile::passes
