// 16-bit floats as elements: half has 5 bits of exponent and 10 of fraction (IEEE 754 binary16), bfloat16 the upper 16
// bits of a float. They are stored, and computed with as float: made from one, rounded to the nearest (of two the even
// one), and read as one. A NaN stays a NaN.
#pragma once

#include <bit>
#include <cstdint>
#include <type_traits>

namespace gcompile {
namespace detail {

constexpr std::uint32_t kInfinityOfFloat = 0x7f800000, kSizeOfFloat = 0x7fffffff;

constexpr std::uint16_t half_of(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t sign = bits >> 16 & 0x8000, size = bits & kSizeOfFloat;
  std::uint32_t half = 0;
  if (size > kInfinityOfFloat) {
    half = 0x7e00 | (size >> 13 & 0x3ff);
  } else if (size >= std::bit_cast<std::uint32_t>(65520.0f)) {  // rounds to a power that is none of a half
    half = 0x7c00;
  } else if (size < std::bit_cast<std::uint32_t>(0x1p-14f)) {
    // Subnormal: a multiple of 2^-24, which is what a float of 0.5 to 1 is rounded to.
    half = std::bit_cast<std::uint32_t>(std::bit_cast<float>(size) + 0.5f) - std::bit_cast<std::uint32_t>(0.5f);
  } else {
    half = (size + 0xfff + (size >> 13 & 1) - (std::uint32_t{127 - 15} << 23)) >> 13;
  }
  return static_cast<std::uint16_t>(sign | half);
}

constexpr float float_of_half(std::uint16_t half) {
  const std::uint32_t sign = std::uint32_t{half} >> 15 << 31, size = half & 0x7fffu;
  if (size < 0x400) return (sign ? -0x1p-24f : 0x1p-24f) * static_cast<float>(size);
  const std::uint32_t bits = size >= 0x7c00 ? kInfinityOfFloat | size << 13 : (size << 13) + (std::uint32_t{112} << 23);
  return std::bit_cast<float>(sign | bits);
}

constexpr std::uint16_t bfloat16_of(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  if ((bits & kSizeOfFloat) > kInfinityOfFloat) return static_cast<std::uint16_t>(bits >> 16 | 0x40);
  return static_cast<std::uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

constexpr float float_of_bfloat16(std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t{bits} << 16); }

}  // namespace detail

template <std::uint16_t (*OfFloat)(float), float (*ToFloat)(std::uint16_t)>
class Float16 {
 public:
  constexpr Float16() = default;
  constexpr explicit Float16(float x) : bits_(OfFloat(x)) {}
  // A double and an integer are rounded to float first.
  template <class T>
    requires std::is_arithmetic_v<T>
  constexpr explicit Float16(T x) : Float16(static_cast<float>(x)) {}
  static constexpr Float16 from_bits(std::uint16_t bits) {
    Float16 x;
    x.bits_ = bits;
    return x;
  }

  constexpr operator float() const { return ToFloat(bits_); }  // NOLINT(google-explicit-constructor): exact
  constexpr std::uint16_t bits() const { return bits_; }

 private:
  std::uint16_t bits_ = 0;
};

// Named as C++ names its numbers.
using half = Float16<detail::half_of, detail::float_of_half>;              // NOLINT(readability-identifier-naming)
using bfloat16 = Float16<detail::bfloat16_of, detail::float_of_bfloat16>;  // NOLINT(readability-identifier-naming)
static_assert(sizeof(half) == 2 && std::is_trivially_copyable_v<half>);

}  // namespace gcompile
