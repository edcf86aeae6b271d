// A long division in f64: of the quotient so far the leading 26 bits are taken as a multiple of the divisor whose
// product is exact - with an f64 divisor in two halves - and what is left is a number of the dtype again, as every
// remainder is. A quotient of up to 2^25 takes one step; the loop ends when no lane has more to divide.
#include "gcompile/codegen/llvm_remainder.h"

#include <llvm/IR/Intrinsics.h>

namespace gcompile::codegen {
namespace {

using llvm::Value;
namespace Intrinsic = llvm::Intrinsic;

class LongDivision {
 public:
  LongDivision(const OpContext& c, Value* a, Value* divisor)
      : c_(c), b_(c.b), given_(a->getType()), is_double_(given_->getScalarType()->isDoubleTy()),
        type_(given_->getWithNewType(b_.getDoubleTy())), bits_(given_->getWithNewType(b_.getInt64Ty())), a_(wide(a)),
        d_(wide(divisor)), size_(unary(Intrinsic::fabs, d_)) {}

  Value* remainder() {
    Value* r = truncated();
    Value* moved = b_.CreateSelect(is_beside(r), b_.CreateFAdd(r, d_), r);
    return narrow(b_.CreateSelect(b_.CreateFCmpOEQ(r, number(0)), with_sign(number(0), d_), moved));
  }

  Value* quotient() {
    Value* r = truncated();
    Value* q = b_.CreateFDiv(b_.CreateFSub(a_, r), d_);
    q = round_even(c_, b_.CreateSelect(is_beside(r), b_.CreateFSub(q, number(1)), q));
    Value* plain = b_.CreateFDiv(a_, d_);
    q = b_.CreateSelect(b_.CreateFCmpOEQ(q, number(0)), with_sign(number(0), plain), q);
    return narrow(b_.CreateSelect(b_.CreateFCmpOEQ(d_, number(0)), plain, q));
  }

 private:
  Value* wide(Value* x) { return is_double_ ? x : b_.CreateFPExt(x, type_); }
  Value* narrow(Value* x) { return is_double_ ? x : b_.CreateFPTrunc(x, given_); }
  Value* number(double x) { return llvm::ConstantFP::get(type_, x); }
  Value* unary(Intrinsic::ID id, Value* x) { return b_.CreateUnaryIntrinsic(id, x); }
  Value* with_sign(Value* x, Value* sign) { return b_.CreateBinaryIntrinsic(Intrinsic::copysign, x, sign); }
  Value* any(Value* x) { return x->getType()->isVectorTy() ? b_.CreateOrReduce(x) : x; }

  // The leading 26 bits.
  Value* leading(Value* x) {
    Value* mask = llvm::ConstantInt::getSigned(bits_, -(std::int64_t{1} << 27));
    return b_.CreateBitCast(b_.CreateAnd(b_.CreateBitCast(x, bits_), mask), type_);
  }

  // A truncated remainder with the other sign than the divisor, to which a floored one adds it.
  Value* is_beside(Value* r) {
    Value* zero = number(0);
    return b_.CreateOr(b_.CreateAnd(b_.CreateFCmpOLT(r, zero), b_.CreateFCmpOGT(d_, zero)),
                       b_.CreateAnd(b_.CreateFCmpOGT(r, zero), b_.CreateFCmpOLT(d_, zero)));
  }

  // The divisor, or where the quotient of f64s would be infinite a multiple of it.
  Value* multiple(Value* x, Value* far, Value* farther) {
    if (!is_double_) return size_;
    Value* m = b_.CreateSelect(b_.CreateFCmpOGE(x, far), far, size_);
    return b_.CreateSelect(b_.CreateFCmpOGE(x, farther), farther, m);
  }

  // What is left of x, which may come out a little below 0: a quotient is rounded.
  Value* step(Value* x, Value* far, Value* farther) {
    Value* d = multiple(unary(Intrinsic::fabs, x), far, farther);
    Value* q = round_down(c_, leading(b_.CreateFDiv(x, d)));  // the products do not overflow then
    if (!is_double_) return b_.CreateFSub(x, b_.CreateFMul(q, d));
    Value* high = leading(d);
    return b_.CreateFSub(b_.CreateFSub(x, b_.CreateFMul(q, high)), b_.CreateFMul(q, b_.CreateFSub(d, high)));
  }

  // fmod: the remainder with the sign of a.
  Value* truncated() {
    Value *start = unary(Intrinsic::fabs, a_), *infinity = llvm::ConstantFP::getInfinity(type_);
    Value* exists = b_.CreateAnd(b_.CreateFCmpOLT(start, infinity), b_.CreateFCmpOGT(size_, number(0)));
    Value* far = is_double_ ? b_.CreateFMul(size_, number(0x1p1000)) : nullptr;
    Value* farther = is_double_ ? b_.CreateFMul(far, number(0x1p1000)) : nullptr;
    const auto has_more = [&](Value* x) {
      return b_.CreateAnd(exists, b_.CreateFCmpOGE(unary(Intrinsic::fabs, x), size_));
    };

    llvm::BasicBlock* before = b_.GetInsertBlock();
    auto* loop = llvm::BasicBlock::Create(b_.getContext(), "divide", before->getParent());
    auto* after = llvm::BasicBlock::Create(b_.getContext(), "divided", before->getParent());
    Value* first = has_more(start);
    b_.CreateCondBr(any(first), loop, after);

    b_.SetInsertPoint(loop);
    llvm::PHINode* x = b_.CreatePHI(type_, 2);
    llvm::PHINode* more = b_.CreatePHI(first->getType(), 2);
    Value* next = b_.CreateSelect(more, step(x, far, farther), x);
    Value* again = b_.CreateAnd(more, has_more(next));
    b_.CreateCondBr(any(again), loop, after);
    x->addIncoming(start, before);
    x->addIncoming(next, loop);
    more->addIncoming(first, before);
    more->addIncoming(again, loop);

    b_.SetInsertPoint(after);
    llvm::PHINode* left = b_.CreatePHI(type_, 2);
    left->addIncoming(start, before);
    left->addIncoming(next, loop);
    Value* r = b_.CreateSelect(b_.CreateFCmpOLT(left, number(0)), b_.CreateFAdd(left, size_), left);
    return b_.CreateSelect(exists, with_sign(r, a_), llvm::ConstantFP::getNaN(type_));
  }

  const OpContext& c_;
  llvm::IRBuilder<>& b_;
  llvm::Type* given_;
  bool is_double_;
  llvm::Type *type_, *bits_;
  Value *a_, *d_, *size_;  // size_: of the divisor, without its sign
};

}  // namespace

Value* floored_remainder(const OpContext& c, Value* a, Value* divisor) {
  return LongDivision(c, a, divisor).remainder();
}

Value* floored_quotient(const OpContext& c, Value* a, Value* divisor) { return LongDivision(c, a, divisor).quotient(); }

}  // namespace gcompile::codegen
