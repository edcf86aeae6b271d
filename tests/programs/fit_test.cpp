// fit: what it reports, when it stops, and the picture.
#include <gtest/gtest.h>

#include <csignal>
#include <limits>

#include "gcompile/gcompile.h"
#include "tests/unit/temp_dir.h"

namespace gcompile {
namespace {

using testing::message_of;

struct Line : nn::Module {
  nn::Linear linear{this, "linear", 1, 1};
  Tensor forward(Tensor x) const { return linear(x); }
};

data::Table line_points(std::int64_t count) {
  Array x = Array::uninitialized(DType::kF32, {count, 1}), y = x;
  for (std::int64_t i = 0; i < count; ++i) {
    x.set(i, static_cast<double>(i) / static_cast<double>(count));
    y.set(i, 2 * x.at(i) + 1);
  }
  return {x, y};
}

TEST(Fit, ReportsLossesOfBothSetsAndDrawsThem) {
  const testing::TempDir folder;
  const data::Table train = line_points(50), test = line_points(7);
  Line model;
  TrainStep step(model, nn::MSELoss{}, optim::SGD{.lr = 0.3});
  const std::string plot = folder.path("loss.svg");
  const History history = fit(step, data::DataLoader(train, {.batch_size = 16}),
                              {.epochs = 60, .validation = test, .plot = plot, .progress = false});
  ASSERT_EQ(history.loss.size(), 60u);
  ASSERT_EQ(history.validation_loss.size(), 60u);
  EXPECT_TRUE(history.metric.empty());
  EXPECT_FALSE(history.interrupted);
  EXPECT_LT(history.loss.back(), 1e-3);
  EXPECT_NEAR(history.validation_loss.back(), evaluate(model, nn::MSELoss{}, test).loss, 1e-9);
  EXPECT_NE(folder.read("loss.svg").find("validation"), std::string::npos);
  EXPECT_EQ(step.variant_count(), 1u);
}

TEST(Fit, TheLossOfAnEpochIsTheMeanOfItsSamples) {
  const data::Table table = line_points(5);
  Line model;
  TrainStep step(model, nn::MSELoss{}, optim::SGD{.lr = 0});
  const History history = fit(step, data::DataLoader(table, {.batch_size = 2}), {.epochs = 1, .progress = false});
  EXPECT_NEAR(history.loss[0], evaluate(model, nn::MSELoss{}, table).loss, 1e-6);
}

TEST(Fit, MetricsAreAccuracyOrTheUsers) {
  struct Classifier : nn::Module {
    nn::Linear linear{this, "linear", 1, 3};
    Tensor forward(Tensor x) const { return linear(x); }
  } model;
  const data::Table table(Array{{-2.0f}, {0.0f}, {2.0f}}, Array{0, 1, 2});
  TrainStep step(model, nn::CrossEntropyLoss{}, optim::Adam{.lr = 0.1});
  const data::DataLoader loader(table, {.batch_size = 3});
  const History history = fit(step, loader, {.epochs = 200, .validation = table, .progress = false});
  EXPECT_EQ(history.metric.back(), 1);
  const Metric samples = [](const Array& predictions, const Array&) {
    return static_cast<double>(predictions.shape()[0]);
  };
  EXPECT_EQ(fit(step, loader, {.epochs = 1, .validation = table, .progress = false, .metric = samples}).metric.back(),
            3);
}

TEST(Fit, ALossThatIsNotFiniteStopsIt) {
  Array x = line_points(4).inputs();
  x.set(3, std::numeric_limits<double>::infinity());
  const data::Table table(x, line_points(4).labels());
  Line model;
  TrainStep step(model, nn::MSELoss{}, optim::SGD{.lr = 0.1});
  const data::DataLoader loader(table, {.batch_size = 1, .shuffle = false});
  const std::string text = message_of<Error>([&] { fit(step, loader, {.epochs = 3, .progress = false}); });
  const int line = __LINE__ - 1;
  EXPECT_EQ(text.substr(0, text.find("the last finite loss was")),
            "fit_test.cpp:" + std::to_string(line) + ": fit: the loss is inf in epoch 1, batch 4; ");
}

TEST(Fit, NoEpochsAreRefused) {
  Line model;
  TrainStep step(model, nn::MSELoss{}, optim::SGD{});
  EXPECT_THROW(fit(step, data::DataLoader(line_points(4)), {.epochs = 0}), CallError);
}

// Sends the signal while its batch is made.
struct Interrupting : data::Dataset {
  data::Table table = line_points(8);
  mutable int given = 0;
  data::Example get(std::int64_t index) const override {
    if (++given == 12) std::raise(SIGINT);
    return table.get(index);
  }
  std::int64_t size() const override { return table.size(); }
};

int signals = 0;
void count_signal(int) { ++signals; }

TEST(Fit, CtrlCFinishesTheBatchAndKeepsTheParameters) {
  signals = 0;
  auto* before = std::signal(SIGINT, count_signal);
  const Interrupting dataset;
  Line model;
  TrainStep step(model, nn::MSELoss{}, optim::SGD{.lr = 0.1});
  const data::DataLoader loader(dataset, {.batch_size = 2, .shuffle = false, .num_workers = 0});
  const double start = model.linear.weight.item();
  const History history = fit(step, loader, {.epochs = 100, .progress = false});
  EXPECT_TRUE(history.interrupted);
  EXPECT_EQ(history.loss.size(), 1u);
  EXPECT_EQ(dataset.given, 12);
  EXPECT_NE(model.linear.weight.item(), start);
  EXPECT_EQ(signals, 0);
  std::raise(SIGINT);  // the handler from before is back
  EXPECT_EQ(signals, 1);
  std::signal(SIGINT, before);
}

}  // namespace
}  // namespace gcompile
