// What compiled functions are called with and described by: Argument, one argument of a call; TensorSpec, the type of a
// parameter for gc::compile, as in gc::f32(N, 8) with gc::Dim N{"N"}.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gcompile/base/array.h"
#include "gcompile/frontend/state.h"
#include "gcompile/ir/type.h"

namespace gcompile {

// Refers to an Array, or holds a number, which is weak: it takes the dtype of a declared parameter, else f32. Lives for
// the time of the call.
class Argument {
 public:
  Argument(const Array& array, Where where = Where::current())  // NOLINT(google-explicit-constructor)
      : array_(&array), where_(where) {}
  template <Number T>
  Argument(T number, Where where = Where::current())  // NOLINT(google-explicit-constructor)
      : own_(static_cast<float>(number)), number_(WeakNumber(number)), where_(where) {}
  Argument(const Argument&) = delete;
  Argument& operator=(const Argument&) = delete;

  const Array& array() const { return array_ ? *array_ : *own_; }
  Where where() const { return where_; }
  // A number becomes an Array of this dtype. CallError when that cannot hold it.
  void take(DType dtype) const;

 private:
  const Array* array_ = nullptr;
  mutable std::optional<Array> own_;
  std::optional<WeakNumber> number_;
  Where where_;
};

struct TensorSpec {
  Type type;
  std::string name = {};  // for errors and dumps; "x0", "x1", ... unless given
  TensorSpec named(std::string new_name) const { return {type, std::move(new_name)}; }
};

template <std::convertible_to<Dim>... D>
TensorSpec f32(const D&... dims) {
  return {{DType::kF32, {Dim(dims)...}}};
}
template <std::convertible_to<Dim>... D>
TensorSpec f64(const D&... dims) {
  return {{DType::kF64, {Dim(dims)...}}};
}
template <std::convertible_to<Dim>... D>
TensorSpec bf16(const D&... dims) {
  return {{DType::kBF16, {Dim(dims)...}}};
}
template <std::convertible_to<Dim>... D>
TensorSpec f16(const D&... dims) {
  return {{DType::kF16, {Dim(dims)...}}};
}
template <std::convertible_to<Dim>... D>
TensorSpec i32(const D&... dims) {
  return {{DType::kI32, {Dim(dims)...}}};
}
template <std::convertible_to<Dim>... D>
TensorSpec i64(const D&... dims) {
  return {{DType::kI64, {Dim(dims)...}}};
}
template <std::convertible_to<Dim>... D>
TensorSpec u32(const D&... dims) {
  return {{DType::kU32, {Dim(dims)...}}};
}
template <std::convertible_to<Dim>... D>
TensorSpec u8(const D&... dims) {
  return {{DType::kU8, {Dim(dims)...}}};
}
template <std::convertible_to<Dim>... D>
TensorSpec boolean(const D&... dims) {
  return {{DType::kBool, {Dim(dims)...}}};
}

}  // namespace gcompile
