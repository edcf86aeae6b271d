// What gradient rules read, as V values so that a rule is algebra: g the cotangent, x (or a, b) the operands, y the
// result. `auto [g, x, y] = unary_rule(c);`
#pragma once

#include "gcompile/ir/build.h"
#include "gcompile/ir/op.h"

namespace gcompile::ir {

using Values = std::vector<Value>;
using Numbers = std::span<const double>;
using Integers = std::span<const std::int64_t>;

inline const std::vector<DType> kFloats{DType::kF32, DType::kF64};
inline const std::vector<DType> kNumbers{DType::kF32, DType::kF64, DType::kI32};
inline const std::vector<DType> kOnlyBool{DType::kBool};
inline const std::vector<DType> kOnlyI32{DType::kI32};

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
