// Weights whose axes lie in memory in another order than their shape says: values, files, results and bits are what
// they would be otherwise, whatever is compiled first and by whom.
#include <gtest/gtest.h>

#include <thread>

#include "gcompile/gcompile.h"
#include "gcompile/passes/layout_groups.h"
#include "tests/programs/reference_net.h"
#include "tests/unit/temp_dir.h"

namespace gcompile {
namespace {

using testing::flat;

struct Net : nn::Module {
  nn::Linear hidden{this, "hidden", 40, 48}, head{this, "head", 48, 20};
  Tensor forward(Tensor x) const { return head(relu(hidden(x))); }
};

Array numbers(std::int64_t rows, std::int64_t columns) {
  Array a(DType::kF32, Shape{rows, columns});
  for (std::int64_t i = 0; i < a.size(); ++i) a.set(i, static_cast<double>(i * 37 % 101) / 50.0 - 1.0);
  return a;
}

Array classes(std::int64_t rows) {
  Array a(DType::kI32, Shape{rows});
  for (std::int64_t i = 0; i < rows; ++i) a.set(i, static_cast<double>(i % 20));
  return a;
}

const Array kX = numbers(9, 40), kY = classes(9);

void pin_as_they_are(const Net& net) {
  for (const auto& p : net.parameters()) p.storage()->pin_order({});
}

std::optional<AxisOrder> order(const State& s) { return s.storage()->pinned_order(); }

std::vector<float> values(const Array& a) { return {a.data<float>().begin(), a.data<float>().end()}; }

auto adam_step(Net& net) { return TrainStep(net, nn::CrossEntropyLoss{}, optim::Adam{.lr = 0.01}); }

TEST(Layout, IsSeenByNobody) {
  Net turned, plain;
  pin_as_they_are(plain);
  ASSERT_EQ(flat(turned.parameters()), flat(plain.parameters()));
  auto step = adam_step(turned), plain_step = adam_step(plain);
  for (int i = 0; i < 3; ++i) ASSERT_EQ(step(kX, kY).item(), plain_step(kX, kY).item());
  EXPECT_EQ(order(turned.hidden.weight), passes::kTurned);
  EXPECT_EQ(order(turned.head.weight), passes::kTurned);
  EXPECT_EQ(flat(turned.parameters()), flat(plain.parameters()));
  EXPECT_EQ(values(predict(turned, kX)), values(predict(plain, kX)));
}

TEST(Layout, OfWhatIsCompiledFirstHoldsForAll) {
  Net turned, plain;
  pin_as_they_are(plain);
  EXPECT_EQ(values(predict(turned, kX)), values(predict(plain, kX)));
  EXPECT_EQ(order(turned.hidden.weight), passes::kTurned);
  auto step = adam_step(turned), plain_step = adam_step(plain);
  for (int i = 0; i < 3; ++i) ASSERT_EQ(step(kX, kY).item(), plain_step(kX, kY).item());
  EXPECT_EQ(values(predict(turned, kX)), values(predict(plain, kX)));
}

// A function that cannot have it turned gets it turned back.
TEST(Layout, OtherFunctionsReadAndSetTurnedWeights) {
  Net net;
  const std::vector<float> before = values(net.hidden.weight.value());
  predict(net, kX);
  ASSERT_EQ(order(net.hidden.weight), passes::kTurned);
  auto add = jit([&](Tensor x) {
    const Tensor w = net.hidden.weight;
    net.hidden.weight.set(w + x);
    return sum(w, {1});
  });
  const Array x = numbers(48, 40);
  const Array sums = add(x);
  const std::vector<float> after = values(net.hidden.weight.value());
  for (std::size_t i = 0; i < before.size(); ++i) ASSERT_EQ(after[i], before[i] + x.data<float>()[i]) << i;
  for (std::int64_t r = 0; r < 48; ++r) {
    double sum = 0;
    for (std::size_t c = 0; c < 40; ++c) sum += static_cast<double>(before[static_cast<std::size_t>(r) * 40 + c]);
    EXPECT_NEAR(sums.at(r), sum, 1e-5) << r;
  }
}

TEST(Layout, IsNotInFiles) {
  const testing::TempDir dir;
  Net turned, plain;
  auto step = adam_step(turned);
  step(kX, kY);
  turned.save(dir.path("turned.npz"));
  plain.load(dir.path("turned.npz"));
  EXPECT_EQ(flat(plain.parameters()), flat(turned.parameters()));
  plain.save(dir.path("plain.npz"));
  const auto trained = flat(turned.parameters());
  step(kX, kY);
  turned.load(dir.path("plain.npz"));
  EXPECT_EQ(flat(turned.parameters()), trained);
}

// What is kept for weights that lie one way is not loaded for weights that lie the other way.
TEST(Layout, IsKnownToTheCompileCache) {
  const testing::TempDir dir;
  const JitOptions options{.cache = dir.path()};
  std::vector<float> expected;
  const auto predicted = [&](bool pinned, std::size_t files) {
    Net net;
    if (pinned) pin_as_they_are(net);
    const auto now = values(predict(net, kX, options));
    if (expected.empty()) expected = now;
    EXPECT_EQ(now, expected) << pinned;
    EXPECT_EQ(order(net.hidden.weight), pinned ? AxisOrder{} : passes::kTurned);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir.path()), {}), static_cast<std::ptrdiff_t>(files));
  };
  predicted(false, 1);
  predicted(true, 2);
  predicted(true, 2);
  predicted(false, 2);
}

TEST(Layout, OfFunctionsCompiledAtOnce) {
  Net plain;
  pin_as_they_are(plain);
  const auto expected = values(predict(plain, kX));
  for (int round = 0; round < 5; ++round) {
    Net net;
    const auto forward = [&] { return jit([&](Tensor x) { return net.forward(x); })(kX); };
    const auto rows = [&] { return jit([&](Tensor x) { return net.forward(x) + sum(net.hidden.weight); })(kX); };
    Array one, two;
    std::thread a([&] { one = forward(); }), b([&] { two = rows(); });
    a.join();
    b.join();
    EXPECT_EQ(values(one), expected);
    EXPECT_EQ(values(predict(net, kX)), expected);
  }
}

}  // namespace
}  // namespace gcompile
