// rng_bits: random bits as a function of a key and of where an element is, without hidden state: Threefry-2x32 with 20
// rounds (J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011).
// Element i in row-major order of `dims` is one word of the block whose counter is `first` + i, modulo 2^64: so it has
// the same bits whatever is computed with it, before it or beside it. In kernels i is an i32, so there are less than
// 2^31 elements to a key.
#include <array>

#include "gcompile/ir/ops/batch.h"
#include "gcompile/ir/ops/errors.h"
#include "gcompile/ir/ops/eval.h"
#include "gcompile/ir/ops/families.h"
#include "gcompile/ir/ops/infer.h"
#include "gcompile/ir/ops/rules.h"

namespace gcompile::ir {
namespace {

std::vector<Type> infer_rng_bits(const InferContext& c) {
  only_attributes(c, {"dims", "word"});
  admit_dtype(c);
  same_operands(c);
  const Type& key = c.operands[0];
  if (key.rank() == 0 || !key.dims.back().is(2)) c.fail("a key is u32[2], perhaps with axes before, got " + key.str());
  const auto word = attribute<std::int64_t>(c, "word");
  if (word != 0 && word != 1) c.fail("word " + std::to_string(word) + " of a block of two");
  const Dims& dims = attribute<Dims>(c, "dims");
  check_dims(c, dims);
  Dim size = 1;
  for (const Dim& d : dims) size = size * d;
  if (size.is_constant() && size.constant() >= std::int64_t{1} << 31)
    c.fail(size.str() + " elements are more than a key is for, 2147483647; use several keys");
  Type t{DType::kU32, {key.dims.begin(), key.dims.end() - 1}};
  t.dims.insert(t.dims.end(), dims.begin(), dims.end());
  check_dims(c, t.dims);
  return {t};
}

// ---- the reference

using Word = std::uint32_t;

std::array<Word, 2> threefry(std::array<Word, 2> key, std::array<Word, 2> x) {
  constexpr int kLeft[] = {13, 15, 26, 6, 17, 29, 16, 24};
  const Word words[] = {key[0], key[1], key[0] ^ key[1] ^ 0x1BD11BDAu};
  x = {x[0] + words[0], x[1] + words[1]};
  for (int round = 0; round < 20; ++round) {
    const int left = kLeft[round % 8];
    x[0] += x[1];
    x[1] = (x[1] << left | x[1] >> (32 - left)) ^ x[0];
    if (round % 4 != 3) continue;
    const auto s = static_cast<Word>(round / 4 + 1);
    x[0] += words[s % 3];
    x[1] += words[(s + 1) % 3] + s;
  }
  return x;
}

std::vector<Array> eval_rng_bits(const EvalContext& c) {
  Array out = Array::uninitialized(DType::kU32, c.shape());
  const auto keys = c.operands[0].data<Word>(), first = c.operands[1].data<Word>();
  const auto word = static_cast<std::size_t>(c.node.attrs.get<std::int64_t>("word"));
  const std::size_t count = keys.size() / 2;
  if (count == 0) return {out};
  const auto each = static_cast<std::uint64_t>(out.size()) / count;
  auto to = out.mutable_data<Word>();
  for (std::size_t k = 0; k < count; ++k)
    for (std::uint64_t i = 0; i < each; ++i) {
      const std::uint64_t counter = (std::uint64_t{first[2 * k + 1]} << 32 | first[2 * k]) + i;
      to[k * each + i] = threefry({keys[2 * k], keys[2 * k + 1]},
                                  {static_cast<Word>(counter), static_cast<Word>(counter >> 32)})[word];
    }
  return {out};
}

// ---- the lowering: rounds in groups of four, each followed by the next pair of the three words of the key

struct U32 {
  ElementContext* e;
  Expr x;
};
U32 number(const U32& like, std::int64_t n) { return {like.e, like.e->literal(DType::kU32, static_cast<double>(n))}; }
U32 apply(const char* op, const U32& a, const U32& b) { return {a.e, a.e->op(op, {a.x, b.x})}; }
U32 operator+(const U32& a, const U32& b) { return apply("add", a, b); }
U32 operator^(const U32& a, const U32& b) { return apply("bit_xor", a, b); }
U32 rotate(const U32& a, int n) {
  return apply("bit_or", apply("shl", a, number(a, n)), apply("lshr", a, number(a, 32 - n)));
}

Expr lower_rng_bits(ElementContext& e, const Node& n, const Index& at) {
  const auto keys = static_cast<std::ptrdiff_t>(n.operands[0].type().dims.size()) - 1;
  const auto operand = [&](std::size_t o, std::int64_t word) -> U32 {
    Index index(at.begin(), at.begin() + keys);
    index.emplace_back(word);
    return {&e, e.element(n.operands[o], index)};
  };
  const Dims& dims = n.attrs.dims("dims");
  Dim position = 0;
  for (std::size_t a = 0; a < dims.size(); ++a) position = position * dims[a] + at[a + static_cast<std::size_t>(keys)];

  const U32 i{&e, e.cast(e.index(position), DType::kU32)};
  const U32 first = operand(1, 0), low = first + i;
  const U32 carry{&e, e.cast(e.op("lt", {low.x, first.x}), DType::kU32)};
  const U32 k0 = operand(0, 0), k1 = operand(0, 1), k2 = k0 ^ k1 ^ number(k0, 0x1BD11BDA);
  const U32 words[3] = {k0, k1, k2};
  constexpr int kRotations[2][4] = {{13, 15, 26, 6}, {17, 29, 16, 24}};

  U32 x0 = low + k0, x1 = operand(1, 1) + carry + k1;
  for (int group = 0; group < 5; ++group) {
    for (const int left : kRotations[group % 2]) {
      x0 = x0 + x1;
      x1 = rotate(x1, left) ^ x0;
    }
    x0 = x0 + words[(group + 1) % 3];
    x1 = x1 + (words[(group + 2) % 3] + number(k0, group + 1));
  }
  return n.attrs.get<std::int64_t>("word") == 0 ? x0.x : x1.x;
}

// The axes before the two words of a key come first in the result too.
AxisMap rng_bits_axes(const Node& n) {
  AxisMap map;
  for (int o = 0; o < 2; ++o)
    for (int a = 0; a + 1 < n.operands[0].type().rank(); ++a) map.related.push_back({o, a, a});
  return map;
}

}  // namespace

std::vector<OpDef> random_ops() {
  return {
      {.name = "rng_bits",
       .arity = 2,
       .traits = 0,
       .infer = infer_rng_bits,
       .eval = eval_rng_bits,
       .lower = CustomLowering{lower_rng_bits},
       .needs = [](const Node& n) -> std::vector<Need> {
         return {{Dim((std::int64_t{1} << 31) - 1) - product(n.attrs.dims("dims")), 0,
                  n.types[0].str() + " is more than a key is for; use several keys"}};
       },
       .axes = rng_bits_axes,
       .batch = [](BatchContext& c) -> Values {
         return {c.b.make(*c.node.op, {c.operand(0), c.operand(1)}, c.node.attrs)};
       },
       .dtypes = {DType::kU32},
       .tolerance = 0,
       .doc = "Random bits: of element i of dims, in row-major order, that word (0 or 1) of the Threefry-2x32-20 block "
              "at the counter first + i, modulo 2^64 (low word first), for every key.",
       .no_gradient = "bits do not change with their key; differentiate by what the samples are scaled with",
       .signature = "rng_bits(key: u32[B.., 2], first: u32[B.., 2]) {dims, word} -> u32[B.., dims]",
       .error = exact_error},
  };
}

}  // namespace gcompile::ir
