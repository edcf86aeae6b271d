#include "gcompile/runtime/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <vector>

#include "gcompile/base/error.h"

namespace gcompile {
namespace {

using Block = std::array<std::uint32_t, 2>;

// The known answers that were published with the paper (Random123, kat_vectors: threefry2x32, 20 rounds).
TEST(Random, ThreefryGivesThePublishedAnswers) {
  EXPECT_EQ(threefry2x32({0, 0}, Block{0, 0}), (Block{0x6b200159, 0x99ba4efe}));
  EXPECT_EQ(threefry2x32({0xffffffff, 0xffffffff}, Block{0xffffffff, 0xffffffff}), (Block{0x1cb996fc, 0xbb002be7}));
  EXPECT_EQ(threefry2x32({0x13198a2e, 0x03707344}, Block{0x243f6a88, 0x85a308d3}), (Block{0xc4923a9c, 0x483df7a0}));
  static_assert(threefry2x32({0, 0}, Block{0, 0})[0] == 0x6b200159);
}

TEST(Random, WordsAreTheBlocksAtAnyLengthAndStart) {
  const RandomKey key{123, 456};
  for (std::uint64_t first : {std::uint64_t{0}, std::uint64_t{7}, std::uint64_t{0xfffffff0}})
    for (std::size_t count : {0, 1, 2, 63, 64, 65, 200}) {
      std::vector<std::uint32_t> words(count);
      random_words(key, first, words);
      for (std::size_t i = 0; i < count; ++i)
        ASSERT_EQ(words[i], threefry2x32(key, first + i / 2)[i % 2]) << first << " " << count << " " << i;
    }
}

TEST(Random, KeysAreTheFnv1aHash) {
  // FNV-1a of eight zero bytes, and of these and 'a', computed from the definition.
  std::uint64_t hash = 0xcbf29ce484222325;
  for (int i = 0; i < 8; ++i) hash *= 0x100000001b3;
  EXPECT_EQ(random_key(0, ""), (RandomKey{static_cast<std::uint32_t>(hash), static_cast<std::uint32_t>(hash >> 32)}));
  hash = (hash ^ 'a') * 0x100000001b3;
  EXPECT_EQ(random_key(0, "a"), (RandomKey{static_cast<std::uint32_t>(hash), static_cast<std::uint32_t>(hash >> 32)}));
  EXPECT_NE(random_key(0, "linear1.weight"), random_key(0, "linear2.weight"));
  EXPECT_NE(random_key(0, "w"), random_key(1, "w"));
  EXPECT_NE(random_key(0, "w"), random_key(std::uint64_t{1} << 32, "w"));
}

TEST(Random, UniformIsBelowOneAndHas24Bits) {
  EXPECT_EQ(uniform01(0), 0.0f);
  EXPECT_EQ(uniform01(0xff), 0.0f);
  EXPECT_EQ(uniform01(0x100), 0x1p-24f);
  EXPECT_LT(uniform01(0xffffffff), 1.0f);
}

TEST(Random, FillUniformStaysInTheRangeWithTheRightMoments) {
  for (DType dtype : {DType::kF32, DType::kF64}) {
    Array a(dtype, {100, 1000});
    fill_uniform(a, -2, 6, random_key(0, "w"));
    double sum = 0, squares = 0, low = 1e9, high = -1e9;
    for (std::int64_t i = 0; i < a.size(); ++i) {
      const double v = a.at(i);
      sum += v, squares += v * v, low = std::min(low, v), high = std::max(high, v);
    }
    const double n = static_cast<double>(a.size()), mean = sum / n;
    EXPECT_GE(low, -2);
    EXPECT_LT(high, 6);
    EXPECT_LT(low, -1.99);
    EXPECT_GT(high, 5.99);
    EXPECT_NEAR(mean, 2, 0.03);
    EXPECT_NEAR(squares / n - mean * mean, 64.0 / 12, 0.05);
  }
}

TEST(Random, FillUniformIsElementwise) {  // a longer array begins with the values of a shorter one
  const RandomKey key = random_key(3, "bias");
  Array small(DType::kF32, {7}), large(DType::kF32, {3001});
  fill_uniform(small, -1, 1, key);
  fill_uniform(large, -1, 1, key);
  EXPECT_TRUE(same_bits(small, large.rows(0, 7)));
  for (std::int64_t i : {0, 1, 1023, 1024, 3000}) {
    const auto word = threefry2x32(key, static_cast<std::uint64_t>(i) / 2)[static_cast<std::size_t>(i) % 2];
    EXPECT_EQ(large.at(i), static_cast<float>(-1 + 2.0 * uniform01(word)));
  }
  Array other(DType::kF32, {7});
  fill_uniform(other, -1, 1, random_key(4, "bias"));
  EXPECT_FALSE(same_bits(small, other));
}

TEST(Random, FillUniformNeverReachesTheUpperEnd) {
  Array a(DType::kF32, {100000});
  const double high = 1 + 0x1p-23;  // the float after 1: most draws would round to it
  fill_uniform(a, 1, high, RandomKey{});
  for (std::int64_t i = 0; i < a.size(); ++i) ASSERT_EQ(a.at(i), 1.0);
  fill_uniform(a, 5, 5, RandomKey{});
  EXPECT_EQ(a.at(17), 5.0);
}

TEST(Random, FillUniformRefusesOtherTypesAndRanges) {
  Array integers(DType::kI32, {4}), a(DType::kF32, {4});
  EXPECT_THROW(fill_uniform(integers, 0, 1, {}), CallError);
  EXPECT_THROW(fill_uniform(a, 1, 0, {}), CallError);
  EXPECT_THROW(fill_uniform(a, 0, std::numeric_limits<double>::infinity(), {}), CallError);
  EXPECT_THROW(fill_uniform(a, std::numeric_limits<double>::quiet_NaN(), 1, {}), CallError);
}

TEST(Random, BelowIsInRangeAndEven) {
  RandomStream stream(random_key(0, "test"));
  std::map<std::uint64_t, int> counts;
  for (int i = 0; i < 60000; ++i) ++counts[stream.below(6)];
  ASSERT_EQ(counts.size(), 6u);
  for (const auto& [value, count] : counts) EXPECT_NEAR(count, 10000, 400) << value;
  for (int i = 0; i < 100; ++i) EXPECT_EQ(stream.below(1), 0u);
  const std::uint64_t large = (std::uint64_t{3} << 40) + 1;
  bool above_32_bits = false;
  for (int i = 0; i < 100; ++i) {
    const std::uint64_t value = stream.below(large);
    ASSERT_LT(value, large);
    above_32_bits = above_32_bits || value >> 32;
  }
  EXPECT_TRUE(above_32_bits);
}

TEST(Random, ShuffleIsAPermutationThatNeverChanges) {
  std::vector<std::int64_t> order(10);
  std::iota(order.begin(), order.end(), 0);
  shuffle(order, random_key(0, "golden"));
  const std::vector<std::int64_t> golden = order;
  std::sort(order.begin(), order.end());
  for (std::int64_t i = 0; i < 10; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
  // Written down once: seeds must mean the same in every version and on every platform.
  EXPECT_EQ(golden, (std::vector<std::int64_t>{7, 2, 9, 6, 5, 8, 0, 1, 4, 3}));
}

TEST(Random, ShuffleReachesAllPermutationsEvenly) {
  std::map<std::vector<std::int64_t>, int> counts;
  for (std::uint64_t s = 0; s < 24000; ++s) {
    std::vector<std::int64_t> order{0, 1, 2, 3};
    shuffle(order, fold_in(random_key(0, "even"), s));
    ++counts[order];
  }
  ASSERT_EQ(counts.size(), 24u);
  for (const auto& [order, count] : counts) EXPECT_NEAR(count, 1000, 150);
}

}  // namespace
}  // namespace gcompile
