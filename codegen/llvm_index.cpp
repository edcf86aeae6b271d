#include "gcompile/codegen/llvm_index.h"

#include <bit>

#include "gcompile/base/error.h"

namespace gcompile::codegen {
namespace {

using llvm::Value;

std::optional<std::int64_t> constant(const Value* x) {
  const auto* c = llvm::dyn_cast_or_null<llvm::ConstantInt>(x);
  return c ? std::optional<std::int64_t>(c->getSExtValue()) : std::nullopt;
}

bool is(const Value* x, std::int64_t n) { return constant(x) == n; }

}  // namespace

std::optional<std::int64_t> Linear::constant_base() const { return constant(base); }
std::optional<std::int64_t> Linear::constant_stride() const {
  return scalar() ? std::optional<std::int64_t>(0) : constant(stride);
}

llvm::Constant* lane_numbers(llvm::IRBuilder<>& b, unsigned bits) {
  std::vector<llvm::Constant*> numbers;
  for (int lane = 0; lane < ir::kLanes; ++lane)
    numbers.push_back(llvm::ConstantInt::get(b.getIntNTy(bits), static_cast<std::uint64_t>(lane)));
  return llvm::ConstantVector::get(numbers);
}

void IndexEmitter::bind(const std::string& name, Value* value) {
  if (value)
    variables_[name] = value;
  else
    variables_.erase(name);
}

// The identities are worth their lines: an unrolled body has thousands of these, most of them constants.
Value* IndexEmitter::plus(Value* x, Value* y) {
  if (is(x, 0)) return y;
  if (is(y, 0)) return x;
  return b_.CreateAdd(x, y, "", false, true);
}

Value* IndexEmitter::times(Value* x, Value* y) {
  if (is(x, 1)) return y;
  if (is(y, 1)) return x;
  if (is(x, 0) || is(y, 0)) return llvm::Constant::getNullValue(x->getType());
  return b_.CreateMul(x, y, "", false, true);
}

Value* IndexEmitter::vector(const Linear& x) {
  if (x.lanes) return x.lanes;
  Value* base = splat(b_, x.base);
  if (!x.stride) return base;
  return b_.CreateAdd(base, b_.CreateMul(lane_numbers(b_, 64), splat(b_, x.stride)));
}

Linear IndexEmitter::add(const Linear& x, const Linear& y) {
  if (x.lanes || y.lanes) return {nullptr, nullptr, b_.CreateAdd(vector(x), vector(y))};
  Value* stride = x.stride && y.stride ? plus(x.stride, y.stride) : x.stride ? x.stride : y.stride;
  if (stride && is(stride, 0)) stride = nullptr;
  return {plus(x.base, y.base), stride, nullptr};
}

Linear IndexEmitter::multiply(const Linear& x, const Linear& y) {
  if (x.lanes || y.lanes || (x.stride && y.stride)) return {nullptr, nullptr, b_.CreateMul(vector(x), vector(y))};
  Value* stride = x.stride ? times(x.stride, y.base) : y.stride ? times(y.stride, x.base) : nullptr;
  if (stride && is(stride, 0)) stride = nullptr;
  return {times(x.base, y.base), stride, nullptr};
}

Linear IndexEmitter::emit(const Dim& d, Values extra) {
  Linear sum{b_.getInt64(static_cast<std::uint64_t>(d.constant())), nullptr, nullptr};
  for (const Dim::Term& t : d.terms()) {
    Linear product{b_.getInt64(static_cast<std::uint64_t>(t.coefficient)), nullptr, nullptr};
    for (const Dim::Atom& a : t.factors) product = multiply(product, atom(a, extra));
    sum = add(sum, product);
  }
  return sum;
}

Linear IndexEmitter::atom(const Dim::Atom& a, Values extra) {
  if (a.opaque) return opaque(*a.opaque, extra);
  if (a.text == ir::kLaneSymbol) return {b_.getInt64(0), b_.getInt64(1), nullptr};
  if (a.text[0] == '$') {
    const std::size_t i = std::stoul(a.text.substr(1));
    if (i >= extra.size()) throw InternalError("code generation: no operand for " + a.text);
    llvm::Type* wide = extra[i]->getType()->getWithNewBitWidth(64);
    Value* x = b_.CreateSExt(extra[i], wide);
    return wide->isVectorTy() ? Linear{nullptr, nullptr, x} : Linear{x, nullptr, nullptr};
  }
  const auto it = variables_.find(a.text);
  return {it != variables_.end() ? it->second : symbol_(a.text), nullptr, nullptr};
}

// Divisions round towards minus infinity, whatever the sign; powers of two need none for that.
Linear IndexEmitter::opaque(const Dim::Opaque& o, Values extra) {
  const Linear argument = emit(o.argument, extra);
  const bool lanes = !argument.scalar();
  Value* x = lanes ? vector(argument) : argument.base;
  const auto number = [&](std::int64_t n) { return llvm::ConstantInt::getSigned(x->getType(), n); };
  const bool quotient = o.kind == Dim::Opaque::Kind::kFloorDiv;
  Value* result = nullptr;
  if (o.kind == Dim::Opaque::Kind::kMin) {
    result = b_.CreateSelect(b_.CreateICmpSLT(x, number(o.divisor)), x, number(o.divisor));
  } else if (const auto c = static_cast<std::uint64_t>(o.divisor); std::has_single_bit(c)) {
    result = quotient ? b_.CreateAShr(x, number(std::countr_zero(c))) : b_.CreateAnd(x, number(o.divisor - 1));
  } else {
    Value* q = b_.CreateSDiv(x, number(o.divisor));
    Value* r = b_.CreateSub(x, b_.CreateMul(q, number(o.divisor)));
    Value* negative = b_.CreateICmpSLT(r, number(0));
    result = quotient ? b_.CreateSelect(negative, b_.CreateSub(q, number(1)), q)
                      : b_.CreateSelect(negative, b_.CreateAdd(r, number(o.divisor)), r);
  }
  return lanes ? Linear{nullptr, nullptr, result} : Linear{result, nullptr, nullptr};
}

Linear IndexEmitter::offset(const std::vector<Dim>& extents, const ir::Index& index, Values extra) {
  if (index.size() != extents.size()) {
    if (index.size() != 1) throw InternalError("code generation: an index of another rank than its buffer");
    return emit(index[0], extra);
  }
  Linear sum{b_.getInt64(0), nullptr, nullptr};
  for (std::size_t axis = 0; axis < index.size(); ++axis) {
    if (axis) sum = multiply(sum, emit(extents[axis]));
    sum = add(sum, emit(index[axis], extra));
  }
  return sum;
}

}  // namespace gcompile::codegen
