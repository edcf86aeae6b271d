// Digits of eight bits, from the lowest to the highest: each pass counts how often every digit is there, and so knows
// where the first element with it goes; elements with equal digits keep their order.
#include "gcompile/ir/ops/sorting.h"

namespace gcompile::ir {
namespace {

constexpr std::int64_t kBits = 8, kDigits = 1 << kBits;

// A key as bits that are ordered as it is.
Expr ordered_bits(const SortedLine& s, Expr given) {
  const Expr key = is_float16(s.e.dtype(given)) ? s.e.cast(given, DType::kF32) : given;
  const DType dtype = s.e.dtype(key), word = DType::kU32;
  const auto bits = [&](std::uint32_t x) { return s.number(x, word); };
  const Expr sign = bits(0x80000000);
  Expr made;
  if (is_float(dtype)) {
    const Expr zero = s.e.literal(dtype, 0);
    const Expr x = s.e.bitcast(s.select(s.op("eq", key, zero), zero, key), word);  // of two zeros none is the smaller
    made = s.op("bit_xor", x, s.select(s.op("eq", s.op("bit_and", x, sign), bits(0)), sign, bits(0xffffffff)));
  } else if (dtype == DType::kI32) {
    made = s.op("bit_xor", s.e.bitcast(key, word), sign);
  } else {
    made = s.e.cast(key, word);
  }
  if (s.descending) made = s.op("bit_xor", made, bits(0xffffffff));
  return is_float(dtype) ? s.select(s.op("eq", key, key), made, bits(0xffffffff)) : made;
}

}  // namespace

SortLine sort_by_digits(const SortedLine& s) {
  const int keys = s.loops.workspace(DType::kU32, s.size * Dim(2));
  const int places = s.loops.workspace(DType::kI32, s.size * Dim(2));
  const int counts = s.loops.workspace(DType::kI32, kDigits);
  return [=](const Index& at) {
    const Expr zero = s.number(0), one = s.number(1);
    LoopWriter& loops = s.loops;
    loops.loop(s.size, [&](const Dim& p) {
      loops.store(keys, p, {}, ordered_bits(s, s.key(at, p)));
      loops.store(places, p, {}, s.e.index(p));
    });
    loops.loop(32 / kBits, [&](const Dim& pass) {
      const Dim from = mod(pass, 2) * s.size, to = s.size - from;
      const Expr shift = s.e.cast(s.e.index(pass * Dim(kBits)), DType::kU32), mask = s.number(kDigits - 1, DType::kU32);
      const auto digit = [&](Expr key) {
        return s.e.cast(s.op("bit_and", s.op("lshr", key, shift), mask), DType::kI32);
      };
      loops.loop(kDigits, [&](const Dim& i) { loops.store(counts, i, {}, zero); });
      loops.loop(s.size, [&](const Dim& p) {
        const Expr d = digit(loops.load(keys, from + p, {}));
        loops.store(counts, Dim("$0"), {d}, s.op("add", loops.load(counts, Dim("$0"), {d}), one));
      });
      loops.carry(kDigits, {zero}, [&](const Dim& i, const std::vector<Expr>& sum) {
        const Expr here = loops.load(counts, i, {});
        loops.store(counts, i, {}, sum[0]);
        return std::vector<Expr>{s.op("add", sum[0], here)};
      });
      loops.loop(s.size, [&](const Dim& p) {
        const Expr key = loops.load(keys, from + p, {}), place = loops.load(places, from + p, {}), d = digit(key);
        const Expr next = loops.load(counts, Dim("$0"), {d});
        loops.store(keys, to + Dim("$0"), {next}, key);
        loops.store(places, to + Dim("$0"), {next}, place);
        loops.store(counts, Dim("$0"), {d}, s.op("add", next, one));
      });
    });
    s.store(at, places);
  };
}

}  // namespace gcompile::ir
