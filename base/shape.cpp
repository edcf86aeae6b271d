#include "gcompile/base/shape.h"

#include <algorithm>

#include "gcompile/base/error.h"

namespace gcompile {

Shape::Shape(std::span<const std::int64_t> dims) {
  if (dims.size() > static_cast<std::size_t>(kMaxRank))
    throw ModelError("a shape of rank " + std::to_string(dims.size()) + " (at most " + std::to_string(kMaxRank) + ")");
  for (std::int64_t d : dims) {
    if (d < 0) throw ModelError("a negative extent in a shape: " + std::to_string(d));
    dims_[rank_++] = d;
  }
  std::int64_t elements = std::find(begin(), end(), 0) == end() ? 1 : 0;  // without a 0 no product wraps unseen
  for (const std::int64_t d : dims)
    if (__builtin_mul_overflow(elements, d, &elements))
      throw ModelError("the shape " + str() + " has more elements than 63 bits hold");
}

void Shape::no_axis(int axis) const {
  throw ModelError("axis " + std::to_string(axis) + " of the shape " + str() + ", which has " + std::to_string(rank_) +
                   " axes");
}

std::string Shape::str() const {
  std::string text = "[";
  for (int i = 0; i < rank_; ++i) text += (i ? "," : "") + std::to_string((*this)[i]);
  return text + "]";
}

}  // namespace gcompile
