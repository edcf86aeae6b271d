#include "gcompile/codegen/check/error_bounds.h"

#include <cmath>
#include <limits>

#include "gcompile/base/error.h"
#include "gcompile/codegen/check/control_bounds.h"
#include "gcompile/ir/interpreter.h"
#include "gcompile/ir/op.h"

namespace gcompile::codegen {
namespace {

using ir::Node;
using ir::OpDef;

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kSafety = 2;  // for what corners miss of a function's range

// Of every dtype that is a float: the distance from 1 to the next number, the largest one, and what results may be off
// by near 0, where they may be flushed, or rounded coarsely.
struct Format {
  double epsilon, largest, tiny;
};
Format format(DType t) {
  switch (t) {
    case DType::kF32: return {0x1p-23, 0x1.fffffep127, 0x1p-125};
    case DType::kF64: return {0x1p-52, std::numeric_limits<double>::max(), 0x1p-1020};
    case DType::kF16: return {0x1p-10, 65504, 0x1p-23};
    case DType::kBF16: return {0x1p-7, 0x1.fep127, 0x1p-125};
    default: return {0, std::numeric_limits<double>::max(), 0};
  }
}
double epsilon(DType t) { return format(t).epsilon; }
double largest(DType t) { return format(t).largest; }
double tiny(DType t) { return format(t).tiny; }
// The dtype in which sums and products are accumulated, and what rounding their result to `t` adds.
DType accumulator(DType t) { return is_float16(t) ? DType::kF32 : t; }
double rounding(double result, DType t) { return is_float16(t) ? epsilon(t) * std::abs(result) + tiny(t) : 0; }
// The op's tolerance is given for f32. A 16-bit float is such a result, rounded: it may be the next one.
double tolerance(const OpDef& op, DType t) {
  if (is_float16(t)) return op.tolerance == 0 ? 0 : epsilon(t);
  return t == DType::kF64 ? op.tolerance * 0x1p-26 : op.tolerance;
}

// What is computed beside one node: operands in, the error of the result out.
class NodeError {
 public:
  NodeError(const Node& node, std::vector<const Bounded*> operands, const std::map<std::string, std::int64_t>& dims)
      : node_(node), operands_(std::move(operands)), dims_(dims) {}

  Array of(const Array& value) {
    Array error = raw(value);
    for (double& e : error.mutable_data<double>())
      if (std::isnan(e)) e = kInf;
    return error;
  }

 private:
  const Bounded& in(std::size_t i) const { return *operands_[i]; }
  static Array zeros(const Array& like) { return Array(DType::kF64, like.shape()); }
  static Array unknown(const Array& like) { return Array::full(DType::kF64, like.shape(), kInf); }
  // No operand is off.
  bool certain() const {
    for (const Bounded* b : operands_)
      for (const double e : b->error.data<double>())
        if (e > 0) return false;
    return true;
  }

  Array raw(const Array& value) {
    const std::string_view name = node_.op->name;
    if (node_.op->is(ir::kLeaf)) return zeros(value);
    if (name == "cast") return cast(value);
    if (node_.op->is(ir::kElementwise)) return elementwise(value);
    if (node_.op->is(ir::kView) || name == "concat" || name == "pad" || name == "gather") return moved(value);
    if (name == "barrier") return in(0).error;
    if (name == "rng_bits") return certain() ? zeros(value) : unknown(value);
    if (name == "scatter_add") return scattered(value);
    if (name == "cumsum" || name == "window_sum") return summed(value);
    if (name == "argsort") return order(value);
    if (name == "argmax" || name == "argmin") return index_of_extreme(value);
    if (node_.op->is(ir::kReduction)) return reduced(value);
    if (node_.op->is(ir::kContraction)) return contracted(value);
    throw InternalError("error_bounds: the op " + std::string(name) + " has no rule");
  }

