#include "numbers.h"

#include <cmath>
#include <cstdio>

namespace gcompile::tool {
namespace {

void print_axis(std::string& out, const Array& a, int axis, std::int64_t& next, bool hex) {
  if (axis == a.rank()) {
    out += print_value(a.dtype(), a.at(next++), hex);
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

std::string print_value(DType dtype, double value, bool hex) {
  if (dtype == DType::kBool) return value != 0 ? "true" : "false";
  if (std::isnan(value)) return "nan";
  char text[64];
  const char* format = hex && is_float(dtype) ? "%a" : dtype == DType::kF64 ? "%.17g" : "%.9g";
  if (dtype == DType::kI32) format = "%.0f";
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string print_values(const Array& array, bool hex) {
  std::string out = std::string(name(array.dtype())) + array.shape().str() + " ";
  std::int64_t next = 0;
  print_axis(out, array, 0, next, hex);
  return out;
}

}  // namespace gcompile::tool
