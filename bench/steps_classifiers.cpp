// W6: 784-512-256-128-64-10 with ReLU, 64 rows, cross-entropy, SGD with momentum. W13: 4-16-3 with ReLU, 30 rows, Adam.
// Before anything is timed, a few steps must lose what a reference in double loses.
#include <map>

#include "mlp_reference.h"
#include "verify.h"

namespace gcompile::bench {
namespace {

constexpr int kCheckedSteps = 4;  // the later losses depend on every update of those before

using Widths = std::vector<std::int64_t>;

void fill(nn::Sequential& net, const Widths& widths) {
  for (std::size_t i = 1; i < widths.size(); ++i) {
    net.add<nn::Linear>(widths[i - 1], widths[i]);
    if (i + 1 < widths.size()) net.add<nn::ReLU>();
  }
}

struct Data {
  Array x, y;
  MlpReference::Numbers inputs;
  std::vector<std::int64_t> labels;

  // Numbers in 0 .. 1 as pixels are, and classes, in no order.
  Data(std::int64_t rows, std::int64_t columns, std::int64_t classes)
      : x(DType::kF32, {rows, columns}), y(DType::kI32, {rows}) {
    for (std::int64_t i = 0; i < x.size(); ++i) {
      x.set(i, static_cast<double>(i * 7919 % 1009) / 1009);
      inputs.push_back(x.at(i));
    }
    for (std::int64_t i = 0; i < rows; ++i) {
      labels.push_back(i * 31 % classes);
      y.set(i, static_cast<double>(labels.back()));
    }
  }
};

MlpReference::Rule momentum(double lr, double momentum) {
  return [=, v = std::map<std::size_t, double>()](std::size_t i, double w, double g) mutable {
    return w - lr * (v[i] = momentum * v[i] + g);
  };
}

MlpReference::Rule adam(double lr) {
  struct Moments {
    double m = 0, v = 0, power1 = 1, power2 = 1;
  };
  return [=, all = std::map<std::size_t, Moments>()](std::size_t i, double w, double g) mutable {
    Moments& s = all[i];
    s.m = 0.9 * s.m + 0.1 * g;
    s.v = 0.999 * s.v + 0.001 * g * g;
    s.power1 *= 0.9;
    s.power2 *= 0.999;
    return w - lr * (s.m / (1 - s.power1)) / (std::sqrt(s.v / (1 - s.power2)) + 1e-8);
  };
}

template <class Optimizer>
void train(benchmark::State& state, const Widths& widths, std::int64_t rows, int threads, const Optimizer& optimizer,
           const MlpReference::Rule& rule) {
  guarded(state, [&] {
    const Data data(rows, widths.front(), widths.back());
    nn::Sequential net;
    fill(net, widths);
    TrainStep step(net, nn::CrossEntropyLoss{}, optimizer, {.threads = threads});
    std::vector<MlpReference::Numbers> parameters;
    for (const Parameter& p : net.parameters()) {
      const Array value = p.value();
      parameters.emplace_back();
      for (std::int64_t i = 0; i < value.size(); ++i) parameters.back().push_back(value.at(i));
    }
    const auto begin = Clock::now();
    step.compiled(data.x, data.y);
    const double compile_ms = milliseconds_since(begin);
    MlpReference reference(widths, std::move(parameters));
    for (int i = 0; i < kCheckedSteps; ++i)
      require_near("the loss of step " + std::to_string(i), step(data.x, data.y).item(),
                   reference.step(data.inputs, data.labels, rule), 2e-5);
    const double seconds = timed(
        state,
        [&] {
          Array loss = step(data.x, data.y);
          benchmark::DoNotOptimize(loss);
        },
        threads > 1);
    report(state, rows, step.compiled(), compile_ms, seconds);
  });
}

void w6(benchmark::State& state, int threads) {
  train(state, {784, 512, 256, 128, 64, 10}, 64, threads, optim::SGD{.lr = 0.01, .momentum = 0.5}, momentum(0.01, 0.5));
}
BENCHMARK_CAPTURE(w6, one, 1)->Name("W6/gcompile");
BENCHMARK_CAPTURE(w6, two, 2)->Name("W6_two_threads/gcompile")->UseRealTime();

void w13(benchmark::State& state) { train(state, {4, 16, 3}, 30, 1, optim::Adam{.lr = 0.001}, adam(0.001)); }
BENCHMARK(w13)->Name("W13/gcompile");

}  // namespace
}  // namespace gcompile::bench
