// Logic, and the scalar primitives that only kernels contain.
#include <cmath>

#include "gcompile/ir/ops/eval.h"
#include "gcompile/ir/ops/expand.h"
#include "gcompile/ir/ops/families.h"
#include "gcompile/ir/ops/infer.h"
#include "gcompile/ir/ops/rules.h"

namespace gcompile::ir {
namespace {

using X = Numbers;

OpDef elementwise(const char* name, int arity, std::uint32_t traits, Infer infer, EvalElement element,
                  std::vector<DType> dtypes, const char* doc, const char* signature) {
  OpDef d;
  d.name = name;
  d.arity = arity;
  d.traits = kElementwise | traits;
  d.infer = infer;
  d.element = element;
  d.lower = ElementLowering{};
  d.dtypes = std::move(dtypes);
  d.doc = doc;
  d.signature = signature;
  return d;
}

std::vector<Type> infer_bool(const InferContext& c) {
  const std::vector<Type> t = same_type(c);
  if (t[0].dtype != DType::kBool) c.fail("takes bool, got " + t[0].str());
  return t;
}

std::vector<Type> infer_i32(const InferContext& c) {
  const std::vector<Type> t = same_type(c);
  if (t[0].dtype != DType::kI32) c.fail("takes i32, got " + t[0].str());
  return t;
}

std::vector<Type> infer_bitcast(const InferContext& c) {
  only_attributes(c, {"dtype"});
  const DType to = attribute<DType>(c, "dtype"), from = c.operands[0].dtype;
  if (!((from == DType::kF32 && to == DType::kI32) || (from == DType::kI32 && to == DType::kF32) || from == to))
    c.fail("between f32 and i32 only, got " + c.operands[0].str() + " to " + std::string(name(to)));
  return {{to, c.operands[0].dims}};
}

const std::vector<DType>& kBools = kOnlyBool;
const std::vector<DType>& kI32 = kOnlyI32;

}  // namespace

std::vector<OpDef> logic_ops() {
  // clang-format off
  std::vector<OpDef> ops = {
    elementwise("and", 2, kCommutative, infer_bool, [](X x) { return double(x[0] != 0 && x[1] != 0); }, kBools,
                "both", "(a: bool[..], b: bool[..]) -> bool[..]"),
    elementwise("or", 2, kCommutative, infer_bool, [](X x) { return double(x[0] != 0 || x[1] != 0); }, kBools,
                "either", "(a: bool[..], b: bool[..]) -> bool[..]"),
    elementwise("xor", 2, kCommutative, infer_bool, [](X x) { return double((x[0] != 0) != (x[1] != 0)); }, kBools,
                "one of both", "(a: bool[..], b: bool[..]) -> bool[..]"),
    elementwise("bitcast", 1, kKernelOnly, infer_bitcast, nullptr, {DType::kF32, DType::kI32},
                "the same bits", "(x: T[..]) {dtype: U} -> U[..]"),
    elementwise("shl", 2, kKernelOnly, infer_i32, nullptr, kI32, "bits shifted left", "(a: i32, n: i32) -> i32"),
    elementwise("lshr", 2, kKernelOnly, infer_i32, nullptr, kI32, "bits shifted right, zeros come in", "(a: i32, n: i32) -> i32"),
    elementwise("ashr", 2, kKernelOnly, infer_i32, nullptr, kI32, "bits shifted right, the sign comes in", "(a: i32, n: i32) -> i32"),
    elementwise("bit_and", 2, kKernelOnly, infer_i32, nullptr, kI32, "bitwise and", "(a: i32, b: i32) -> i32"),
    elementwise("bit_or", 2, kKernelOnly, infer_i32, nullptr, kI32, "bitwise or", "(a: i32, b: i32) -> i32"),
  };
  // clang-format on
  return ops;
}

}  // namespace gcompile::ir
