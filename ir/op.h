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
  kFolding = 1u << 7,         // an element of the result is made of many of operand 0: reductions, argmax, scatter_add
  kIndexing = 1u << 8,        // elements of operand 1 say which elements of operand 0 and of the result belong together
  kControl = 1u << 9,         // bodies say what is done: a loop, a branch, a call
  kInlined = 1u << 10,        // of these: one that the pass `inline` replaces by its first body
  kOwnLoops = 1u << 11,       // lanes belong along its own axes, or it is made as a whole: no part of an anchored nest
  kChoosing = 1u << 12,       // elements of the result are elements of operands: none is computed, so none is rounded
  kSelecting = 1u << 13,      // elementwise: operand 0 chooses between operands 1 and 2
  kComparison = 1u << 14,     // elementwise: a bool that says how operand 0 and operand 1 stand in order
  kConversion = 1u << 15,     // elementwise: its attribute `dtype` says what operand 0 becomes
  kRowMajor = 1u << 16,       // of views: element k of the result, in row-major order, is element k of operand 0
  kRepeating = 1u << 17,      // of views: the result has axes more than operand 0, which is repeated along them
  kStopsGradient = 1u << 18,  // no gradient is asked for behind it
};

// What becomes of a NaN in an operand.
enum class OnNan : std::uint8_t {
  kByTraits,  // the table makes it kShown where all of the operands is read and computed with, else kHidden
  kShown,     // the result has one, if it is a float
  kDropped,   // the result has one, unless the program chose not to use that element
  kHidden,    // the result may depend on it without showing it, so it is looked for in front of the op
};

struct InferContext {
  const OpDef& op;
  std::span<const Type> operands;
  const Attrs& attrs;
  const Bodies& bodies;

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

  // Reverse mode for the rules of ops that hold bodies: the cotangents of `wrt` for those of `results` (an empty one
  // stands for zeros), as nodes of `b`; an empty Value where nothing flows.
  std::vector<Value> (*differentiate)(Builder& b, std::span<const Value> results, std::span<const Value> cotangents,
                                      std::span<const Value> wrt) = nullptr;
  // Whether the cotangent of an operand is asked for; a rule may return it all the same. Empty: of all.
  std::vector<bool> wanted = {};
  bool wants(std::size_t operand) const {
    return is_float(node.operands[operand].type().dtype) && (wanted.empty() || wanted[operand]);
  }
};

// Asks for a node that does to every element of a batch what `node` does. A batched value has one axis more, the
// leading one, of extent `size`.
struct BatchContext {
  Builder& b;
  const Node& node;                 // the one that is batched
  std::span<const Value> operands;  // in place of the node's
  std::span<const bool> batched;    // which of them have the leading axis: at least one
  Dim size;
  // Batches a part of a graph (passes/batch.h), for the rules of ops that hold bodies.
  std::vector<Value> (*batch)(Builder& b, std::span<const Value> results,
                              std::span<const std::pair<Value, Value>> batched_leaves, const Dim& size) = nullptr;

  // Operand i with the leading axis, repeated along it when it had none.
  Value operand(int i) const;
};

// Axis `operand_axis` of operand `operand` of a node runs together with axis `result_axis` of its first result: the
// element of the result at an index needs the operand at that same index of this axis only.
struct AxisRelation {
  int operand;
  int operand_axis;
  int result_axis;
};
struct AxisMap {
  std::vector<AxisRelation> related;
  // Axes that are summed or folded away: (operand, axis) pairs that run together belong to one entry.
  std::vector<std::vector<std::pair<int, int>>> folded;
};

struct EvalContext {
  const Node& node;
  std::span<const Array> operands;
  const std::map<std::string, std::int64_t>& dims;  // values of the symbols

  Shape shape(int result = 0) const;  // concrete shape of a result
  DType dtype(int result = 0) const { return node.types[static_cast<std::size_t>(result)].dtype; }
};

// What a node got and made in a run whose numbers may all be off: by how much each element of an operand may differ
// from what the interpreter has (f64, infinite where nothing can be said).
struct ErrorContext {
  const Node& node;
  std::span<const Array> operands, errors;
  const Array& value;  // the interpreter's result
  const std::map<std::string, std::int64_t>& dims;
};

// That an extent is not less, where it is symbolic; see requirement.h. `what` goes on after "<op>: ".
struct Need {
  Dim extent;
  std::int64_t least = 0;
  std::string what = {};
};

struct ControlParts;  // control.h

using Infer = std::vector<Type> (*)(const InferContext&);
using Vjp = std::vector<Value> (*)(VjpContext&);      // one per operand; an empty Value: no gradient flows there
using Batch = std::vector<Value> (*)(BatchContext&);  // the results, all with the leading axis
using AxisRule = AxisMap (*)(const Node&);
using Eval = std::vector<Array> (*)(const EvalContext&);
using ErrorBound = Array (*)(const ErrorContext&);  // by how much each element of the result may be off
using Control = ControlParts (*)(const Node&);
using Needs = std::vector<Need> (*)(const Node&);
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
  EvalElement element = nullptr;  // elementwise ops give this instead of eval
  EvalInteger integer = nullptr;  // beside element: takes its place where no operand is a float
  Lowering lower = {};            // see lowering.h
  Needs needs = nullptr;          // null: that no extent of a result is negative
  // Both have a default for elementwise ops and reductions, which the table fills in.
  AxisRule axes = nullptr;         // null: no axis of an operand is one of the result
  Batch batch = nullptr;           // null: cannot be batched; the pass says so with op and line
  std::vector<DType> dtypes = {};  // admitted dtypes of operand 0 (of the result, for leaves); empty: all
  Domain domain = {};
  double tolerance = 2e-6;            // relative error admitted between eval and compiled f32 code, per element
  std::string_view doc = "";          // one line: meaning, shapes, source
  std::string_view no_gradient = "";  // of an op without vjp: why, and what to do instead
  int bodies = 0;                     // graphs that a node holds
  std::string_view signature = "";    // for the op reference: "dot(a: T[B.., M.., K..], b: T[B.., N.., K..]) -> T[..]"
  OnNan on_nan = OnNan::kByTraits;
  // For the checks of compiled code against the interpreter; ops/errors.h has rules. The table fills in that of
  // elementwise ops, views, leaves and contractions; an op whose bodies are run has none.
  ErrorBound error = nullptr;
  Control control = nullptr;  // what is done with the bodies; null: a call of the first

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
