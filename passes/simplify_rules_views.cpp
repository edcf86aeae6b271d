// Views of views, views that change nothing, and views of constants. They move elements and compute nothing, so all of
// this is exact.
#include <algorithm>

#include "gcompile/ir/build.h"
#include "gcompile/ir/op.h"
#include "gcompile/passes/simplify_rules.h"

namespace gcompile::passes {
namespace {

using ir::Builder;
using ir::Node;
using ir::Value;
using Ints = std::vector<std::int64_t>;

bool is_identity(const Ints& axes) {
  for (std::size_t i = 0; i < axes.size(); ++i)
    if (axes[i] != static_cast<std::int64_t>(i)) return false;
  return true;
}

// outer o inner: composed[i] = outer[inner[i]].
Ints compose(const Ints& outer, const Ints& inner) {
  Ints composed;
  for (std::int64_t i : inner) composed.push_back(outer[static_cast<std::size_t>(i)]);
  return composed;
}

bool same_type(const Match& m) { return m('x').type() == m.type(); }
bool keeps_order(const Match& m) { return is_identity(m.root().attrs.ints("permutation")); }

bool takes_all(const Match& m) {
  const Ints& starts = m.root().attrs.ints("starts");
  const Ints& steps = m.root().attrs.ints("steps");
  return same_type(m) && std::all_of(starts.begin(), starts.end(), [](auto s) { return s == 0; }) &&
         std::all_of(steps.begin(), steps.end(), [](auto s) { return s == 1; });
}

bool turns_nothing(const Match& m) {
  const Ints& axes = m.root().attrs.ints("axes");
  return std::all_of(axes.begin(), axes.end(), [&](auto axis) { return m.type().dim(axis).is(1); });
}

bool turns_back(const Match& m) { return m.root().attrs.ints("axes") == m.inner().attrs.ints("axes"); }

// A broadcast of a scalar constant is the form that constants with equal elements have.
bool is_no_scalar(const Match& m) { return m.root().operands.front().type().rank() > 0; }

Value one_reshape(const Match& m, Builder& b) { return ir::reshape({&b, m('x')}, m.type().dims); }

Value one_transpose(const Match& m, Builder& b) {
  // Result axis i is axis outer[i] of the inner transpose, which is axis inner[outer[i]] of x.
  return ir::transpose({&b, m('x')}, compose(m.inner().attrs.ints("permutation"), m.root().attrs.ints("permutation")));
}

Value one_broadcast(const Match& m, Builder& b) {
  return ir::broadcast({&b, m('x')}, m.type().dims, compose(m.root().attrs.ints("axes"), m.inner().attrs.ints("axes")));
}

Value same_constant(const Match& m, Builder& b) { return ir::splat(b, m.type(), *splat_constant(m('k'))); }

constexpr Rule kRules[] = {
    {"reshape(x)", "x", same_type},
    {"reshape(k)", same_constant},
    {"reshape(reshape(x))", one_reshape},
    {"transpose(x)", "x", keeps_order},
    {"transpose(k)", same_constant},
    {"transpose(transpose(x))", one_transpose},
    {"broadcast(x)", "x", same_type},
    {"broadcast(k)", same_constant, is_no_scalar},
    {"broadcast(broadcast(x))", one_broadcast},
    {"slice(x)", "x", takes_all},
    {"slice(k)", same_constant},
    {"reverse(x)", "x", turns_nothing},
    {"reverse(k)", same_constant},
    {"reverse(reverse(x))", "x", turns_back},
};

// The node with the elements of a broadcast of the given kind; an empty Value when v has no such form.
Value before_broadcast(Value v, const Node& like, Builder& b) {
  if (v.node->op == like.op && v.node->attrs == like.attrs) return v.node->operands[0];
  if (const auto k = splat_constant(v)) {
    const Type& inner = like.operands[0].type();
    return ir::splat(b, {v.type().dtype, inner.dims}, *k);
  }
  return {};
}

}  // namespace

std::span<const Rule> view_rules() { return kRules; }

Value hoist_broadcast(const Node& node, Builder& b) {
  if (!node.op->is(ir::kElementwise) || node.operands.empty()) return {};
  const auto is_broadcast = [](Value v) { return v.node->op->is(ir::kRepeating); };
  // The kind is that of an operand that is no constant, if there is one: a constant takes any form.
  const Node* like = nullptr;
  for (const Value& v : node.operands)
    if (is_broadcast(v) && (!like || !splat_value(v))) like = v.node;
  if (!like) return {};
  std::vector<Value> operands;
  for (const Value& v : node.operands) {
    operands.push_back(before_broadcast(v, *like, b));
    if (!operands.back()) return {};
  }
  const Value small = b.make(*node.op, std::move(operands), node.attrs);
  return ir::broadcast({&b, small}, like->attrs.dims("dims"), like->attrs.ints("axes"));
}

}  // namespace gcompile::passes
