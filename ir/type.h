// Type: what is known of a tensor before running: its dtype and its extents, each a Dim. "f32[N,8]"; a scalar "f32[]".
#pragma once

#include <string>
#include <vector>

#include "gcompile/base/dtype.h"
#include "gcompile/base/shape.h"
#include "gcompile/ir/dim.h"

namespace gcompile {

struct Type {
  DType dtype = DType::kF32;
  std::vector<Dim> dims;

  int rank() const { return static_cast<int>(dims.size()); }
  const Dim& dim(std::int64_t axis) const { return dims[static_cast<std::size_t>(axis)]; }
  Dim size() const { return product(dims); }
  bool is_static() const {
    for (const Dim& d : dims)
      if (!d.is_constant()) return false;
    return true;
  }
  // Static types only.
  Shape shape() const {
    std::vector<std::int64_t> extents;
    for (const Dim& d : dims) extents.push_back(d.constant());
    return Shape(extents);
  }
  static Type of(DType dtype, const Shape& shape) { return {dtype, {shape.begin(), shape.end()}}; }

  // The same with one more axis in front: of a batch, of all steps. And without the first axis: of one of them.
  Type with_leading(const Dim& extent) const {
    Type t{dtype, {extent}};
    t.dims.insert(t.dims.end(), dims.begin(), dims.end());
    return t;
  }
  Type without_leading() const { return {dtype, {dims.begin() + 1, dims.end()}}; }

  std::string str() const {
    std::string text = std::string(name(dtype)) + "[";
    for (std::size_t i = 0; i < dims.size(); ++i) text += (i ? "," : "") + dims[i].str();
    return text + "]";
  }
  friend bool operator==(const Type&, const Type&) = default;
};

}  // namespace gcompile
