// Element types of tensors, and the mapping between them and C++ types. A bool element is one byte, 0 or 1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <type_traits>

#include "gcompile/base/float16.h"

namespace gcompile {

enum class DType : std::uint8_t { kF32, kF64, kI32, kBool, kI64, kU32, kU8, kF16, kBF16 };

inline constexpr DType kAllDTypes[] = {DType::kF32, DType::kF64, DType::kBF16, DType::kF16, DType::kI32,
                                       DType::kI64, DType::kU32, DType::kU8,   DType::kBool};

constexpr std::size_t size_of(DType t) {
  switch (t) {
    case DType::kF64:
    case DType::kI64: return 8;
    case DType::kBool:
    case DType::kU8: return 1;
    case DType::kF16:
    case DType::kBF16: return 2;
    default: return 4;
  }
}
constexpr bool is_float16(DType t) { return t == DType::kF16 || t == DType::kBF16; }
constexpr bool is_float(DType t) { return t == DType::kF32 || t == DType::kF64 || is_float16(t); }
// Of numbers: a bool is none.
constexpr bool is_unsigned(DType t) { return t == DType::kU32 || t == DType::kU8; }
constexpr bool is_integer(DType t) { return t == DType::kI32 || t == DType::kI64 || is_unsigned(t); }

// "f32", "u8", "bool", ...
std::string_view name(DType t);
std::optional<DType> parse_dtype(std::string_view text);

template <class T, class... Ts>
inline constexpr bool kIsOneOf = (std::is_same_v<T, Ts> || ...);

// C++ types that are elements of an Array.
template <class T>
concept Element =
    kIsOneOf<T, float, double, half, bfloat16, std::int32_t, std::int64_t, std::uint32_t, std::uint8_t, bool>;

template <Element T>
constexpr DType dtype_of() {
  if constexpr (std::is_same_v<T, float>) return DType::kF32;
  if constexpr (std::is_same_v<T, double>) return DType::kF64;
  if constexpr (std::is_same_v<T, half>) return DType::kF16;
  if constexpr (std::is_same_v<T, bfloat16>) return DType::kBF16;
  if constexpr (std::is_same_v<T, std::int32_t>) return DType::kI32;
  if constexpr (std::is_same_v<T, std::int64_t>) return DType::kI64;
  if constexpr (std::is_same_v<T, std::uint32_t>) return DType::kU32;
  if constexpr (std::is_same_v<T, std::uint8_t>) return DType::kU8;
  return DType::kBool;
}

// Calls f(T{}) with the C++ type T of the dtype.
template <class F>
decltype(auto) dispatch(DType t, F&& f) {
  switch (t) {
    case DType::kF32: return f(float{});
    case DType::kF64: return f(double{});
    case DType::kF16: return f(half{});
    case DType::kBF16: return f(bfloat16{});
    case DType::kI32: return f(std::int32_t{});
    case DType::kI64: return f(std::int64_t{});
    case DType::kU32: return f(std::uint32_t{});
    case DType::kU8: return f(std::uint8_t{});
    case DType::kBool: return f(bool{});
  }
  return f(float{});
}

// The least and the greatest integer of a dtype that is no float; of a bool 0 and 1.
struct IntegerRange {
  std::int64_t min, max;
  constexpr bool holds(std::int64_t x) const { return min <= x && x <= max; }
};
constexpr IntegerRange range_of(DType t) {
  switch (t) {
    case DType::kI32: return {std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()};
    case DType::kI64: return {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()};
    case DType::kU32: return {0, std::numeric_limits<std::uint32_t>::max()};
    case DType::kU8: return {0, std::numeric_limits<std::uint8_t>::max()};
    default: return {0, 1};
  }
}

}  // namespace gcompile
