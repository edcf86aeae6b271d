// Keys and bits are what an op makes; every distribution is a composition of it.
#include "gcompile/frontend/random.h"

#include <cmath>
#include <numbers>

#include "gcompile/frontend/functions.h"
#include "gcompile/frontend/making.h"
#include "gcompile/frontend/ordering.h"

namespace gcompile {
namespace random {
namespace {

// The upper half of the counters that a use of a key reads, so that no two uses share a block of bits.
constexpr std::uint32_t kSamples = 0, kMoreSamples = 1, kSplit = 0x80000000u, kFoldIn = 0x80000001u;

const Type kKey{DType::kU32, {Dim(2)}};

Array words(std::uint32_t low, std::uint32_t high) {
  Array a(DType::kU32, {2});
  a.set_integer(0, low);
  a.set_integer(1, high);
  return a;
}

ir::V checked_key(const Making& making, const Tensor& key) {
  const ir::V v = making.value(key);
  if (v.type() != kKey)
    making.fail("a key is u32[2], as gc::random::key, split and fold_in make it, not " + v.type().str() +
                    "; for several keys use gc::vmap, or gc::random::each_key",
                {{"key", key}});
  return v;
}

ir::V block_word(const Making& making, ir::V key, ir::V first, const std::vector<Dim>& dims, std::int64_t word) {
  return {&making.builder(), making.builder().make("rng_bits", {key, first}, {{"dims", dims}, {"word", word}})};
}

// Both words of the blocks of a use: 64 bits for every element.
struct Words {
  Tensor low, high;
};
Words draw(const Making& making, const Tensor& key, const std::vector<Dim>& dims, std::uint32_t use) {
  const ir::V k = checked_key(making, key);
  making.require_extents(dims);
  const ir::V first{&making.builder(), making.builder().constant(words(0, use))};
  return {making.tensor(block_word(making, k, first, dims, 0)), making.tensor(block_word(making, k, first, dims, 1))};
}

Tensor keys_of(const Words& w) { return stack({w.low, w.high}, -1); }

// The upper 24 bits of a word as an f32. It is an i32 in between, which processors convert at once.
Tensor upper(const Tensor& word, int bits) {
  return cast(cast(shift_right(word, 32 - bits), DType::kI32), DType::kF32);
}
// The upper bits of two words as an f64: 32 of the high one, `bits` - 32 of the low one.
Tensor upper(const Words& w, int bits) {
  return cast(w.high, DType::kF64) * std::exp2(bits - 32) + cast(shift_right(w.low, 64 - bits), DType::kF64);
}

// In [0, 1), in steps of 2^-24, 2^-53, or as fine as 16 bits hold exactly.
Tensor unit(const Making& making, const Tensor& key, const std::vector<Dim>& dims, DType dtype,
            std::uint32_t use = kSamples) {
  const Words w = draw(making, key, dims, use);
  if (dtype == DType::kF64) return upper(w, 53) * 0x1p-53;
  const int digits = dtype == DType::kF32 ? 24 : dtype == DType::kF16 ? 11 : 8;
  return cast(upper(w.low, digits) * std::exp2(-digits), dtype);
}

// Not so of a NaN.
bool is_within(double x, double low, double high) { return x >= low && x <= high; }

void require_float(const Making& making, DType dtype) {
  if (!is_float(dtype)) making.fail("makes floats, not " + std::string(name(dtype)));
}

// What samples of a dtype are computed in.
DType computed_in(DType dtype) { return dtype == DType::kF64 ? dtype : DType::kF32; }

// The largest number of a float dtype below another one.
double next_below(DType dtype, double to) {
  if (dtype == DType::kF64) return std::nextafter(to, -HUGE_VAL);
  if (dtype == DType::kF32) return double{std::nextafter(static_cast<float>(to), -HUGE_VALF)};
  const auto below = [](auto x) {
    const int step = x > 0 ? -1 : 1;  // of the bits: a sign and a size
    return double{float{decltype(x)::from_bits(static_cast<std::uint16_t>(x == 0 ? 0x8001 : x.bits() + step))}};
  };
  const auto rounded = static_cast<float>(to);
  return dtype == DType::kF16 ? below(half(rounded)) : below(bfloat16(rounded));
}

// A parameter of a distribution as a tensor of the dtype that has the shape of the samples.
Tensor parameter(const Making& making, const std::string& what, const Operand& p, DType dtype,
                 const std::vector<Dim>& dims) {
  const Type wanted{dtype, dims};
  if (p.is_number()) return p.as(wanted);
  const ir::V v = making.value(p.tensor());
  if (v.type().dtype != dtype)
    making.fail(what + " is " + v.type().str() + ", the samples " + wanted.str() + ": cast one of them",
                {{what, p.tensor()}});
  const auto together = broadcast_dims(v.type().dims, dims);
  if (!together || *together != dims)
    making.fail(what + ", " + v.type().str() + ", does not broadcast to the samples, " + wanted.str(),
                {{what, p.tensor()}});
  return making.tensor(broadcast_value(v, dims));
}

}  // namespace

Tensor key(std::uint64_t seed, Where where) {
  return key(RandomKey{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)}, where);
}
Tensor key(RandomKey k, Where where) { return constant(words(k.k0, k.k1), where); }
Tensor key(const Tensor& given, Where where) {
  const Making making("random::key", where);
  return making.tensor(checked_key(making, given));
}

Tensor split(const Tensor& key, const Dim& n, Where where) {
  const Making making("random::split", where);
  const LocationScope scope(where);
  if (n.is_constant() && n.constant() < 0) making.fail("a key is split in " + n.str());
  return keys_of(draw(making, key, {n}, kSplit));
}

std::vector<Tensor> each_key(const Tensor& keys, Where where) {
  const Making making("random::each_key", where);
  const LocationScope scope(where);
  const Type& type = making.value(keys).type();
  if (type.dtype != DType::kU32 || type.rank() != 2 || !type.dims[1].is(2) || !type.dims[0].is_constant())
    making.fail("takes keys, u32[n,2] with a constant n, not " + type.str(), {{"keys", keys}});
  std::vector<Tensor> list;
  for (std::int64_t i = 0; i < type.dims[0].constant(); ++i) list.push_back(squeeze(slice(keys, 0, i, Dim(i + 1)), 0));
  return list;
}

Tensor fold_in(const Tensor& key, const Operand& data, Where where) {
  const Making making("random::fold_in", where);
  const LocationScope scope(where);
  const ir::V k = checked_key(making, key);
  if (data.is_number()) making.require_integer(data, DType::kU32, "the number that is folded in");
  if (!data.is_number() && !is_integer(making.value(data.tensor()).type().dtype))
    making.fail("the number that is folded in must be an integer, not " + making.value(data.tensor()).type().str(),
                {{"data", data.tensor()}});
  const Tensor low = cast(data.as(Type{DType::kU32, {}}), DType::kU32);
  const std::vector<Dim> dims = making.value(low).type().dims;
  std::vector<Dim> each = dims;
  each.emplace_back(2);
  const Tensor first = stack({low, full(dims, kFoldIn, DType::kU32)}, -1);
  const ir::V ks = broadcast_value(k, each), begin = making.value(first);
  return keys_of(
      {making.tensor(block_word(making, ks, begin, {}, 0)), making.tensor(block_word(making, ks, begin, {}, 1))});
}

Tensor bits(const Tensor& key, const std::vector<Dim>& dims, Where where) {
  const Making making("random::bits", where);
  return draw(making, key, dims, kSamples).low;
}

Tensor uniform(const Tensor& key, const std::vector<Dim>& dims, const Operand& low, const Operand& high, DType dtype,
               Where where) {
  const Making making("random::uniform", where);
  const LocationScope scope(where);
  require_float(making, dtype);
  const Tensor u = unit(making, key, dims, dtype);
  if (!low.is_number() || !high.is_number()) {
    const Tensor from = parameter(making, "low", low, dtype, dims);
    return from + (parameter(making, "high", high, dtype, dims) - from) * u;
  }
  const double from = low.number(), to = high.number();
  if (!std::isfinite(from) || !std::isfinite(to) || !(from <= to))
    making.fail("the range from " + std::to_string(from) + " to " + std::to_string(to) + " must be finite and ascend");
  const auto held = [&](double x) { return std::isfinite(Array::full(dtype, Shape{}, x).item()); };
  if (!held(from) || !held(to) || !held(to - from))
    making.fail("the range from " + std::to_string(from) + " to " + std::to_string(to) + " is wider than " +
                std::string(name(dtype)) + " holds: scale samples of a narrower one");
  if (from == 0) return to == 1 ? u : u * to;
  // Rounding would reach the upper end where u is nearly 1.
  return minimum(u * (to - from) + from, next_below(dtype, to));
}

// Box and Muller (1958): the angle and the distance from 0 of a point of two such numbers are independent.
Tensor normal(const Tensor& key, const std::vector<Dim>& dims, DType made, Where where) {
  const Making making("random::normal", where);
  const LocationScope scope(where);
  require_float(making, made);
  const DType dtype = computed_in(made);
  Tensor distance, turn;  // in (0, 1] and in [0, 1)
  if (dtype == DType::kF32) {
    const Words w = draw(making, key, dims, kSamples);
    distance = (upper(w.low, 24) + 1) * 0x1p-24;
    turn = upper(w.high, 24) * 0x1p-24;
  } else {
    distance = unit(making, key, dims, dtype) + 0x1p-53;
    turn = unit(making, key, dims, dtype, kMoreSamples);
  }
  return cast(sqrt(log(distance) * -2) * cos(turn * (2 * std::numbers::pi)), made);
}

Tensor gumbel(const Tensor& key, const std::vector<Dim>& dims, DType dtype, Where where) {
  const Making making("random::gumbel", where);
  const LocationScope scope(where);
  require_float(making, dtype);
  const Words w = draw(making, key, dims, kSamples);
  const Tensor u = dtype == DType::kF64 ? (upper(w, 52) + 0.5) * 0x1p-52 : (upper(w.low, 23) + 0.5) * 0x1p-23;
  return cast(-log(-log(u)), dtype);
}

Tensor bernoulli(const Tensor& key, const Operand& p, const std::vector<Dim>& dims, Where where) {
  const Making making("random::bernoulli", where);
  const LocationScope scope(where);
  if (p.is_number() && !is_within(p.number(), 0, 1))
    making.fail("the probability " + std::to_string(p.number()) + " is not in 0 .. 1");
  const DType given = p.is_number() ? DType::kF32 : making.value(p.tensor()).type().dtype, dtype = computed_in(given);
  if (!is_float(given))
    making.fail("a probability is a float, not " + making.value(p.tensor()).type().str(), {{"p", p.tensor()}});
  return unit(making, key, dims, dtype) < cast(parameter(making, "p", p, given, dims), dtype);
}

Tensor permutation(const Tensor& key, const Dim& count, Where where) {
  const Making making("random::permutation", where);
  const LocationScope scope(where);
  return argsort(draw(making, key, {count}, kSamples).low, 0, false, where);
}

namespace {

Tensor upper_half(const Tensor& x) { return bit_and(shift_right(x, 32), 0xffffffff); }

// What is above 64 bits of a random 64-bit number times a range, an i64 that stands for an unsigned one. The product is
// made of such of two halves, of which none wraps around.
Tensor share_of(const Words& w, const Tensor& range, bool is_wide) {
  const Tensor high = cast(w.high, DType::kI64), low = cast(w.low, DType::kI64);
  if (!is_wide) return upper_half(high * range + upper_half(low * range));
  const auto lower_half = [](const Tensor& x) { return bit_and(x, 0xffffffff); };
  const Tensor above = upper_half(range), below = lower_half(range);
  const Tensor crossed = high * below, other = low * above;
  const Tensor carried = lower_half(crossed) + lower_half(other) + upper_half(low * below);
  return high * above + upper_half(crossed) + upper_half(other) + upper_half(carried);
}

}  // namespace

// A 64-bit number times the range, of which what is above 64 bits is kept: an integer's probability is off by less than
// range / 2^64 of itself.
Tensor randint(const Tensor& key, const std::vector<Dim>& dims, const Operand& low, const Operand& high, DType dtype,
               Where where) {
  const Making making("random::randint", where);
  const LocationScope scope(where);
  if (!is_integer(dtype)) making.fail("makes integers, not " + std::string(name(dtype)));
  const IntegerRange held = range_of(dtype);
  const bool is_wide = dtype == DType::kI64;
  const auto bound = [&](const std::string& what, const Operand& p, std::int64_t past) {
    const DType wide = DType::kI64;
    if (!p.is_number()) return cast(parameter(making, what, p, dtype, dims), wide);
    if (p.weak_number().written_as_float()) making.require_integer(p, dtype, what);
    if (!is_within(p.number(), static_cast<double>(held.min + past), static_cast<double>(held.max + past)))
      making.fail(what + " is " + std::to_string(p.number()) + ", for integers of " + std::string(name(dtype)) +
                  " it is in " + std::to_string(held.min + past) + " .. " + std::to_string(held.max + past));
    return p.as(Type{wide, dims});
  };
  const Tensor from = bound("low", low, 0), to = bound("high", high, is_wide ? 0 : 1);
  if (low.is_number() && high.is_number() && !(low.number() < high.number()))
    making.fail("there are no integers from " + low.weak_number().str() + " to below " + high.weak_number().str());
  const Tensor range = is_wide ? gcompile::where(to > from, to - from, 1) : maximum(to - from, 1);
  return cast(from + share_of(draw(making, key, dims, kSamples), range, is_wide), dtype);
}

// E. J. Gumbel, 1954: the largest of logits with such noise is each with its probability.
Tensor categorical(const Tensor& key, const Tensor& logits, int axis, Where where) {
  const Making making("random::categorical", where);
  const LocationScope scope(where);
  const Type& type = making.value(logits).type();
  if (!is_float(type.dtype)) making.fail("logits are floats, not " + type.str(), {{"logits", logits}});
  making.axis(axis, logits);
  checked_key(making, key);
  const DType dtype = computed_in(type.dtype);
  return argmax(cast(logits, dtype) + gumbel(key, type.dims, dtype), axis);
}

}  // namespace random

Tensor dropout(const Tensor& x, double rate, const Tensor& key, Where line) {
  const Making making("dropout", line);
  const LocationScope scope(line);
  const bool is_share = rate >= 0 && rate < 1;
  if (!is_share) making.fail("the rate " + std::to_string(rate) + " is not in [0, 1)");
  const Type& type = making.value(x).type();
  if (!is_float(type.dtype)) making.fail("is for floats, not for " + type.str(), {{"operand", x}});
  random::checked_key(making, key);
  if (rate == 0) return x;
  return where(random::bernoulli(key, 1 - rate, type.dims), x * (1 / (1 - rate)), 0);
}

}  // namespace gcompile
