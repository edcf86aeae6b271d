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

// Which of the graphs, for what, and how many bytes less than its plan a program is given: 0, unless it is to be seen
// that this is noticed.
struct Choice {
  std::uint64_t seed;
  std::uint64_t index;
  const Target& target;
  std::int64_t missing = 0;
};

// A function of what is chosen, as the graph is.
Variants variants_of(const Sample& s, const Choice& choice);

}  // namespace gcompile::fuzz
