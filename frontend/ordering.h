// Functions of the DSL along an axis: sums so far, sorting and what is made of it, elements chosen line by line, parts.
// All throw ModelError with the user's line.
#pragma once

#include "gcompile/frontend/tensor.h"

namespace gcompile {

// The sum of the elements up to each along an axis; from the other end, or without the element itself.
struct CumsumOptions {
  bool reverse = false, exclusive = false;
};
Tensor cumsum(const Tensor& x, int axis = -1, CumsumOptions options = {}, Where where = Where::current());

// The elements in order along an axis, or where each of them was: i32. Equal elements keep their order, NaN comes last.
Tensor sort(const Tensor& x, int axis = -1, bool descending = false, Where where = Where::current());
Tensor argsort(const Tensor& x, int axis = -1, bool descending = false, Where where = Where::current());
// The k largest elements along an axis, the largest first, and where they were.
struct TopK {
  Tensor values, indices;
};
TopK top_k(const Tensor& x, std::int64_t k, int axis = -1, Where where = Where::current());

// Of every line along the axis the elements at the indices of the same line: the shapes are equal but for the axis.
// Indices outside are clamped to the nearest.
Tensor take_along_axis(const Tensor& x, const Tensor& indices, int axis = -1, Where where = Where::current());

// Last element first along the axes.
Tensor flip(const Tensor& x, const Axes& axes = {}, Where where = Where::current());
// Parts of an axis one after the other: of these extents, or so many of equal extent.
std::vector<Tensor> split(const Tensor& x, const std::vector<Dim>& extents, int axis = 0,
                          Where where = Where::current());
std::vector<Tensor> split(const Tensor& x, std::int64_t parts, int axis = 0, Where where = Where::current());

// Whether any, or all, of the bools over axes hold; of none, false and true.
Tensor any(const Tensor& x, const Axes& axes = {}, bool keep_axes = false, Where where = Where::current());
Tensor all(const Tensor& x, const Axes& axes = {}, bool keep_axes = false, Where where = Where::current());

}  // namespace gcompile
