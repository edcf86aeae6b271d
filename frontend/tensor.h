// Tensor: a symbolic value of the function being traced, and its operators. A Tensor is a small handle (trace, number
// of the value); shapes, dtypes and axes are checked when an operation is made, and errors name the user's line and
// both operands. C++ numbers are weak: they take the dtype and the shape of the tensor they meet. Shapes broadcast as
// in NumPy, from the last axis; a symbolic extent meets only its like. Dtypes are never promoted.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <utility>
#include <vector>

#include "gcompile/frontend/state.h"
#include "gcompile/frontend/trace.h"
#include "gcompile/ir/type.h"

namespace gcompile {

class Operand;

// Which axes an operation is about: one, several, or (by default) all. Negative ones count from the end.
class Axes {
 public:
  Axes() = default;
  Axes(int axis) : list_{axis} {}  // NOLINT(google-explicit-constructor)
  Axes(std::initializer_list<std::int64_t> axes) : list_(axes), all_(axes.size() == 0) {}
  explicit Axes(std::vector<std::int64_t> axes) : list_(std::move(axes)), all_(false) {}
  bool all() const { return all_ && list_.empty(); }
  const std::vector<std::int64_t>& list() const { return list_; }

 private:
  std::vector<std::int64_t> list_;
  bool all_ = true;
};

class Tensor {
 public:
  // Stands for nothing until it is assigned.
  Tensor() = default;
  // A State is read: its value from before the call.
  Tensor(const State& state, Where where = Where::current());  // NOLINT(google-explicit-constructor)

  // A symbolic value is neither true nor false while the function is traced.
  template <std::same_as<bool> B>
  explicit operator B() const {
    static_assert(!std::same_as<B, bool>,
                  "a gcompile::Tensor has no value while its function is traced, so it cannot be a condition: "
                  "use gc::where(condition, a, b), gc::maximum or gc::minimum");
    return false;
  }

  DType dtype(Where where = Where::current()) const { return type(where).dtype; }
  const std::vector<Dim>& shape(Where where = Where::current()) const { return type(where).dims; }
  int rank(Where where = Where::current()) const { return type(where).rank(); }
  // Extent of an axis; negative axes count from the end.
  Dim dim(int axis, Where where = Where::current()) const;
  const Type& type(Where where = Where::current()) const;
  Where made_at() const { return made_; }
  bool empty() const { return serial_ == 0; }

  // The functions of functions.h that read well as members.
  Tensor matmul(const Tensor& right, Where where = Where::current()) const;
  Tensor sum(const Axes& axes = {}, bool keep_axes = false, Where where = Where::current()) const;
  Tensor mean(const Axes& axes = {}, bool keep_axes = false, Where where = Where::current()) const;
  Tensor max(const Axes& axes = {}, bool keep_axes = false, Where where = Where::current()) const;
  Tensor min(const Axes& axes = {}, bool keep_axes = false, Where where = Where::current()) const;
  Tensor reshape(const std::vector<Dim>& dims, Where where = Where::current()) const;
  Tensor flatten(int first_axis = 1, Where where = Where::current()) const;
  Tensor squeeze(int axis, Where where = Where::current()) const;
  Tensor unsqueeze(int axis, Where where = Where::current()) const;
  Tensor transpose(const std::vector<std::int64_t>& permutation, Where where = Where::current()) const;
  Tensor T(Where where = Where::current()) const;
  Tensor slice(int axis, std::int64_t begin, std::optional<Dim> end = std::nullopt,
               Where where = Where::current()) const;
  Tensor cast(DType dtype, Where where = Where::current()) const;

  Tensor& operator+=(const Operand& b);
  Tensor& operator-=(const Operand& b);
  Tensor& operator*=(const Operand& b);
  Tensor& operator/=(const Operand& b);

 private:
  friend class Trace;
  std::uint64_t serial_ = 0;  // of the trace; 0: none
  std::int32_t index_ = 0;    // into the trace's values
  Where made_;
};

// One side of an operator: a Tensor, a State (read), or a weak number, with the line where it was written.
class Operand {
 public:
  Operand(const Tensor& t, Where where = Where::current()) : tensor_(t), where_(where) {}        // NOLINT
  Operand(const State& s, Where where = Where::current()) : tensor_(s, where), where_(where) {}  // NOLINT
  template <Number T>
  Operand(T number, Where where = Where::current())  // NOLINT(google-explicit-constructor)
      : number_(WeakNumber(number)), where_(where) {}

  bool is_number() const { return number_.has_value(); }
  double number() const { return number_ ? number_->value() : 0; }
  const WeakNumber& weak_number() const { return *number_; }  // of a number
  const Tensor& tensor() const { return tensor_; }
  Where where() const { return where_; }
  // The Tensor; a number becomes one of this type. ModelError for a double or float where integers or bools are wanted,
  // and for a number that they do not hold.
  Tensor as(const Type& type) const;

 private:
  Tensor tensor_;
  std::optional<WeakNumber> number_;
  Where where_;
};

Tensor operator+(const Operand& a, const Operand& b);
Tensor operator-(const Operand& a, const Operand& b);
Tensor operator*(const Operand& a, const Operand& b);
Tensor operator/(const Operand& a, const Operand& b);  // floats; for integers cast both to a float, or floor_div
Tensor operator-(const Operand& a);

// Bool tensors.
Tensor operator==(const Operand& a, const Operand& b);
Tensor operator!=(const Operand& a, const Operand& b);
Tensor operator<(const Operand& a, const Operand& b);
Tensor operator<=(const Operand& a, const Operand& b);
Tensor operator>(const Operand& a, const Operand& b);
Tensor operator>=(const Operand& a, const Operand& b);

}  // namespace gcompile
