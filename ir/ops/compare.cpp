// Comparisons. A NaN is unequal to everything and neither less nor greater; of bools false is less than true.
#include "gcompile/ir/ops/families.h"
#include "gcompile/ir/ops/infer.h"
#include "gcompile/ir/ops/rules.h"

namespace gcompile::ir {
namespace {

OpDef comparison(std::string_view name, Trait extra, EvalElement element, std::string_view doc,
                 std::string_view signature) {
  return {.name = name,
          .arity = 2,
          .traits = kElementwise | extra,
          .infer = bool_result,
          .element = element,
          .lower = ElementLowering{},
          .domain = {.avoid_near = 0.05},
          .tolerance = 0,
          .doc = doc,
          .signature = signature};
}

constexpr Trait kNoTrait{};

}  // namespace

std::vector<OpDef> compare_ops() {
  // clang-format off: one line per op
  return {
      comparison(
          "eq", kCommutative, [](Numbers v) { return v[0] == v[1] ? 1.0 : 0.0; }, "a == b.",
          "eq(a: T[..], b: T[..]) -> bool[..]"),
      comparison(
          "ne", kCommutative, [](Numbers v) { return v[0] != v[1] ? 1.0 : 0.0; }, "a != b.",
          "ne(a: T[..], b: T[..]) -> bool[..]"),
      comparison(
          "lt", kNoTrait, [](Numbers v) { return v[0] < v[1] ? 1.0 : 0.0; }, "a < b.",
          "lt(a: T[..], b: T[..]) -> bool[..]"),
      comparison(
          "le", kNoTrait, [](Numbers v) { return v[0] <= v[1] ? 1.0 : 0.0; }, "a <= b.",
          "le(a: T[..], b: T[..]) -> bool[..]"),
      comparison(
          "gt", kNoTrait, [](Numbers v) { return v[0] > v[1] ? 1.0 : 0.0; }, "a > b.",
          "gt(a: T[..], b: T[..]) -> bool[..]"),
      comparison(
          "ge", kNoTrait, [](Numbers v) { return v[0] >= v[1] ? 1.0 : 0.0; }, "a >= b.",
          "ge(a: T[..], b: T[..]) -> bool[..]"),
  };
  // clang-format on
}

}  // namespace gcompile::ir
