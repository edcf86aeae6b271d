// Array: owned, typed, shaped data, row-major and contiguous. Up to 64 bytes live inside the object; larger data is a
// shared, 64-byte aligned buffer. Copies are cheap and have value semantics: writing through mutable_data() first
// detaches a buffer that others share. Eigen maps onto an Array without a copy, both ways.
#pragma once

#include <Eigen/Core>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gcompile/base/dtype.h"
#include "gcompile/base/shape.h"

namespace gcompile {

class Array {
 public:
  static constexpr std::size_t kInlineBytes = 64;

  // An f32 scalar 0.
  Array() : Array(DType::kF32, Shape{}) {}
  // Zeros.
  Array(DType dtype, const Shape& shape);

  template <Element T>
  Array(T scalar) : Array(dtype_of<T>(), Shape{}) {  // NOLINT(google-explicit-constructor): a number is a scalar Array
    *static_cast<T*>(raw()) = scalar;
  }
  // One dimension: Array{1.0f, 2.0f}.
  template <Element T>
  Array(std::initializer_list<T> values)
      : Array(uninitialized(dtype_of<T>(), {static_cast<std::int64_t>(values.size())})) {
    std::copy(values.begin(), values.end(), static_cast<T*>(raw()));
  }
  // Rows: Array{{1.0f, 2.0f}, {3.0f, 4.0f}}. Throws ModelError when the rows differ in length.
  template <Element T>
  Array(std::initializer_list<std::initializer_list<T>> rows) : Array(DType::kF32, Shape{}) {
    std::vector<T> flat;
    for (const auto& row : rows) {
      check_row(row.size(), rows.begin()->size());
      flat.insert(flat.end(), row.begin(), row.end());
    }
    *this = from_rows(flat, static_cast<std::int64_t>(rows.size()),
                      static_cast<std::int64_t>(rows.size() ? rows.begin()->size() : 0));
  }
  // One dimension, copied.
  template <Element T>
    requires(!std::is_same_v<T, bool>)
  explicit Array(const std::vector<T>& values)
      : Array(std::span<const T>(values), Shape{static_cast<std::int64_t>(values.size())}) {}
  // Copied, row-major. Throws ModelError unless values.size() == shape.size().
  template <Element T>
  Array(std::span<const T> values, const Shape& shape) : Array(uninitialized(dtype_of<T>(), shape)) {
    check_size(values.size());
    std::copy(values.begin(), values.end(), static_cast<T*>(raw()));
  }
  template <Element T>
    requires(!std::is_same_v<T, bool>)
  Array(const std::vector<T>& values, const Shape& shape) : Array(std::span<const T>(values), shape) {}

  // Elements are not set: for producers that write all of them.
  static Array uninitialized(DType dtype, const Shape& shape);
  // The value is converted as by convert.h.
  static Array full(DType dtype, const Shape& shape, double value);
  // A copy of an Eigen vector or matrix (a column vector becomes [n], a matrix [rows, cols], row-major).
  template <class Derived>
  static Array from(const Eigen::DenseBase<Derived>& m) {
    using T = typename Derived::Scalar;
    const bool vector = Derived::ColsAtCompileTime == 1;
    Array a = uninitialized(dtype_of<T>(), vector ? Shape{m.rows()} : Shape{m.rows(), m.cols()});
    Eigen::Map<Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(static_cast<T*>(a.raw()), m.rows(),
                                                                                  m.cols()) = m.derived();
    return a;
  }

  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  int rank() const { return shape_.rank(); }
  std::int64_t size() const { return shape_.size(); }
  std::size_t bytes() const { return static_cast<std::size_t>(size()) * size_of(dtype_); }

  const void* raw() const { return heap_ ? heap_.get() : static_cast<const void*>(inline_); }
  // Writable, after detaching from other copies.
  void* raw() {
    if (!heap_) return inline_;
    if (heap_.use_count() > 1) detach();
    return heap_.get();
  }
  // True when another Array shares this one's buffer (never for inline data).
  bool shared() const { return heap_ && heap_.use_count() > 1; }

  // The elements. Throw ModelError when T is not the dtype.
  template <Element T>
  std::span<const T> data() const {
    check_dtype(dtype_of<T>());
    return {static_cast<const T*>(raw()), static_cast<std::size_t>(size())};
  }
  template <Element T>
  std::span<T> mutable_data() {
    check_dtype(dtype_of<T>());
    return {static_cast<T*>(raw()), static_cast<std::size_t>(size())};
  }
  // The only element, as double. Throws ModelError when there is not exactly one.
  double item() const;
  // Element at a row-major flat index, as double (an i64 beyond 2^53 is rounded); set converts to the dtype, as
  // convert.h says. Throws ModelError outside the range.
  double at(std::int64_t flat) const;
  void set(std::int64_t flat, double value);
  // The same exactly, for dtypes that are no floats: at_integer throws ModelError for those; set_integer wraps around
  // (and rounds where the dtype is a float).
  std::int64_t at_integer(std::int64_t flat) const;
  void set_integer(std::int64_t flat, std::int64_t value);

  // Maps without a copy; a rank other than 1 (vector) or 2 (matrix; rank 1 is one row, rank 0 is 1 x 1) throws
  // ModelError.
  template <Element T>
  auto matrix() const {
    const auto [rows, cols] = rows_cols();
    return Eigen::Map<const Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(data<T>().data(), rows,
                                                                                               cols);
  }
  template <Element T>
  auto mutable_matrix() {
    const auto [rows, cols] = rows_cols();
    return Eigen::Map<Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(mutable_data<T>().data(), rows,
                                                                                         cols);
  }
  template <Element T>
  auto vector() const {
    return Eigen::Map<const Eigen::Matrix<T, Eigen::Dynamic, 1>>(data<T>().data(), size());
  }

  // The same elements with another shape of equal size, with another dtype (values converted as convert.h says), and
  // rows [begin, end) of the leading dimension (copied). Each throws ModelError when it cannot be.
  Array reshaped(const Shape& shape) const;
  Array cast(DType dtype) const;
  Array rows(std::int64_t begin, std::int64_t end) const;

  // "f32[2,2] [[1, 2], [3, 4]]"; long axes are abbreviated with "...". A scalar prints as its number alone.
  std::string str() const;

 private:
  struct NoInit {};
  Array(DType dtype, const Shape& shape, NoInit);
  template <Element T>
  static Array from_rows(const std::vector<T>& flat, std::int64_t rows, std::int64_t cols) {
    Array a = uninitialized(dtype_of<T>(), {rows, cols});
    std::copy(flat.begin(), flat.end(), static_cast<T*>(a.raw()));
    return a;
  }
  void detach();
  void check_size(std::size_t given) const;
  void check_flat(std::int64_t flat) const;
  void check_dtype(DType wanted) const;
  static void check_row(std::size_t given, std::size_t wanted);
  std::pair<Eigen::Index, Eigen::Index> rows_cols() const;

  Shape shape_;
  DType dtype_;
  std::shared_ptr<std::byte> heap_;
  alignas(16) std::byte inline_[kInlineBytes];
};

// Same dtype, shape and bits (a NaN equals itself, -0 differs from 0).
bool same_bits(const Array& a, const Array& b);

std::ostream& operator<<(std::ostream& out, const Array& a);

}  // namespace gcompile
