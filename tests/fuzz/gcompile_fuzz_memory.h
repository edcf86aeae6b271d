// Whether a program stays within the memory that was planned for it.
#pragma once

#include "gcompile/codegen/check/check.h"

namespace gcompile::fuzz {

// Runs the graph's program for each of the sizes in a process of its own, in an arena of the planned bytes that ends at
// a page which may not be touched. The failure in words, empty when there is none.
std::string memory_failure(const ir::Graph& graph, const codegen::CheckOptions& options);

}  // namespace gcompile::fuzz
