// One line per primitive. Arithmetic dispatches on the operands' LLVM type: integers wrap around, float and double
// follow IEEE 754 with round to nearest and no flags; i1 is bool. Whether an integer has a sign the dtype says. 16-bit
// floats are f32 in registers: what computes one rounds it at once.
#include "gcompile/codegen/llvm_emit_ops.h"

#include <algorithm>
#include <llvm/IR/Intrinsics.h>
#include <vector>

#include "gcompile/base/error.h"
#include "gcompile/codegen/llvm_float16.h"
#include "gcompile/codegen/llvm_remainder.h"

namespace gcompile::codegen {
namespace {

using llvm::CmpInst;
using llvm::Value;
namespace Intrinsic = llvm::Intrinsic;

bool is_float_value(const Value* x) { return x->getType()->isFPOrFPVectorTy(); }

Value* number(Value* like, double x) {
  return is_float_value(like) ? llvm::ConstantFP::get(like->getType(), x)
                              : llvm::ConstantInt::getSigned(like->getType(), static_cast<std::int64_t>(x));
}

[[noreturn]] void no_such(std::string_view op, const std::string& why) {
  throw InternalError("code generation: " + std::string(op) + ": " + why);
}

using Opcode = llvm::Instruction::BinaryOps;

Value* arithmetic(const OpContext& c, Values v, Opcode on_float, Opcode on_int) {
  return c.b.CreateBinOp(is_float_value(v[0]) ? on_float : on_int, v[0], v[1]);
}

// The comparison of signed integers, or its like for those without a sign.
CmpInst::Predicate of_sign(const OpContext& c, CmpInst::Predicate on_signed) {
  const bool has_sign = !is_unsigned(c.operands) && c.operands != DType::kBool;
  return has_sign ? on_signed : llvm::ICmpInst::getUnsignedPredicate(on_signed);
}

// x86's maxps and minps return their second operand when either is a NaN: with a constant first that is all it takes.
// Otherwise a NaN on the left has to be put back. Of two zeros either may be returned.
Value* extremum(const OpContext& c, Values v, CmpInst::Predicate on_float, CmpInst::Predicate on_int) {
  Value *a = v[0], *x = v[1];
  if (!is_float_value(a)) return c.b.CreateSelect(c.b.CreateICmp(of_sign(c, on_int), a, x), a, x);
  const auto known = [](Value* y) {
    const auto* constant = llvm::dyn_cast<llvm::Constant>(y);
    if (constant && constant->getType()->isVectorTy()) constant = constant->getSplatValue();
    const auto* fp = llvm::dyn_cast_or_null<llvm::ConstantFP>(constant);
    return fp && !fp->isNaN();
  };
  if (known(x) && !known(a)) std::swap(a, x);
  Value* m = c.b.CreateSelect(c.b.CreateFCmp(on_float, a, x), a, x);
  return known(a) ? m : c.b.CreateSelect(c.b.CreateFCmpUNO(a, a), a, m);
}

// Nearest integer by adding and subtracting 2^23 (2^52), for processors without an instruction for it: LLVM would call
// the C library there.
Value* nearest_by_magic(llvm::IRBuilder<>& b, Value* x) {
  const double magic = x->getType()->getScalarType()->isFloatTy() ? 0x1p23 : 0x1p52;
  Value* size = b.CreateUnaryIntrinsic(Intrinsic::fabs, x);
  Value* rounded = b.CreateFSub(b.CreateFAdd(size, number(x, magic)), number(x, magic));
  Value* keep = b.CreateFCmpUGE(size, number(x, magic));  // already integral, infinite or NaN
  return b.CreateBinaryIntrinsic(Intrinsic::copysign, b.CreateSelect(keep, x, rounded), x);
}

enum class Rounding { kNearest, kDown, kUp };

Value* round_to(const OpContext& c, Value* x, Rounding how) {
  if (c.target.vector_bytes > 16) {
    const Intrinsic::ID ids[] = {Intrinsic::roundeven, Intrinsic::floor, Intrinsic::ceil};
    return c.b.CreateUnaryIntrinsic(ids[static_cast<int>(how)], x);
  }
  Value* r = nearest_by_magic(c.b, x);
  if (how == Rounding::kNearest) return r;
  Value* beyond = how == Rounding::kDown ? c.b.CreateFCmpOGT(r, x) : c.b.CreateFCmpOLT(r, x);
  Value* stepped = c.b.CreateSelect(beyond, c.b.CreateFAdd(r, number(x, how == Rounding::kDown ? -1 : 1)), r);
  return c.b.CreateBinaryIntrinsic(Intrinsic::copysign, stepped, x);  // ceil(-0.5) is -0
}

// Quotient rounded towards minus infinity and the remainder with the divisor's sign. x / 0 and x mod 0 are 0; the
// quotient of the least number and -1 wraps around. Neither traps.
struct Division {
  Value *quotient, *remainder;
};

Division divide(const OpContext& c, Value* a, Value* d) {
  llvm::IRBuilder<>& b = c.b;
  Value* zero = number(a, 0);
  Value* by_zero = b.CreateICmpEQ(d, zero);
  if (is_unsigned(c.operands)) {
    Value* divisor = b.CreateSelect(by_zero, number(a, 1), d);
    Value* whole = b.CreateUDiv(a, divisor);
    return {b.CreateSelect(by_zero, zero, whole), b.CreateSub(a, b.CreateMul(whole, divisor))};
  }
  Value* by_minus_one = b.CreateICmpEQ(d, number(a, -1));
  Value* safe = b.CreateSelect(b.CreateOr(by_zero, by_minus_one), number(a, 1), d);
  Value* q = b.CreateSDiv(a, safe);
  Value* r = b.CreateSub(a, b.CreateMul(q, safe));
  Value* adjust = b.CreateAnd(b.CreateICmpNE(r, zero), b.CreateICmpSLT(b.CreateXor(r, safe), zero));
  q = b.CreateSelect(adjust, b.CreateSub(q, number(a, 1)), q);
  r = b.CreateSelect(adjust, b.CreateAdd(r, safe), r);
  q = b.CreateSelect(by_minus_one, b.CreateNeg(a), q);  // r is 0 there already
  return {b.CreateSelect(by_zero, zero, q), r};         // r = a - a * 1 is 0 for d = 0
}

Value* floor_div(const OpContext& c, Values v) {
  return is_float_value(v[0]) ? floored_quotient(c, v[0], v[1]) : divide(c, v[0], v[1]).quotient;
}

Value* remainder(const OpContext& c, Values v) {
  return is_float_value(v[0]) ? floored_remainder(c, v[0], v[1]) : divide(c, v[0], v[1]).remainder;
}

// To an integer, saturating, NaN to 0. LLVM's own intrinsic would take vectors apart into their elements.
Value* saturate(const OpContext& c, Value* x, llvm::Type* to) {
  llvm::IRBuilder<>& b = c.b;
  const IntegerRange range = range_of(c.type.dtype);
  const double low = static_cast<double>(range.min);
  const double above = 2 * static_cast<double>(range.max / 2 + 1);  // the first that is too large: a power of two
  Value* too_large = b.CreateFCmpOGE(x, number(x, above));
  Value* none = b.CreateOr(too_large, b.CreateFCmpUNO(x, x));
  Value* safe = b.CreateSelect(none, number(x, 0), x);
  safe = b.CreateSelect(b.CreateFCmpOLT(safe, number(x, low)), number(x, low), safe);
  Value* i = is_unsigned(c.type.dtype) ? b.CreateFPToUI(safe, to) : b.CreateFPToSI(safe, to);
  return b.CreateSelect(too_large, llvm::ConstantInt::getSigned(to, range.max), i);
}

Value* convert(const OpContext& c, Value* x) {
  llvm::IRBuilder<>& b = c.b;
  llvm::Type* to = register_type(b.getContext(), {c.type.dtype, x->getType()->isVectorTy()});
  const bool has_sign = !is_unsigned(c.operands) && c.operands != DType::kBool;
  if (to == x->getType()) return x;
  if (to->isIntOrIntVectorTy(1))
    return is_float_value(x) ? b.CreateFCmpUNE(x, number(x, 0)) : b.CreateICmpNE(x, number(x, 0));
  if (is_float_value(x)) return is_float(c.type.dtype) ? b.CreateFPCast(x, to) : saturate(c, x, to);
  if (is_float(c.type.dtype)) return has_sign ? b.CreateSIToFP(x, to) : b.CreateUIToFP(x, to);
  return b.CreateIntCast(x, to, has_sign);
}

Value* compare(const OpContext& c, Values v, CmpInst::Predicate on_float, CmpInst::Predicate on_int) {
  return is_float_value(v[0]) ? c.b.CreateFCmp(on_float, v[0], v[1]) : c.b.CreateICmp(of_sign(c, on_int), v[0], v[1]);
}

Value* fused(const OpContext& c, Values v) {
  if (!c.target.has_fma) no_such("fma", "the target " + c.target.name + " has no such instruction");
  return c.b.CreateIntrinsic(Intrinsic::fma, {v[0]->getType()}, {v[0], v[1], v[2]});
}

Value* absolute(const OpContext& c, Value* x) {
  if (is_float_value(x)) return c.b.CreateUnaryIntrinsic(Intrinsic::fabs, x);
  return c.b.CreateBinaryIntrinsic(Intrinsic::abs, x, c.b.getFalse());
}

Value* finite(const OpContext& c, Value* x) {
  return c.b.CreateFCmpOLT(c.b.CreateUnaryIntrinsic(Intrinsic::fabs, x), llvm::ConstantFP::getInfinity(x->getType()));
}

// A shift takes its distance modulo the number of bits; LLVM alone would leave larger ones undefined.
Value* distance(const OpContext& c, Value* x) {
  return c.b.CreateAnd(x, number(x, static_cast<double>(x->getType()->getScalarSizeInBits() - 1)));
}

struct Primitive {
  std::string_view name;
  std::size_t arity;
  Value* (*emit)(const OpContext&, Values);
  bool exact = false;  // of 16-bit floats, which are f32 in registers, the result needs no rounding
};

// clang-format off: one line per primitive
using I = llvm::Instruction;
using C = const OpContext&;
constexpr Primitive kPrimitives[] = {
    {"abs", 1, [](C c, Values v) { return absolute(c, v[0]); }, true},
    {"add", 2, [](C c, Values v) { return arithmetic(c, v, I::FAdd, I::Add); }},
    {"and", 2, [](C c, Values v) { return c.b.CreateAnd(v[0], v[1]); }},
    {"ashr", 2, [](C c, Values v) { return c.b.CreateAShr(v[0], distance(c, v[1])); }},
    {"bit_and", 2, [](C c, Values v) { return c.b.CreateAnd(v[0], v[1]); }},
    {"bit_or", 2, [](C c, Values v) { return c.b.CreateOr(v[0], v[1]); }},
    {"bit_xor", 2, [](C c, Values v) { return c.b.CreateXor(v[0], v[1]); }},
    {"bitcast", 1, [](C c, Values v) { return c.b.CreateBitCast(v[0], register_type(c.b.getContext(), c.type)); }},
    {"cast", 1, [](C c, Values v) { return convert(c, v[0]); }},
    {"ceil", 1, [](C c, Values v) { return round_to(c, v[0], Rounding::kUp); }},
    {"div", 2,
     [](C c, Values v) { return is_float_value(v[0]) ? c.b.CreateFDiv(v[0], v[1]) : divide(c, v[0], v[1]).quotient; }},
    {"eq", 2, [](C c, Values v) { return compare(c, v, CmpInst::FCMP_OEQ, CmpInst::ICMP_EQ); }},
    {"floor", 1, [](C c, Values v) { return round_to(c, v[0], Rounding::kDown); }},
    {"floor_div", 2, [](C c, Values v) { return floor_div(c, v); }},
    {"fma", 3, [](C c, Values v) { return fused(c, v); }},
    {"ge", 2, [](C c, Values v) { return compare(c, v, CmpInst::FCMP_OGE, CmpInst::ICMP_SGE); }},
    {"gt", 2, [](C c, Values v) { return compare(c, v, CmpInst::FCMP_OGT, CmpInst::ICMP_SGT); }},
    {"is_finite", 1, [](C c, Values v) { return finite(c, v[0]); }},
    {"le", 2, [](C c, Values v) { return compare(c, v, CmpInst::FCMP_OLE, CmpInst::ICMP_SLE); }},
    {"lshr", 2, [](C c, Values v) { return c.b.CreateLShr(v[0], distance(c, v[1])); }},
    {"lt", 2, [](C c, Values v) { return compare(c, v, CmpInst::FCMP_OLT, CmpInst::ICMP_SLT); }},
    {"max", 2, [](C c, Values v) { return extremum(c, v, CmpInst::FCMP_OGT, CmpInst::ICMP_SGT); }, true},
    {"min", 2, [](C c, Values v) { return extremum(c, v, CmpInst::FCMP_OLT, CmpInst::ICMP_SLT); }, true},
    {"mul", 2, [](C c, Values v) { return arithmetic(c, v, I::FMul, I::Mul); }},
    {"ne", 2, [](C c, Values v) { return compare(c, v, CmpInst::FCMP_UNE, CmpInst::ICMP_NE); }},
    {"neg", 1, [](C c, Values v) { return is_float_value(v[0]) ? c.b.CreateFNeg(v[0]) : c.b.CreateNeg(v[0]); }, true},
    {"not", 1, [](C c, Values v) { return c.b.CreateNot(v[0]); }},
    {"or", 2, [](C c, Values v) { return c.b.CreateOr(v[0], v[1]); }},
    {"rem", 2, [](C c, Values v) { return remainder(c, v); }},
    {"round_even", 1, [](C c, Values v) { return round_to(c, v[0], Rounding::kNearest); }},
    {"select", 3, [](C c, Values v) { return c.b.CreateSelect(v[0], v[1], v[2]); }, true},
    {"shl", 2, [](C c, Values v) { return c.b.CreateShl(v[0], distance(c, v[1])); }},
    {"sqrt", 1, [](C c, Values v) { return static_cast<Value*>(c.b.CreateUnaryIntrinsic(Intrinsic::sqrt, v[0])); }},
    {"sub", 2, [](C c, Values v) { return arithmetic(c, v, I::FSub, I::Sub); }},
    {"xor", 2, [](C c, Values v) { return c.b.CreateXor(v[0], v[1]); }},
};
// clang-format on

}  // namespace

namespace {

unsigned bits_of(DType t) { return static_cast<unsigned>(8 * size_of(t)); }

}  // namespace

llvm::Type* register_type(llvm::LLVMContext& context, ir::VType type) {
  llvm::Type* element = type.dtype == DType::kF32 || is_float16(type.dtype) ? llvm::Type::getFloatTy(context)
                        : type.dtype == DType::kF64                         ? llvm::Type::getDoubleTy(context)
                        : type.dtype == DType::kBool                        ? llvm::Type::getInt1Ty(context)
                                                     : llvm::Type::getIntNTy(context, bits_of(type.dtype));
  return type.lanes ? llvm::FixedVectorType::get(element, ir::kLanes) : element;
}

llvm::Value* splat(llvm::IRBuilder<>& b, llvm::Value* x) {
  return x->getType()->isVectorTy() ? x : b.CreateVectorSplat(ir::kLanes, x);
}

llvm::Value* round_even(const OpContext& context, llvm::Value* x) { return round_to(context, x, Rounding::kNearest); }
llvm::Value* round_down(const OpContext& context, llvm::Value* x) { return round_to(context, x, Rounding::kDown); }

llvm::Value* emit_op(const OpContext& context, std::string_view op, Values operands) {
  const auto* end = std::end(kPrimitives);
  const auto* p = std::lower_bound(std::begin(kPrimitives), end, op,
                                   [](const Primitive& x, std::string_view name) { return x.name < name; });
  if (p == end || p->name != op) no_such(op, "is no scalar primitive: expand-math has to write it with simpler ops");
  if (operands.size() != p->arity) no_such(op, "takes " + std::to_string(p->arity) + " operands");
  llvm::Value* made = p->emit(context, operands);
  return is_float16(context.type.dtype) && !p->exact
             ? rounded_to_float16(context.b, context.target, made, context.type.dtype)
             : made;
}

}  // namespace gcompile::codegen
