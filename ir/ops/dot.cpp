// dot: products summed over contracting axes, for every index of the batch axes. The result's axes are batch, free axes
// of a, free axes of b. Both of its gradients are dots again, followed by a transpose to the operand's order of axes.
#include <algorithm>

#include "gcompile/ir/ops/batch.h"
#include "gcompile/ir/ops/eval.h"
#include "gcompile/ir/ops/families.h"
#include "gcompile/ir/ops/infer.h"
#include "gcompile/ir/ops/rules.h"

namespace gcompile::ir {
namespace {

bool listed(const Ints& axes, std::int64_t a) { return std::find(axes.begin(), axes.end(), a) != axes.end(); }

// The axes of one operand by what becomes of them.
struct Axes {
  Ints batch, free, contract;
};

Axes axes_of(int rank, const Ints& batch, const Ints& contract) {
  Axes axes{batch, {}, contract};
  for (int a = 0; a < rank; ++a)
    if (!listed(batch, a) && !listed(contract, a)) axes.free.push_back(a);
  return axes;
}

Axes left_axes(const Node& n) {
  return axes_of(n.operands[0].type().rank(), n.attrs.ints("lhs_batch"), n.attrs.ints("lhs_contract"));
}
Axes right_axes(const Node& n) {
  return axes_of(n.operands[1].type().rank(), n.attrs.ints("rhs_batch"), n.attrs.ints("rhs_contract"));
}

void check_pairs(const InferContext& c, const Ints& l, const Ints& r, const char* what) {
  const Type &a = c.operands[0], &b = c.operands[1];
  if (l.size() != r.size())
    c.fail(std::to_string(l.size()) + " " + what + " axes of " + a.str() + ", " + std::to_string(r.size()) + " of " +
           b.str());
  for (std::size_t i = 0; i < l.size(); ++i)
    if (!(a.dim(l[i]) == b.dim(r[i])))
      c.fail("the " + std::string(what) + " dimensions differ: " + a.str() + " x " + b.str() + " (" +
             a.dim(l[i]).str() + " against " + b.dim(r[i]).str() + ")");
}

std::vector<Type> infer_dot(const InferContext& c) {
  only_attributes(c, {"lhs_batch", "rhs_batch", "lhs_contract", "rhs_contract", "order"});
  check_order(c);
  admit_dtype(c);
  const Type &a = c.operands[0], &b = c.operands[1];
  if (a.dtype != b.dtype) c.fail("the dtypes differ: " + operand_list(c));
  const Ints& lb = axes_attribute(c, "lhs_batch", a.rank(), false);
  const Ints& rb = axes_attribute(c, "rhs_batch", b.rank(), false);
  const Ints& lc = axes_attribute(c, "lhs_contract", a.rank(), false);
  const Ints& rc = axes_attribute(c, "rhs_contract", b.rank(), false);
  for (const auto& [batch, contract] : {std::pair{lb, lc}, std::pair{rb, rc}})
    for (const std::int64_t x : batch)
      if (listed(contract, x)) c.fail("axis " + std::to_string(x) + " is both a batch and a contracting axis");
  check_pairs(c, lb, rb, "batch");
  check_pairs(c, lc, rc, "inner");
  const Axes l = axes_of(a.rank(), lb, lc), r = axes_of(b.rank(), rb, rc);
  Type t{a.dtype, {}};
  for (const std::int64_t x : l.batch) t.dims.push_back(a.dim(x));
  for (const std::int64_t x : l.free) t.dims.push_back(a.dim(x));
  for (const std::int64_t x : r.free) t.dims.push_back(b.dim(x));
  return {t};
}

std::vector<Array> eval_dot(const EvalContext& c) {
  const Array &a = c.operands[0], &b = c.operands[1];
  const Axes l = left_axes(c.node), r = right_axes(c.node);
  std::vector<std::int64_t> inner;
  for (const std::int64_t x : l.contract) inner.push_back(a.shape()[static_cast<int>(x)]);
  const Shape box(inner);
  Array out = Array::uninitialized(c.dtype(), c.shape());
  Position left(static_cast<std::size_t>(a.rank())), right(static_cast<std::size_t>(b.rank()));
  std::int64_t i = 0;
  for_each_index(c.shape(), [&](const Position& at) {
    std::size_t k = 0;
    for (std::size_t x = 0; x < l.batch.size(); ++x, ++k)
      left[static_cast<std::size_t>(l.batch[x])] = right[static_cast<std::size_t>(r.batch[x])] = at[k];
    for (const std::int64_t x : l.free) left[static_cast<std::size_t>(x)] = at[k++];
    for (const std::int64_t x : r.free) right[static_cast<std::size_t>(x)] = at[k++];
    Accumulator sum;
    for_each_index(box, [&](const Position& in) {
      for (std::size_t x = 0; x < in.size(); ++x)
        left[static_cast<std::size_t>(l.contract[x])] = right[static_cast<std::size_t>(r.contract[x])] = in[x];
      sum.add_product(a, flat_index(a.shape(), left), b, flat_index(b.shape(), right));
    });
    sum.write(out, i++);
  });
  return {out};
}

// The gradient of one operand: a dot of the cotangent with the other operand over the other's free axes, its axes then
// put in the operand's order. `first` is where the other's free axes begin among the cotangent's.
V gradient_of(VjpContext& c, const Axes& mine, const Axes& other, V other_operand, std::size_t first) {
  const V g = cotangent(c);
  Ints g_batch, g_contract;
  for (std::size_t i = 0; i < mine.batch.size(); ++i) g_batch.push_back(static_cast<std::int64_t>(i));
  for (std::size_t i = 0; i < other.free.size(); ++i) g_contract.push_back(static_cast<std::int64_t>(first + i));
  const V d = dot(g, other_operand, g_contract, other.free, g_batch, other.batch);
  // The axes of d: batch, my free axes (of g), then the other's contracting axes in ascending order.
  Ints rest;  // my contracting axes in that order
  std::vector<std::pair<std::int64_t, std::int64_t>> pairs;
  for (std::size_t i = 0; i < other.contract.size(); ++i) pairs.emplace_back(other.contract[i], mine.contract[i]);
  std::sort(pairs.begin(), pairs.end());
  for (const auto& [theirs, ours] : pairs) rest.push_back(ours);
  Ints now = mine.batch;  // now[i]: the operand's axis that axis i of d is
  now.insert(now.end(), mine.free.begin(), mine.free.end());
  now.insert(now.end(), rest.begin(), rest.end());
  const Ints permutation = inverse(now);
  return std::is_sorted(permutation.begin(), permutation.end()) ? d : transpose(d, permutation);
}

Values dot_rule(VjpContext& c) {
  const Axes l = left_axes(c.node), r = right_axes(c.node);
  const V a = operand(c, 0), b = operand(c, 1);
  const std::size_t left_first = l.batch.size(), right_first = left_first + l.free.size();
  return {gradient_of(c, l, r, b, right_first), gradient_of(c, r, l, a, left_first)};
}

Dims sums_of(const Node& n) {
  Dims extents;
  for (const std::int64_t a : n.attrs.ints("lhs_contract")) extents.push_back(n.operands[0].type().dim(a));
  return extents;
}

ContractIndices operands_of(const Node& n, const Index& at, const Index& sums) {
  std::size_t next = n.attrs.ints("lhs_batch").size();
  const auto full = [&](Value v, const Axes& axes) {
    Index index(v.type().dims.size());
    for (std::size_t i = 0; i < axes.batch.size(); ++i) index[static_cast<std::size_t>(axes.batch[i])] = at[i];
    for (std::size_t i = 0; i < axes.contract.size(); ++i) index[static_cast<std::size_t>(axes.contract[i])] = sums[i];
    for (const std::int64_t a : axes.free) index[static_cast<std::size_t>(a)] = at[next++];
    return index;
  };
  Index left = full(n.operands[0], left_axes(n));
  return {std::move(left), full(n.operands[1], right_axes(n))};
}

// Where both operands are batched there is one batch axis more, the first. Where one is, its rows belong to one larger
// matrix: the batch is a free axis of it.
Values batch_dot(BatchContext& c) {
  const Ints &lb = c.node.attrs.ints("lhs_batch"), &rb = c.node.attrs.ints("rhs_batch");
  const Ints &lc = c.node.attrs.ints("lhs_contract"), &rc = c.node.attrs.ints("rhs_contract");
  const V a{&c.b, c.operands[0]}, b{&c.b, c.operands[1]};
  if (!is_batched(c, 1)) {
    const V d = dot(a, b, behind(lc), rc, behind(lb), rb);
    return {axis_to_front(d, std::ssize(lb))};
  }
  if (!is_batched(c, 0)) {
    const V d = dot(a, b, lc, behind(rc), lb, behind(rb));
    return {axis_to_front(d, a.type().rank() - std::ssize(lc))};
  }
  return {dot(a, b, behind(lc), behind(rc), behind(0, lb), behind(0, rb))};
}

AxisMap dot_axes(const Node& n) {
  const Axes l = left_axes(n), r = right_axes(n);
  AxisMap map;
  int to = 0;
  for (std::size_t i = 0; i < l.batch.size(); ++i, ++to) {
    map.related.push_back({0, static_cast<int>(l.batch[i]), to});
    map.related.push_back({1, static_cast<int>(r.batch[i]), to});
  }
  for (const std::int64_t a : l.free) map.related.push_back({0, static_cast<int>(a), to++});
  for (const std::int64_t a : r.free) map.related.push_back({1, static_cast<int>(a), to++});
  for (std::size_t i = 0; i < l.contract.size(); ++i)
    map.folded.push_back({{0, static_cast<int>(l.contract[i])}, {1, static_cast<int>(r.contract[i])}});
  return map;
}

}  // namespace

std::vector<OpDef> dot_ops() {
  OpDef d;
  d.name = "dot";
  d.arity = 2;
  d.traits = kContraction;
  d.infer = infer_dot;
  d.vjp = dot_rule;
  d.eval = eval_dot;
  d.lower = ContractLowering{sums_of, operands_of};
  d.axes = dot_axes;
  d.batch = batch_dot;
  d.dtypes = kNumbers;
  d.tolerance = 1e-5;
  d.doc = "Products summed over the contracting axes, for every index of the batch axes.";
  d.signature = "dot(a: T[B.., M.., K..], b: T[B.., N.., K..]) {lhs_batch, rhs_batch, lhs_contract, rhs_contract} -> "
                "T[B.., M.., N..]";
  return {d};
}

}  // namespace gcompile::ir
