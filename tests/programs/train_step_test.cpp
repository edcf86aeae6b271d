// TrainStep, predict and evaluate: symbolic batches, frozen and unused parameters, checkpoints, refused calls.
#include <gtest/gtest.h>

#include <limits>

#include "gcompile/gcompile.h"
#include "tests/programs/reference_net.h"
#include "tests/unit/temp_dir.h"

namespace gcompile {
namespace {

using testing::flat;
using testing::message_of;

struct Net : nn::Module {
  nn::Linear hidden{this, "hidden", 2, 4}, head{this, "head", 4, 1};
  Tensor forward(Tensor x) const { return sigmoid(head(tanh(hidden(x)))); }
};

const Array kX{{0.5f, -1.0f}, {1.5f, 0.25f}, {-2.0f, 1.0f}};
const Array kY{{1.0f}, {0.0f}, {1.0f}};

TEST(TrainStep, AnyBatchSizeButOneIsOneCompile) {
  Net model;
  TrainStep step(model, nn::BCELoss{}, optim::SGD{.lr = 0.1});
  for (const std::int64_t n : {3, 2, 3}) EXPECT_TRUE(std::isfinite(step(kX.rows(0, n), kY.rows(0, n)).item()));
  EXPECT_EQ(step.variant_count(), 1u);
  EXPECT_NE(step.compiled().dump("graph").find("%x: f32[N,2]"), std::string::npos);
  for (const std::int64_t n : {1, 3, 1, 2, 1}) EXPECT_TRUE(std::isfinite(step(kX.rows(0, n), kY.rows(0, n)).item()));
  EXPECT_EQ(step.variant_count(), 2u);
  EXPECT_NE(step.compiled().dump("graph").find("%x: f32[1,2]"), std::string::npos);
}

TEST(TrainStep, ABatchOfOneSharesStatesAndBitsWithTheOthers) {
  // Of one sample beside itself the mean gradient is that of the sample, exactly.
  Net one, two;
  two.hidden.weight.assign(one.hidden.weight.value());
  two.head.weight.assign(one.head.weight.value());
  two.hidden.bias.assign(one.hidden.bias.value());
  two.head.bias.assign(one.head.bias.value());
  const auto optimizer = optim::SGD{.lr = 0.5, .momentum = 0.5};
  TrainStep of_one(one, nn::MSELoss{}, optimizer), of_two(two, nn::MSELoss{}, optimizer);
  const auto twice = [](const Array& a) {
    Array both(a.dtype(), {2, a.shape()[1]});
    for (std::int64_t i = 0; i < both.size(); ++i) both.set(i, a.at(i % a.size()));
    return both;
  };
  for (int i = 0; i < 6; ++i) {
    const Array x = kX.rows(i % 3, i % 3 + 1), y = kY.rows(i % 3, i % 3 + 1);
    const bool alone = i != 3;  // between them, a call of the other program
    const Array a = alone ? of_one(x, y) : of_one(twice(x), twice(y)), b = of_two(twice(x), twice(y));
    EXPECT_TRUE(same_bits(a, b)) << i << ": " << a << ", " << b;
  }
  EXPECT_EQ(flat(one.parameters()), flat(two.parameters()));
  EXPECT_EQ(of_one.variant_count(), 2u);
}

TEST(TrainStep, ABatchOfOneRefusesWhatTheOthersDo) {
  Net model;
  TrainStep step(model, nn::BCELoss{}, optim::SGD{.lr = 0.1});
  step(kX.rows(0, 1), kY.rows(0, 1));
  const auto before = flat(model.parameters());
  const auto refused = [&](const Array& x, const Array& y) { return message_of<CallError>([&] { step(x, y); }); };
  EXPECT_NE(refused(kX.rows(0, 1), kY.rows(0, 2)).find("N is 1 from argument x"), std::string::npos);
  EXPECT_NE(refused(kX, kY.rows(0, 1)).find("N is 3 from argument x"), std::string::npos);
  EXPECT_EQ(flat(model.parameters()), before);
}

TEST(TrainStep, RefusedCallsChangeNothing) {
  Net model;
  TrainStep step(model, nn::BCELoss{}, optim::SGD{.lr = 0.1});
  step(kX, kY);
  const auto before = flat(model.parameters());
  const std::string here = "train_step_test.cpp:";
  const auto refused = [&](const Array& x, const Array& y) { return message_of<CallError>([&] { step(x, y); }); };
  const int line = __LINE__ - 1;
  EXPECT_EQ(refused(kX, kY.rows(0, 2)).substr(0, here.size() + 3), here + std::to_string(line) + ":");
  EXPECT_NE(refused(kX, kY.rows(0, 2)).find("(y) is f32[2,1], expected f32[N,1]: N is 3 from argument x"),
            std::string::npos);
  EXPECT_NE(refused(Array(DType::kF32, {0, 2}), Array(DType::kF32, {0, 1})).find("empty batch"), std::string::npos);
  EXPECT_EQ(flat(model.parameters()), before);
  EXPECT_EQ(step.variant_count(), 1u);
}

TEST(TrainStep, ModelsThatDoNotFitTheDataSayWhere) {
  Net model;
  TrainStep step(model, nn::BCELoss{}, optim::SGD{.lr = 0.1});
  const std::string text = message_of<ModelError>([&] { step(Array(DType::kF32, {3, 5}), kY); });
  const int line = __LINE__ - 1;
  EXPECT_NE(text.find("matmul: the inner dimensions differ: f32[N,5] x f32[2,4] (5 against 2)"), std::string::npos);
  EXPECT_NE(text.find("made at train_step_test.cpp:" + std::to_string(line) + " (input x)"), std::string::npos);
  EXPECT_NE(text.find("transposed from parameter hidden.weight f32[4,2], used at train_step_test.cpp:"),
            std::string::npos);
  EXPECT_TRUE(std::isfinite(step(kX, kY).item()));
}

TEST(TrainStep, FrozenParametersAreLeftAlone) {
  Net model;
  TrainStep step(model, nn::BCELoss{}, optim::SGD{.lr = 0.1});
  step(kX, kY);
  model.hidden.freeze();
  const auto before = flat(model.parameters());
  step(kX, kY);
  const auto frozen = flat(model.parameters());
  EXPECT_EQ(frozen[0], before[0]);
  EXPECT_EQ(frozen[1], before[1]);
  EXPECT_NE(frozen[2], before[2]);
  model.hidden.unfreeze();
  step(kX, kY);
  EXPECT_NE(flat(model.parameters())[0], before[0]);
  model.hidden.freeze();
  step(kX, kY);
  EXPECT_EQ(step.variant_count(), 2u);
}

struct Unused : nn::Module {
  nn::Linear used{this, "used", 2, 1}, unused{this, "unused", 2, 1};
  Tensor forward(Tensor x) const { return sigmoid(used(x)); }
};

TEST(TrainStep, UnusedParametersAreLeftAloneWithOneWarning) {
  Unused model;
  TrainStep step(model, nn::BCELoss{}, optim::SGD{.lr = 0.1});
  const int line = __LINE__ - 1;
  const auto before = flat(model.parameters());
  ::testing::internal::CaptureStderr();
  step(kX, kY);
  step(kX.rows(0, 2), kY.rows(0, 2));
  const std::string prefix = "train_step_test.cpp:" + std::to_string(line) + ": warning: the loss does not depend on ";
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), prefix + "parameter unused.weight, which is left as it is\n" +
                                                          prefix + "parameter unused.bias, which is left as it is\n");
  const auto after = flat(model.parameters());
  EXPECT_NE(after[0], before[0]);
  EXPECT_EQ(after[2], before[2]);
  EXPECT_EQ(after[3], before[3]);
}

