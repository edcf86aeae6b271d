// specialize: gives symbols of a graph or of a module of kernels their values, so that --dim N=32 compiles for one
// extent only. Not in the pipeline's table: it has arguments. The bits of all results stay what they are.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "gcompile/ir/graph.h"
#include "gcompile/ir/kernel.h"

namespace gcompile::passes {

using DimValues = std::map<std::string, std::int64_t>;

// Symbols that are not named stay symbols. Throw Error for a name that is no symbol of the IR (the known ones are
// listed) and for a value outside of the symbol's bounds.
ir::Graph specialize(const ir::Graph& graph, const DimValues& values);
ir::KernelModule specialize(const ir::KernelModule& module, const DimValues& values);

// The symbols in the types of a module's inputs and states, sorted.
std::vector<std::string> symbols_of(const ir::KernelModule& module);

}  // namespace gcompile::passes
