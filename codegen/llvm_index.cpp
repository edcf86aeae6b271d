#include "gcompile/codegen/llvm_index.h"

#include <algorithm>
#include <bit>

#include "gcompile/base/error.h"

namespace gcompile::codegen {
namespace {

using llvm::Value;

std::optional<std::int64_t> constant(const Value* x) {
  const auto* c = llvm::dyn_cast_or_null<llvm::ConstantInt>(x);
  return c ? std::optional<std::int64_t>(c->getSExtValue()) : std::nullopt;
}

}  // namespace

std::optional<std::int64_t> Linear::constant_base() const {
  return outer || inner || lanes ? std::nullopt : std::optional(constant);
}
std::optional<std::int64_t> Linear::constant_stride() const {
  return scalar() ? std::optional<std::int64_t>(0) : gcompile::codegen::constant(stride);
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

Value* IndexEmitter::number(std::int64_t n) { return b_.getInt64(static_cast<std::uint64_t>(n)); }

// Null is 0. The identities are worth their lines: an unrolled body has thousands of these.
Value* IndexEmitter::plus(Value* x, Value* y) { return !x ? y : !y ? x : b_.CreateAdd(x, y, "", false, true); }

Value* IndexEmitter::times(Value* x, std::int64_t n) {
  return !x || n == 1 ? x : n == 0 ? nullptr : b_.CreateMul(x, number(n), "", false, true);
}

// A multiple of the variable of the loop at hand: an addition in every iteration, where the processor takes one
// register as it is. Few, for they are alive together.
Value* IndexEmitter::multiple(std::int64_t n) {
  constexpr std::size_t kMost = 4;
  llvm::BasicBlock* body = loop_.variable->getParent();
  const auto known = loop_.multiples.find(n);
  if (known != loop_.multiples.end()) return known->second;
  if (n == 1 || !loop_.innermost || loop_.multiples.size() >= kMost) return times(loop_.variable, n);
  llvm::BasicBlock* before = loop_.variable->getIncomingBlock(0);
  auto* made = llvm::PHINode::Create(b_.getInt64Ty(), 2, "", body->begin());
  llvm::IRBuilder<> above(before->getTerminator());
  made->addIncoming(above.CreateMul(loop_.begin, number(n), "", false, true), before);
  return loop_.multiples[n] = made;
}

void IndexEmitter::leave(Loop around) {
  for (const auto& [n, variable] : loop_.multiples)
    variable->addIncoming(b_.CreateAdd(variable, number(n), "", false, true), b_.GetInsertBlock());
  loop_ = std::move(around);
}

Value* IndexEmitter::base(const Linear& x) {
  Value* sum = plus(x.outer, x.inner);
  return x.constant || !sum ? plus(sum, number(x.constant)) : sum;
}

Value* IndexEmitter::vector(const Linear& x) {
  if (x.lanes) return x.lanes;
  Value* all = splat(b_, base(x));
  if (!x.stride) return all;
  return b_.CreateAdd(all, b_.CreateMul(lane_numbers(b_, 64), splat(b_, x.stride)));
}

Linear IndexEmitter::add(const Linear& x, const Linear& y) {
  if (x.lanes || y.lanes) return {.lanes = b_.CreateAdd(vector(x), vector(y))};
  Value* stride = plus(x.stride, y.stride);
  if (constant(stride) == 0) stride = nullptr;
  return {x.constant + y.constant, plus(x.outer, y.outer), plus(x.inner, y.inner), stride, nullptr};
}

Linear IndexEmitter::at_lane(const Linear& x, int lane) {
  Linear one{x.constant, x.outer, x.inner, nullptr, nullptr};
  if (const auto stride = x.constant_stride())
    one.constant += lane * *stride;
  else
    one.outer = plus(one.outer, times(x.stride, lane));
  return one;
}

Linear IndexEmitter::term(const Dim::Term& t, std::int64_t scale, Values extra) {
  std::int64_t coefficient = t.coefficient * scale;
  Value *scalar = nullptr, *lanes = nullptr;  // products of the factors; null: 1
  int lane_power = 0;
  bool inner = false;
  for (const Dim::Atom& a : t.factors) {
    if (!a.opaque && a.text == ir::kLaneSymbol) {
      ++lane_power;
      continue;
    }
    inner |= a.opaque ? Dim(a.opaque->argument).uses(loop_.name) : a.text == loop_.name;
    Value* x = atom(a, extra);
    if (const auto c = constant(x)) {
      coefficient *= *c;
      continue;
    }
    Value*& product = x->getType()->isVectorTy() ? lanes : scalar;
    product = product ? b_.CreateMul(product, x, "", false, !product->getType()->isVectorTy()) : x;
  }
  if (coefficient == 0) return {};
  if (lanes || lane_power > 1) {
    for (; lane_power > 0; --lane_power)
      lanes = lanes ? b_.CreateMul(lanes, lane_numbers(b_, 64)) : lane_numbers(b_, 64);
    Value* factor = scalar ? times(scalar, coefficient) : number(coefficient);
    return {.lanes = constant(factor) == 1 ? lanes : b_.CreateMul(lanes, splat(b_, factor))};
  }
  if (lane_power == 1) return {.stride = scalar ? times(scalar, coefficient) : number(coefficient)};
  if (!scalar) return {.constant = coefficient};
  Value* product = scalar == loop_.variable ? multiple(coefficient) : times(scalar, coefficient);
  return inner ? Linear{.inner = product} : Linear{.outer = product};
}

void IndexEmitter::add_terms(Linear& sum, const Dim& d, std::int64_t scale, Values extra) {
  for (const Dim::Term& t : d.terms()) sum = add(sum, term(t, scale, extra));
  sum = add(sum, {.constant = scale * d.constant()});
}

Linear IndexEmitter::emit(const Dim& d, Values extra) {
  Linear sum;
  add_terms(sum, d, 1, extra);
  return sum;
}

Value* IndexEmitter::atom(const Dim::Atom& a, Values extra) {
  if (a.opaque) return opaque(*a.opaque, extra);
  if (a.text[0] == '$') {
    const std::size_t i = std::stoul(a.text.substr(1));
    if (i >= extra.size()) throw InternalError("code generation: no operand for " + a.text);
    return b_.CreateSExt(extra[i], extra[i]->getType()->getWithNewBitWidth(64));
  }
  const auto it = variables_.find(a.text);
  return it != variables_.end() ? it->second : symbol_(a.text);
}

// Divisions round towards minus infinity, whatever the sign; powers of two need none for that.
Value* IndexEmitter::opaque(const Dim::Opaque& o, Values extra) {
  const Linear argument = emit(o.argument, extra);
  const bool lanes = !argument.scalar();
  Value* x = lanes ? vector(argument) : base(argument);
  const auto whole = [&](std::int64_t n) { return llvm::ConstantInt::getSigned(x->getType(), n); };
  const bool quotient = o.kind == Dim::Opaque::Kind::kFloorDiv;
  Value* result = nullptr;
  if (o.kind == Dim::Opaque::Kind::kMin) {
    result = b_.CreateSelect(b_.CreateICmpSLT(x, whole(o.divisor)), x, whole(o.divisor));
  } else if (const auto c = static_cast<std::uint64_t>(o.divisor); std::has_single_bit(c)) {
    result = quotient ? b_.CreateAShr(x, whole(std::countr_zero(c))) : b_.CreateAnd(x, whole(o.divisor - 1));
  } else {
    Value* q = b_.CreateSDiv(x, whole(o.divisor));
    Value* r = b_.CreateSub(x, b_.CreateMul(q, whole(o.divisor)));
    Value* negative = b_.CreateICmpSLT(r, whole(0));
    result = quotient ? b_.CreateSelect(negative, b_.CreateSub(q, whole(1)), q)
                      : b_.CreateSelect(negative, b_.CreateAdd(r, whole(o.divisor)), r);
  }
  return result;
}

Linear IndexEmitter::offset(const std::vector<Dim>& extents, const ir::Index& index, Values extra) {
  if (index.size() != extents.size()) {
    if (index.size() != 1) throw InternalError("code generation: an index of another rank than its buffer");
    return emit(index[0], extra);
  }
  // Products are multiplied out, so that constants of all axes meet in one.
  Linear sum;
  if (std::all_of(extents.begin() + (extents.empty() ? 0 : 1), extents.end(),
                  [](const Dim& d) { return d.is_constant(); })) {
    std::int64_t scale = 1;
    for (std::size_t axis = index.size(); axis-- > 0;) {
      add_terms(sum, index[axis], scale, extra);
      if (axis) scale *= extents[axis].constant();
    }
    return sum;
  }
  Dim scale(1), all;
  for (std::size_t axis = index.size(); axis-- > 0;) {
    all += index[axis] * scale;
    if (axis) scale *= extents[axis];
  }
  return emit(all, extra);
}

}  // namespace gcompile::codegen