TEST(TrainStep, NothingToTrainIsAnError) {
  Unused model;
  model.used.freeze();
  model.unused.freeze();
  TrainStep step(model, nn::BCELoss{}, optim::SGD{.lr = 0.1});
  EXPECT_NE(message_of<ModelError>([&] { step(kX, kY); }).find("depends on no parameter"), std::string::npos);
}

TEST(TrainStep, GoesOnFromACheckpointWithTheSameBits) {
  const testing::TempDir folder;
  const optim::Adam adam{.lr = 0.05};
  Net model;
  TrainStep step(model, nn::BCELoss{}, adam);
  for (int i = 0; i < 5; ++i) step(kX, kY);
  step.save(folder.path("step.safetensors"));
  for (int i = 0; i < 5; ++i) step(kX, kY);

  Net again;
  again.initialize(7);
  TrainStep resumed(again, nn::BCELoss{}, adam);
  resumed.load(folder.path("step.safetensors"));
  for (int i = 0; i < 5; ++i) resumed(kX, kY);
  EXPECT_EQ(flat(again.parameters()), flat(model.parameters()));
}

TEST(TrainStep, AUsersLossIsACallable) {
  Net model;
  TrainStep step(
      model, [](Tensor p, Tensor t) { return mean(abs(p - t)); }, optim::SGD{.lr = 0.1});
  const Array before = predict(model, kX);
  double expected = 0;
  for (int i = 0; i < 3; ++i) expected += std::abs(before.at(i) - kY.at(i)) / 3;
  EXPECT_NEAR(step(kX, kY).item(), expected, 1e-6);
}

TEST(TrainStep, CompiledShowsEveryStage) {
  Net model;
  TrainStep step(model, nn::BCELoss{}, optim::SGD{.lr = 0.1});
  const Program program = step.compiled(kX, kY);
  for (const char* stage : {"graph", "kernel", "program", "llvm", "asm"}) EXPECT_FALSE(program.dump(stage).empty());
  EXPECT_THROW(program.dump("soup"), Error);
  EXPECT_GE(program.peak_bytes(), 0);
  EXPECT_GE(program.peak_bytes({{"N", 100000}}), program.peak_bytes({{"N", 1}}));
}

