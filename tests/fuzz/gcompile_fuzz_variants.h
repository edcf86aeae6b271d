// In which ways a graph is compiled and compared. Compiling is what takes the time: every graph is interpreted after
// every pass and compiled once; the other ways are drawn, each for some of the graphs.
#pragma once

#include <string>
#include <vector>

#include "gcompile/codegen/check/check.h"
#include "gcompile_fuzz_generate.h"

namespace gcompile::fuzz {

struct Variants {
  codegen::CheckOptions options;
  std::vector<std::string> names;  // of what was drawn
};

// A function of (seed, index) as the graph is.
Variants variants_of(const Sample& s, std::uint64_t seed, std::uint64_t index, const Target& target);

}  // namespace gcompile::fuzz
