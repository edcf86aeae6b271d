// Running error analysis of nodes with bodies: the bodies are run as the interpreter runs them, on values with bounds.
#pragma once

#include <functional>
#include <vector>

#include "gcompile/codegen/check/error_bounds.h"

namespace gcompile::codegen {

// The results of a body for the values of its inputs.
using BoundedBody = std::function<std::vector<Bounded>(const ir::Graph& body, std::vector<Bounded> inputs)>;

// The results of a fusion, a call, a loop or a branch. Where a condition is not certain nothing is.
std::vector<Bounded> run_bodies(const ir::Node& node, const std::vector<const Bounded*>& operands,
                                const std::map<std::string, std::int64_t>& dims, const BoundedBody& run);

}  // namespace gcompile::codegen
