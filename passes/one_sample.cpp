#include "gcompile/passes/one_sample.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "gcompile/base/error.h"
#include "gcompile/ir/build.h"
#include "gcompile/ir/op.h"
#include "gcompile/passes/fuse.h"

namespace gcompile::passes {
namespace {

using ir::Builder;
using ir::Node;
using ir::V;
using ir::Value;
using Ints = std::vector<std::int64_t>;

bool contains(const Ints& axes, int a) { return std::find(axes.begin(), axes.end(), a) != axes.end(); }

bool are_ones(const Type& t, const Ints& axes) {
  return std::all_of(axes.begin(), axes.end(), [&](std::int64_t a) { return t.dim(a).is(1); });
}

// Whether one element stays as it is when it is folded. All identities leave a number what it is, but 0 plus -0 is 0.
bool folding_keeps(const Node& n) {
  if (!is_float(n.types[0].dtype)) return true;
  const auto& fold = std::get<ir::ReduceLowering>(n.op->lower);
  const std::array operands{fold.identity(n.types[0].dtype), -0.0};
  return std::signbit(ir::op(fold.combine).element(operands));
}

Value reduction(const Node& n, Value operand, bool in_order, Builder& b) {
  if (are_ones(operand.type(), n.attrs.ints("axes"))) {
    const V element = ir::reshape({&b, operand}, n.types[0].dims);
    return folding_keeps(n) ? element : element + 0.0;
  }
  ir::Attrs attrs = n.attrs;
  if (in_order) attrs.set("order", std::string("features"));
  return b.make(*n.op, {operand}, std::move(attrs));
}

// An operand of a dot without the axes that it contracts, as the axes of the result from `first` on.
V free_axes(Builder& b, Value operand, const Ints& contracted, const std::vector<Dim>& result, std::size_t first) {
  std::vector<Dim> dims;
  Ints axes;
  for (int a = 0; a < operand.type().rank(); ++a)
    if (!contains(contracted, a)) {
      axes.push_back(static_cast<std::int64_t>(first + dims.size()));
      dims.push_back(operand.type().dim(a));
    }
  const V free = ir::reshape({&b, operand}, dims);
  return dims == result ? free : ir::broadcast(free, result, axes);
}

// A sum of one product: fma(x, y, 0), as dots are made everywhere. Over the samples of a nest zeros are added to that,
// and a negative product that is rounded to zero becomes 0.
Value product(const Node& n, const std::vector<Value>& operands, bool over_samples, const Target& target, Builder& b) {
  const std::vector<Dim>& dims = n.types[0].dims;
  const Ints &left = n.attrs.ints("lhs_contract"), &right = n.attrs.ints("rhs_contract");
  const V x = free_axes(b, operands[0], left, dims, 0);
  const V y = free_axes(b, operands[1], right, dims, operands[0].type().dims.size() - left.size());
  if (!is_float(n.types[0].dtype)) return x * y;
  if (over_samples || !target.has_fma) return x * y + 0.0;
  return b.make("fma", {x, y, ir::splat(b, n.types[0], 0)});
}

}  // namespace

ir::Graph for_one_sample(const ir::Graph& body, const std::vector<std::int64_t>& anchor, const Target& target) {
  const std::vector<const Node*> nodes = body.topological();
  const AxisClasses classes(nodes);
  int anchor_class = -1;
  for (std::size_t i = 0; i < anchor.size(); ++i)
    if (anchor[i] >= 0) anchor_class = classes.of(body.inputs[i].value, static_cast<int>(anchor[i]));
  std::string why;
  const auto plan = legal_nest(nodes, classes, anchor_class, &why);
  if (!plan) throw InternalError("one sample of a nest that is none: " + why);
  // What no sample enters, or depends on their sums, is made by lanes in a nest too.
  const auto is_of_sample = [&](const Node& n) {
    return plan->category.at(&n) == Category::kCarried || plan->category.at(n.operands[0].node) == Category::kCarried;
  };
  return ir::rewrite(
      body, [&](const Node& n, const std::vector<Value>& operands, Builder& b) -> std::optional<ir::Replacement> {
        if (n.op->is(ir::kReduction)) return ir::Replacement{reduction(n, operands[0], is_of_sample(n), b)};
        if (n.attrs.has("lhs_batch") && n.attrs.ints("lhs_batch").empty() &&
            are_ones(operands[0].type(), n.attrs.ints("lhs_contract")))
          return ir::Replacement{product(n, operands, plan->category.at(&n) == Category::kReduced, target, b)};
        if (n.op->is(ir::kContraction) && plan->category.at(&n) == Category::kCarried) {
          ir::Attrs attrs = n.attrs;
          attrs.set("order", std::string("features"));
          return ir::Replacement{b.make(*n.op, operands, std::move(attrs))};
        }
        return std::nullopt;
      });
}

}  // namespace gcompile::passes
