// Dropout: the function, and the module, which knows when it is trained.
#include <gtest/gtest.h>

#include "gcompile/gcompile.h"
#include "tests/unit/temp_dir.h"

namespace gcompile {
namespace {

using testing::message_of;

TEST(Dropout, KeepsTheMeanAndItsGradientIsItsMask) {
  auto f = jit([](Tensor x) {
    const Tensor y = dropout(x, 0.25, random::key(1));
    return outputs(y, grad(sum(y * y), x));
  });
  Array x(DType::kF32, {400, 100});
  for (std::int64_t i = 0; i < x.size(); ++i) x.set(i, 3);
  const auto [y, dx] = f(x);
  double sum = 0;
  std::int64_t dropped = 0;
  for (std::int64_t i = 0; i < y.size(); ++i) {
    ASSERT_TRUE(y.at(i) == 0 || y.at(i) == 4) << y.at(i);
    ASSERT_NEAR(dx.at(i), 2 * y.at(i) / 0.75, 1e-5);
    sum += y.at(i);
    dropped += y.at(i) == 0;
  }
  EXPECT_NEAR(sum / 40000, 3, 0.04);
  EXPECT_NEAR(static_cast<double>(dropped) / 40000, 0.25, 0.01);
}

TEST(Dropout, OfNothingIsTheOperand) {
  auto f = jit([](Tensor x) { return dropout(x, 0, random::key(1)); });
  EXPECT_EQ(f(Array{1.0f, 2.0f}).str(), "f32[2] [1, 2]");
}

struct Net : nn::Module {
  nn::Dropout first{this, "first", 0.5}, second{this, "second", 0.5};
  Tensor forward(Tensor x) const { return second(first(first(x))); }
};
Array ones(std::int64_t rows) {
  Array x(DType::kF32, {rows, 64});
  for (std::int64_t i = 0; i < x.size(); ++i) x.set(i, 1);
  return x;
}

TEST(Dropout, OnlyInTrainingAndAnewForEveryStep) {
  Net net;
  auto trained = jit([&](Tensor x) {
    const TrainingScope training;
    return net.forward(x);
  });
  auto plain = jit([&](Tensor x) { return net.forward(x); });
  const Array a = trained(ones(2)), b = trained(ones(2));
  EXPECT_FALSE(same_bits(a, b));
  EXPECT_TRUE(same_bits(plain(ones(2)), ones(2)));
  EXPECT_TRUE(same_bits(predict(net, ones(2)), ones(2)));
  EXPECT_EQ(net.first.count.item(), 2);  // not 4: a step is counted once
  EXPECT_EQ(net.second.count.item(), 2);
  // The two calls of one module and the other module drop elements of their own: an eighth is left.
  std::int64_t left = 0;
  for (int i = 0; i < 50; ++i) {
    const Array y = trained(ones(2));
    for (std::int64_t k = 0; k < y.size(); ++k) left += y.at(k) == 8;
  }
  EXPECT_NEAR(static_cast<double>(left) / (50 * 128), 0.125, 0.02);
  net.initialize(0);
  EXPECT_TRUE(same_bits(trained(ones(2)), a));
  net.initialize(1);
  EXPECT_FALSE(same_bits(trained(ones(2)), a));
}

struct Regression : nn::Module {
  nn::Linear hidden{this, "hidden", 8, 32};
  nn::Dropout drop{this, "drop", 0.3};
  nn::Linear out{this, "out", 32, 1};
  Tensor forward(Tensor x) const {
    const auto layer = checkpoint([this](Tensor v) { return drop(relu(hidden(v))); });
    return out(layer(x));
  }
};
std::pair<Array, Array> data() {
  Array x(DType::kF32, {24, 8}), y(DType::kF32, {24, 1});
  for (std::int64_t i = 0; i < x.size(); ++i) x.set(i, 0.02 * static_cast<double>(i * 37 % 101) - 1);
  for (std::int64_t i = 0; i < 24; ++i) y.set(i, x.at(8 * i) * x.at(8 * i + 1) + x.at(8 * i + 2));
  return {x, y};
}

// Training is a function of the seed, and goes on from a file as it would have.
TEST(Dropout, TrainingStepsWithAModule) {
  const auto [x, y] = data();
  const testing::TempDir dir;
  std::vector<double> losses;
  double evaluated = 0;
  for (const int threads : {1, 3}) {
    Regression net;
    TrainStep step(net, nn::MSELoss{}, optim::SGD{.lr = 0.05}, {.threads = threads});
    for (int i = 0; i < 60; ++i) {
      const double loss = step(x, y).item();
      if (threads == 1)
        losses.push_back(loss);
      else
        EXPECT_EQ(loss, losses[static_cast<std::size_t>(i)]);
      if (threads == 1 && i == 29) step.save(dir.path("half"));
    }
    const double now = step.evaluate(data::Table(x, y)).loss;
    EXPECT_TRUE(threads == 1 || now == evaluated) << now;
    evaluated = now;
    EXPECT_LT(evaluated, losses[0] / 2);
    EXPECT_EQ(net.drop.count.item(), 60);
  }
  Regression again;
  TrainStep step(again, nn::MSELoss{}, optim::SGD{.lr = 0.05});
  step.load(dir.path("half"));
  for (int i = 30; i < 60; ++i) EXPECT_EQ(step(x, y).item(), losses[static_cast<std::size_t>(i)]) << i;
  EXPECT_EQ(step.evaluate(data::Table(x, y)).loss, evaluated);
}

TEST(Dropout, InASequential) {
  struct Stack : nn::Module {
    nn::Sequential net{this, "net"};
    Stack() { net.add<nn::Linear>(64, 64).add<nn::Dropout>(0.5); }
    Tensor forward(Tensor x) const { return net(x); }
  } stack;
  auto trained = jit([&](Tensor x) {
    const TrainingScope training;
    return stack.forward(x);
  });
  const Array y = trained(ones(3)), z = predict(stack, ones(3));
  std::int64_t zeros = 0;
  for (std::int64_t i = 0; i < y.size(); ++i) {
    zeros += y.at(i) == 0;
    EXPECT_NEAR(y.at(i), y.at(i) == 0 ? 0 : 2 * z.at(i), 1e-5);
  }
  EXPECT_GT(zeros, 60);
  EXPECT_LT(zeros, 130);
}

TEST(Dropout, Errors) {
  struct Bad : nn::Module {
    nn::Dropout drop{this, "drop", 1.0};
  };
  EXPECT_NE(message_of<ModelError>([] { Bad bad; }).find("Dropout 'drop': the rate must be in [0, 1), not 1.0"),
            std::string::npos);
  EXPECT_NE(message_of<ModelError>([] { const TrainingScope training; }).find("TrainingScope: nothing is being traced"),
            std::string::npos);
}

}  // namespace
}  // namespace gcompile
