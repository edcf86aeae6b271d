// W1, W2 and W3: one training step of models with one or two parameters, where all that counts is the cost of a call.
// Each trains beside the same arithmetic in double before it is timed.
#include "verify.h"

namespace gcompile::bench {
namespace {

const Array kX{{1.0f}, {2.0f}, {3.0f}};

// W1: y = w x, one sample, squared error, SGD 0.01, written out as in the course's first program.
void w1(benchmark::State& state) {
  guarded(state, [&] {
    const float xs[] = {1, 2, 3}, ys[] = {2, 4, 6};
    Parameter w{"w", 1.0f};
    auto step = jit([&](Tensor x, Tensor y) {
      Tensor loss = square(x * w - y);
      w.set(w - 0.01f * grad(loss, w));
      return loss;
    });
    const auto begin = Clock::now();
    step.compiled(xs[0], ys[0]);
    const double compile_ms = milliseconds_since(begin);

    double reference = 1;
    for (int i = 0; i < 30; ++i) {
      const double x = xs[i % 3], error = x * reference - ys[i % 3];
      require_near("the loss", step(xs[i % 3], ys[i % 3]).item(), error * error, 1e-5);
      reference -= 0.01 * 2 * error * x;
    }
    require_near("w", w.item(), reference, 1e-5);

    int i = 0;
    const double seconds = timed(state, [&] {
      Array loss = step(xs[i], ys[i]);
      benchmark::DoNotOptimize(loss);
      i = i == 2 ? 0 : i + 1;
    });
    report(state, 1, step.compiled(), compile_ms, seconds);
  });
}
BENCHMARK(w1)->Name("W1/gcompile");

// Three rows through Linear(1,1) and a loss that sums; `derive` gives the loss of one row and its derivative by z.
template <class Model, class Loss, class Derive>
void three_rows(benchmark::State& state, const Array& y, const Derive& derive) {
  guarded(state, [&] {
    Model model;
    TrainStep step(model, Loss{Reduction::Sum}, optim::SGD{.lr = 0.01});
    const auto begin = Clock::now();
    step.compiled(kX, y);
    const double compile_ms = milliseconds_since(begin);

    double w = model.linear.weight.item(), b = model.linear.bias.item();
    for (int i = 0; i < 30; ++i) {
      double loss = 0, dw = 0, db = 0;
      for (std::int64_t row = 0; row < 3; ++row) {
        const auto [row_loss, dz] = derive(kX.at(row) * w + b, y.at(row));
        loss += row_loss;
        dw += dz * kX.at(row);
        db += dz;
      }
      require_near("the loss", step(kX, y).item(), loss, 1e-5 * std::max(1.0, loss));
      w -= 0.01 * dw;
      b -= 0.01 * db;
    }
    require_near("the weight", model.linear.weight.item(), w, 1e-5);
    require_near("the bias", model.linear.bias.item(), b, 1e-5);

    const double seconds = timed(state, [&] {
      Array loss = step(kX, y);
      benchmark::DoNotOptimize(loss);
    });
    report(state, 3, step.compiled(), compile_ms, seconds);
  });
}

// W2: Linear(1,1), squared error.
void w2(benchmark::State& state) {
  three_rows<Linear, nn::MSELoss>(state, Array{{2.0f}, {4.0f}, {6.0f}},
                                  [](double z, double y) { return std::pair((z - y) * (z - y), 2 * (z - y)); });
}
BENCHMARK(w2)->Name("W2/gcompile");

// W3: sigmoid(Linear(1,1)), binary cross-entropy.
void w3(benchmark::State& state) {
  three_rows<Logistic, nn::BCELoss>(state, Array{{0.0f}, {0.0f}, {1.0f}}, [](double z, double y) {
    const double p = 1 / (1 + std::exp(-z));
    return std::pair(-(y * std::log(p) + (1 - y) * std::log(1 - p)), p - y);
  });
}
BENCHMARK(w3)->Name("W3/gcompile");

}  // namespace
}  // namespace gcompile::bench
