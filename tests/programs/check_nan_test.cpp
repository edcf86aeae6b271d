// Check::NaN: a call that meets a NaN updates nothing and says where it came from. In the texts "@+2" stands for this
// file and the second line below the one that `base` was taken on: a wrong line fails to match.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "gcompile/gcompile.h"

namespace gcompile {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();
const JitOptions kChecked{.check = Check::NaN};

// What f throws as NumericError, "" for nothing.
template <class F>
std::string told(Where base, const F& f) {
  std::string text;
  try {
    f();
  } catch (const NumericError& e) {
    text = e.what();
  }
  const std::string file = Location::from(base).str(), name = file.substr(0, file.find(':') + 1);
  for (std::size_t i = 0; (i = text.find(name, i)) != std::string::npos;) {
    std::size_t digits = 0;
    const int line = std::stoi(text.substr(i + name.size()), &digits);
    text.replace(i, name.size() + digits, "@+" + std::to_string(line - static_cast<int>(base.line())));
  }
  return text;
}

TEST(CheckNaN, LogOfANegativeNumber) {
  const Where base = Where::current();
  auto f = jit([](Tensor x) { return sum(log(x)); }, kChecked);
  EXPECT_EQ(told(base,
                 [&] {
                   f(Array{1.0f, -1.0f, 4.0f});
                 }),
            "@+1: log made a NaN: 1 of 3 elements of f32[3], first at [1]; nothing was updated\n"
            "  operand f32[3]  -1 .. 4  made at @+2 (input x0)");
  EXPECT_NEAR(f(Array{1.0f, 1.0f, 4.0f}).item(), std::log(4), 1e-6);
  EXPECT_EQ(f.variant_count(), 1u);
}

TEST(CheckNaN, OfTheBackwardPassThatTheLossDoesNotShow) {
  Parameter w{"w", Array{4.0f, 0.0f}};
  const State calls{"calls", 0};
  const Where base = Where::current();
  auto step = jit(
      [&] {
        const Tensor loss = sum(sqrt(w) * 0);  // @+3
        calls.set(calls + 1);
        w.set(w - grad(loss, w));
        return loss;
      },
      kChecked);
  EXPECT_EQ(told(base, [&] { step(); }),
            "@+3: div made a NaN in the backward pass: 1 of 2 elements of f32[2], first at [1]; nothing was updated\n"
            "  left  f32[2]  0       made at @+3 (mul)\n"
            "  right f32[2]  0 .. 4  made at @+3 (mul)");
  EXPECT_EQ(w.value().at(0), 4);
  EXPECT_EQ(w.value().at(1), 0);
  EXPECT_EQ(calls.item(), 0);
  w.assign(Array{4.0f, 9.0f});
  EXPECT_EQ(step().item(), 0);
  EXPECT_EQ(calls.item(), 1);
}

TEST(CheckNaN, InAStepOfALoopAndOfItsGradient) {
  Parameter w{"w", Array{4.0f, 1.0f}};
  const Where base = Where::current();
  auto f = jit(
      [&](Tensor xs) {
        const auto step = [](Tensor h, Tensor x) {
          h = h - x;                       // @+4
          return outputs(h, sqrt(h) * 0);  // @+5
        };
        auto [last, all] = scan(step, w, xs);  // @+7
        const Tensor loss = sum(all);
        return outputs(loss, grad(loss, w));
      },
      kChecked);
  EXPECT_EQ(told(base,
                 [&] {
                   f(Array{{1.0f, 0.5f}, {1.0f, 1.5f}, {0.0f, 0.0f}});
                 }),
            "@+5: sqrt made a NaN in the forward pass, in step 1 of the scan at @+7: 1 of 2 elements of f32[2], first "
            "at [1]; nothing was updated\n"
            "  operand f32[2]  -1 .. 2  made at @+4 (sub)");
  EXPECT_EQ(told(base,
                 [&] {
                   f(Array{{1.0f, 0.5f}, {1.0f, 0.5f}, {0.0f, -1.0f}});
                 }),
            "@+5: div made a NaN in the backward pass, in step 1 of the scan at @+7: 1 of 2 elements of f32[2], first "
            "at [1]; nothing was updated\n"
            "  left  f32[2]  0             made at @+5 (mul)\n"
            "  right f32[2]  0 .. 2.82843  made at @+5 (mul)");
}

TEST(CheckNaN, InfinityMinusInfinityShowsTheRanges) {
  const Where base = Where::current();
  auto f = jit([](Tensor x, Tensor y) { return exp(x) - exp(y); }, kChecked);
  EXPECT_EQ(told(base,
                 [&] {
                   f(Array{{0.0f, 1.0f}, {200.0f, 90.0f}}, Array{{1.0f, 2.0f}, {150.0f, 0.0f}});
                 }),
            "@+1: sub made a NaN: 1 of 4 elements of f32[2,2], first at [1, 0]; nothing was updated\n"
            "  left  f32[2,2]  1 .. inf, 2 of 4 infinite  made at @+1 (exp)\n"
            "  right f32[2,2]  1 .. inf, 1 of 4 infinite  made at @+1 (exp)");
}

TEST(CheckNaN, InAnArgumentIsToldAtTheLineOfTheCall) {
  auto f = jit([](Tensor x, Tensor y) { return sum(x * y); }, kChecked);
  const Array x(DType::kF32, {2, 3});
  f(x, x);
  Array y = x;
  y.set(4, kNaN);
  const Where base = Where::current();
  EXPECT_EQ(told(base, [&] { f(x, y); }),
            "@+1: argument 2 (x1) has a NaN: 1 of 6 elements of f32[2,3], first at [1, 1]; nothing was updated");
}

TEST(CheckNaN, InAState) {
  Parameter w{"layer.weight", Array{1.0f, kNaN, kNaN}};
  const Where base = Where::current();
  auto f = jit([&](Tensor x) { return sum(x * w); }, kChecked);
  EXPECT_EQ(told(base,
                 [&] {
                   f(Array{1.0f, 1.0f, 1.0f});
                 }),
            "@+1: parameter layer.weight has a NaN: 2 of 3 elements of f32[3], first at [1]; nothing was updated");
}

TEST(CheckNaN, OfTheUpdate) {
  const State rate{"rate", 0.0f};
  Parameter w{"w", 2.0f};
  const Where base = Where::current();
  auto step = jit(
      [&](Tensor x) {
        const Tensor d = grad(square(w * x), w);
        w.set(w - d * 0 / rate);  // @+4
      },
      kChecked);
  EXPECT_EQ(told(base, [&] { step(3.0f); }), "@+4: div made a NaN after the backward pass: f32[]; nothing was updated\n"
                                             "  left  f32[]  0  made at @+4 (mul)\n"
                                             "  right f32[]  0  state rate, used at @+4");
  EXPECT_EQ(w.item(), 2);
}

TEST(CheckNaN, ThatTheInterpreterDoesNotMeet) {
  const Where base = Where::current();
  auto f = jit(
      [](Tensor x) {
        const Tensor s = sum(x);  // @+3
        return s * 2;
      },
      kChecked);
  EXPECT_EQ(told(base,
                 [&] {
                   f(Array{3e38f, -3e38f, 3e38f, -3e38f});
                 }),
            "@+4: mul has a NaN: f32[]; nothing was updated\n"
            "  left  f32[]  0  made at @+3 (reduce_sum)\n"
            "  right f32[]  2  made at @+4 (constant)\n"
            "  Computed again op by op, each in double precision, there is no NaN: on the way to this value a sum or "
            "product of floats left their range\n"
            "  maybe in reduce_sum at @+3:\n"
            "    operand f32[4]  -3e+38 .. 3e+38  made at @+7 (input x0)");
}

TEST(CheckNaN, WhatIsNotChosenIsNoConcern) {
  auto f = jit([](Tensor x) { return where(x > 0, log(x), 0); }, kChecked);
  EXPECT_EQ(f(Array{-1.0f, 1.0f}).at(0), 0);
  auto filled = jit([](Tensor x) { return where(x != x, 0, x); }, kChecked);
  EXPECT_EQ(filled(Array{kNaN, 1.0f}).at(0), 0);
  auto part = jit([](Tensor x) { return log(x).slice(0, 1, 3); }, kChecked);
  EXPECT_EQ(part(Array{-1.0f, 1.0f, 1.0f}).at(0), 0);
  auto infinite = jit([](Tensor x) { return log(x); }, kChecked);
  EXPECT_EQ(infinite(Array{0.0f, kInf}).at(0), -kInf);
}

TEST(CheckNaN, WhatHidesIsLookedAt) {
  const Array x{1.0f, kNaN};
  auto compared = jit([](Tensor t) { return t > 0; }, kChecked);
  EXPECT_THROW(compared(x), NumericError);
  auto whole = jit([](Tensor t) { return cast(t, DType::kI32); }, kChecked);
  EXPECT_THROW(whole(x), NumericError);
  auto place = jit([](Tensor t) { return argmax(t, 0); }, kChecked);
  EXPECT_THROW(place(x), NumericError);
  auto power = jit([](Tensor t) { return pow(1, t); }, kChecked);
  EXPECT_THROW(power(x), NumericError);
  auto activated = jit([](Tensor t) { return relu(t); }, kChecked);
  EXPECT_THROW(activated(x), NumericError);
  EXPECT_EQ(activated(Array{1.0f, -2.0f}).at(1), 0);
}

TEST(CheckNaN, IntegersNeedNone) {
  auto f = jit([](Tensor x) { return x + 1; }, kChecked);
  EXPECT_EQ(f(Array{1, 2}).at(1), 3);
}

TEST(CheckNaN, ResultsInTheCallersHandsStay) {
  auto f = jit([](Tensor x) { return log(x); }, kChecked);
  const Array small = f(Array{1.0f});
  const Array large = f(Array(DType::kF32, {100}));
  for (int i = 0; i < 6; ++i) {
    EXPECT_THROW(f(Array{-1.0f}), NumericError);
    EXPECT_THROW(f(Array::full(DType::kF32, {100}, -1)), NumericError);
  }
  EXPECT_EQ(small.at(0), 0);
  EXPECT_EQ(large.at(99), -kInf);
}

struct Net : nn::Module {
  nn::Linear linear1{this, "linear1", 8, 6}, linear2{this, "linear2", 6, 1};
  Tensor forward(Tensor x) const { return sigmoid(linear2(relu(linear1(x)))); }
};

data::Table points(std::int64_t count) {
  Array x = Array::uninitialized(DType::kF32, {count, 8}), y = Array::uninitialized(DType::kF32, {count, 1});
  for (std::int64_t i = 0; i < x.size(); ++i) x.set(i, static_cast<double>((i * 7) % 11) / 11);
  for (std::int64_t i = 0; i < y.size(); ++i) y.set(i, static_cast<double>(i % 2));
  return {x, y};
}

std::vector<Array> values(const std::vector<State>& states) {
  std::vector<Array> list;
  for (const State& s : states) list.push_back(s.value());
  return list;
}

bool same(const std::vector<Array>& a, const std::vector<Array>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), same_bits);
}

