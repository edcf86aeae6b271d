// What gradient rules read, as V values so that a rule is algebra: g the cotangent, x (or a, b) the operands, y the
// result. `auto [g, x, y] = unary_rule(c);`
#pragma once

#include "gcompile/ir/build.h"
#include "gcompile/ir/op.h"

namespace gcompile::ir {

using Values = std::vector<Value>;
using Numbers = std::span<const double>;
using Integers = std::span<const std::int64_t>;

// The dtypes for which the predicate holds, in the order of kAllDTypes.
template <class Predicate>
std::vector<DType> dtypes_where(Predicate holds) {
  std::vector<DType> list;
  for (const DType t : kAllDTypes)
    if (holds(t)) list.push_back(t);
  return list;
}
inline const std::vector<DType> kFloats = dtypes_where(is_float);
inline const std::vector<DType> kIntegers = dtypes_where(is_integer);
inline const std::vector<DType> kNumbers = dtypes_where([](DType t) { return t != DType::kBool; });
inline const std::vector<DType> kSigned = dtypes_where([](DType t) { return t != DType::kBool && !is_unsigned(t); });
inline const std::vector<DType> kOnlyBool{DType::kBool};

struct UnaryRule {
  V g, x, y;
};
struct BinaryRule {
  V g, a, b, y;
};

inline V operand(VjpContext& c, int i) { return {&c.b, c.operand(i)}; }
inline V cotangent(VjpContext& c) { return {&c.b, c.cotangent()}; }
inline UnaryRule unary_rule(VjpContext& c) { return {cotangent(c), operand(c, 0), {&c.b, c.result()}}; }
inline BinaryRule binary_rule(VjpContext& c) {
  return {cotangent(c), operand(c, 0), operand(c, 1), {&c.b, c.result()}};
}
// Rules of ops through which no gradient flows (floor, sign): the derivative is 0 wherever there is one.
inline Values no_gradient(VjpContext& c) { return Values(c.node.operands.size()); }

}  // namespace gcompile::ir
