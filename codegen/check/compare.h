// Comparing outcomes: by bits, or within the bounds of the error analysis. A NaN equals any NaN.
#pragma once

#include <cstdint>
#include <string>

#include "gcompile/codegen/check/call.h"

namespace gcompile::codegen {

struct Difference {
  std::int64_t compared = 0;   // elements
  std::int64_t uncertain = 0;  // of these, elements of which nothing can be said
  double max_abs = 0, max_rel = 0;
  std::string worst;  // the first element that is too far; empty: all is well

  bool ok() const { return worst.empty(); }
  // "40 elements, equal bits" or "40 elements, max abs 1.2e-07, max rel 3e-07".
  std::string str() const;
};

Difference compare_bits(const Outcome& expected, const Outcome& actual);
// Also that dtypes and shapes are the same.
Difference compare_within(const BoundedOutcome& expected, const Outcome& actual);

}  // namespace gcompile::codegen
