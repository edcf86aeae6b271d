// What one wants to know of the elements of a value that led to a NaN, and how it is told.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>

#include "gcompile/base/array.h"

namespace gcompile::runtime {

struct ValueRange {
  double low = INFINITY, high = -INFINITY;  // without the NaN
  std::int64_t nan = 0, infinite = 0, size = 0, first_nan = -1;

  explicit ValueRange(const Array& a);
  double magnitude() const;
  // "-1 .. inf, 1 of 3 infinite"
  std::string str() const;
};

// "f32[3,2]"
std::string type_of(const Array& a);
// Of an array with a NaN: "1 of 6 elements of f32[3,2], first at [2, 0]"; of a scalar its type.
std::string place_of_nan(const Array& a);

}  // namespace gcompile::runtime
