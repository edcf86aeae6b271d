#include "numbers.h"

#include <cmath>
#include <cstdio>

namespace gcompile::tool {
namespace {

std::string print_element(const Array& a, std::int64_t i, bool hex) {
  if (a.dtype() == DType::kBool) return a.at(i) != 0 ? "true" : "false";
  if (!is_float(a.dtype())) return std::to_string(a.at_integer(i));
  const double value = a.at(i);
  if (std::isnan(value)) return "nan";
  char text[64];
  std::snprintf(text, sizeof text, hex ? "%a" : a.dtype() == DType::kF64 ? "%.17g" : "%.9g", value);
  return text;
}

void print_axis(std::string& out, const Array& a, int axis, std::int64_t& next, bool hex) {
  if (axis == a.rank()) {
    out += print_element(a, next++, hex);
    return;
  }
  out += '[';
  for (std::int64_t i = 0; i < a.shape()[axis]; ++i) {
    if (i) out += ", ";
    print_axis(out, a, axis + 1, next, hex);
  }
  out += ']';
}

}  // namespace

std::string print_values(const Array& array, bool hex) {
  std::string out = std::string(name(array.dtype())) + array.shape().str() + " ";
  std::int64_t next = 0;
  print_axis(out, array, 0, next, hex);
  return out;
}

}  // namespace gcompile::tool
