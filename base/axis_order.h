// AxisOrder: the order in which the axes of a tensor lie in memory, outermost first. Axis i of what lies in memory is
// axis order[i] of the tensor; empty: as in its shape.
#pragma once

#include <string>
#include <vector>

#include "gcompile/base/array.h"

namespace gcompile {

using AxisOrder = std::vector<int>;

// Whether it is empty or names every axis of that rank once.
bool is_axis_order(const AxisOrder& order, int rank);
// The order, or any other permutation, that undoes it.
template <class Axis>
std::vector<Axis> inverse(const std::vector<Axis>& permutation) {
  std::vector<Axis> out(permutation.size());
  for (std::size_t i = 0; i < permutation.size(); ++i)
    out[static_cast<std::size_t>(permutation[i])] = static_cast<Axis>(i);
  return out;
}

// What belongs to the axes - extents, say - as they lie in memory.
template <class T>
std::vector<T> in_order(const std::vector<T>& axes, const AxisOrder& order) {
  if (order.empty()) return axes;
  std::vector<T> out;
  for (const int axis : order) out.push_back(axes[static_cast<std::size_t>(axis)]);
  return out;
}

// A copy with the axes moved, extents and elements.
Array in_order(const Array& array, const AxisOrder& order);

// " order (1, 0)"; "" for none.
std::string print_order(const AxisOrder& order);

}  // namespace gcompile
