// Kernels that read the same memory: what an optimizer stores, several sums of one array, the gradients of a gain and a
// bias. "launches" counts kernels; "GB/s" what must be read and written once. One thread, the processor's time.
#include <functional>
#include <vector>

#include "gcompile/frontend/optim/adam.h"
#include "verify.h"

namespace gcompile::bench {
namespace {

// A step of Adam for parameters of these shapes, whose gradients are parts of one argument.
struct AdamStep {
  std::vector<Parameter> parameters = {};
  optim::Rule rule = {{"unused", 0.0F}, {}, nullptr};

  AdamStep(std::int64_t count, std::int64_t rows, std::int64_t columns) {
    for (std::int64_t i = 0; i < count; ++i)
      parameters.emplace_back("w" + std::to_string(i), random_matrix(rows, columns, 1, static_cast<unsigned>(i)));
    rule = optim::Adam{}.start(parameters);
  }
  void operator()(const Tensor& g) const {
    std::vector<optim::Change> changes;
    for (std::size_t i = 0; i < parameters.size(); ++i) changes.push_back({i, g * (1.0F + static_cast<float>(i))});
    rule.update(changes);
  }
};

int launches(const Program& program) {
  const std::string text = program.dump("program");
  int count = 0;
  for (std::size_t at = text.find("\nlaunch "); at != std::string::npos; at = text.find("\nlaunch ", at + 1)) ++count;
  return count;
}

template <class F>
void measure(benchmark::State& state, F& compiled, double bytes, const std::function<void()>& call) {
  call();
  const double seconds = timed(state, call);
  state.counters["GB/s"] = 1e-9 * bytes / seconds;
  state.counters["launches"] = launches(compiled.compiled());
  report_estimate(state, compiled.compiled(), seconds);
}

void adam(benchmark::State& state, std::int64_t count, std::int64_t rows, std::int64_t columns) {
  guarded(state, [&] {
    const AdamStep step(count, rows, columns);
    const Array g = random_matrix(rows, columns, 1, 99);
    auto compiled = compile([&step](Tensor x) { step(x); }, {f32(rows, columns)}, {.threads = 1});
    const double bytes = 4.0 * static_cast<double>((6 * count + 1) * rows * columns);
    measure(state, compiled, bytes, [&] { compiled(g); });
  });
}

void sums(benchmark::State& state, int axis) {
  guarded(state, [&] {
    constexpr std::int64_t kRows = 4096, kColumns = 1024;
    const Array a = random_matrix(kRows, kColumns, 1, 1), b = random_matrix(kRows, kColumns, 1, 2);
    const double array = 4.0 * kRows * kColumns;
    if (axis == 0) {
      auto compiled = compile([](Tensor x, Tensor y) { return outputs(sum(x * y, {0}), sum(x, {0})); },
                              {f32(kRows, kColumns), f32(kRows, kColumns)}, {.threads = 1});
      measure(state, compiled, 2 * array, [&] { benchmark::DoNotOptimize(compiled(a, b)); });
    } else {
      auto compiled = compile([](Tensor x) { return outputs(sum(x, {1}), max(x, {1}), sum(x * x, {1})); },
                              {f32(kRows, kColumns)}, {.threads = 1});
      measure(state, compiled, array, [&] { benchmark::DoNotOptimize(compiled(a)); });
    }
  });
}

const bool kRegistered = [] {
  const auto line = [](const char* name, const std::function<void(benchmark::State&)>& body) {
    benchmark::RegisterBenchmark((std::string("siblings/") + name).c_str(), body);
  };
  line("adam/1x1000x1000", [](benchmark::State& s) { adam(s, 1, 1000, 1000); });
  line("adam/20x8x8", [](benchmark::State& s) { adam(s, 20, 8, 8); });
  line("adam/20x64x64", [](benchmark::State& s) { adam(s, 20, 64, 64); });
  line("gain_and_bias/4096x1024", [](benchmark::State& s) { sums(s, 0); });
  line("row_statistics/4096x1024", [](benchmark::State& s) { sums(s, 1); });
  return true;
}();

}  // namespace
}  // namespace gcompile::bench
