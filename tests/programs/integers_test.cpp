// Programs of integers: random words made in the graph, labels of a byte, counters beyond 32 bits.
#include <gtest/gtest.h>

#include "gcompile/gcompile.h"
#include "gcompile/runtime/random.h"
#include "tests/unit/temp_dir.h"

namespace gcompile {
namespace {

using testing::message_of;

Tensor rotated(const Tensor& x, int n) { return bit_or(shift_left(x, n), shift_right(x, 32 - n)); }

// The words of runtime/random.h, as a traced function: u32 wraps around as C++'s does.
TEST(Integers, ThreefryInAGraph) {
  const RandomKey key{0x13198a2eu, 0xf3707344u};
  auto words = jit([&](Tensor low, Tensor high) {
    const std::uint32_t keys[3] = {key.k0, key.k1, 0x1BD11BDAu ^ key.k0 ^ key.k1};
    const int rotations[8] = {13, 15, 26, 6, 17, 29, 16, 24};
    Tensor x0 = low + keys[0], x1 = high + keys[1];
    for (std::uint32_t round = 0; round < 20; ++round) {
      x0 = x0 + x1;
      x1 = bit_xor(rotated(x1, rotations[round % 8]), x0);
      if (round % 4 == 3) {
        const std::uint32_t injection = round / 4 + 1;
        x0 = x0 + keys[injection % 3];
        x1 = x1 + (keys[(injection + 1) % 3] + injection);
      }
    }
    return outputs(x0, x1);
  });
  Array low(DType::kU32, {37}), high(DType::kU32, {37});
  for (std::int64_t i = 0; i < 37; ++i) {
    low.set_integer(i, i * 0x9e3779b9);
    high.set_integer(i, 0xffffffff - i);
  }
  const auto [x0, x1] = words(low, high);
  for (std::size_t i = 0; i < 37; ++i) {
    const auto expected = threefry2x32(key, {low.data<std::uint32_t>()[i], high.data<std::uint32_t>()[i]});
    EXPECT_EQ(x0.data<std::uint32_t>()[i], expected[0]);
    EXPECT_EQ(x1.data<std::uint32_t>()[i], expected[1]);
  }
  // A uniform number in [0, 1) of the upper bits, as uniform01.
  auto uniform = jit([](Tensor bits) { return cast(shift_right(bits, 8), DType::kF32) * 0x1p-24f; });
  const Array numbers = uniform(x0);
  for (std::size_t i = 0; i < 37; ++i) EXPECT_EQ(numbers.data<float>()[i], uniform01(x0.data<std::uint32_t>()[i]));
}

TEST(Integers, ImagesOfBytesAreCastOnTheWayIn) {
  auto scaled = jit([](Tensor pixels) { return cast(pixels, DType::kF32) / 255; });
  Array pixels(DType::kU8, {3, 5});
  for (std::int64_t i = 0; i < 15; ++i) pixels.set_integer(i, 17 * i);
  const Array y = scaled(pixels);
  for (std::int64_t i = 0; i < 15; ++i) EXPECT_EQ(y.at(i), static_cast<double>(static_cast<float>(17 * i) / 255.0f));
}

TEST(Integers, ACounterBeyondDoubles) {
  const std::int64_t large = (std::int64_t{1} << 60) + 1;
  State count("count", Array(large));
  auto step = jit([&] {
    count.set(count + 9007199254740993);
    return count == 1152921504606846977;
  });
  EXPECT_EQ(step().item(), 1);
  EXPECT_EQ(count.value().at_integer(0), large + 9007199254740993);
  count.assign(std::int64_t{9007199254740993});
  EXPECT_EQ(count.value().at_integer(0), 9007199254740993);
  EXPECT_NE(message_of<CallError>([&] { count.assign(0.5); }).find("assigned the number 0.500000: i64 holds"),
            std::string::npos);
}

TEST(Integers, NumbersForDeclaredParameters) {
  auto f = compile([](Tensor x, Tensor y) { return x + cast(y, DType::kI64); }, {i64(), u8()});
  EXPECT_EQ(f(9007199254740993, 255).at_integer(0), 9007199254741248);
  EXPECT_NE(message_of<CallError>([&] { f(1, 256); }).find("the number 256 is given for a parameter of u8"),
            std::string::npos);
  EXPECT_NE(message_of<CallError>([&] { f(0.5, 1); }).find("given for a parameter of i64"), std::string::npos);
}

}  // namespace
}  // namespace gcompile