TEST(CheckNaN, ATrainStepOfAnyBatchKeepsAllItsStatesAndGoesOn) {
  Net model, plain_model;
  TrainStep step(model, nn::BCELoss{}, optim::Adam{}, kChecked);
  TrainStep plain(plain_model, nn::BCELoss{}, optim::Adam{});
  for (const std::int64_t n : {32, 5, 17}) {
    const data::Table good = points(n);
    Array bad = good.inputs();
    bad.set(8 * (n - 1), kNaN);
    const std::vector<Array> before = values(step.states());
    EXPECT_THROW(step(bad, good.labels()), NumericError);
    EXPECT_TRUE(same(values(step.states()), before));
    EXPECT_TRUE(same_bits(step(good.inputs(), good.labels()), plain(good.inputs(), good.labels())));
    EXPECT_FALSE(same(values(step.states()), before));
    EXPECT_TRUE(same(values(step.states()), values(plain.states())));
  }
  EXPECT_EQ(step.variant_count(), 1u);
}

TEST(CheckNaN, OfPredictAndEvaluate) {
  Net model;
  const data::Table good = points(4);
  Array x = good.inputs();
  x.set(3, kNaN);
  EXPECT_NO_THROW(predict(model, x));
  EXPECT_THROW(predict(model, x, kChecked), NumericError);
  EXPECT_NO_THROW(predict(model, good.inputs(), kChecked));
  const data::Table bad(x, good.labels());
  EXPECT_TRUE(std::isnan(evaluate(model, nn::BCELoss{}, bad).loss));
  EXPECT_THROW(evaluate(model, nn::BCELoss{}, bad, nullptr, kChecked), NumericError);
  TrainStep step(model, nn::BCELoss{}, optim::SGD{}, kChecked);
  EXPECT_THROW(step.evaluate(bad), NumericError);
}

TEST(CheckNaN, FitTellsEpochAndBatchAndKeepsTheParameters) {
  const data::Table good = points(12);
  Array x = good.inputs();
  x.set(8 * 9 + 2, kNaN);
  Net model, until_then;
  TrainStep step(model, nn::BCELoss{}, optim::SGD{.lr = 0.1}, kChecked);
  TrainStep first(until_then, nn::BCELoss{}, optim::SGD{.lr = 0.1});
  const data::DataLoader loader(data::Table(x, good.labels()), {.batch_size = 4, .shuffle = false});
  const Where base = Where::current();
  EXPECT_EQ(told(base, [&] { fit(step, loader, {.epochs = 2, .progress = false}); }),
            "@+1: argument 1 (x) has a NaN: 1 of 32 elements of f32[4,8], first at [1, 2]; nothing was updated\n"
            "  in epoch 1, batch 3 of fit at @+1");
  const data::Table finite = good.rows(0, 8);
  fit(first, data::DataLoader(finite, {.batch_size = 4, .shuffle = false}), {.epochs = 1, .progress = false});
  EXPECT_TRUE(same(values(model.states()), values(until_then.states())));
}

}  // namespace
}  // namespace gcompile
