// OpDef: everything that is known of an op, in one record. Shape inference is also the verifier. `eval` is the
// reference semantics and shares no formula with `lower`: the interpreter is the independent oracle of the compiler.
// The read-only table of all ops is put together from ops/*.cpp, one file per family.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gcompile/ir/graph.h"
#include "gcompile/ir/lowering.h"

namespace gcompile::ir {

enum Trait : std::uint32_t {
  kElementwise = 1u << 0,  // result at an index depends on the operands at that index alone; all shapes are equal
  kCommutative = 1u << 1,
  kView = 1u << 2,  // result elements are copies of operand 0's elements, at other indices
  kReduction = 1u << 3,
  kLeaf = 1u << 4,        // input, state, constant, iota, dim: no operands
  kKernelOnly = 1u << 5,  // a scalar primitive of kernels that graphs do not contain (bitcast)
  kContraction = 1u << 6,
  kFolding = 1u << 7,    // an element of the result is made of many of operand 0: reductions, argmax, scatter_add
  kIndexing = 1u << 8,   // elements of operand 1 say which elements of operand 0 and of the result belong together
  kChoosing = 1u << 11,  // elements of the result are elements of operands: none is computed, so none is rounded
};

struct InferContext {
  const OpDef& op;
  std::span<const Type> operands;
  const Attrs& attrs;
  const Graph* body;

  // Refuses: throws ModelError; Builder::make adds the location. The message starts with the op's name: write
  // fail("the inner dimensions differ: ...").
  [[noreturn]] void fail(const std::string& message) const;
};

struct VjpContext {
  Builder& b;  // makes the nodes of the gradient; carries the forward node's locations
  const Node& node;
  std::span<const Value> cotangents;  // one per result; an empty Value stands for zeros

  Value operand(int i) const { return node.operands[static_cast<std::size_t>(i)]; }
  Value result(int i = 0) const { return {&node, i}; }
  Value cotangent(int i = 0) const { return cotangents[static_cast<std::size_t>(i)]; }
};

struct EvalContext {
  const Node& node;
  std::span<const Array> operands;
  const std::map<std::string, std::int64_t>& dims;  // values of the symbols

  Shape shape(int result = 0) const;  // concrete shape of a result
  DType dtype(int result = 0) const { return node.types[static_cast<std::size_t>(result)].dtype; }
};

using Infer = std::vector<Type> (*)(const InferContext&);
using Vjp = std::vector<Value> (*)(VjpContext&);  // one per operand; an empty Value: no gradient flows there
using Eval = std::vector<Array> (*)(const EvalContext&);
// Reference semantics of an elementwise op on one element, in double (the caller rounds to the result's dtype; bool is
// 0 or 1).
using EvalElement = double (*)(std::span<const double>);
// The same where no operand is a float, exactly: what double could not hold, or where integers differ (division by
// zero). Sums and products wrap at 64 bits (ops/eval.h), and the caller wraps the result to its dtype.
using EvalInteger = std::int64_t (*)(std::span<const std::int64_t>);

// The inputs that registry-driven tests may feed, and how near results must be.
struct Domain {
  double low = -3, high = 3;  // elements are drawn from here
  bool integers = false;      // round them: ops that are only interesting at ties
  double avoid_near = 0;      // keep operands (and operand differences, for binary ops) this far from kinks
};

struct OpDef {
  std::string_view name;
  int arity;  // -1: any number of operands
  std::uint32_t traits;
  Infer infer;
  Vjp vjp = nullptr;  // null: not differentiable; gradient names op and line
  Eval eval = nullptr;
  EvalElement element = nullptr;   // elementwise ops give this instead of eval
  EvalInteger integer = nullptr;   // beside element: takes its place where no operand is a float
  Lowering lower = {};             // see lowering.h
  std::vector<DType> dtypes = {};  // admitted dtypes of operand 0 (of the result, for leaves); empty: all
  Domain domain = {};
  double tolerance = 2e-6;          // relative error admitted between eval and compiled f32 code, per element
  std::string_view doc = "";        // one line: meaning, shapes, source
  std::string_view signature = "";  // for the op reference: "dot(a: T[B.., M.., K..], b: T[B.., N.., K..]) -> T[..]"

  bool is(Trait t) const { return (traits & t) != 0; }
  bool differentiable() const { return vjp != nullptr; }
};

// All ops, in a fixed order; built at first use, read-only.
std::span<const OpDef> all_ops();
// Null when there is no such op.
const OpDef* find_op(std::string_view name);
// InternalError when there is no such op.
const OpDef& op(std::string_view name);

// An input or a state: what a graph is given.
bool is_argument(const Node& node);

// Infers again and compares, for every node (bodies of fusions too); checks operands before users, leaves, updates.
// Throws InternalError that prints the graph.
void verify(const Graph& graph);

}  // namespace gcompile::ir
