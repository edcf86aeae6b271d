// take and scatter_add in whole programs: an embedding of a small network stays in its nest, a large one is loops from
// an update to its row; contributions are added in the order of their indices; infinities are no NaN.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <sstream>

#include "gcompile/gcompile.h"

namespace gcompile {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

struct Embedded : nn::Module {
  Parameter table;
  nn::Linear head;
  Embedded(std::int64_t words, std::int64_t features)
      : table(this, "table", Array::full(DType::kF32, {words, features}, 0.25)), head(this, "head", features, 1) {}
  Tensor forward(Tensor words) const { return sigmoid(head(take(table, words))); }
};

std::string launches_of(std::int64_t words, std::int64_t features) {
  Embedded model(words, features);
  TrainStep step(model, nn::BCELoss{}, optim::SGD{.lr = 0.1});
  const Array x(DType::kI32, {32}), y(DType::kF32, {32, 1});
  std::string launches;
  std::istringstream text(step.compiled(x, y).dump("program"));
  for (std::string line; std::getline(text, line);)
    if (line.rfind("launch", 0) == 0) launches += line + "\n";
  return launches;
}

int lines(const std::string& text) { return static_cast<int>(std::count(text.begin(), text.end(), '\n')); }

TEST(Indexed, AnEmbeddingOfASmallNetworkStaysInItsNest) {
  const std::string small = launches_of(10, 4), large = launches_of(200, 16);
  EXPECT_EQ(lines(small), 1) << small;
  EXPECT_GT(lines(large), 1) << large;
}

TEST(Indexed, EmbeddingsOfAnySizeTrainAlike) {
  for (const auto& [words, features] : {std::pair(10, 4), std::pair(200, 16)}) {
    Embedded model(words, features);
    TrainStep step(model, nn::BCELoss{}, optim::SGD{.lr = 0.5});
    Array x(DType::kI32, {33}), y(DType::kF32, {33, 1});
    for (int i = 0; i < 33; ++i) x.set(i, i * 7 % words), y.set(i, i * 7 % words % 2);
    const double first = step(x, y).item();
    double last = first;
    for (int i = 0; i < 200; ++i) last = step(x, y).item();
    EXPECT_LT(last, 0.5 * first) << words;
    // Rows that no index names are as they were.
    EXPECT_EQ(words < 33 ? 0.25 : model.table.value().at(words * features - 1), 0.25);
  }
}

TEST(Indexed, ContributionsAreAddedInTheOrderOfTheirIndices) {
  auto f = jit([](Tensor x, Tensor i, Tensor u) { return scatter_add(x, i, u); });
  const Array x(DType::kF32, {3});
  const Array sums = f(x, Array{1, 2, 1, 1, 2, 2}, Array{1e8f, 1e8f, 1.0f, -1e8f, -1e8f, 1.0f});
  EXPECT_EQ(sums.at(0), 0);
  EXPECT_EQ(sums.at(1), 0);  // 1e8 + 1 is 1e8
  EXPECT_EQ(sums.at(2), 1);
}

TEST(Indexed, IndicesOutsideAreClamped) {
  auto f = jit([](Tensor x, Tensor i, Tensor u) { return scatter_add(x, i, u, 1); });
  const Array y = f(Array{{1.0f, 1.0f}, {2.0f, 2.0f}}, Array{-5, 7}, Array{{10.0f, 20.0f}, {30.0f, 40.0f}});
  EXPECT_EQ(y.at(0), 11);
  EXPECT_EQ(y.at(1), 21);
  EXPECT_EQ(y.at(2), 32);
  EXPECT_EQ(y.at(3), 42);
}

// Indices of every integer dtype; what 32 bits do not hold is outside, however it would wrap around.
TEST(Indexed, IndicesMayBeOfAnyIntegerDtype) {
  auto f = jit([](Tensor x, Tensor i) {
    return outputs(take(x, i), scatter_add(x, i, ones({4})), take_along_axis(x, i), one_hot(i, 3));
  });
  const Array x{10.0f, 20.0f, 30.0f, 40.0f};
  const auto expect = [&](DType dtype, const std::vector<std::int64_t>& given, const std::vector<std::int32_t>& meant) {
    Array indices(dtype, {4}), same(DType::kI32, {4});
    for (std::int64_t i = 0; i < 4; ++i) {
      indices.set_integer(i, given[static_cast<std::size_t>(i)]);
      same.set_integer(i, meant[static_cast<std::size_t>(i)]);
    }
    const auto [taken, added, along, hot] = f(x, indices);
    const auto [taken32, added32, along32, hot32] = f(x, same);
    EXPECT_TRUE(same_bits(taken, taken32)) << name(dtype) << taken;
    EXPECT_TRUE(same_bits(added, added32)) << name(dtype) << added;
    EXPECT_TRUE(same_bits(along, along32)) << name(dtype) << along;
    EXPECT_TRUE(same_bits(hot, hot32)) << name(dtype) << hot;
  };
  constexpr std::int64_t kFar = std::int64_t{1} << 32;
  expect(DType::kI64, {1, kFar + 1, -kFar + 2, 0}, {1, 1000, -1000, 0});
  expect(DType::kU32, {1, 4294967295, 2147483648, 0}, {1, 1000, 1000, 0});
  expect(DType::kU8, {1, 255, 3, 0}, {1, 255, 3, 0});
  try {
    f(x, x);
    FAIL() << "indices of floats";
  } catch (const ModelError& e) {
    EXPECT_NE(std::string(e.what()).find("must be integers, not f32[4]"), std::string::npos) << e.what();
  }
}

TEST(Indexed, AnInfiniteCotangentStaysInItsRow) {
  auto f = jit([](Tensor x, Tensor i, Tensor w) { return grad(sum(take(x, i) * w), x); });
  const Array d = f(Array{1.0f, 2.0f, 3.0f}, Array{1, 1}, Array{kInf, 1.0f});
  EXPECT_EQ(d.at(0), 0);
  EXPECT_EQ(d.at(1), kInf);
  EXPECT_EQ(d.at(2), 0);
}

TEST(Indexed, UpdatesOfAnotherShapeAreRefused) {
  auto f = jit([](Tensor x, Tensor i, Tensor u) { return scatter_add(x, i, u); });
  try {
    f(Array(DType::kF32, {5, 2}), Array{1, 2, 3}, Array(DType::kF32, {3, 4}));
    FAIL();
  } catch (const ModelError& e) {
    EXPECT_NE(std::string(e.what()).find("scatter_add: the updates must be f32[3,2], as take gives them, not f32[3,4]"),
              std::string::npos)
        << e.what();
  }
}

}  // namespace
}  // namespace gcompile
