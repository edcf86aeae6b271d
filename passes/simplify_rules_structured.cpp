// Identities of reductions, dot, concat and pad. Nothing here changes the order of a sum.
#include <algorithm>

#include "gcompile/ir/build.h"
#include "gcompile/passes/simplify_rules.h"

namespace gcompile::passes {
namespace {

using ir::Builder;
using ir::Value;
using Ints = std::vector<std::int64_t>;

// All reduced axes have extent 1: one element each, which max, min and prod return as it is. A sum does not: 0 + -0 =
// 0. A leading axis may be a batch of 1, which stays reduced: what becomes a nest, and so the order of other sums, must
// not depend on its extent.
bool reduces_nothing(const Match& m) {
  const Ints& axes = m.root().attrs.ints("axes");
  return std::all_of(axes.begin(), axes.end(), [&](auto axis) { return axis > 0 && m('x').type().dim(axis).is(1); });
}

Value as_reshape(const Match& m, Builder& b) { return ir::reshape({&b, m('x')}, m.type().dims); }

bool pads_nothing(const Match& m) { return m('x').type() == m.type(); }

Ints through(const Ints& permutation, const Ints& axes) {
  Ints result;
  for (std::int64_t axis : axes) result.push_back(permutation[static_cast<std::size_t>(axis)]);
  return result;
}

// True when the axes that are neither contracted nor batch axes stay in order without the transpose.
bool free_axes_in_order(const Ints& permutation, const Ints& contract, const Ints& batch) {
  std::int64_t last = -1;
  for (std::size_t axis = 0; axis < permutation.size(); ++axis) {
    const auto is = [&](const Ints& axes) {
      return std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(axis)) != axes.end();
    };
    if (is(contract) || is(batch)) continue;
    if (permutation[axis] < last) return false;
    last = permutation[axis];
  }
  return true;
}

// dot reads its operand's axes by number: a transpose in front of it is a renumbering, as long as the free axes, whose
// order is the result's, keep theirs.
Value dot_without_transpose(const Match& m, Builder& b, std::size_t side) {
  const ir::Node& dot = m.root();
  const ir::Node& transpose = *dot.operands[side].node;
  const Ints& permutation = transpose.attrs.ints("permutation");
  const char* contract = side == 0 ? "lhs_contract" : "rhs_contract";
  const char* batch = side == 0 ? "lhs_batch" : "rhs_batch";
  if (!free_axes_in_order(permutation, dot.attrs.ints(contract), dot.attrs.ints(batch))) return {};
  ir::Attrs attrs = dot.attrs;
  attrs.set(contract, through(permutation, dot.attrs.ints(contract)));
  attrs.set(batch, through(permutation, dot.attrs.ints(batch)));
  std::vector<Value> operands = dot.operands;
  operands[side] = transpose.operands[0];
  return b.make(*dot.op, std::move(operands), std::move(attrs));
}

Value lhs_as_it_is(const Match& m, Builder& b) { return dot_without_transpose(m, b, 0); }
Value rhs_as_it_is(const Match& m, Builder& b) { return dot_without_transpose(m, b, 1); }

// The result's axes are batch, lhs free, rhs free: a transpose that exchanges the free ones exchanges the operands. The
// products are the same and are added in the same order.
Value dot_of_exchanged(const Match& m, Builder& b) {
  const ir::Node& dot = m.inner();
  const std::int64_t rank = m.type().rank();
  const auto batch = static_cast<std::int64_t>(dot.attrs.ints("lhs_batch").size());
  const auto contract = static_cast<std::int64_t>(dot.attrs.ints("lhs_contract").size());
  const std::int64_t lhs_free = m('a').type().rank() - batch - contract;
  Ints exchange;
  for (std::int64_t i = 0; i < batch; ++i) exchange.push_back(i);
  for (std::int64_t i = batch + lhs_free; i < rank; ++i) exchange.push_back(i);
  for (std::int64_t i = batch; i < batch + lhs_free; ++i) exchange.push_back(i);
  if (m.root().attrs.ints("permutation") != exchange) return {};
  return b.make(*dot.op, {m('b'), m('a')},
                {{"lhs_batch", dot.attrs.ints("rhs_batch")},
                 {"lhs_contract", dot.attrs.ints("rhs_contract")},
                 {"rhs_batch", dot.attrs.ints("lhs_batch")},
                 {"rhs_contract", dot.attrs.ints("lhs_contract")}});
}

constexpr Rule kRules[] = {
    {"reduce_max(x)", as_reshape, reduces_nothing},
    {"reduce_min(x)", as_reshape, reduces_nothing},
    {"reduce_prod(x)", as_reshape, reduces_nothing},
    {"dot(transpose(a), b)", lhs_as_it_is},
    {"dot(a, transpose(b))", rhs_as_it_is},
    {"transpose(dot(a, b))", dot_of_exchanged},
    {"concat(x)", "x"},
    {"pad(x, a)", "x", pads_nothing},
};

}  // namespace

std::span<const Rule> structured_rules() { return kRules; }

}  // namespace gcompile::passes
