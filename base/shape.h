// Concrete extents of an array: up to kMaxRank dimensions, each >= 0, row-major. A value without heap storage.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

namespace gcompile {

inline constexpr int kMaxRank = 8;

class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<std::int64_t> dims) : Shape(std::span(dims.begin(), dims.size())) {}
  // Throws ModelError when there are more than kMaxRank extents, one is negative, or 63 bits do not hold the number of
  // elements.
  explicit Shape(std::span<const std::int64_t> dims);

  int rank() const { return rank_; }
  // Throws ModelError for an axis that there is not.
  std::int64_t operator[](int axis) const { return dims_[checked(axis)]; }
  std::int64_t& operator[](int axis) { return dims_[checked(axis)]; }
  const std::int64_t* begin() const { return dims_.data(); }
  const std::int64_t* end() const { return dims_.data() + rank_; }
  std::span<const std::int64_t> dims() const { return {dims_.data(), static_cast<std::size_t>(rank_)}; }
  // Number of elements; 1 for a scalar.
  std::int64_t size() const {
    std::int64_t n = 1;
    for (std::int64_t d : *this) n *= d;
    return n;
  }
  // "[32,8]"; "[]" for a scalar.
  std::string str() const;

  friend bool operator==(const Shape& a, const Shape& b) {
    if (a.rank_ != b.rank_) return false;
    for (int i = 0; i < a.rank_; ++i)
      if (a[i] != b[i]) return false;
    return true;
  }

 private:
  std::size_t checked(int axis) const {
    if (axis < 0 || axis >= rank_) no_axis(axis);
    return static_cast<std::size_t>(axis);
  }
  [[noreturn]] void no_axis(int axis) const;

  std::array<std::int64_t, kMaxRank> dims_;  // only the first rank_ are meaningful
  std::uint8_t rank_ = 0;
};

}  // namespace gcompile
