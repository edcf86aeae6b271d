#include "gcompile/codegen/llvm_float16.h"

namespace gcompile::codegen {
namespace {

using llvm::Value;

constexpr std::uint32_t kSign = 0x80000000, kInfinity = 0x7f800000, kQuiet = 0x00400000;
constexpr std::uint32_t kLeastNormal = 0x38800000;        // 2^-14, of f16
constexpr std::uint32_t kTooLarge = 0x47800000;           // 2^16, which f16 has not
constexpr std::uint32_t kHalf = 0x3f000000;               // 0.5, whose unit of the last place is the least f16
constexpr std::uint32_t kBias = (127 - 15) << 23;         // between the exponents of f32 and f16
constexpr std::uint32_t kScale = (127 + 127 - 15) << 23;  // 2^112, an f32

// Arithmetic on the bits of f32 values, each constant in as many lanes as they have.
class Bits {
 public:
  Bits(llvm::IRBuilder<>& b, Value* like)
      : b_(b), floats_(like->getType()->getWithNewType(b.getFloatTy())),
        words_(like->getType()->getWithNewType(b.getInt32Ty())),
        halves_(like->getType()->getWithNewType(b.getInt16Ty())) {}

  Value* number(std::uint32_t n) { return llvm::ConstantInt::get(words_, n); }
  Value* of(Value* x) { return b_.CreateBitCast(x, words_); }
  Value* as_float(Value* bits) { return b_.CreateBitCast(bits, floats_); }
  Value* mask(Value* x, std::uint32_t n) { return b_.CreateAnd(x, number(n)); }
  Value* plus(Value* x, std::uint32_t n) { return b_.CreateAdd(x, number(n)); }
  Value* left(Value* x, std::uint32_t n) { return b_.CreateShl(x, number(n)); }
  Value* right(Value* x, std::uint32_t n) { return b_.CreateLShr(x, number(n)); }
  Value* below(Value* x, std::uint32_t n) { return b_.CreateICmpULT(x, number(n)); }
  Value* narrow(Value* x) { return b_.CreateTrunc(x, halves_); }
  Value* widen(Value* x) { return b_.CreateZExt(x, words_); }
  llvm::Type* halves() const { return halves_; }

  // The upper bits, without the last `count` ones: to the nearest, of two the even one.
  Value* nearest(Value* bits, std::uint32_t count) {
    const std::uint32_t last = 1u << count;
    Value* odd = mask(right(bits, count), 1);
    return mask(b_.CreateAdd(plus(bits, last / 2 - 1), odd), ~(last - 1));
  }
  Value* quiet(Value* bits, std::uint32_t count) {
    return mask(b_.CreateOr(bits, number(kQuiet)), ~((1u << count) - 1));
  }

 private:
  llvm::IRBuilder<>& b_;
  llvm::Type *floats_, *words_, *halves_;
};

Value* rounded_bf16(llvm::IRBuilder<>& b, Value* x) {
  Bits i(b, x);
  Value* bits = i.of(x);
  return i.as_float(b.CreateSelect(b.CreateFCmpUNO(x, x), i.quiet(bits, 16), i.nearest(bits, 16)));
}

// By way of its size: subnormal ones are rounded by an addition, whose result has their unit of the last place.
Value* rounded_f16(llvm::IRBuilder<>& b, Value* x) {
  Bits i(b, x);
  Value *bits = i.of(x), *size = i.mask(bits, ~kSign);
  Value* normal = i.nearest(size, 13);
  normal = b.CreateSelect(i.below(normal, kTooLarge), normal, i.number(kInfinity));
  Value* half = i.as_float(i.number(kHalf));
  Value* small = i.of(b.CreateFSub(b.CreateFAdd(i.as_float(size), half), half));
  Value* near = b.CreateSelect(i.below(size, kLeastNormal), small, normal);
  near = b.CreateSelect(b.CreateFCmpUNO(x, x), i.quiet(size, 13), near);
  return i.as_float(b.CreateOr(near, i.mask(bits, kSign)));
}

// Of an f32 that is an f16 already.
Value* bits_of_f16(llvm::IRBuilder<>& b, Value* x) {
  Bits i(b, x);
  Value *bits = i.of(x), *size = i.mask(bits, ~kSign);
  Value* normal = i.right(i.plus(size, 0u - kBias), 13);
  Value* small = i.plus(i.of(b.CreateFAdd(i.as_float(size), i.as_float(i.number(kHalf)))), 0u - kHalf);
  Value* none = b.CreateOr(i.number(0x7c00), i.mask(i.right(size, 13), 0x3ff));  // infinite or NaN
  Value* near = b.CreateSelect(i.below(size, kLeastNormal), small, normal);
  near = b.CreateSelect(i.below(size, kInfinity), near, none);
  return i.narrow(b.CreateOr(near, i.right(i.mask(bits, kSign), 16)));
}

Value* f16_of_bits(llvm::IRBuilder<>& b, Value* half) {
  Bits i(b, half);
  Value* bits = i.widen(half);
  Value* size = i.mask(bits, 0x7fff);
  Value* moved = i.left(size, 13);
  // As an f32 with these bits a subnormal has the wrong exponent, but so has every other: one product mends both.
  Value* scaled = i.of(b.CreateFMul(i.as_float(moved), i.as_float(i.number(kScale))));
  Value* near = b.CreateSelect(i.below(size, 0x7c00), scaled, b.CreateOr(moved, i.number(kInfinity)));
  return i.as_float(b.CreateOr(near, i.left(i.mask(bits, 0x8000), 16)));
}

llvm::Type* f16_type(llvm::IRBuilder<>& b, const Value* like) { return like->getType()->getWithNewType(b.getHalfTy()); }

}  // namespace

Value* rounded_to_float16(llvm::IRBuilder<>& b, const Target& target, Value* x, DType dtype) {
  if (dtype == DType::kBF16) return rounded_bf16(b, x);
  return target.has_f16c ? b.CreateFPExt(b.CreateFPTrunc(x, f16_type(b, x)), x->getType()) : rounded_f16(b, x);
}

Value* bits_of_float16(llvm::IRBuilder<>& b, const Target& target, Value* x, DType dtype) {
  Bits i(b, x);
  if (dtype == DType::kBF16) return i.narrow(i.right(i.of(x), 16));
  return target.has_f16c ? b.CreateBitCast(b.CreateFPTrunc(x, f16_type(b, x)), i.halves()) : bits_of_f16(b, x);
}

Value* float16_of_bits(llvm::IRBuilder<>& b, const Target& target, Value* bits, DType dtype) {
  Bits i(b, bits);
  if (dtype == DType::kBF16) return i.as_float(i.left(i.widen(bits), 16));
  if (!target.has_f16c) return f16_of_bits(b, bits);
  llvm::Type* wide = bits->getType()->getWithNewType(b.getFloatTy());
  return b.CreateFPExt(b.CreateBitCast(bits, f16_type(b, bits)), wide);
}

}  // namespace gcompile::codegen
