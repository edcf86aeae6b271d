// What the course's five programs do: they find the known answers, and every step equals the one computed by hand.
#include <gtest/gtest.h>

#include "gcompile/gcompile.h"
#include "tests/programs/reference_net.h"

namespace gcompile {
namespace {

using testing::flat;
using testing::largest_difference;
using testing::ReferenceNet;
using testing::to_matrix;

TEST(Course, BackpropagationFindsTheSlope) {
  const std::vector<float> xs{1, 2, 3}, ys{2, 4, 6};
  Parameter w{"w", 1.0f};
  auto forward = jit([&](Tensor x) { return x * w; });
  auto step = jit([&](Tensor x, Tensor y) {
    Tensor loss = square(x * w - y);
    Tensor dw = grad(loss, w);
    w.set(w - 0.01f * dw);
    return outputs(loss, dw);
  });
  EXPECT_EQ(forward(4.0f).item(), 4);
  double by_hand = 1;
  for (int epoch = 0; epoch < 100; ++epoch)
    for (std::size_t i = 0; i < xs.size(); ++i) {
      auto [loss, dw] = step(xs[i], ys[i]);
      const double x = xs[i], y = ys[i], gradient = 2 * x * (x * by_hand - y);
      EXPECT_NEAR(loss.item(), (x * by_hand - y) * (x * by_hand - y), 1e-5);
      EXPECT_NEAR(dw.item(), gradient, 1e-5);
      by_hand -= 0.01 * gradient;
      EXPECT_NEAR(w.item(), by_hand, 1e-5);
    }
  EXPECT_NEAR(w.item(), 2, 1e-4);
  EXPECT_NEAR(forward(4.0).item(), 8, 1e-3);
  EXPECT_EQ(step.variant_count(), 1u);
}

struct LinearRegression : nn::Module {
  nn::Linear linear{this, "linear", 1, 1};
  Tensor forward(Tensor x) const { return linear(x); }
};

TEST(Course, LinearRegressionFindsTheLine) {
  const Array x{{1.0f}, {2.0f}, {3.0f}}, y{{2.0f}, {4.0f}, {6.0f}};
  LinearRegression model;
  TrainStep step(model, nn::MSELoss{Reduction::Sum}, optim::SGD{.lr = 0.01});
  double w = model.linear.weight.item(), b = model.linear.bias.item();
  for (int epoch = 0; epoch < 1000; ++epoch) {
    double loss = 0, dw = 0, db = 0;
    for (int i = 1; i <= 3; ++i) {
      const double error = w * i + b - 2 * i;
      loss += error * error, dw += 2 * error * i, db += 2 * error;
    }
    EXPECT_NEAR(step(x, y).item(), loss, 1e-5 * (1 + loss));
    w -= 0.01 * dw, b -= 0.01 * db;
    ASSERT_NEAR(model.linear.weight.item(), w, 1e-5);
    ASSERT_NEAR(model.linear.bias.item(), b, 1e-5);
  }
  EXPECT_NEAR(predict(model, Array{{4.0f}}).item(), 8, 0.05);
}

struct LogisticRegression : nn::Module {
  nn::Linear linear{this, "linear", 1, 1};
  Tensor forward(Tensor x) const { return sigmoid(linear(x)); }
};

TEST(Course, LogisticRegressionLearnsTheThreshold) {
  const Array x{{1.0f}, {2.0f}, {3.0f}}, y{{0.0f}, {0.0f}, {1.0f}};
  LogisticRegression model;
  TrainStep step(model, nn::BCELoss{Reduction::Sum}, optim::SGD{.lr = 0.01});
  ReferenceNet reference{{1, 1}, flat(model.parameters())};
  for (int epoch = 0; epoch < 1000; ++epoch) {
    const double loss = step(x, y).item();
    const auto gradients = reference.gradients(to_matrix(x), to_matrix(y));
    ASSERT_NEAR(loss, 3 * reference.loss, 1e-5);
    for (std::size_t p = 0; p < 2; ++p) reference.parameters[p][0] -= 0.01 * 3 * gradients[p][0];
    ASSERT_LT(largest_difference(model.parameters(), reference.parameters), 1e-5);
  }
  EXPECT_GT(predict(model, Array{{4.0f}}).item(), 0.8);
  EXPECT_LT(predict(model, Array{{0.0f}}).item(), 0.3);
}

struct Diabetes : nn::Module {
  nn::Linear linear1{this, "linear1", 8, 6}, linear2{this, "linear2", 6, 4}, linear3{this, "linear3", 4, 1};
  Tensor forward(Tensor x) const { return sigmoid(linear3(sigmoid(linear2(sigmoid(linear1(x)))))); }
};

data::Table diabetes() { return data::read_csv(GCOMPILE_TEST_SOURCE_DIR "/data/diabetes.csv"); }

TEST(Course, FullBatchEqualsTheStepByHand) {
  const data::Table table = diabetes();
  Diabetes model;
  TrainStep step(model, nn::BCELoss{}, optim::SGD{.lr = 0.1});
  ReferenceNet reference{{8, 6, 4, 1}, flat(model.parameters())};
  const auto x = to_matrix(table.inputs()), y = to_matrix(table.labels());
  double first = 0, last = 0;
  for (int epoch = 0; epoch < 100; ++epoch) {
    last = step(table.inputs(), table.labels()).item();
    if (epoch == 0) first = last;
    const auto gradients = reference.gradients(x, y);
    ASSERT_NEAR(last, reference.loss, 1e-5);
    for (std::size_t p = 0; p < gradients.size(); ++p)
      for (std::size_t k = 0; k < gradients[p].size(); ++k) reference.parameters[p][k] -= 0.1 * gradients[p][k];
    ASSERT_LT(largest_difference(model.parameters(), reference.parameters), 1e-5);
  }
  EXPECT_LT(last, first);
}

TEST(Course, EpochWithARaggedTailCompilesOnce) {
  const data::Table table = diabetes().rows(0, 759);
  Diabetes model;
  TrainStep step(model, nn::BCELoss{}, optim::SGD{.lr = 0.1});
  ReferenceNet reference{{8, 6, 4, 1}, flat(model.parameters())};
  const data::DataLoader loader(table, {.batch_size = 32, .shuffle = true, .num_workers = 2});
  std::int64_t smallest = 32;
  for (int epoch = 0; epoch < 2; ++epoch)
    for (auto [i, inputs, labels] : loader.enumerate()) {
      smallest = std::min(smallest, inputs.shape()[0]);
      const double loss = step(inputs, labels).item();
      const auto gradients = reference.gradients(to_matrix(inputs), to_matrix(labels));
      ASSERT_NEAR(loss, reference.loss, 1e-5) << "batch " << i;
      for (std::size_t p = 0; p < gradients.size(); ++p)
        for (std::size_t k = 0; k < gradients[p].size(); ++k) reference.parameters[p][k] -= 0.1 * gradients[p][k];
      ASSERT_LT(largest_difference(model.parameters(), reference.parameters), 1e-5);
    }
  EXPECT_EQ(smallest, 23);
  EXPECT_EQ(step.variant_count(), 1u);
}

}  // namespace
}  // namespace gcompile
