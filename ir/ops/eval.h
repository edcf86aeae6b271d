// Parts of the reference semantics that the families share: walking the indices of a box, copying elements from place
// to place, and arithmetic that is exact. All in terms of concrete shapes; nothing here knows how kernels are made.
//
// An op computes floats in double and stores them with Array::set, which rounds to the dtype; integers and bools are
// read with Array::at_integer, computed with the functions below and stored with Array::set_integer, which wraps.
#pragma once

#include <cstring>
#include <functional>

#include "gcompile/base/array.h"
#include "gcompile/base/convert.h"
#include "gcompile/ir/op.h"

namespace gcompile::ir {

using Position = std::vector<std::int64_t>;

// Sums and products of integers modulo 2^64, of which every dtype's own arithmetic is the lower part; of floats as they
// are.
inline std::int64_t plus(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
inline std::int64_t minus(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}
inline std::int64_t times(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
}
inline double plus(double a, double b) { return a + b; }
inline double times(double a, double b) { return a * b; }

// What an element of the dtype becomes of a number: rounded, converted; of an integer: wrapped around.
inline double rounded(DType t, double x) {
  return dispatch(t, [&](auto zero) { return static_cast<double>(convert<decltype(zero)>(x)); });
}
inline std::int64_t wrapped(DType t, std::int64_t x) {
  return dispatch(t, [&](auto zero) { return convert<std::int64_t>(convert<decltype(zero)>(x)); });
}

// A sum of elements of a dtype: of floats in double, rounded where it is written; of integers exact, wrapping there.
class Accumulator {
 public:
  void add(const Array& a, std::int64_t flat) {
    if (is_float(a.dtype()))
      real_ += a.at(flat);
    else
      exact_ = plus(exact_, a.at_integer(flat));
  }
  void add_product(const Array& a, std::int64_t p, const Array& b, std::int64_t q) {
    if (is_float(a.dtype()))
      real_ += a.at(p) * b.at(q);
    else
      exact_ = plus(exact_, times(a.at_integer(p), b.at_integer(q)));
  }
  void write(Array& out, std::int64_t flat) const {
    if (is_float(out.dtype()))
      out.set(flat, real_);
    else
      out.set_integer(flat, exact_);
  }

 private:
  double real_ = 0;
  std::int64_t exact_ = 0;
};

// Calls f(position) for every index of the box, in row-major order.
template <class F>
void for_each_index(const Shape& box, F&& f) {
  if (box.size() == 0) return;
  Position at(static_cast<std::size_t>(box.rank()), 0);
  while (true) {
    f(static_cast<const Position&>(at));
    int axis = box.rank() - 1;
    while (axis >= 0 && ++at[static_cast<std::size_t>(axis)] == box[axis]) at[static_cast<std::size_t>(axis--)] = 0;
    if (axis < 0) return;
  }
}

inline std::int64_t flat_index(const Shape& shape, const Position& at) {
  std::int64_t flat = 0;
  for (int i = 0; i < shape.rank(); ++i) flat = flat * shape[i] + at[static_cast<std::size_t>(i)];
  return flat;
}

// result[at] = source[from(at)], bits as they are.
template <class F>
Array rearranged(const Array& source, const Shape& shape, F&& from) {
  Array result = Array::uninitialized(source.dtype(), shape);
  const std::size_t size = size_of(source.dtype());
  const auto* in = static_cast<const std::byte*>(source.raw());
  auto* out = static_cast<std::byte*>(result.raw());
  for_each_index(shape, [&](const Position& at) {
    std::memcpy(out, in + static_cast<std::size_t>(flat_index(source.shape(), from(at))) * size, size);
    out += size;
  });
  return result;
}

// Element t along the leading axis, and writing one: steps of a scan.
inline Array leading_element(const Array& sequence, std::int64_t t) {
  const std::vector<std::int64_t> extents(sequence.shape().begin() + 1, sequence.shape().end());
  Array out = Array::uninitialized(sequence.dtype(), Shape(extents));
  std::memcpy(out.raw(), static_cast<const std::byte*>(sequence.raw()) + static_cast<std::size_t>(t) * out.bytes(),
              out.bytes());
  return out;
}
inline void set_leading_element(Array& sequence, std::int64_t t, const Array& element) {
  std::memcpy(static_cast<std::byte*>(sequence.raw()) + static_cast<std::size_t>(t) * element.bytes(), element.raw(),
              element.bytes());
}

// All elements are the scalar.
inline Array filled(const Array& scalar, const Shape& shape) {
  return rearranged(scalar, shape, [](const Position&) { return Position{}; });
}

// destination[to(at)] = source[at], bits as they are.
template <class F>
void scatter(Array& destination, const Array& source, F&& to) {
  const std::size_t size = size_of(source.dtype());
  const auto* in = static_cast<const std::byte*>(source.raw());
  auto* out = static_cast<std::byte*>(destination.raw());
  for_each_index(source.shape(), [&](const Position& at) {
    std::memcpy(out + static_cast<std::size_t>(flat_index(destination.shape(), to(at))) * size, in, size);
    in += size;
  });
}

}  // namespace gcompile::ir
