// select and cast: the elementwise ops whose operands and result differ in dtype.
#include <cmath>

#include "gcompile/ir/ops/errors.h"
#include "gcompile/ir/ops/families.h"
#include "gcompile/ir/ops/infer.h"
#include "gcompile/ir/ops/rules.h"

namespace gcompile::ir {
namespace {

std::vector<Type> infer_select(const InferContext& c) {
  only_attributes(c, {});
  if (c.operands[0].dtype != DType::kBool) c.fail("the condition must be bool, not " + c.operands[0].str());
  same_operands(c, 1);
  if (c.operands[0].dims != c.operands[1].dims)
    c.fail("the shapes differ: the condition is " + c.operands[0].str() + ", the choices are " + c.operands[1].str() +
           "; broadcast one of them");
  return {c.operands[1]};
}

Values select_rule(VjpContext& c) {
  const V condition = operand(c, 0), g = cotangent(c), zero = zeros_like(g);
  return {Value{}, select(condition, g, zero), select(condition, zero, g)};
}

std::vector<Type> infer_cast(const InferContext& c) {
  only_attributes(c, {"dtype"});
  return {{attribute<DType>(c, "dtype"), c.operands[0].dims}};
}

Values cast_rule(VjpContext& c) {
  const V g = cotangent(c);
  const DType from = c.operand(0).type().dtype;
  return {is_float(from) && is_float(g.type().dtype) ? cast(g, from).v : Value{}};
}

double select_error(const ElementError& c) {
  if (c.e[0] > 0) return kUnknown;
  return c.x[0] != 0 ? c.e[1] : c.e[2];
}

Array cast_error(const ErrorContext& c) {
  Array out = no_error(c.value);
  const DType from = c.operands[0].dtype(), to = c.value.dtype();
  for (std::int64_t i = 0; i < out.size(); ++i) {
    const double x = c.operands[0].at(i), e = c.errors[0].at(i), y = c.value.at(i);
    double error = 0;
    if (is_float(to))
      error = e + epsilon(to) * std::abs(y) + (e > 0 || from == DType::kF64 ? tiny(to) : 0);
    else if (e > 0 && to == DType::kBool)
      error = std::abs(x) > e ? 0 : kUnknown;
    else if (e > 0)
      error = std::trunc(x - e) == std::trunc(x + e) && is_float(from) ? 0 : kUnknown;
    out.set(i, error);
  }
  return out;
}

std::vector<Array> eval_cast(const EvalContext& c) { return {c.operands[0].cast(c.dtype())}; }

}  // namespace

std::vector<OpDef> select_ops() {
  return {
      {.name = "select",
       .arity = 3,
       .traits = kElementwise | kChoosing | kSelecting,
       .infer = infer_select,
       .vjp = select_rule,
       .element = [](Numbers v) { return v[0] != 0 ? v[1] : v[2]; },
       .integer = [](Integers v) { return v[0] != 0 ? v[1] : v[2]; },
       .lower = ElementLowering{},
       .dtypes = kOnlyBool,
       .tolerance = 0,
       .doc = "a where the condition holds, b elsewhere; what is not chosen does not matter, not even a NaN.",
       .signature = "select(condition: bool[..], a: T[..], b: T[..]) -> T[..]",
       .on_nan = OnNan::kDropped,
       .error = error_of_elements<select_error>},
      {.name = "cast",
       .arity = 1,
       .traits = kElementwise | kConversion,
       .infer = infer_cast,
       .vjp = cast_rule,
       .eval = eval_cast,
       .lower = ElementLowering{},
       .tolerance = 0,
       .doc = "Another dtype. Floats are rounded to the nearest, and become integers towards zero, the nearest one "
              "when there is none, NaN 0; integers "
              "wrap around; bool is x != 0.",
       .signature = "cast(x: T[..]) {dtype} -> dtype[..]",
       .error = cast_error},
  };
}

}  // namespace gcompile::ir
