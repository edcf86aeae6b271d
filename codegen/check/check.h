// check: the compiler checks itself on one graph. The interpreter is the reference: for it against the graph after
// every pass (bit for bit, but for contraction), against compiled code on every target that runs here (within the
// bounds of error_bounds.h), compiled code with symbolic against constant extents, against kernels that went through
// text, on several threads and with nothing in place or shared in memory (bit for bit), and the gradient against finite
// differences in double. A failure names the guilty pass.
#pragma once

#include <string>
#include <vector>

#include "gcompile/codegen/check/compare.h"

namespace gcompile::codegen {

struct CheckOptions {
  std::vector<Target> targets;              // compile for these; they must run here
  std::vector<DimValues> sizes;             // call with these values of the symbols; {{}} for a graph without symbols
  std::uint64_t seed = 0;                   // of what is sampled
  std::size_t constant_extents = SIZE_MAX;  // also compile for each of so many of the sizes alone
  bool threads = true;                      // also run on three threads
  bool unshared = false;                    // also with no update in place and every temporary in memory of its own
  bool kernel_text = true;                  // also compile what the kernels' text parses to
  bool gradient = true;
  std::int64_t memory_budget = -1;  // that the compiled code keeps to (pass rematerialize); -1: none
  bool stop_at_failure = false;
  bool quick = false;                                // code is made as CodeOptions::quick says
  runtime::Executable::Allocate allocate = nullptr;  // where compiled code has its temporaries
};

struct CheckReport {
  struct Line {
    std::string what;  // "N = 5: interpreter, after simplify"
    std::string text;  // the difference in words
    bool ok;
  };
  std::vector<Line> lines;
  std::string guilty;   // the pass or stage that is to blame; empty: all is well
  std::string message;  // the first failure
  bool ok() const { return guilty.empty(); }
};

// Exceptions of passes and code generation are failures like others. The graph's states are not written.
CheckReport check(const ir::Graph& graph, const CheckOptions& options);

}  // namespace gcompile::codegen