TEST(Predict, OneCompileForAllBatchesAndEmptyOnesAreEmpty) {
  Net model;
  const Array all = predict(model, kX);
  EXPECT_EQ(all.shape(), (Shape{3, 1}));
  EXPECT_TRUE(same_bits(predict(model, kX.rows(1, 2)), all.rows(1, 2)));
  EXPECT_EQ(predict(model, Array(DType::kF32, {0, 2})).shape(), (Shape{0, 1}));
  model.head.bias.assign(100);
  EXPECT_NEAR(predict(model, kX).at(0), 1, 1e-6);
}

TEST(Evaluate, LossAndAccuracy) {
  Net model;
  const data::Table table(kX, kY);
  const Array p = predict(model, kX);
  double loss = 0, right = 0;
  for (int i = 0; i < 3; ++i) {
    loss -= (kY.at(i) == 1 ? std::log(p.at(i)) : std::log(1 - p.at(i))) / 3;
    right += (p.at(i) >= 0.5) == (kY.at(i) == 1);
  }
  const Evaluation e = evaluate(model, nn::BCELoss{}, table);
  EXPECT_NEAR(e.loss, loss, 1e-6);
  EXPECT_NEAR(e.metric.value(), right / 3, 1e-9);
  EXPECT_NEAR(evaluate(model, nn::BCELoss{Reduction::Sum}, table).loss, 3 * loss, 1e-5);
  EXPECT_FALSE(evaluate(model, nn::MSELoss{}, table).metric.has_value());
  const Metric count = [](const Array& predictions, const Array& labels) {
    return static_cast<double>(predictions.size() + labels.size());
  };
  EXPECT_EQ(evaluate(model, nn::MSELoss{}, table, count).metric.value(), 6);
}

TEST(Losses, StayFiniteWhereProbabilitiesVanish) {
  Parameter z{"z", 0.0f};
  auto step = jit([&](Tensor t) {
    const Tensor p = sigmoid(Tensor(z));
    const Tensor loss = nn::BCELoss{}(p, t);
    return outputs(loss, grad(loss, z));
  });
  for (const float logit : {-200.0f, -60.0f, 60.0f, 200.0f})
    for (const float t : {0.0f, 1.0f}) {
      z.assign(logit);
      auto [loss, gradient] = step(t);
      EXPECT_TRUE(std::isfinite(loss.item())) << logit << ' ' << t;
      EXPECT_TRUE(std::isfinite(gradient.item())) << logit << ' ' << t;
      EXPECT_LE(loss.item(), 100);
    }
  z.assign(std::numeric_limits<float>::quiet_NaN());
  EXPECT_TRUE(std::isnan(step(1.0f)[0].item()));
}

TEST(Losses, LogitsAndProbabilitiesAgree) {
  Parameter z{"z", 0.0f};
  auto step = jit([&](Tensor t) {
    const Tensor loss = nn::BCEWithLogitsLoss{}(Tensor(z), t);
    return outputs(loss, grad(loss, z));
  });
  for (const double logit : {-90.0, -3.0, -0.5, 0.0, 0.25, 4.0, 90.0})
    for (const double t : {0.0, 0.25, 1.0}) {
      z.assign(logit);
      auto [loss, gradient] = step(t);
      const double expected = std::max(logit, 0.0) - logit * t + std::log1p(std::exp(-std::abs(logit)));
      EXPECT_NEAR(loss.item(), expected, 1e-5 * (1 + expected));
      EXPECT_NEAR(gradient.item(), 1 / (1 + std::exp(-logit)) - t, 1e-6);
    }
}

TEST(Losses, CrossEntropyOfClassesAndOfProbabilitiesAgree) {
  const Array scores{{1.0f, 2.0f, -1.0f}, {0.5f, 0.0f, 3.0f}};
  auto by_class = jit([](Tensor s, Tensor t) { return nn::CrossEntropyLoss{}(s, t); });
  double expected = 0;
  const int classes[] = {1, 0};
  for (int n = 0; n < 2; ++n) {
    double total = 0;
    for (int c = 0; c < 3; ++c) total += std::exp(scores.at(3 * n + c));
    expected += (std::log(total) - scores.at(3 * n + classes[n])) / 2;
  }
  EXPECT_NEAR(by_class(scores, Array{1, 0}).item(), expected, 1e-6);
  EXPECT_NEAR(by_class(scores, Array{{1}, {0}}).item(), expected, 1e-6);
  EXPECT_NEAR(by_class(scores, Array{{0.0f, 1.0f, 0.0f}, {1.0f, 0.0f, 0.0f}}).item(), expected, 1e-6);
}

}  // namespace
}  // namespace gcompile
