#include "gcompile/ir/ops/reshape.h"

#include "gcompile/ir/ops/infer.h"

namespace gcompile::ir {
namespace {

Dim row_major(const Index& index, const Dims& extents, std::size_t first, std::size_t end) {
  Dim offset = 0;
  for (std::size_t i = first; i < end; ++i) offset = offset * extents[i] + index[i];
  return offset;
}

// The index within extents[first, end) of a row-major offset; empty when an extent to divide by is symbolic.
std::optional<Index> unravel(Dim offset, const Dims& extents, std::size_t first, std::size_t end) {
  Index reversed;
  for (std::size_t i = end; i-- > first;) {
    std::size_t left = first;  // the first axis that is not 1 takes what remains
    while (left < i && extents[left].is(1)) ++left;
    if (extents[i].is(1)) {
      reversed.emplace_back(0);
    } else if (left == i) {
      reversed.push_back(offset);
      offset = 0;
    } else {
      if (!extents[i].is_constant() || extents[i].constant() <= 0) return std::nullopt;
      reversed.push_back(mod(offset, extents[i].constant()));
      offset = floordiv(offset, extents[i].constant());
    }
  }
  return Index(reversed.rbegin(), reversed.rend());
}

}  // namespace

std::vector<Type> infer_reshape(const InferContext& c) {
  only_attributes(c, {"dims"});
  const Type result{c.operands[0].dtype, attribute<Dims>(c, "dims")};
  check_dims(c, result.dims);
  const Dim from = c.operands[0].size(), to = result.size();
  if (!(from == to))
    c.fail("the sizes differ: " + c.operands[0].str() + " has " + from.str() + " elements, " + result.str() + " has " +
           to.str());
  return {result};
}

AxisMap reshape_axes(const Node& node) {
  const Dims &from = node.operands[0].type().dims, &to = node.types[0].dims;
  AxisMap map;
  std::size_t i = 0, j = 0;
  while (i < from.size() && j < to.size()) {
    if (from[i] == to[j]) {
      map.related.push_back({0, static_cast<int>(i++), static_cast<int>(j++)});
    } else if (from[i].is(1)) {
      ++i;
    } else if (to[j].is(1)) {
      ++j;
    } else {
      break;
    }
  }
  std::size_t p = from.size(), q = to.size();
  while (p > i && q > j) {
    if (from[p - 1] == to[q - 1]) {
      --p, --q;
      map.related.push_back({0, static_cast<int>(p), static_cast<int>(q)});
    } else if (from[p - 1].is(1)) {
      --p;
    } else if (to[q - 1].is(1)) {
      --q;
    } else {
      break;
    }
  }
  return map;
}

Index reshape_index(const Node& node, const Index& index) {
  const Dims &from = node.operands[0].type().dims, &to = node.types[0].dims;
  Index result;
  std::size_t i = 0, j = 0;  // axes of the operand and of the result that are matched so far
  while (i < from.size() || j < to.size()) {
    // The shortest group of equal size; a group ends at once where both sides are equal axes.
    std::size_t p = i, q = j;
    Dim left = 1, right = 1;
    if (p < from.size()) left = from[p++];
    if (q < to.size()) right = to[q++];
    while (!(left == right)) {
      const bool more_left = p < from.size() && (q == to.size() || right.divided_by(left));
      if (more_left)
        left *= from[p++];
      else if (q < to.size())
        right *= to[q++];
      else
        break;
    }
    auto group = unravel(row_major(index, to, j, q), from, i, p);
    if (!group) return {row_major(index, to, 0, to.size())};
    result.insert(result.end(), group->begin(), group->end());
    i = p, j = q;
  }
  return result;
}

}  // namespace gcompile::ir
