// argsort: the order of the elements along an axis, stable, NaN last in either direction; of all of them, or the first
// so many (`count`). In kernels, one of the ways in sorting.h.
#include <algorithm>
#include <cmath>

#include "gcompile/ir/ops/axes.h"
#include "gcompile/ir/ops/batch.h"
#include "gcompile/ir/ops/errors.h"
#include "gcompile/ir/ops/eval.h"
#include "gcompile/ir/ops/families.h"
#include "gcompile/ir/ops/infer.h"
#include "gcompile/ir/ops/own_loops.h"
#include "gcompile/ir/ops/rules.h"
#include "gcompile/ir/ops/sorting.h"

namespace gcompile::ir {
namespace {

std::vector<Type> infer_argsort(const InferContext& c) {
  only_attributes(c, {"axis", "descending", "count"});
  admit_dtype(c);
  const Type& x = c.operands[0];
  const auto axis = static_cast<std::size_t>(axis_attribute(c, "axis", x.rank()));
  attribute<bool>(c, "descending");
  check_counted(c, static_cast<std::int64_t>(axis));
  Type t{DType::kI32, x.dims};
  if (!c.attrs.has("count")) return {t};
  const auto count = attribute<std::int64_t>(c, "count");
  if (count < 0 || (x.dims[axis].is_constant() && count > x.dims[axis].constant()))
    c.fail("the first " + std::to_string(count) + " of axis " + std::to_string(axis) + " of " + x.str());
  t.dims[axis] = Dim(count);
  return {t};
}

// Calls f for every line of an operand: the index of its first element, where in memory its elements are, and their
// order.
using Places = std::function<std::int64_t(std::int64_t)>;
void for_each_line(const Node& n, const Array& x,
                   const std::function<void(Position, const Places&, const std::vector<std::int64_t>&)>& f) {
  const auto axis = static_cast<std::size_t>(n.attrs.get<std::int64_t>("axis"));
  const bool descending = n.attrs.get<bool>("descending");
  const Shape& shape = x.shape();
  std::vector<std::int64_t> order(static_cast<std::size_t>(shape[static_cast<int>(axis)]));
  for_each_index(shape, [&](const Position& begin) {
    if (begin[axis] != 0) return;
    Position at = begin;
    const Places place = [&](std::int64_t k) {
      at[axis] = k;
      return flat_index(shape, at);
    };
    for (std::size_t k = 0; k < order.size(); ++k) order[k] = static_cast<std::int64_t>(k);
    std::stable_sort(order.begin(), order.end(), [&](std::int64_t i, std::int64_t j) {
      if (!is_float(x.dtype()) && x.dtype() != DType::kBool) {
        const std::int64_t p = x.at_integer(place(i)), q = x.at_integer(place(j));
        return descending ? p > q : p < q;
      }
      const double a = x.at(place(i)), b = x.at(place(j));
      if (std::isnan(a) || std::isnan(b)) return !std::isnan(a);
      return descending ? a > b : a < b;
    });
    f(begin, place, order);
  });
}

// Sets what is chosen of a line, to what `of` gives for number k.
void set_line(const Node& n, Array& out, Position at, const std::function<double(std::int64_t)>& of) {
  const auto axis = static_cast<std::size_t>(n.attrs.get<std::int64_t>("axis"));
  for (std::int64_t k = 0; k < out.shape()[static_cast<int>(axis)]; ++k) {
    at[axis] = k;
    out.set(flat_index(out.shape(), at), of(k));
  }
}

std::vector<Array> eval_argsort(const EvalContext& c) {
  Array out = Array::uninitialized(DType::kI32, c.shape());
  for_each_line(c.node, c.operands[0], [&](const Position& at, const Places&, const std::vector<std::int64_t>& order) {
    set_line(c.node, out, at, [&](std::int64_t k) { return static_cast<double>(order[static_cast<std::size_t>(k)]); });
  });
  return {out};
}

// The bits of keys of 32 bits are put in order in a time that is linear; below so many elements counting digits takes
// longer than merging. So few of all elements are best kept in order as they come.
constexpr std::int64_t kWorthDigits = 128, kFew = 32;

void emit_argsort(ElementContext& e, LoopWriter& loops, const Node& n) {
  const SortedLine line(e, loops, n);
  const DType dtype = n.operands[0].type().dtype;
  const bool few = line.count.is_constant() && line.count.constant() <= kFew;
  const bool short_line = line.size.is_constant() && line.size.constant() < kWorthDigits;
  const bool has_digits = dtype != DType::kF64 && dtype != DType::kI64;
  const SortLine sort = few                         ? sort_the_first(line, dtype)
                        : has_digits && !short_line ? sort_by_digits(line)
                                                    : sort_by_merging(line);
  over_lines(loops, n.types[0].dims, line.axis, few, sort);
}

// Certain where neighbours in the order, of which the first is chosen, differ by more than they may be off, or neither
// is off; else all of the line is uncertain.
Array argsort_error(const ErrorContext& c) {
  const Array &x = c.operands[0], &error = c.errors[0];
  const auto axis = static_cast<int>(c.node.attrs.get<std::int64_t>("axis"));
  Array out = no_error(c.value);
  for_each_line(c.node, x, [&](const Position& at, const Places& place, const std::vector<std::int64_t>& order) {
    bool certain = true;
    const auto chosen = static_cast<std::size_t>(c.value.shape()[axis]);
    for (std::size_t k = 0; k < chosen && k + 1 < order.size(); ++k) {
      const std::int64_t p = place(order[k]), q = place(order[k + 1]);
      const double e = error.at(p) + error.at(q);
      certain &= e == 0 || std::abs(x.at(p) - x.at(q)) > e;
    }
    if (!certain) set_line(c.node, out, at, [](std::int64_t) { return kUnknown; });
  });
  return out;
}

}  // namespace

Expr SortedLine::before(Expr x, Expr y) const {
  const Expr less = op(descending ? "gt" : "lt", x, y);
  if (!is_float(e.dtype(x))) return less;
  return op("or", less, op("and", op("eq", x, x), op("ne", y, y)));
}

void SortedLine::store(Index at, int memory) const {
  loops.loop(count, [&](const Dim& p) {
    at[axis] = p;
    loops.store(at, loops.load(memory, p, {}));
  });
}

std::vector<OpDef> sort_ops() {
  OpDef d;
  d.name = "argsort";
  d.arity = 1;
  d.traits = kFolding | kOwnLoops;
  d.infer = infer_argsort;
  d.eval = eval_argsort;
  d.lower = LoopLowering{emit_argsort, true};
  d.needs = [](const Node& n) -> std::vector<Need> {
    const std::int64_t axis = n.attrs.get<std::int64_t>("axis");
    const Type& x = n.operands[0].type();
    return {{x.dim(axis) - n.types[0].dim(axis), 0,
             "the first " + n.types[0].dim(axis).str() + " of axis " + std::to_string(axis) + " of " + x.str()}};
  };
  d.axes = lines_along_axis;
  d.batch = [](BatchContext& c) -> Values {
    return {remade(c, {c.operand(0)}, "axis", c.node.attrs.get<std::int64_t>("axis") + 1)};
  };
  d.dtypes = kNumbers;
  d.domain.integers = true;  // with ties
  d.tolerance = 0;
  d.doc = "Where the smallest (descending: the largest) element along an axis is, then the next, ..., all or the first "
          "`count`; equal ones in their order, NaN last.";
  d.signature = "argsort(x: T[..]) {axis, descending, count} -> i32[..]";
  d.error = argsort_error;
  return {d};
}

}  // namespace gcompile::ir
