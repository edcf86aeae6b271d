// Conversions of elements, defined for every value of every pair of types: floats are rounded to the nearest (to those
// of 16 bits by way of f32), and go to integers towards zero, to the nearest one there is where that is none, NaN to 0;
// integers wrap around; a bool is x != 0.
#pragma once

#include <cmath>
#include <limits>

#include "gcompile/base/dtype.h"

namespace gcompile {

template <Element To, Element From>
constexpr To convert(From x) {
  constexpr bool from_integer = std::is_integral_v<From>;
  if constexpr (std::is_same_v<To, From>) {
    return x;
  } else if constexpr (std::is_same_v<To, bool>) {
    return x != From{};
  } else if constexpr (std::is_integral_v<To> && !from_integer) {
    // Both limits are compared as doubles: the upper one of 64 bits is rounded up to 2^63, which is too large already.
    const auto value = static_cast<double>(x);
    using Limits = std::numeric_limits<To>;
    if (value != value) return 0;
    if (value <= static_cast<double>(Limits::min())) return Limits::min();
    if (value >= static_cast<double>(Limits::max())) return Limits::max();
    return static_cast<To>(value);
  } else {
    return static_cast<To>(x);
  }
}

}  // namespace gcompile