  // The op itself on arrays of doubles in place of some operands.
  Array evaluate(const std::vector<Array>& operands) const {
    Node n = node_;
    for (Type& t : n.types) t.dtype = DType::kF64;
    return n.op->eval(ir::EvalContext{n, operands, dims_})[0];
  }
  Array magnitude(std::size_t i) const {
    Array a = in(i).value.cast(DType::kF64);
    for (double& x : a.mutable_data<double>()) x = std::abs(x);
    return a;
  }

  // Elements move: their errors go with them. An index that is not certain makes the element uncertain.
  Array moved(const Array& value) const {
    std::vector<Array> errors;
    for (const Bounded* b : operands_) errors.push_back(b->error);
    if (node_.op->name != "gather") return evaluate(errors);
    errors[1] = in(1).value;
    Array out = evaluate(errors);
    for (const double e : in(1).error.data<double>())
      if (e > 0) return Array::full(DType::kF64, value.shape(), kInf);
    return out;
  }

  // As sums of up to as many terms as there are indices. An index that is not certain makes all uncertain.
  Array scattered(const Array& value) const {
    const DType t = value.dtype();
    for (const Bounded* b : operands_)
      for (const double e : b->error.data<double>())
        if (e > 0 && (b == operands_[1] || !is_float(t))) return Array::full(DType::kF64, value.shape(), kInf);
    if (!is_float(t)) return zeros(value);
    const Array sizes = evaluate({magnitude(0), in(1).value});
    Array out = evaluate({in(0).error, in(1).value});
    const auto terms = static_cast<double>(in(1).value.size());
    for (std::int64_t i = 0; i < value.size(); ++i)
      out.set(i, out.at(i) + terms * epsilon(accumulator(t)) * sizes.at(i) + rounding(value.at(i), t) +
                     overflow(sizes.at(i), t));
    return out;
  }

  // Sums of no more terms than the operand has elements for one of the result, or along the axis.
  Array summed(const Array& value) const {
    const DType t = value.dtype();
    if (!is_float(t)) {
      for (const double e : in(0).error.data<double>())
        if (e > 0) return Array::full(DType::kF64, value.shape(), kInf);
      return zeros(value);
    }
    const Array ones = evaluate({Array::full(DType::kF64, in(0).value.shape(), 1)});
    const Array sizes = evaluate({magnitude(0)});
    Array out = evaluate({in(0).error});
    for (std::int64_t i = 0; i < value.size(); ++i)
      out.set(i, out.at(i) + ones.at(i) * epsilon(t) * sizes.at(i) + overflow(sizes.at(i), t));
    return out;
  }

  // Certain where neighbours in the order differ by more than they may be off, or neither is off; else all of the line
  // is uncertain.
  Array order(const Array& value) const {
    Array out = zeros(value);
    const Shape& shape = value.shape();
    const int axis = static_cast<int>(node_.attrs.get<std::int64_t>("axis"));
    std::int64_t inner = 1;
    for (int a = axis + 1; a < shape.rank(); ++a) inner *= shape[a];
    for (std::int64_t line = 0; shape[axis] > 0 && line < value.size() / shape[axis]; ++line) {
      const std::int64_t base = line / inner * inner * shape[axis] + line % inner;
      const auto place = [&](std::int64_t k) {
        return base + static_cast<std::int64_t>(value.at(base + k * inner)) * inner;
      };
      bool certain = true;
      for (std::int64_t k = 0; k + 1 < shape[axis]; ++k) {
        const double e = in(0).error.at(place(k)) + in(0).error.at(place(k + 1));
        certain &= e == 0 || std::abs(in(0).value.at(place(k)) - in(0).value.at(place(k + 1))) > e;
      }
      for (std::int64_t k = 0; !certain && k < shape[axis]; ++k) out.set(base + k * inner, kInf);
    }
    return out;
  }

