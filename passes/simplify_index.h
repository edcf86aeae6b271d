// simplify-index: simplifies the index expressions and loop extents of kernels by what is known of their symbols: a
// loop variable runs from 0 to its extent - 1, `lane` from 0 to 15, a symbol of the model within its bounds. Flattening
// and unflattening indices leave divisions behind that are not needed:
//
//   floordiv(4*i + j, 4) = i    mod(4*i + j, 4) = j    4*floordiv(i, 4) + mod(i, 4) = i    for 0 <= j < 4
#pragma once

#include <map>
#include <string>

#include "gcompile/passes/pass.h"

namespace gcompile::passes {

// What an integer may be, both ends included. The outermost values of int64 mean "no bound".
struct Interval {
  std::int64_t min;
  std::int64_t max;
  friend bool operator==(const Interval&, const Interval&) = default;
};
inline constexpr Interval kAnyInteger{INT64_MIN, INT64_MAX};

// Of symbols; one that is missing may be any integer.
using Ranges = std::map<std::string, Interval>;

Interval bounds_of(const Dim& d, const Ranges& ranges);
// Equal to d wherever the symbols are within their ranges.
Dim simplify(const Dim& d, const Ranges& ranges);

ir::KernelModule simplify_index(const ir::KernelModule& module, const PassContext& context);

}  // namespace gcompile::passes
