// Matrix products: which axes contract, and what is said when they do not fit.
#include "gcompile/frontend/functions.h"
#include "gcompile/frontend/making.h"
#include "gcompile/ir/op.h"

namespace gcompile {

namespace {

// One side of a product: the value, and the axes that hold its matrices' rows and columns. A transposition of the last
// two axes is not computed: the product contracts the other axis.
struct Side {
  ir::V v;
  std::int64_t row, column;

  explicit Side(ir::V value) : v(value), row(value.type().rank() - 2), column(value.type().rank() - 1) {
    const ir::Node& node = *value.v.node;
    if (node.op->name != "transpose") return;
    const std::vector<std::int64_t>& permutation = node.attrs.ints("permutation");
    for (std::size_t i = 0; i + 2 < permutation.size(); ++i)
      if (permutation[i] != static_cast<std::int64_t>(i)) return;
    if (permutation[permutation.size() - 1] != row) return;
    v.v = node.operands[0];
    std::swap(row, column);
  }
  // The same with the leading axes repeated to `batch`.
  void broadcast_batch(std::vector<Dim> batch) {
    const std::vector<Dim>& dims = v.type().dims;
    const std::int64_t added = static_cast<std::int64_t>(batch.size() + 2 - dims.size());
    batch.insert(batch.end(), dims.end() - 2, dims.end());
    v = broadcast_value(v, batch);
    row += added;
    column += added;
  }
};

}  // namespace

Tensor matmul(const Tensor& left, const Tensor& right, Where where) {
  const Making making("matmul", where);
  const ir::V a = making.value(left), b = making.value(right);
  const std::vector<std::pair<std::string, Tensor>> both{{"left", left}, {"right", right}};
  const Type &s = a.type(), &t = b.type();
  const std::string types = s.str() + " x " + t.str();
  if (s.rank() == 0 || t.rank() == 0) making.fail("a scalar is no matrix: " + types + "; multiply with '*'", both);
  if (s.dtype != t.dtype) making.fail("the dtypes differ: " + types + "; cast one of them with gc::cast", both);
  if (s.dtype == DType::kBool) making.fail("is for numbers, not for " + types, both);
  const Dim &inner_a = s.dims.back(), &inner_b = t.rank() == 1 ? t.dims[0] : t.dims[t.dims.size() - 2];
  if (!(inner_a == inner_b))
    making.fail("the inner dimensions differ: " + types + " (" + inner_a.str() + " against " + inner_b.str() + ")",
                both);

  if (t.rank() == 1) return making.tensor(ir::dot(a, b, {s.rank() - 1}, {0}));
  Side rhs(b);
  if (s.rank() == 1) return making.tensor(ir::dot(a, rhs.v, {0}, {rhs.row}));
  Side lhs(a);
  if (t.rank() == 2) return making.tensor(ir::dot(lhs.v, rhs.v, {lhs.column}, {rhs.row}));
  const auto batch = broadcast_dims({s.dims.begin(), s.dims.end() - 2}, {t.dims.begin(), t.dims.end() - 2});
  if (!batch) making.fail("the leading dimensions do not broadcast: " + types, both);
  lhs.broadcast_batch(*batch);
  rhs.broadcast_batch(*batch);
  std::vector<std::int64_t> axes;
  for (std::size_t i = 0; i < batch->size(); ++i) axes.push_back(static_cast<std::int64_t>(i));
  return making.tensor(ir::dot(lhs.v, rhs.v, {lhs.column}, {rhs.row}, axes, axes));
}

Tensor dot(const Tensor& left, const Tensor& right, Where where) {
  const Making making("dot", where);
  if (making.value(left).type().rank() != 1 || making.value(right).type().rank() != 1)
    making.fail("takes two vectors; matrices are multiplied with gc::matmul", {{"left", left}, {"right", right}});
  return matmul(left, right, where);
}

}  // namespace gcompile
