#include "gcompile/frontend/weak_number.h"

namespace gcompile {

std::string WeakNumber::str() const { return fits_ ? std::to_string(integer_) : std::to_string(value_); }

std::string WeakNumber::held_by(DType dtype) {
  if (dtype == DType::kBool) return "bool holds 0 and 1, or false and true";
  const IntegerRange range = range_of(dtype);
  return std::string(name(dtype)) + " holds the integers " + std::to_string(range.min) + " .. " +
         std::to_string(range.max);
}

Array WeakNumber::full(DType dtype, const Shape& shape) const {
  if (is_float(dtype)) return Array::full(dtype, shape, value_);
  Array out = Array::uninitialized(dtype, shape);
  for (std::int64_t i = 0; i < out.size(); ++i) out.set_integer(i, integer_);
  return out;
}

}  // namespace gcompile
