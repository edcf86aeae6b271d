#include "gcompile/base/array.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <ostream>
#include <sstream>

#include "gcompile/base/convert.h"
#include "gcompile/base/error.h"

namespace gcompile {
namespace {

constexpr std::align_val_t kAlignment{64};

std::shared_ptr<std::byte> allocate(const Array& of) {
  const auto size = static_cast<std::size_t>(of.size()), each = size_of(of.dtype());
  const auto fail = [&](const std::string& bytes) {
    throw MemoryError("no memory for an Array " + std::string(name(of.dtype())) + of.shape().str() + " of " + bytes +
                      " bytes");
  };
  if (size > PTRDIFF_MAX / each) fail(std::to_string(size) + " times " + std::to_string(each));
  auto* p = static_cast<std::byte*>(::operator new(size* each, kAlignment, std::nothrow));
  if (!p) fail(std::to_string(size * each));
  return {p, [](std::byte* q) { ::operator delete(q, kAlignment); }};
}

void print_number(std::ostream& out, const Array& a, std::int64_t i) {
  if (a.dtype() == DType::kBool)
    out << (a.at(i) != 0 ? "true" : "false");
  else if (is_integer(a.dtype()))
    out << a.at_integer(i);
  else
    out << a.at(i);
}

// Prints the block of elements that starts at flat index `offset`, from `axis` on.
void print_block(std::ostream& out, const Array& a, int axis, std::int64_t offset) {
  constexpr std::int64_t kEdge = 3, kLimit = 8;
  if (axis == a.rank()) return print_number(out, a, offset);
  std::int64_t stride = 1;
  for (int d = axis + 1; d < a.rank(); ++d) stride *= a.shape()[d];
  const std::int64_t n = a.shape()[axis];
  out << '[';
  for (std::int64_t i = 0; i < n; ++i) {
    if (i) out << ", ";
    if (n > kLimit && i == kEdge) {
      out << "..., ";
      i = n - kEdge;
    }
    print_block(out, a, axis + 1, offset + i * stride);
  }
  out << ']';
}

}  // namespace

Array::Array(DType dtype, const Shape& shape, NoInit) : shape_(shape), dtype_(dtype) {
  // Compared without a product, which could wrap around.
  if (static_cast<std::size_t>(size()) > kInlineBytes / size_of(dtype)) heap_ = allocate(*this);
}

Array::Array(DType dtype, const Shape& shape) : Array(dtype, shape, NoInit{}) { std::memset(raw(), 0, bytes()); }

Array Array::uninitialized(DType dtype, const Shape& shape) { return {dtype, shape, NoInit{}}; }

Array Array::full(DType dtype, const Shape& shape, double value) {
  Array a = uninitialized(dtype, shape);
  dispatch(dtype, [&](auto zero) {
    using T = decltype(zero);
    auto out = a.mutable_data<T>();
    std::fill(out.begin(), out.end(), convert<T>(value));
  });
  return a;
}

void Array::detach() {
  auto copy = allocate(*this);
  std::memcpy(copy.get(), heap_.get(), bytes());
  heap_ = std::move(copy);
}

void Array::check_size(std::size_t given) const {
  if (given != static_cast<std::size_t>(size()))
    throw ModelError("an Array of shape " + shape_.str() + " needs " + std::to_string(size()) + " elements, got " +
                     std::to_string(given));
}

void Array::check_dtype(DType wanted) const {
  if (wanted != dtype_)
    throw ModelError("an Array of " + std::string(name(dtype_)) + " was accessed as " + std::string(name(wanted)));
}

void Array::check_row(std::size_t given, std::size_t wanted) {
  if (given != wanted)
    throw ModelError("the rows of an Array differ in length: " + std::to_string(wanted) + " and " +
                     std::to_string(given));
}

std::pair<Eigen::Index, Eigen::Index> Array::rows_cols() const {
  switch (rank()) {
    case 0: return {1, 1};
    case 1: return {1, shape_[0]};
    case 2: return {shape_[0], shape_[1]};
    default: throw ModelError("an Array of shape " + shape_.str() + " is not a matrix");
  }
}

double Array::item() const {
  if (size() != 1) throw ModelError("item() of an Array of shape " + shape_.str() + ": it has not exactly one element");
  return at(0);
}

void Array::check_flat(std::int64_t flat) const {
  if (flat < 0 || flat >= size())
    throw ModelError("element " + std::to_string(flat) + " of an Array of " + std::to_string(size()) + " elements");
}

double Array::at(std::int64_t flat) const {
  check_flat(flat);
  return dispatch(dtype_,
                  [&](auto zero) { return static_cast<double>(static_cast<const decltype(zero)*>(raw())[flat]); });
}

void Array::set(std::int64_t flat, double value) {
  check_flat(flat);
  dispatch(dtype_, [&](auto zero) {
    using T = decltype(zero);
    static_cast<T*>(raw())[flat] = convert<T>(value);
  });
}

std::int64_t Array::at_integer(std::int64_t flat) const {
  check_flat(flat);
  if (is_float(dtype_)) throw ModelError("an Array of " + std::string(name(dtype_)) + " was read as integers");
  return dispatch(dtype_,
                  [&](auto zero) { return convert<std::int64_t>(static_cast<const decltype(zero)*>(raw())[flat]); });
}

void Array::set_integer(std::int64_t flat, std::int64_t value) {
  check_flat(flat);
  dispatch(dtype_, [&](auto zero) {
    using T = decltype(zero);
    static_cast<T*>(raw())[flat] = convert<T>(value);
  });
}

Array Array::reshaped(const Shape& shape) const {
  if (shape.size() != size())
    throw ModelError("reshape of an Array from " + shape_.str() + " to " + shape.str() + ": the sizes differ");
  Array a = *this;
  a.shape_ = shape;
  return a;
}

Array Array::cast(DType dtype) const {
  if (dtype == dtype_) return *this;
  Array a = uninitialized(dtype, shape_);
  dispatch(dtype_, [&](auto from) {
    dispatch(dtype, [&](auto to) {
      using From = decltype(from);
      using To = decltype(to);
      const auto* in = static_cast<const From*>(raw());
      auto* out = static_cast<To*>(a.raw());
      for (std::int64_t i = 0; i < size(); ++i) out[i] = convert<To>(in[i]);
    });
  });
  return a;
}

Array Array::rows(std::int64_t begin, std::int64_t end) const {
  if (rank() == 0 || begin < 0 || end < begin || end > shape_[0])
    throw ModelError("rows " + std::to_string(begin) + " to " + std::to_string(end) + " of an Array of shape " +
                     shape_.str());
  Shape part = shape_;
  part[0] = end - begin;
  Array a = uninitialized(dtype_, part);
  const std::size_t row = shape_[0] ? bytes() / static_cast<std::size_t>(shape_[0]) : 0;
  std::memcpy(a.raw(), static_cast<const std::byte*>(raw()) + row * static_cast<std::size_t>(begin), a.bytes());
  return a;
}

std::string Array::str() const {
  std::ostringstream out;
  if (rank() > 0) out << name(dtype_) << shape_.str() << ' ';
  print_block(out, *this, 0, 0);
  return out.str();
}

bool same_bits(const Array& a, const Array& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() && std::memcmp(a.raw(), b.raw(), a.bytes()) == 0;
}

std::ostream& operator<<(std::ostream& out, const Array& a) { return out << a.str(); }

}  // namespace gcompile