  Array cast(const Array& value) const {
    Array out = zeros(value);
    const DType from = in(0).value.dtype(), to = value.dtype();
    for (std::int64_t i = 0; i < value.size(); ++i) {
      const double x = in(0).value.at(i), e = in(0).error.at(i), y = value.at(i);
      double error = 0;
      if (is_float(to))
        error = e + epsilon(to) * std::abs(y) + (e > 0 || from == DType::kF64 ? tiny(to) : 0);
      else if (e > 0)
        error = to == DType::kBool                                         ? (std::abs(x) > e ? 0 : kInf)
                : std::trunc(x - e) == std::trunc(x + e) && is_float(from) ? 0
                                                                           : kInf;
      out.set(i, error);
    }
    return out;
  }

  double rounded(double x, DType t) const {
    if (is_float(t)) return std::abs(x) > largest(t) ? std::copysign(kInf, x) : x;
    return x;
  }

  // The furthest that the op gets from `center` with every operand at an end of its range.
  double spread(const std::vector<double>& x, const std::vector<double>& e, double center, DType t) const {
    std::vector<double> at = x;
    double worst = 0;
    for (unsigned corner = 0; corner < 1u << (2 * x.size()); ++corner) {
      bool fresh = true;
      for (std::size_t k = 0; k < x.size(); ++k) {
        const unsigned side = corner >> (2 * k) & 3u;  // 0 middle, 1 low, 2 high
        fresh &= side < 3 && (side == 0 || e[k] > 0);
        at[k] = side == 1 ? x[k] - e[k] : side == 2 ? x[k] + e[k] : x[k];
      }
      if (!fresh) continue;
      const double y = rounded(node_.op->element(at), t);
      if (std::isnan(y) != std::isnan(center)) return kInf;
      if (!std::isnan(y) && y != center) worst = std::max(worst, std::abs(y - center));
    }
    return worst;
  }

  // How far the result moves when its operands do by e. The corners say nothing of a function that swings
  // between them; its slope does: those of sin and cos are at most 1.
  double moved_by(const std::vector<double>& x, const std::vector<double>& e, DType t) const {
    const std::string_view n = node_.op->name;
    if (n == "sin" || n == "cos") return std::min(e[0], 2.0);
    return kSafety * spread(x, e, rounded(node_.op->element(x), t), t);
  }

  bool is_comparison() const {
    const std::string_view n = node_.op->name;
    return n == "eq" || n == "ne" || n == "lt" || n == "le" || n == "gt" || n == "ge";
  }

  double element_error(const std::vector<double>& x, const std::vector<double>& e, double center, DType t) const {
    bool exact = true, infinite = false;
    for (const double k : e) {
      exact &= k == 0;
      infinite |= std::isinf(k);
    }
    if (!is_float(t)) {
      if (exact) return 0;
      if (infinite) return kInf;
      if (is_comparison()) return std::abs(x[0] - x[1]) > e[0] + e[1] ? 0 : kInf;
      return spread(x, e, center, t) == 0 ? 0 : kInf;
    }
    double error = 0;
    if (node_.op->name == "select") {
      if (e[0] > 0) return kInf;
      return x[0] != 0 ? e[1] : e[2];
    }
    if (infinite) return kInf;
    if (node_.op->name == "div" && e[1] > 0 && std::abs(x[1]) <= e[1]) return kInf;  // the divisor may be 0 in between
    if (!exact) error = moved_by(x, e, t);
    if (!exact && node_.op->name == "rem") error += wrap(x, e, center);
    if (std::isfinite(center)) {
      error += tolerance(*node_.op, t) * std::abs(center) + tiny(t);
      if (std::abs(center) + error > largest(t)) return kInf;
    }
    return error;
  }

  // A remainder that its operands' errors may carry over 0, or over the divisor, begins again at the other end.
  static double wrap(const std::vector<double>& x, const std::vector<double>& e, double center) {
    const double divisor = std::abs(x[1]), moved = kSafety * (e[0] + (std::abs(x[0]) / divisor + 1) * e[1]);
    return std::abs(center) <= moved || divisor - std::abs(center) <= moved ? divisor + e[1] : 0;
  }

