// The ways in which a line is put in order (argsort, in sort.cpp), all stable and NaN last: positions are written to
// memory of the line's own, from which the result is stored.
//   - sort_by_digits: digit by digit of the bits of a key, the lowest first (Hollerith's way); time linear in the
//     elements, with some constant time for the digits. Of keys of 32 bits.
//   - sort_by_merging: runs of 1, 2, 4, ... elements, bottom up; O(n log n) without recursion. Of any key.
//   - sort_the_first: every element finds its place among the first few so far.
// docs/numerics.md says what the order is.
#pragma once

#include "gcompile/ir/lowering.h"
#include "gcompile/ir/ops/infer.h"

namespace gcompile::ir {

// A line of a node's operand and what its loops are written with.
class SortedLine {
 public:
  SortedLine(ElementContext& elements, LoopWriter& writer, const Node& node)
      : e(elements), loops(writer), axis(static_cast<std::size_t>(node.attrs.get<std::int64_t>("axis"))),
        size(node.operands[0].type().dim(static_cast<std::int64_t>(axis))),
        count(node.types[0].dim(static_cast<std::int64_t>(axis))), descending(node.attrs.get<bool>("descending")),
        node_(node) {}

  Expr number(std::int64_t x, DType dtype = DType::kI32) const { return e.literal(dtype, static_cast<double>(x)); }
  Expr op(std::string_view name, Expr a, Expr b) const { return e.op(name, {a, b}); }
  Expr select(Expr condition, Expr a, Expr b) const { return e.op("select", {condition, a, b}); }

  // The element at a position that a value says, or an index.
  Expr key(Index at, Expr position) const {
    at[axis] = Dim("$0");
    return e.element_at(node_.operands[0], at, {position});
  }
  Expr key(Index at, const Dim& position) const {
    at[axis] = position;
    return e.element(node_.operands[0], at);
  }
  // Whether one key comes before another, which equal ones do not.
  Expr before(Expr x, Expr y) const;
  // Stores the first positions that memory holds.
  void store(Index at, int memory) const;

  ElementContext& e;
  LoopWriter& loops;
  std::size_t axis;
  Dim size, count;  // elements of the operand, and of the result
  bool descending;

 private:
  const Node& node_;
};

// One line of each, at the index of its first element. Made before the loops over lines, which share the memory.
using SortLine = std::function<void(const Index&)>;
SortLine sort_by_digits(const SortedLine& line);
SortLine sort_by_merging(const SortedLine& line);
SortLine sort_the_first(const SortedLine& line, DType key);

}  // namespace gcompile::ir
