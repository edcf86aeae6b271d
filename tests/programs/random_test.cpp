// Random numbers of the DSL: the same bits however they are computed, the right distributions, keys that differ, in
// gradients, loops and batches; dropout, alone and as a module.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "gcompile/codegen/compile.h"
#include "gcompile/gcompile.h"
#include "tests/unit/temp_dir.h"

namespace gcompile {
namespace {

using testing::message_of;
namespace rnd = random;

// Every distribution once, of keys of its own.
std::array<Tensor, 7> samples(const Tensor& key, const Dim& n) {
  const auto k = rnd::split<7>(key);
  return {rnd::bits(k[0], {n, 3}),
          rnd::uniform(k[1], {n, 5}, -2, 3),
          rnd::normal(k[2], {n}),
          cast(rnd::bernoulli(k[3], 0.3, {n, 2}), DType::kI32),
          rnd::randint(k[4], {3, n}, -7, 12),
          rnd::categorical(k[5], rnd::normal(rnd::fold_in(k[5], 1), {n, 4})),
          rnd::normal(k[6], {n, 2}, DType::kF64)};
}
std::array<Array, 7> sampled(const JitOptions& options, std::int64_t n, bool symbolic) {
  const Array key{std::uint32_t{12}, std::uint32_t{34}}, like(DType::kF32, {n});
  const auto body = [](Tensor k, Tensor x) { return samples(k, x.dim(0)); };
  if (!symbolic) return compile(body, {u32(2), f32(n)}, options)(key, like);
  return compile(body, {u32(2), f32(Dim("N"))}, options)(key, like);
}

TEST(Random, TheSameBitsForAnyExtentsThreadsAndVectors) {
  for (const std::int64_t n : {1, 700}) {
    const auto wanted = sampled({.target = "x86-64-v3", .threads = 1}, n, true);
    const auto expect_same = [&](const JitOptions& options, bool symbolic) {
      if (!codegen::runs_here(codegen::target_named(options.target), nullptr)) return;
      const auto found = sampled(options, n, symbolic);
      for (std::size_t i = 0; i < wanted.size(); ++i)
        EXPECT_TRUE(same_bits(found[i], wanted[i])) << "sample " << i << " of " << n << ", " << options.target;
    };
    expect_same({.target = "x86-64-v3", .threads = 3}, true);
    expect_same({.target = "x86-64-v3", .threads = 2}, false);
    expect_same({.target = "x86-64-v4", .threads = 1}, true);
    expect_same({.target = "x86-64-v4", .threads = 3}, false);
    // Without fma roundings differ, but not what is made of integers alone.
    const auto found = sampled({.target = "x86-64", .threads = 2}, n, false);
    for (const std::size_t i : {0, 3, 4}) EXPECT_TRUE(same_bits(found[i], wanted[i])) << "sample " << i;
  }
}

TEST(Random, APermutationHasEveryNumberOnce) {
  auto f = compile(
      [](Tensor k) { return outputs(rnd::permutation(k, 100), rnd::permutation(rnd::fold_in(k, 1), 100)); }, {u32(2)});
  const auto [a, b] = f(Array{std::uint32_t{1}, std::uint32_t{2}});
  std::set<std::int64_t> seen;
  std::int64_t kept = 0;
  for (std::int64_t i = 0; i < a.size(); ++i) {
    seen.insert(a.at_integer(i));
    kept += a.at_integer(i) == i;
  }
  EXPECT_EQ(seen.size(), 100u);
  EXPECT_EQ(*seen.begin(), 0);
  EXPECT_EQ(*seen.rbegin(), 99);
  EXPECT_LT(kept, 10);
  EXPECT_FALSE(same_bits(a, b));
}

// What is computed beside a sample, or of it, changes nothing.
TEST(Random, TheSameBitsFusedOrAlone) {
  Array x(DType::kF32, {50, 20}), w(DType::kF32, {20, 8});
  for (std::int64_t i = 0; i < x.size(); ++i) x.set(i, 0.001 * static_cast<double>(i));
  for (std::int64_t i = 0; i < w.size(); ++i) w.set(i, 1);
  auto alone = jit([] { return rnd::uniform(rnd::key(7), {50, 20}); });
  auto fused = jit([](Tensor a, Tensor b) {
    const Tensor u = rnd::uniform(rnd::key(7), {50, 20});
    return outputs(u, sum(u * a, 1), softmax(u + a), matmul(u, b));
  });
  const Array u = alone();
  const auto results = fused(x, w);
  EXPECT_TRUE(same_bits(results[0], u));
  for (std::int64_t i = 0; i < 50; ++i) {
    double sum = 0;
    for (std::int64_t k = 0; k < 20; ++k) sum += u.at(20 * i + k);
    EXPECT_NEAR(results[3].at(8 * i), sum, 1e-5);
  }
}

TEST(Random, UniformIsWhatTheRuntimeMakesOfTheSameBits) {
  auto f = jit([] {
    return outputs(rnd::bits(rnd::key(RandomKey{5, 6}), {99}), rnd::uniform(rnd::key(RandomKey{5, 6}), {99}));
  });
  const auto [bits, u] = f();
  for (std::size_t i = 0; i < 99; ++i) {
    const std::uint32_t word = threefry2x32({5, 6}, std::uint64_t{i})[0];
    EXPECT_EQ(bits.data<std::uint32_t>()[i], word);
    EXPECT_EQ(u.data<float>()[i], uniform01(word));
  }
  auto folded = jit([](Tensor data) { return rnd::fold_in(rnd::key(std::uint64_t{9} << 32 | 8), data); });
  const RandomKey of = fold_in(RandomKey{8, 9}, std::uint64_t{0x80000001} << 32 | 77);
  EXPECT_TRUE(same_bits(folded(Array(77)), Array({of.k0, of.k1})));
}

constexpr std::int64_t kMany = 100'000;

struct Moments {
  double mean = 0, variance = 0, third = 0, fourth = 0;
  explicit Moments(const Array& a) {
    const auto n = static_cast<double>(a.size());
    for (std::int64_t i = 0; i < a.size(); ++i) mean += a.at(i) / n;
    for (std::int64_t i = 0; i < a.size(); ++i) {
      const double d = a.at(i) - mean;
      variance += d * d / n;
      third += d * d * d / n;
      fourth += d * d * d * d / n;
    }
  }
};

// The chi-square statistic of counts that should be equal, in standard deviations from its mean.
double deviation(const std::vector<std::int64_t>& counts) {
  double total = 0, statistic = 0;
  for (const auto c : counts) total += static_cast<double>(c);
  const double wanted = total / static_cast<double>(counts.size()), freedom = static_cast<double>(counts.size()) - 1;
  for (const auto c : counts)
    statistic += (static_cast<double>(c) - wanted) * (static_cast<double>(c) - wanted) / wanted;
  return (statistic - freedom) / std::sqrt(2 * freedom);
}

TEST(Random, UniformIsEvenlySpread) {
  for (const DType dtype : {DType::kF32, DType::kF64}) {
    auto f = jit([=] { return rnd::uniform(rnd::key(1), {kMany}, 0, 1, dtype); });
    const Array u = f();
    std::vector<std::int64_t> counts(1000), pairs(100);
    for (std::int64_t i = 0; i < kMany; ++i) {
      ASSERT_GE(u.at(i), 0);
      ASSERT_LT(u.at(i), 1);
      ++counts[static_cast<std::size_t>(u.at(i) * 1000)];
      if (i % 2) ++pairs[static_cast<std::size_t>(u.at(i) * 10) * 10 + static_cast<std::size_t>(u.at(i - 1) * 10)];
    }
    EXPECT_LT(std::abs(deviation(counts)), 4);
    EXPECT_LT(std::abs(deviation(pairs)), 4);
    const Moments m(u);
    EXPECT_NEAR(m.mean, 0.5, 0.004);
    EXPECT_NEAR(m.variance, 1.0 / 12, 0.001);
  }
}

// The normal distribution below x.
double below(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

TEST(Random, NormalIsNormal) {
  for (const DType dtype : {DType::kF32, DType::kF64}) {
    auto f = jit([=] { return rnd::normal(rnd::key(2), {kMany}, dtype); });
    const Array x = f();
    const Moments m(x);
    EXPECT_NEAR(m.mean, 0, 0.013);
    EXPECT_NEAR(m.variance, 1, 0.018);
    EXPECT_NEAR(m.third, 0, 0.05);
    EXPECT_NEAR(m.fourth, 3, 0.13);
    std::vector<std::int64_t> counts(200);
    for (std::int64_t i = 0; i < kMany; ++i)
      ++counts[std::min<std::size_t>(199, static_cast<std::size_t>(below(x.at(i)) * 200))];
    EXPECT_LT(std::abs(deviation(counts)), 4);
  }
}

TEST(Random, IntegersAreEvenlySpread) {
  auto f = jit([] {
    const auto k = rnd::split<4>(rnd::key(3));
    return outputs(rnd::randint(k[0], {kMany}, -3, 8), rnd::randint(k[1], {kMany}, 0, 256, DType::kU8),
                   rnd::randint(k[2], {kMany}, 0, 4294967296, DType::kU32),
                   rnd::randint(k[3], {kMany}, -2147483648LL, 2147483648LL));
  });
  const auto [small, bytes, words, all] = f();
  std::vector<std::int64_t> counts(11), values(256), upper(256), signed_upper(256);
  for (std::int64_t i = 0; i < kMany; ++i) {
    ASSERT_GE(small.at_integer(i), -3);
    ASSERT_LT(small.at_integer(i), 8);
    ++counts[static_cast<std::size_t>(small.at_integer(i) + 3)];
    ++values[static_cast<std::size_t>(bytes.at_integer(i))];
    ++upper[static_cast<std::size_t>(words.at_integer(i) >> 24)];
    ++signed_upper[static_cast<std::size_t>((all.at_integer(i) + 2147483648LL) >> 24)];
  }
  for (const auto& c : {counts, values, upper, signed_upper}) EXPECT_LT(std::abs(deviation(c)), 4);
  auto bounds = jit([](Tensor low, Tensor high) { return rnd::randint(rnd::key(4), {500, 3}, low, high); });
  const Array x = bounds(Array{-5, 0, 9}, Array{-3, 100, 9});
  std::set<std::int64_t> first, second, third;
  for (std::int64_t i = 0; i < 500; ++i) {
    first.insert(x.at_integer(3 * i));
    second.insert(x.at_integer(3 * i + 1));
    third.insert(x.at_integer(3 * i + 2));
  }
  EXPECT_EQ(first, (std::set<std::int64_t>{-5, -4}));
  EXPECT_GT(second.size(), 90u);
  EXPECT_GE(*second.begin(), 0);
  EXPECT_LT(*second.rbegin(), 100);
  EXPECT_EQ(third, (std::set<std::int64_t>{9}));  // there are none below 9
}

// Bounds of 64 bits: the range itself has as many, and no product may lose what is above them.
TEST(Random, IntegersOf64BitsAreEvenlySpread) {
  constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min(), kMost = -(kLeast + 1);
  auto f = jit([](Tensor low, Tensor high) { return rnd::randint(rnd::key(6), {kMany}, low, high, DType::kI64); });
  const auto drawn = [&](std::int64_t low, std::int64_t high) {
    Array from(DType::kI64, {}), to(DType::kI64, {});
    from.set_integer(0, low);
    to.set_integer(0, high);
    return f(from, to);
  };
  std::vector<std::int64_t> all(256), small(7), wide(256);
  const Array x = drawn(kLeast, kMost), y = drawn(kMost - 7, kMost), z = drawn(-3, (std::int64_t{1} << 40) - 3);
  for (std::int64_t i = 0; i < kMany; ++i) {
    ++all[static_cast<std::size_t>((x.at_integer(i) >> 56) + 128)];
    ASSERT_GE(y.at_integer(i), kMost - 7);
    ASSERT_LT(y.at_integer(i), kMost);
    ++small[static_cast<std::size_t>(y.at_integer(i) - (kMost - 7))];
    ASSERT_GE(z.at_integer(i), -3);
    ASSERT_LT(z.at_integer(i), (std::int64_t{1} << 40) - 3);
    ++wide[static_cast<std::size_t>((z.at_integer(i) + 3) >> 32)];
  }
  for (const auto& c : {all, small, wide}) EXPECT_LT(std::abs(deviation(c)), 4);
  EXPECT_EQ(drawn(5, 5).at_integer(kMany - 1), 5);
  EXPECT_EQ(drawn(kMost, kLeast).at_integer(0), kMost);
  // The same bits as those of 32, where these hold the range.
  auto both = jit([] {
    return outputs(rnd::randint(rnd::key(7), {100}, -9, 1000), rnd::randint(rnd::key(7), {100}, -9, 1000, DType::kI64));
  });
  const auto [narrow, same] = both();
  for (std::int64_t i = 0; i < 100; ++i) EXPECT_EQ(narrow.at_integer(i), same.at_integer(i));
}

TEST(Random, SixteenBitsHoldWhatIsDrawn) {
  for (const DType dtype : {DType::kBF16, DType::kF16}) {
    const int digits = dtype == DType::kBF16 ? 8 : 11;
    auto f = jit([=] {
      return outputs(rnd::uniform(rnd::key(1), {kMany}, 0, 1, dtype), rnd::uniform(rnd::key(1), {kMany}, -1, 3, dtype),
                     cast(rnd::normal(rnd::key(2), {kMany}), dtype), rnd::normal(rnd::key(2), {kMany}, dtype),
                     cast(rnd::gumbel(rnd::key(2), {kMany}), dtype), rnd::gumbel(rnd::key(2), {kMany}, dtype));
    });
    const auto [u, shifted, rounded, normal, noise, gumbel] = f();
    std::vector<std::int64_t> counts(std::size_t{1} << digits);
    double most = -1;
    for (std::int64_t i = 0; i < kMany; ++i) {
      ASSERT_LT(u.at(i), 1);
      ++counts.at(static_cast<std::size_t>(std::ldexp(u.at(i), digits)));
      most = std::max(most, shifted.at(i));
      ASSERT_GE(shifted.at(i), -1);
    }
    EXPECT_LT(std::abs(deviation(counts)), 4);
    EXPECT_EQ(most, 3 - std::ldexp(4.0, -digits));  // one step below the upper end
    EXPECT_TRUE(same_bits(rounded, normal));
    EXPECT_TRUE(same_bits(noise, gumbel));
    auto chosen = jit([=](Tensor p, Tensor logits) {
      return outputs(rnd::bernoulli(rnd::key(3), p, {64}), rnd::bernoulli(rnd::key(3), cast(p, DType::kF32), {64}),
                     rnd::categorical(rnd::key(4), logits), rnd::categorical(rnd::key(4), cast(logits, DType::kF32)));
    });
    const Array p = Array{0.25f}.reshaped({}).cast(dtype),
                logits = Array{{0.0f, 1.0f, 0.5f}, {2.0f, 0.0f, 1.0f}}.cast(dtype);
    const auto [a, b, c, d] = chosen(p, logits);
    EXPECT_TRUE(same_bits(a, b));
    EXPECT_TRUE(same_bits(c, d));
  }
}

TEST(Random, BernoulliAndCategoricalHaveTheirProbabilities) {
  auto f = jit([](Tensor p, Tensor logits) {
    const auto [a, b, c] = rnd::split<3>(rnd::key(5));
    const Tensor rows = broadcast_to(logits, {kMany, 4});
    return outputs(rnd::bernoulli(a, 0.2, {kMany}), rnd::bernoulli(b, p, {kMany, 3}), rnd::categorical(c, rows),
                   rnd::categorical(c, transpose(rows, {1, 0}), 0));
  });
  const std::vector<float> probabilities{0.1f, 0.2f, 0.3f, 0.4f};
  Array logits(DType::kF32, {4});
  for (std::int64_t i = 0; i < 4; ++i) logits.set(i, std::log(probabilities[static_cast<std::size_t>(i)]) + 5);
  const auto [one, three, rows, columns] = f(Array{0.0f, 0.5f, 1.0f}, logits);
  std::int64_t ones = 0, each[3] = {};
  std::vector<std::int64_t> drawn(4), drawn_columns(4);
  for (std::int64_t i = 0; i < kMany; ++i) {
    ones += one.at_integer(i);
    for (std::int64_t k = 0; k < 3; ++k) each[k] += three.at_integer(3 * i + k);
    ++drawn[static_cast<std::size_t>(rows.at_integer(i))];
    ++drawn_columns[static_cast<std::size_t>(columns.at_integer(i))];
  }
  const auto share = [](std::int64_t n) { return static_cast<double>(n) / kMany; };
  EXPECT_NEAR(share(ones), 0.2, 0.005);
  EXPECT_EQ(each[0], 0);
  EXPECT_NEAR(share(each[1]), 0.5, 0.007);
  EXPECT_EQ(each[2], kMany);
  for (std::size_t k = 0; k < 4; ++k) {
    EXPECT_NEAR(share(drawn[k]), probabilities[k], 0.007) << k;
    EXPECT_NEAR(share(drawn_columns[k]), probabilities[k], 0.007) << k;
  }
}

// No key that is made of one is another, and none shares blocks with its samples.
TEST(Random, KeysDiffer) {
  auto f = jit([] {
    const Tensor key = rnd::key(6);
    return outputs(rnd::split(key, 1000), rnd::fold_in(key, arange(1000)), rnd::bits(key, {1000}),
                   rnd::fold_in(rnd::fold_in(key, 3), arange(1000)), rnd::split(rnd::fold_in(key, 3), 1000));
  });
  const auto results = f();
  std::set<std::pair<std::int64_t, std::int64_t>> keys;
  std::set<std::int64_t> words;
  for (const std::size_t r : {0, 1, 3, 4})
    for (std::int64_t i = 0; i < 1000; ++i) {
      keys.emplace(results[r].at_integer(2 * i), results[r].at_integer(2 * i + 1));
      words.insert(results[r].at_integer(2 * i));
    }
  EXPECT_EQ(keys.size(), 4000u);
  for (std::int64_t i = 0; i < 1000; ++i) EXPECT_FALSE(words.count(results[2].at_integer(i)));
  auto one = jit([](Tensor i) { return rnd::fold_in(rnd::key(6), i); });
  EXPECT_EQ(one(Array(std::int64_t{(std::int64_t{1} << 32) + 5})).str(), one(Array(5)).str());
  EXPECT_EQ(one(Array(5)).at_integer(1), results[1].at_integer(11));
}

TEST(Random, GradientsFlowToParameters) {
  auto f = jit([](Tensor low, Tensor scale) {
    const Tensor key = rnd::key(7);
    const Tensor u = rnd::uniform(key, {64, 3}, low, low + 2 * scale);
    const Tensor x = rnd::normal(rnd::fold_in(key, 1), {64, 3});
    const auto g = grad(sum(u) + sum(x * scale), {low, scale});
    return outputs(g[0], g[1], sum(x, 0) + 2 * sum(rnd::uniform(key, {64, 3}), 0));
  });
  const auto [by_low, by_scale, wanted] = f(Array{1.0f, 2.0f, 3.0f}, Array{0.5f, 1.0f, 2.0f});
  for (std::int64_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(by_low.at(i), 64, 1e-4);
    EXPECT_NEAR(by_scale.at(i), wanted.at(i), 1e-4);
  }
}

// A member of a batch, and a step of a loop, draws what it draws alone.
TEST(Random, InBatchesAndLoops) {
  const auto one = [](Tensor key, Tensor x) {
    return rnd::normal(key, {5}) * x + rnd::uniform(rnd::fold_in(key, 3), {5});
  };
  auto batched = jit([=](Tensor x) { return vmap(one)(rnd::split(rnd::key(8), 4), x); });
  auto looped = jit([=](Tensor x) {
    return scan(
               [=](Tensor sum, Tensor key, Tensor row) {
                 const Tensor y = one(key, row);
                 return Step{{sum + y}, {y}};
               },
               std::vector<Tensor>{zeros({5})}, std::vector<Tensor>{rnd::split(rnd::key(8), 4), x})
        .stacked[0];
  });
  auto alone = jit([=](Tensor i, Tensor x) { return one(squeeze(take(rnd::split(rnd::key(8), 4), i), 0), x); });
  Array x(DType::kF32, {4, 5});
  for (std::int64_t i = 0; i < 20; ++i) x.set(i, 0.5 * static_cast<double>(i) - 3);
  const Array together = batched(x), steps = looped(x);
  for (std::int64_t i = 0; i < 4; ++i) {
    const Array y = alone(Array{static_cast<std::int32_t>(i)}, x.rows(i, i + 1).reshaped({5}));
    EXPECT_TRUE(same_bits(together.rows(i, i + 1).reshaped({5}), y));
    EXPECT_TRUE(same_bits(steps.rows(i, i + 1).reshaped({5}), y));
  }
}

// A key that is a carry, in a loop whose number of steps is not known.
TEST(Random, ARandomWalk) {
  State key("key", Array{std::uint32_t{1}, std::uint32_t{2}});
  auto walk = jit([&](Tensor steps) {
    const auto end = while_loop([&](Tensor i, Tensor, Tensor) { return i < steps; },
                                [](Tensor i, Tensor k, Tensor x) {
                                  const auto [next, now] = rnd::split<2>(k);
                                  return outputs(i + 1, next, x + rnd::normal(now, {}));
                                },
                                {constant(Array(0)), rnd::key(key), zeros({})});
    key.set(end[1]);
    return end[2];
  });
  const double first = walk(Array(100)).item(), second = walk(Array(100)).item();
  EXPECT_NE(first, second);
  key.assign(Array{std::uint32_t{1}, std::uint32_t{2}});
  EXPECT_EQ(walk(Array(100)).item(), first);
  key.assign(Array{std::uint32_t{1}, std::uint32_t{2}});
  walk(Array(60));
  walk(Array(40));
  const Array at_100 = key.value();
  key.assign(Array{std::uint32_t{1}, std::uint32_t{2}});
  walk(Array(100));
  EXPECT_TRUE(same_bits(key.value(), at_100));
}

TEST(Random, Errors) {
  const auto message = [](auto body) { return message_of<ModelError>([&] { jit(body)(); }); };
  EXPECT_NE(message([] { return rnd::bits(zeros({3}, DType::kU32), {2}); }).find("random_test.cpp"), std::string::npos);
  EXPECT_NE(message([] { return rnd::bits(zeros({3}, DType::kU32), {2}); }).find("a key is u32[2]"), std::string::npos);
  EXPECT_NE(message([] {
              return rnd::normal(rnd::split(rnd::key(0), 3), {2});
            }).find("not u32[3,2]; for several keys use gc::vmap"),
            std::string::npos);
  EXPECT_NE(message([] { return rnd::uniform(rnd::key(0), {2}, 3, 1); }).find("the range from 3.0"), std::string::npos);
  EXPECT_NE(message([] {
              return rnd::uniform(rnd::key(0), {2}, zeros({3}));
            }).find("low, f32[3], does not broadcast to the samples, f32[2]"),
            std::string::npos);
  EXPECT_NE(message([] { return rnd::normal(rnd::key(0), {2}, DType::kI32); }).find("makes floats, not i32"),
            std::string::npos);
  EXPECT_NE(message([] { return rnd::bernoulli(rnd::key(0), 1.5, {2}); }).find("the probability 1.5"),
            std::string::npos);
  EXPECT_NE(message([] { return rnd::randint(rnd::key(0), {2}, 4, 4); }).find("there are no integers"),
            std::string::npos);
  EXPECT_NE(message([] { return rnd::randint(rnd::key(0), {2}, 0, 257, DType::kU8); }).find("high is 257"),
            std::string::npos);
  EXPECT_NE(
      message([] { return rnd::randint(rnd::key(0), {2}, 0.5, 3); }).find("low is 0.500000, and must be an integer"),
      std::string::npos);
  EXPECT_NE(message([] { return rnd::fold_in(rnd::key(0), -1); }).find("u32"), std::string::npos);
  EXPECT_NE(message([] { return rnd::fold_in(rnd::key(0), ones({})); }).find("must be an integer, not f32[]"),
            std::string::npos);
  EXPECT_NE(message([] { return rnd::categorical(rnd::key(0), arange(3)); }).find("logits are floats, not i32[3]"),
            std::string::npos);
  EXPECT_NE(message([] { return dropout(ones({3}), 1, rnd::key(0)); }).find("the rate 1.0"), std::string::npos);
  EXPECT_NE(message([] { return dropout(arange(3), 0.5, rnd::key(0)); }).find("is for floats"), std::string::npos);
  EXPECT_NE(message_of<ModelError>([] { rnd::key(0); }).find("nothing is being traced here"), std::string::npos);
}

}  // namespace
}  // namespace gcompile
