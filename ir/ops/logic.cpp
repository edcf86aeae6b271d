// Logic of bools, and of the bits of integers.
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

// Both operands' bits as those of the dtype, and what is made of them; the rest of 64 bits is cut off.
using Word = std::uint64_t;
using Bits = Word (*)(Word a, Word b, DType t);

template <Bits Function>
std::vector<Array> eval_bits(const EvalContext& c) {
  Array out = Array::uninitialized(c.dtype(), c.shape());
  for (std::int64_t i = 0; i < out.size(); ++i)
    out.set_integer(i, static_cast<std::int64_t>(Function(static_cast<Word>(c.operands[0].at_integer(i)),
                                                          static_cast<Word>(c.operands[1].at_integer(i)), c.dtype())));
  return {out};
}

// A distance counts modulo the number of bits, as processors have it.
Word width(DType t) { return 8 * size_of(t); }
Word distance(Word n, DType t) { return n % width(t); }

Word shift_left(Word a, Word n, DType t) { return a << distance(n, t); }
// Zeros come in at the dtype's upper end, where a negative number has ones up to the 64th bit.
Word shift_right_zeros(Word a, Word n, DType t) { return (a & ~Word{0} >> (64 - width(t))) >> distance(n, t); }
// Copies of the highest bit come in: also of an unsigned number, whose bits are taken as those of a signed one.
Word shift_right_sign(Word a, Word n, DType t) {
  const Word above = 64 - width(t);
  return static_cast<Word>(static_cast<std::int64_t>(a << above) >> above >> distance(n, t));
}

Word bits_and(Word a, Word b, DType) { return a & b; }
Word bits_or(Word a, Word b, DType) { return a | b; }
Word bits_xor(Word a, Word b, DType) { return a ^ b; }

OpDef bitwise(const char* name, std::uint32_t traits, Eval eval, const char* doc, const char* signature) {
  OpDef d = elementwise(name, 2, traits, same_type, nullptr, kIntegers, doc, signature);
  d.eval = eval;
  d.tolerance = 0;
  return d;
}

std::vector<Type> infer_bitcast(const InferContext& c) {
  only_attributes(c, {"dtype"});
  const DType to = attribute<DType>(c, "dtype"), from = c.operands[0].dtype;
  const auto word = [](DType t) { return t == DType::kF32 || t == DType::kI32 || t == DType::kU32; };
  if (from != to && (!word(from) || !word(to)))
    c.fail("between f32 and i32 or u32 only, got " + c.operands[0].str() + " to " + std::string(name(to)));
  return {{to, c.operands[0].dims}};
}

}  // namespace

std::vector<OpDef> logic_ops() {
  // clang-format off
  std::vector<OpDef> ops = {
    elementwise("and", 2, kCommutative, infer_bool, [](X x) { return double(x[0] != 0 && x[1] != 0); }, kOnlyBool,
                "both", "(a: bool[..], b: bool[..]) -> bool[..]"),
    elementwise("or", 2, kCommutative, infer_bool, [](X x) { return double(x[0] != 0 || x[1] != 0); }, kOnlyBool,
                "either", "(a: bool[..], b: bool[..]) -> bool[..]"),
    elementwise("xor", 2, kCommutative, infer_bool, [](X x) { return double((x[0] != 0) != (x[1] != 0)); }, kOnlyBool,
                "one of both", "(a: bool[..], b: bool[..]) -> bool[..]"),
    elementwise("bitcast", 1, kKernelOnly | kConversion, infer_bitcast, nullptr, {DType::kF32, DType::kI32, DType::kU32},
                "the same bits", "(x: T[..]) {dtype: U} -> U[..]"),
    bitwise("shl", 0, eval_bits<shift_left>, "bits shifted left, by n modulo the number of bits", "(a: I[..], n: I[..]) -> I[..]"),
    bitwise("lshr", 0, eval_bits<shift_right_zeros>, "bits shifted right, zeros come in", "(a: I[..], n: I[..]) -> I[..]"),
    bitwise("ashr", 0, eval_bits<shift_right_sign>, "bits shifted right, copies of the highest come in", "(a: I[..], n: I[..]) -> I[..]"),
    bitwise("bit_and", kCommutative, eval_bits<bits_and>, "bitwise and", "(a: I[..], b: I[..]) -> I[..]"),
    bitwise("bit_or", kCommutative, eval_bits<bits_or>, "bitwise or", "(a: I[..], b: I[..]) -> I[..]"),
    bitwise("bit_xor", kCommutative, eval_bits<bits_xor>, "bitwise exclusive or", "(a: I[..], b: I[..]) -> I[..]"),
  };
  // clang-format on
  return ops;
}

}  // namespace gcompile::ir