  Array elementwise(const Array& value) const {
    Array out = zeros(value);
    if (!node_.op->element && !is_float(value.dtype())) return certain() ? out : unknown(value);
    if (!node_.op->element)
      throw InternalError("error_bounds: " + std::string(node_.op->name) + " has no element rule");
    std::vector<double> x(operands_.size()), e(operands_.size());
    for (std::int64_t i = 0; i < value.size(); ++i) {
      for (std::size_t k = 0; k < operands_.size(); ++k) {
        x[k] = in(k).value.at(i);
        e[k] = in(k).error.at(i);
      }
      out.set(i, element_error(x, e, value.at(i), value.dtype()));
    }
    return out;
  }

  // Sums: the errors' sum and the rounding of every partial sum, whatever their order. Products: relative errors add.
  Array reduced(const Array& value) const {
    const std::string_view name = node_.op->name;
    const DType t = value.dtype();
    Array out = evaluate({in(0).error});
    if (name == "reduce_max" || name == "reduce_min") {
      // The extreme moves no further than the element that moves most.
      return with_op("reduce_max", {in(0).error});
    }
    const double count = value.size() ? static_cast<double>(in(0).value.size()) / static_cast<double>(value.size()) : 0;
    if (!is_float(t)) return certain() ? zeros(value) : unknown(value);
    const Array size = magnitude(0);
    if (name == "reduce_sum") {
      const Array sizes = evaluate({size}), errors = evaluate({in(0).error});
      for (std::int64_t i = 0; i < value.size(); ++i)
        out.set(i, errors.at(i) + count * epsilon(accumulator(t)) * sizes.at(i) + rounding(value.at(i), t) +
                       overflow(sizes.at(i), t));
      return out;
    }
    // In another order a partial product may be as large as that of all factors above 1: it may overflow before a
    // factor of 0 comes, and what an underflow of the others loses is multiplied by it.
    Array grown = size, above = size;
    for (std::int64_t i = 0; i < size.size(); ++i) {
      grown.set(i, size.at(i) + in(0).error.at(i));
      above.set(i, std::max(grown.at(i), 1.0));
    }
    const Array small = evaluate({size}), big = evaluate({grown}), most = evaluate({above});
    for (std::int64_t i = 0; i < value.size(); ++i)
      out.set(i, big.at(i) - small.at(i) + count * epsilon(accumulator(t)) * big.at(i) +
                     tiny(accumulator(t)) * count * (1 + most.at(i)) + rounding(value.at(i), t) +
                     overflow(most.at(i), t));
    return out;
  }
  // Where a partial sum could leave the range of the dtype.
  static double overflow(double size, DType t) { return size > largest(t) ? kInf : 0; }

  Array with_op(std::string_view name, const std::vector<Array>& operands) const {
    Node n = node_;
    n.op = &ir::op(name);
    for (Type& t : n.types) t.dtype = DType::kF64;
    return n.op->eval(ir::EvalContext{n, operands, dims_})[0];
  }

  Array contracted(const Array& value) const {
    const DType t = value.dtype();
    if (!is_float(t)) return certain() ? zeros(value) : unknown(value);
    const Array a = magnitude(0), b = magnitude(1);
    const Array sizes = evaluate({a, b}), ab = evaluate({in(0).error, b}), ba = evaluate({a, in(1).error}),
                both = evaluate({in(0).error, in(1).error});
    double terms = 1;
    for (const Dim& extent : std::get<ir::ContractLowering>(node_.op->lower).sums(node_))
      terms *= static_cast<double>(extent.evaluate(dims_));
    Array out = zeros(value);
    for (std::int64_t i = 0; i < value.size(); ++i)
      out.set(i, ab.at(i) + ba.at(i) + both.at(i) + (terms + 1) * epsilon(accumulator(t)) * sizes.at(i) +
                     tiny(accumulator(t)) * terms + rounding(value.at(i), t) + overflow(sizes.at(i), t));
    return out;
  }

