#include "gcompile/base/axis_order.h"

#include <algorithm>
#include <cstring>

namespace gcompile {

bool is_axis_order(const AxisOrder& order, int rank) {
  if (order.empty()) return true;
  if (order.size() != static_cast<std::size_t>(rank)) return false;
  for (int axis = 0; axis < rank; ++axis)
    if (std::count(order.begin(), order.end(), axis) != 1) return false;
  return true;
}

Array in_order(const Array& array, const AxisOrder& order) {
  if (order.empty()) return array;
  const auto rank = order.size();
  std::vector<std::int64_t> strides(rank, 1);
  for (std::size_t i = rank; i-- > 1;) strides[i - 1] = strides[i] * array.shape()[static_cast<int>(i)];
  const std::vector<std::int64_t> extents =
      in_order(std::vector<std::int64_t>(array.shape().begin(), array.shape().end()), order);
  const std::vector<std::int64_t> steps = in_order(strides, order);
  Array out = Array::uninitialized(array.dtype(), Shape(extents));
  const auto bytes = static_cast<std::int64_t>(size_of(array.dtype()));
  const auto* from = static_cast<const std::byte*>(array.raw());
  auto* to = static_cast<std::byte*>(out.raw());
  std::vector<std::int64_t> at(rank, 0);
  for (std::int64_t n = 0; n < out.size(); ++n) {
    std::int64_t offset = 0;
    for (std::size_t i = 0; i < rank; ++i) offset += at[i] * steps[i];
    std::memcpy(to + n * bytes, from + offset * bytes, static_cast<std::size_t>(bytes));
    for (std::size_t i = rank; i-- > 0;) {
      if (++at[i] < extents[i]) break;
      at[i] = 0;
    }
  }
  return out;
}

std::string print_order(const AxisOrder& order) {
  if (order.empty()) return "";
  std::string text = " order (";
  for (std::size_t i = 0; i < order.size(); ++i) text += (i ? ", " : "") + std::to_string(order[i]);
  return text + ")";
}

}  // namespace gcompile
