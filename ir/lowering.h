// How an op's result is made element by element: the part of an op record from which kernels are lowered. An
// ElementContext is given by the lowerer (passes/lower); an op's lowering asks it for elements of operands at index
// expressions and combines them with scalar ops.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "gcompile/ir/graph.h"

namespace gcompile::ir {

// A scalar or lane-typed value in the kernel being built.
struct Expr {
  int id = -1;
  explicit operator bool() const { return id >= 0; }
};

using Index = std::vector<Dim>;

// The last place of an axis, as far as an i32 says it.
inline Dim last_place(const Dim& extent) {
  return extent.is_constant() ? at_most(extent - Dim(1), INT32_MAX) : extent - Dim(1);
}

// Builds scalar expressions; the interface of expand-math and of the lowerings below. Operands of one op have equal
// dtypes; a scalar and a lane operand may be mixed, the scalar is splat.
class ScalarBuilder {
 public:
  virtual ~ScalarBuilder() = default;
  // Any op of the table that is elementwise, by name.
  virtual Expr op(std::string_view name, std::vector<Expr> operands) = 0;
  virtual Expr cast(Expr e, DType to) = 0;
  virtual Expr bitcast(Expr e, DType to) = 0;  // f32, i32, u32
  virtual Expr literal(DType dtype, double value) = 0;
  virtual DType dtype(Expr e) const = 0;
  // True when fma is one instruction on the target; otherwise expansions use mul and add.
  virtual bool has_fma() const = 0;
};

class ElementContext : public ScalarBuilder {
 public:
  // The element of a graph value at an index (one Dim per axis, over loop variables and the reserved symbol `lane`).
  virtual Expr element(Value v, const Index& index) = 0;
  // The same where an index may use the values of i32 expressions, written as the symbols "$0", "$1", ...
  virtual Expr element_at(Value v, const Index& index, const std::vector<Expr>& values) = 0;
  // An index expression as an i32 value, or as an i64 where it may be larger.
  virtual Expr index(const Dim& d, DType dtype) = 0;
  Expr index(const Dim& d) { return index(d, DType::kI32); }
  // What `f` makes is evaluated only where the predicate holds (loads are masked); elsewhere `otherwise` is the value.
  virtual Expr guarded(Expr predicate, const std::function<Expr()>& f, Expr otherwise) = 0;
  // Folds over a box of extents in row-major order, starting from the initial values (one or more carried together):
  // step(index into the box, carried) returns the next ones.
  virtual std::vector<Expr> fold(const std::vector<Dim>& extents, std::vector<Expr> initial,
                                 const std::function<std::vector<Expr>(const Index&, std::vector<Expr>)>& step) = 0;
};

// Elementwise: `expand` writes the op with simpler scalar ops (null for primitives that code generation knows).
struct ElementLowering {
  Expr (*expand)(ScalarBuilder&, std::span<const Expr>) = nullptr;
};
// A view: the index into operand 0 for an index into the result.
struct ViewLowering {
  Index (*map)(const Node&, const Index&) = nullptr;
};
// A reduction over the axes in attribute `axes`, with an elementwise op and its identity per dtype.
struct ReduceLowering {
  std::string_view combine;
  double (*identity)(DType) = nullptr;
  bool any_order = false;  // elements may be combined in any order: the largest, the smallest
};
// A sum of products of two operands, over a box of extents in row-major order: dot, conv.
struct ContractIndices {
  Index left, right;
};
struct ContractLowering {
  std::vector<Dim> (*sums)(const Node&) = nullptr;  // the extents of the box
  // The indices into the operands for one into the result and one into the box.
  ContractIndices (*operands)(const Node&, const Index& at, const Index& sums) = nullptr;
};
// Operand 0 is slices of the result along the attribute `axis`: for every element of the axes that all share, each of
// the slices is combined, in the order of the elements of operand 1, with the slice of the result at the index which
// that element says, clamped to the axis. Kernels that make the whole value go from slice to slice; `element` says one
// element by itself, with the same bits.
struct ScatterLowering {
  std::string_view combine;
  double (*identity)(DType) = nullptr;  // what the result is before the first slice
  Expr (*element)(ElementContext&, const Node&, const Index&) = nullptr;
};
// How many leading axes the operands and the result of such a node, or of a gather, have in common (`batch_axes`).
std::int64_t shared_axes(const Node& node);
// What a value that is made as a whole is written with, beside an ElementContext. Loops run one iteration after the
// other, so that one may read what another one stored.
class LoopWriter {
 public:
  virtual ~LoopWriter() = default;
  virtual void loop(const Dim& extent, const std::function<void(const Dim&)>& body) = 0;
  // One that carries values: step(place, carried) returns the next ones.
  using Step = std::function<std::vector<Expr>(const Dim&, const std::vector<Expr>&)>;
  virtual std::vector<Expr> carry(const Dim& extent, std::vector<Expr> initial, const Step& step) = 0;
  // The body is run for whole vectors of places, and with a mask for those that are left.
  virtual void over_lanes(const Dim& extent, const std::function<void(const Dim&)>& body) = 0;
  // An element of the value; each is stored once.
  virtual void store(const Index& at, Expr value) = 0;
  // Memory for as long as the value is made; what an iteration of an outer loop reads of it, it has stored before.
  // `at` may use the values of i32 expressions, written as the symbols "$0", "$1", ...
  virtual int workspace(DType dtype, const Dim& size) = 0;
  virtual Expr load(int memory, const Dim& at, const std::vector<Expr>& values) = 0;
  virtual void store(int memory, const Dim& at, const std::vector<Expr>& values, Expr value) = 0;
};
// A value that is made as a whole by loops of its own: sums up to each element, sorting.
struct LoopLowering {
  void (*emit)(ElementContext&, LoopWriter&, const Node&) = nullptr;
  bool rereads = false;  // elements of operands are read more than once
};
// Anything else that can say its element at an index. With `steps`, elements so many apart along each axis are made
// alike: a kernel makes those at multiples of the steps, then the next ones, and the index says so (3 i + 1).
struct CustomLowering {
  Expr (*element)(ElementContext&, const Node&, const Index&) = nullptr;
  std::vector<std::int64_t> (*steps)(const Node&) = nullptr;
};

using Lowering = std::variant<std::monostate, ElementLowering, ViewLowering, ReduceLowering, ContractLowering,
                              ScatterLowering, LoopLowering, CustomLowering>;

}  // namespace gcompile::ir
