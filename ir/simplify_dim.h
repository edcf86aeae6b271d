// What is known of an index expression where its symbols are within ranges: the interval it lies in, and a simpler
// expression that is equal there.
#pragma once

#include <map>
#include <string>

#include "gcompile/ir/dim.h"

namespace gcompile {

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

}  // namespace gcompile
