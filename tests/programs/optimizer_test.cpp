// Optimizers against their formulas in double, over many steps of a small network.
#include <gtest/gtest.h>

#include "gcompile/gcompile.h"
#include "tests/programs/reference_net.h"

namespace gcompile {
namespace {

using testing::Flat;
using testing::ReferenceNet;

struct Net : nn::Module {
  nn::Linear linear1{this, "linear1", 3, 5}, linear2{this, "linear2", 5, 1};
  Tensor forward(Tensor x) const { return sigmoid(linear2(sigmoid(linear1(x)))); }
};

const Array kInputs{{0.5f, -1.0f, 2.0f}, {1.5f, 0.25f, -0.5f}, {-2.0f, 1.0f, 0.0f}, {0.1f, 0.2f, 0.3f}};
const Array kLabels{{1.0f}, {0.0f}, {1.0f}, {0.0f}};

// The new value of one element, given its gradient and what is kept for it.
struct Kept {
  double a = 0, b = 0;
};
using Rule = std::function<double(double w, double g, Kept& kept, int step)>;

template <class Optimizer>
void expect_equal_steps(const Optimizer& optimizer, int steps, const Rule& rule) {
  Net model;
  TrainStep step(model, nn::BCELoss{}, optimizer);
  ReferenceNet reference{{3, 5, 1}, testing::flat(model.parameters())};
  std::vector<std::vector<Kept>> kept;
  for (const auto& p : reference.parameters) kept.emplace_back(p.size());
  const auto x = testing::to_matrix(kInputs), y = testing::to_matrix(kLabels);
  for (int t = 1; t <= steps; ++t) {
    const double loss = step(kInputs, kLabels).item();
    const Flat gradients = reference.gradients(x, y);
    ASSERT_NEAR(loss, reference.loss, 1e-5) << "step " << t;
    for (std::size_t p = 0; p < gradients.size(); ++p)
      for (std::size_t k = 0; k < gradients[p].size(); ++k)
        reference.parameters[p][k] = rule(reference.parameters[p][k], gradients[p][k], kept[p][k], t);
    ASSERT_LT(testing::largest_difference(model.parameters(), reference.parameters), 1e-5) << "step " << t;
  }
}

TEST(Optimizer, Sgd) {
  expect_equal_steps(optim::SGD{.lr = 0.5}, 50, [](double w, double g, Kept&, int) { return w - 0.5 * g; });
}

TEST(Optimizer, SgdWithMomentumAndWeightDecay) {
  expect_equal_steps(optim::SGD{.lr = 0.1, .momentum = 0.9, .weight_decay = 0.01}, 50,
                     [](double w, double g, Kept& kept, int) {
                       kept.a = 0.9 * kept.a + g + 0.01 * w;
                       return w - 0.1 * kept.a;
                     });
}

TEST(Optimizer, SgdWithNesterovMomentum) {
  expect_equal_steps(optim::SGD{.lr = 0.1, .momentum = 0.8, .nesterov = true}, 50,
                     [](double w, double g, Kept& kept, int) {
                       kept.a = 0.8 * kept.a + g;
                       return w - 0.1 * (g + 0.8 * kept.a);
                     });
}

TEST(Optimizer, NesterovNeedsAMomentum) {
  Net model;
  EXPECT_THROW(TrainStep(model, nn::BCELoss{}, optim::SGD{.nesterov = true}), ModelError);
}

Rule adam(double lr, double decay) {
  return [=](double w, double g, Kept& kept, int t) {
    g += decay * w;
    kept.a = 0.9 * kept.a + 0.1 * g;
    kept.b = 0.999 * kept.b + 0.001 * g * g;
    const double m = kept.a / (1 - std::pow(0.9, t)), v = kept.b / (1 - std::pow(0.999, t));
    return w - lr * m / (std::sqrt(v) + 1e-8);
  };
}

TEST(Optimizer, Adam) { expect_equal_steps(optim::Adam{.lr = 0.01}, 60, adam(0.01, 0)); }

TEST(Optimizer, AdamWithWeightDecay) {
  expect_equal_steps(optim::Adam{.lr = 0.01, .weight_decay = 0.05}, 60, adam(0.01, 0.05));
}

TEST(Optimizer, AdamKeepsThePowersOfItsBetas) {
  Net model;
  TrainStep step(model, nn::BCELoss{}, optim::Adam{.lr = 1e-4});
  for (int t = 0; t < 1000; ++t) step(kInputs, kLabels);
  double power = 0;
  for (const State& s : step.states())
    if (s.name() == "optimizer.beta2_power") power = s.item();
  EXPECT_NEAR(power, std::pow(0.999, 1000), 1e-13);
}

TEST(Optimizer, LearningRateChangesWithoutCompiling) {
  Net model;
  TrainStep step(model, nn::BCELoss{}, optim::SGD{.lr = 0.5});
  step(kInputs, kLabels);
  EXPECT_EQ(step.learning_rate(), 0.5);
  const Flat before = testing::flat(model.parameters());
  step.set_learning_rate(0);
  step(kInputs, kLabels);
  EXPECT_EQ(testing::flat(model.parameters()), before);
  step.set_learning_rate(0.25);
  step(kInputs, kLabels);
  EXPECT_NE(testing::flat(model.parameters()), before);
  EXPECT_EQ(step.variant_count(), 1u);
}

// An optimizer of a user's: the sign of the gradient.
struct SignDescent {
  double lr = 0.1;
  optim::Rule start(std::span<const Parameter> parameters) const {
    const State rate("rate", Array(static_cast<float>(lr)));
    const std::vector<Parameter> all(parameters.begin(), parameters.end());
    return {rate, {rate}, [=](std::span<const optim::Change> changes) {
              for (const auto& [i, g] : changes) all[i].set(all[i] - rate * sign(g));
            }};
  }
};

TEST(Optimizer, OneOfTheUsers) {
  expect_equal_steps(SignDescent{.lr = 0.0625}, 5,
                     [](double w, double g, Kept&, int) { return w - 0.0625 * (g > 0 ? 1 : -1); });
}

}  // namespace
}  // namespace gcompile
