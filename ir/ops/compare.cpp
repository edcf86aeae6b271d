// Comparisons. A NaN is unequal to everything and neither less nor greater; of bools false is less than true.
#include <cmath>
#include <functional>

#include "gcompile/ir/ops/errors.h"
#include "gcompile/ir/ops/families.h"
#include "gcompile/ir/ops/infer.h"
#include "gcompile/ir/ops/rules.h"

namespace gcompile::ir {
namespace {

// Certain where the operands lie further apart than they may be off.
double comparison_error(const ElementError& c) {
  return is_exact(c) || std::abs(c.x[0] - c.x[1]) > c.e[0] + c.e[1] ? 0 : kUnknown;
}

template <class Compare>
OpDef comparison(std::string_view name, Trait extra, std::string_view doc, std::string_view signature) {
  return {.name = name,
          .arity = 2,
          .traits = kElementwise | kComparison | extra,
          .infer = bool_result,
          .element = [](Numbers v) { return Compare{}(v[0], v[1]) ? 1.0 : 0.0; },
          .integer = [](Integers v) { return std::int64_t{Compare{}(v[0], v[1])}; },
          .lower = ElementLowering{},
          .domain = {.avoid_near = 0.05},
          .tolerance = 0,
          .doc = doc,
          .signature = signature,
          .error = error_of_elements<comparison_error>};
}

constexpr Trait kNoTrait{};

}  // namespace

std::vector<OpDef> compare_ops() {
  return {
      comparison<std::equal_to<>>("eq", kCommutative, "a == b.", "eq(a: T[..], b: T[..]) -> bool[..]"),
      comparison<std::not_equal_to<>>("ne", kCommutative, "a != b.", "ne(a: T[..], b: T[..]) -> bool[..]"),
      comparison<std::less<>>("lt", kNoTrait, "a < b.", "lt(a: T[..], b: T[..]) -> bool[..]"),
      comparison<std::less_equal<>>("le", kNoTrait, "a <= b.", "le(a: T[..], b: T[..]) -> bool[..]"),
      comparison<std::greater<>>("gt", kNoTrait, "a > b.", "gt(a: T[..], b: T[..]) -> bool[..]"),
      comparison<std::greater_equal<>>("ge", kNoTrait, "a >= b.", "ge(a: T[..], b: T[..]) -> bool[..]"),
  };
}

}  // namespace gcompile::ir
