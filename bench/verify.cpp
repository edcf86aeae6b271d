#include "verify.h"

#include <algorithm>
#include <cstring>

namespace gcompile::bench {

Weights weights_of(const Diabetes& model) {
  Weights w;
  auto* to = reinterpret_cast<std::byte*>(&w);
  const auto* end = to + sizeof w;
  for (const Parameter& p : model.parameters()) {
    const Array value = p.value();
    if (value.bytes() > static_cast<std::size_t>(end - to)) throw std::runtime_error("the model has more weights");
    std::memcpy(to, value.raw(), value.bytes());
    to += value.bytes();
  }
  if (to != end) throw std::runtime_error("the model has fewer weights");
  return w;
}

double largest_difference(const Weights& a, const Weights& b) {
  const auto *x = reinterpret_cast<const float*>(&a), *y = reinterpret_cast<const float*>(&b);
  double largest = 0;
  for (int i = 0; i < kWeights; ++i) {
    const double difference = std::abs(static_cast<double>(x[i]) - static_cast<double>(y[i]));
    if (!(difference <= largest)) largest = difference;  // a NaN stays
  }
  return largest;
}

void verify_diabetes(TrainStep& step, const Diabetes& model, const Array& inputs, const Array& labels, float rate) {
  constexpr int kSteps = 100;
  std::vector<Array> before;
  for (const Parameter& p : model.parameters()) before.push_back(p.value());

  Weights reference = weights_of(model);
  const float *x = inputs.data<float>().data(), *y = labels.data<float>().data();
  const std::int64_t n = inputs.shape()[0];
  for (int i = 0; i < kSteps; ++i) {
    const double loss = step(inputs, labels).item();
    const double by_hand = static_cast<double>(step_by_loops(reference, x, y, n, rate));
    require_near("the loss of step " + std::to_string(i), loss, by_hand, 1e-5);
  }
  require_near("the largest difference of a weight", largest_difference(weights_of(model), reference), 0, 1e-5);

  std::vector<Parameter> parameters = model.parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i) parameters[i].assign(before[i]);
}

void report_estimate(benchmark::State& state, const Program& program, double seconds) {
  if (const double estimated = program.estimated_seconds(); estimated > 0)
    state.counters["estimate_ratio"] = seconds / estimated;
}

void report(benchmark::State& state, std::int64_t samples, const Program& program, double compile_ms, double seconds) {
  state.counters["samples/s"] =
      benchmark::Counter(static_cast<double>(samples), benchmark::Counter::kIsIterationInvariantRate);
  state.counters["arena_bytes"] = static_cast<double>(program.peak_bytes());
  state.counters["compile_ms"] = compile_ms;
  report_estimate(state, program, seconds);
}

}  // namespace gcompile::bench