  // Certain when nothing in the operand is off, or the extreme beats all others by more than they may be off.
  Array index_of_extreme(const Array& value) const {
    Array out = zeros(value);
    const Shape& shape = in(0).value.shape();
    const int axis = static_cast<int>(node_.attrs.get<std::int64_t>("axis"));
    const double sign = node_.op->name == "argmax" ? 1 : -1;
    std::int64_t inner = 1;
    for (int a = axis + 1; a < shape.rank(); ++a) inner *= shape[a];
    for (std::int64_t i = 0; i < value.size(); ++i) {
      const std::int64_t base = i / inner * inner * shape[axis] + i % inner;
      const std::int64_t best = base + static_cast<std::int64_t>(value.at(i)) * inner;
      bool certain = true;
      for (std::int64_t k = 0; k < shape[axis]; ++k) {
        const std::int64_t at = base + k * inner;
        const double e = in(0).error.at(at) + in(0).error.at(best);
        if (at == best || e == 0) continue;
        certain &= sign * (in(0).value.at(best) - in(0).value.at(at)) > e;
      }
      out.set(i, certain ? 0 : kInf);
    }
    return out;
  }

  const Node& node_;
  std::vector<const Bounded*> operands_;
  const std::map<std::string, std::int64_t>& dims_;
};

using Values = ir::ValueMap<Bounded>;

Values evaluate(const ir::Graph& graph, Values values, const std::map<std::string, std::int64_t>& dims) {
  for (const Node* node : graph.topological()) {
    if (values.count({node, 0})) continue;
    std::vector<const Bounded*> operands;
    for (const ir::Value& v : node->operands) operands.push_back(&values.at(v));
    std::vector<Bounded> results = evaluate_all_with_bounds(*node, operands, dims);
    for (std::size_t r = 0; r < results.size(); ++r) values[{node, static_cast<int>(r)}] = std::move(results[r]);
  }
  return values;
}

}  // namespace

std::vector<Bounded> evaluate_all_with_bounds(const ir::Node& node, const std::vector<const Bounded*>& operands,
                                              const std::map<std::string, std::int64_t>& dims) {
  if (node.bodies.empty()) return {evaluate_with_bounds(node, operands, dims)};
  return run_bodies(node, operands, dims, [&](const ir::Graph& body, std::vector<Bounded> inputs) {
    Values inner;
    for (std::size_t i = 0; i < inputs.size(); ++i) inner[body.inputs[i].value] = std::move(inputs[i]);
    inner = evaluate(body, std::move(inner), dims);
    std::vector<Bounded> results;
    for (const auto& r : body.results) results.push_back(inner.at(r.value));
    return results;
  });
}

Bounded evaluate_with_bounds(const ir::Node& node, const std::vector<const Bounded*>& operands,
                             const std::map<std::string, std::int64_t>& dims) {
  std::vector<Array> arrays;
  for (const Bounded* b : operands) arrays.push_back(b->value);
  Array value = ir::evaluate(node, arrays, dims)[0];
  Array error = NodeError(node, operands, dims).of(value);
  return {std::move(value), std::move(error)};
}

ir::ValueMap<Bounded> evaluate_with_bounds(const ir::Graph& graph, const std::vector<Array>& inputs,
                                           const std::vector<Array>& states,
                                           const std::map<std::string, std::int64_t>& dims) {
  Values values;
  const auto exact = [](const Array& a) { return Bounded{a, Array(DType::kF64, a.shape())}; };
  for (std::size_t i = 0; i < graph.inputs.size(); ++i) values[graph.inputs[i].value] = exact(inputs[i]);
  for (std::size_t i = 0; i < graph.states.size(); ++i)
    values[graph.states[i].value] = exact(in_order(states[i], graph.states[i].order));
  return evaluate(graph, std::move(values), dims);
}

}  // namespace gcompile::codegen
