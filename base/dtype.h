// Element types of tensors, and the mapping between them and C++ types. A bool element is one byte, 0 or 1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>

namespace gcompile {

enum class DType : std::uint8_t { kF32, kF64, kI32, kBool };

inline constexpr DType kAllDTypes[] = {DType::kF32, DType::kF64, DType::kI32, DType::kBool};

constexpr std::size_t size_of(DType t) { return t == DType::kF64 ? 8 : t == DType::kBool ? 1 : 4; }
constexpr bool is_float(DType t) { return t == DType::kF32 || t == DType::kF64; }

// "f32", "f64", "i32", "bool".
std::string_view name(DType t);
std::optional<DType> parse_dtype(std::string_view text);

// C++ types that are elements of an Array.
template <class T>
concept Element =
    std::is_same_v<T, float> || std::is_same_v<T, double> || std::is_same_v<T, std::int32_t> || std::is_same_v<T, bool>;

template <Element T>
constexpr DType dtype_of() {
  if constexpr (std::is_same_v<T, float>) return DType::kF32;
  if constexpr (std::is_same_v<T, double>) return DType::kF64;
  if constexpr (std::is_same_v<T, std::int32_t>) return DType::kI32;
  return DType::kBool;
}

// Calls f(T{}) with the C++ type T of the dtype.
template <class F>
decltype(auto) dispatch(DType t, F&& f) {
  switch (t) {
    case DType::kF32: return f(float{});
    case DType::kF64: return f(double{});
    case DType::kI32: return f(std::int32_t{});
    case DType::kBool: return f(bool{});
  }
  return f(float{});
}

}  // namespace gcompile
