#include "gcompile/runtime/value_range.h"

#include <algorithm>
#include <cstdio>

namespace gcompile::runtime {
namespace {

std::string number(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", x);
  return text;
}

std::string share(std::int64_t part, std::int64_t all, const char* what) {
  return part == 0 ? "" : ", " + std::to_string(part) + " of " + std::to_string(all) + " " + what;
}

}  // namespace

ValueRange::ValueRange(const Array& a) : size(a.size()) {
  for (std::int64_t i = 0; i < size; ++i) {
    const double x = a.at(i);
    if (std::isnan(x)) {
      if (nan++ == 0) first_nan = i;
      continue;
    }
    infinite += std::isinf(x);
    low = std::min(low, x);
    high = std::max(high, x);
  }
}

double ValueRange::magnitude() const { return nan == size ? 0 : std::max(std::fabs(low), std::fabs(high)); }

std::string ValueRange::str() const {
  if (size == 0) return "empty";
  if (nan == size) return "NaN";
  const std::string range = low == high ? number(low) : number(low) + " .. " + number(high);
  return range + (size > 1 ? share(infinite, size, "infinite") : "") + share(nan, size, "NaN");
}

std::string type_of(const Array& a) { return std::string(name(a.dtype())) + a.shape().str(); }

std::string place_of_nan(const Array& a) {
  if (a.rank() == 0) return type_of(a);
  const ValueRange r(a);
  std::string index;
  std::int64_t rest = r.first_nan;
  for (int axis = a.rank() - 1; axis >= 0; --axis) {
    index = std::to_string(rest % a.shape()[axis]) + (index.empty() ? "" : ", " + index);
    rest /= a.shape()[axis];
  }
  return std::to_string(r.nan) + " of " + std::to_string(r.size) + " elements of " + type_of(a) + ", first at [" +
         index + "]";
}

}  // namespace gcompile::runtime
