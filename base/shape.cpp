#include "gcompile/base/shape.h"

#include "gcompile/base/error.h"

namespace gcompile {

Shape::Shape(std::span<const std::int64_t> dims) {
  if (dims.size() > static_cast<std::size_t>(kMaxRank))
    throw ModelError("a shape of rank " + std::to_string(dims.size()) + " (at most " + std::to_string(kMaxRank) + ")");
  for (std::int64_t d : dims) {
    if (d < 0) throw ModelError("a negative extent in a shape: " + std::to_string(d));
    dims_[rank_++] = d;
  }
}

std::string Shape::str() const {
  std::string text = "[";
  for (int i = 0; i < rank_; ++i) text += (i ? "," : "") + std::to_string((*this)[i]);
  return text + "]";
}

}  // namespace gcompile
