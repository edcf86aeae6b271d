// Inference of one sample with the networks of W5 and W6: "gcompile" is `predict`, which makes a program for one
// row at the first call, "fixed" a function compiled for one row. Both must give what the same network gives in double.
#include <algorithm>
#include <cmath>

#include "verify.h"

namespace gcompile::bench {
namespace {

Array sample(std::int64_t columns) {
  Array x(DType::kF32, {1, columns});
  for (std::int64_t i = 0; i < columns; ++i) x.set(i, static_cast<double>(i * 7919 % 1009) / 1009);
  return x;
}

using Activation = double (*)(double);
double sigmoid_of(double z) { return 1 / (1 + std::exp(-z)); }
double relu_of(double z) { return std::max(z, 0.0); }
double same(double z) { return z; }

// The parameters are weight and bias by turns.
std::vector<double> reference(const std::vector<Parameter>& parameters, const Array& x, Activation hidden,
                              Activation last) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < x.size(); ++i) values.push_back(x.at(i));
  for (std::size_t p = 0; p < parameters.size(); p += 2) {
    const Array w = parameters[p].value(), b = parameters[p + 1].value();
    std::vector<double> outputs;
    for (std::int64_t o = 0; o < b.size(); ++o) {
      double z = b.at(o);
      for (std::size_t i = 0; i < values.size(); ++i)
        z += w.at(o * static_cast<std::int64_t>(values.size()) + static_cast<std::int64_t>(i)) * values[i];
      outputs.push_back((p + 2 == parameters.size() ? last : hidden)(z));
    }
    values = std::move(outputs);
  }
  return values;
}

template <class Predict>
void measure(benchmark::State& state, const std::vector<double>& expected, const Predict& predict) {
  Array result = predict();
  if (result.size() != static_cast<std::int64_t>(expected.size())) throw std::runtime_error("another shape");
  for (std::int64_t i = 0; i < result.size(); ++i)
    require_near("output " + std::to_string(i), result.at(i), expected[static_cast<std::size_t>(i)], 1e-5);
  for (auto _ : state) {
    result = predict();
    benchmark::DoNotOptimize(result);
  }
}

template <class Model>
void infer(benchmark::State& state, const Model& model, std::int64_t columns, Activation hidden, Activation last,
           bool fixed) {
  guarded(state, [&] {
    const Array x = sample(columns);
    const std::vector<double> expected = reference(model.parameters(), x, hidden, last);
    if (fixed) {
      auto forward = compile([&model](Tensor t) { return model.forward(t); }, {f32(1, columns)}, {.threads = 1});
      measure(state, expected, [&] { return forward(x); });
      state.counters["arena_bytes"] = static_cast<double>(forward.compiled().peak_bytes());
    } else {
      measure(state, expected, [&] { return predict(model, x, {.threads = 1}); });
    }
  });
}

void w5(benchmark::State& state, bool fixed) {
  const Diabetes model;
  infer(state, model, 8, sigmoid_of, sigmoid_of, fixed);
}

void w6(benchmark::State& state, bool fixed) {
  constexpr std::int64_t kWidths[] = {784, 512, 256, 128, 64, 10};
  nn::Sequential net;
  for (std::size_t i = 1; i < std::size(kWidths); ++i) {
    net.add<nn::Linear>(kWidths[i - 1], kWidths[i]);
    if (i + 1 < std::size(kWidths)) net.add<nn::ReLU>();
  }
  infer(state, net, 784, relu_of, same, fixed);
}

BENCHMARK_CAPTURE(w5, any, false)->Name("predict/W5/gcompile");
BENCHMARK_CAPTURE(w5, fixed, true)->Name("predict/W5/fixed");
BENCHMARK_CAPTURE(w6, any, false)->Name("predict/W6/gcompile");
BENCHMARK_CAPTURE(w6, fixed, true)->Name("predict/W6/fixed");

}  // namespace
}  // namespace gcompile::bench
