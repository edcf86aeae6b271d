// A C++ number in a program of tensors: it takes the dtype of what it meets, exactly or not at all where that is no
// float.
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "gcompile/base/array.h"

namespace gcompile {

template <class T>
concept Number = std::is_arithmetic_v<T>;

class WeakNumber {
 public:
  template <Number T>
  WeakNumber(T number)  // NOLINT(google-explicit-constructor): a number is one
      : value_(static_cast<double>(number)), written_as_float_(std::floating_point<T>),
        written_as_bool_(std::same_as<T, bool>) {
    if constexpr (std::integral<T>) {
      // What is beyond an i64 is beyond every integer there is.
      fits_ =
          static_cast<std::uint64_t>(number) <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) ||
          std::is_signed_v<T>;
      integer_ = static_cast<std::int64_t>(number);
    } else {
      fits_ = value_ >= -0x1p63 && value_ < 0x1p63 && value_ == static_cast<double>(static_cast<std::int64_t>(value_));
      integer_ = fits_ ? static_cast<std::int64_t>(value_) : 0;
    }
  }

  double value() const { return value_; }
  // The number, where it is whole and an i64 holds it.
  std::optional<std::int64_t> integer() const { return fits_ ? std::optional(integer_) : std::nullopt; }
  // A double or float, whatever its value.
  bool written_as_float() const { return written_as_float_; }
  bool written_as_bool() const { return written_as_bool_; }
  std::string str() const;

  // Whether it is a number of the dtype: every number is one of the floats, to which it is rounded.
  bool fits(DType dtype) const { return is_float(dtype) || (fits_ && range_of(dtype).holds(integer_)); }
  // What a message says of elements that it is none of: "holds 0 .. 255".
  static std::string held_by(DType dtype);
  // All elements are the number, which fits.
  Array full(DType dtype, const Shape& shape) const;

 private:
  double value_;
  std::int64_t integer_ = 0;
  bool fits_ = false;  // integer_ is the number
  bool written_as_float_, written_as_bool_;
};

}  // namespace gcompile
