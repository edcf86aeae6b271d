// The option `threads` of compiled functions and steps: the same bits for any number, clear errors for those that make
// no sense.
#include <gtest/gtest.h>

#include "gcompile/gcompile.h"
#include "gcompile/runtime/thread_pool.h"

namespace gcompile {
namespace {

struct Wide : nn::Module {
  nn::Linear first{this, "first", 96, 200}, second{this, "second", 200, 10};
  Tensor forward(Tensor x) const { return second(relu(first(x))); }
};

TEST(Threads, TrainingStepsHaveTheSameBits) {
  Array x(DType::kF32, {130, 96}), y(DType::kI32, {130});
  for (std::int64_t i = 0; i < x.size(); ++i) x.set(i, 0.01 * static_cast<double>(i * 37 % 101) - 0.5);
  for (std::int64_t i = 0; i < y.size(); ++i) y.set(i, static_cast<double>(i % 10));
  std::vector<float> losses;
  for (const int threads : {1, 2, 3, 4, 0}) {
    Wide model;
    TrainStep step(model, nn::CrossEntropyLoss{}, optim::SGD{.lr = 0.1, .momentum = 0.5}, {.threads = threads});
    float loss = 0;
    for (int i = 0; i < 20; ++i) loss = static_cast<float>(step(x, y).item());
    losses.push_back(loss);
    EXPECT_EQ(loss, losses[0]) << threads << " threads";
  }
}

TEST(Threads, ImpossibleNumbersAreRefused) {
  for (const int threads : {-1, 10'000}) {
    auto f = jit([](Tensor x) { return x + 1; }, {.threads = threads});
    try {
      f(1.0f);
      FAIL();
    } catch (const CallError& e) {
      EXPECT_NE(std::string(e.what()).find("threads is " + std::to_string(threads) + ", it must be in 0 .. 256"),
                std::string::npos)
          << e.what();
    }
  }
}

}  // namespace
}  // namespace gcompile
