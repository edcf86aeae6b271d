// argsort: the order of the elements along an axis, stable, NaN last in either direction. In kernels a merge sort from
// the bottom up: O(n log n), without recursion; the positions lie in two halves of a line's memory in turn.
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

namespace gcompile::ir {
namespace {

std::vector<Type> infer_argsort(const InferContext& c) {
  only_attributes(c, {"axis", "descending"});
  admit_dtype(c);
  axis_attribute(c, "axis", c.operands[0].rank());
  attribute<bool>(c, "descending");
  return {{DType::kI32, c.operands[0].dims}};
}

std::vector<Array> eval_argsort(const EvalContext& c) {
  const auto axis = static_cast<std::size_t>(c.node.attrs.get<std::int64_t>("axis"));
  const bool descending = c.node.attrs.get<bool>("descending");
  const Array& x = c.operands[0];
  const Shape shape = c.shape();
  Array out = Array::uninitialized(DType::kI32, shape);
  std::vector<std::int64_t> order(static_cast<std::size_t>(shape[static_cast<int>(axis)]));
  for_each_index(shape, [&](const Position& begin) {
    if (begin[axis] != 0) return;
    Position at = begin;
    const auto place = [&](std::int64_t k) {
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
    for (std::size_t k = 0; k < order.size(); ++k)
      out.set(place(static_cast<std::int64_t>(k)), static_cast<double>(order[k]));
  });
  return {out};
}

// How often runs of 1, 2, 4, ... elements must be merged until n are in order, rounded up to an even number, so that
// the result lies where the positions began. One more merge of a single run changes nothing.
Dim merges(const Dim& n) {
  Dim count = 0;
  for (int level = 0; level <= 30; level += 2) {
    const std::int64_t run = std::int64_t{1} << level;
    count += Dim(2) * (at_most(ceildiv(n, run), 2) - at_most(n, 1));  // 2 where n > run
  }
  return count;
}

class MergeSort {
 public:
  MergeSort(ElementContext& e, LoopWriter& loops, const Node& n)
      : e_(e), loops_(loops), n_(n), axis_(static_cast<std::size_t>(n.attrs.get<std::int64_t>("axis"))),
        size_(n.types[0].dim(static_cast<std::int64_t>(axis_))), memory_(loops.workspace(DType::kI32, size_ * Dim(2))) {
  }

  void line(Index at) {
    loops_.loop(size_, [&](const Dim& p) { loops_.store(memory_, p, {}, e_.index(p)); });
    loops_.loop(merges(size_), [&](const Dim& level) { merge_runs(at, level); });
    loops_.loop(size_, [&](const Dim& p) {
      at[axis_] = p;
      loops_.store(at, loops_.load(memory_, p, {}));
    });
  }

 private:
  Expr number(std::int64_t x) { return e_.literal(DType::kI32, static_cast<double>(x)); }
  Expr op(std::string_view name, Expr a, Expr b) { return e_.op(name, {a, b}); }

  // Every pair of neighbouring runs, in one loop over all places: what is left of both is carried from place to place.
  void merge_runs(const Index& at, const Dim& level) {
    const Expr run = op("shl", number(1), e_.index(level)), both = op("add", run, run);
    const Expr size = e_.index(size_), last = e_.index(size_ - Dim(1));
    const Dim from = mod(level, 2) * size_, to = size_ - from;
    loops_.carry(size_, {number(0), number(0)}, [&](const Dim& p, const std::vector<Expr>& carried) {
      const Expr place = e_.index(p), begin = op("bit_and", place, op("sub", number(0), both));
      const Expr middle = op("min", op("add", begin, run), size), end = op("min", op("add", begin, both), size);
      const Expr fresh = op("eq", place, begin);
      const Expr left = e_.op("select", {fresh, begin, carried[0]}),
                 right = e_.op("select", {fresh, middle, carried[1]});
      const Expr a = loops_.load(memory_, from + Dim("$0"), {op("min", left, last)});
      const Expr b = loops_.load(memory_, from + Dim("$0"), {op("min", right, last)});
      const Expr none_left = op("ge", left, middle), some_right = op("lt", right, end);
      const Expr take_right = op("and", some_right, op("or", none_left, before(key(at, b), key(at, a))));
      loops_.store(memory_, to + p, {}, e_.op("select", {take_right, b, a}));
      return std::vector<Expr>{e_.op("select", {take_right, left, op("add", left, number(1))}),
                               e_.op("select", {take_right, op("add", right, number(1)), right})};
    });
  }

  Expr key(Index at, Expr position) {
    at[axis_] = Dim("$0");
    return e_.element_at(n_.operands[0], at, {position});
  }

  Expr before(Expr x, Expr y) {
    const Expr less = op(n_.attrs.get<bool>("descending") ? "gt" : "lt", x, y);
    if (!is_float(e_.dtype(x))) return less;
    return op("or", less, op("and", op("eq", x, x), op("ne", y, y)));
  }

  ElementContext& e_;
  LoopWriter& loops_;
  const Node& n_;
  std::size_t axis_;
  Dim size_;
  int memory_;
};

void emit_argsort(ElementContext& e, LoopWriter& loops, const Node& n) {
  MergeSort sort(e, loops, n);
  over_lines(loops, n.types[0].dims, static_cast<std::size_t>(n.attrs.get<std::int64_t>("axis")), false,
             [&](const Index& at) { sort.line(at); });
}

// Certain where neighbours in the order differ by more than they may be off, or neither is off; else all of the line is
// uncertain.
Array argsort_error(const ErrorContext& c) {
  const Array &x = c.operands[0], &error = c.errors[0];
  const Shape& shape = c.value.shape();
  const int axis = static_cast<int>(c.node.attrs.get<std::int64_t>("axis"));
  Array out = no_error(c.value);
  std::int64_t inner = 1;
  for (int a = axis + 1; a < shape.rank(); ++a) inner *= shape[a];
  for (std::int64_t line = 0; shape[axis] > 0 && line < out.size() / shape[axis]; ++line) {
    const std::int64_t base = line / inner * inner * shape[axis] + line % inner;
    const auto place = [&](std::int64_t k) { return base + c.value.at_integer(base + k * inner) * inner; };
    bool certain = true;
    for (std::int64_t k = 0; k + 1 < shape[axis]; ++k) {
      const double e = error.at(place(k)) + error.at(place(k + 1));
      certain &= e == 0 || std::abs(x.at(place(k)) - x.at(place(k + 1))) > e;
    }
    for (std::int64_t k = 0; !certain && k < shape[axis]; ++k) out.set(base + k * inner, kUnknown);
  }
  return out;
}

}  // namespace

std::vector<OpDef> sort_ops() {
  OpDef d;
  d.name = "argsort";
  d.arity = 1;
  d.traits = kFolding | kOwnLoops;
  d.infer = infer_argsort;
  d.eval = eval_argsort;
  d.lower = LoopLowering{emit_argsort, true};
  d.axes = lines_along_axis;
  d.batch = [](BatchContext& c) -> Values {
    return {remade(c, {c.operand(0)}, "axis", c.node.attrs.get<std::int64_t>("axis") + 1)};
  };
  d.dtypes = kNumbers;
  d.domain.integers = true;  // with ties
  d.tolerance = 0;
  d.doc =
      "Where the smallest (descending: the largest) element along an axis is, then the next, ...; equal ones in their "
      "order, NaN last.";
  d.signature = "argsort(x: T[..]) {axis, descending} -> i32[..]";
  d.error = argsort_error;
  return {d};
}

}  // namespace gcompile::ir
