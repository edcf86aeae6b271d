// The approximated functions, f32 from a table in L1: nanoseconds per element through the public call, and how exact
// they are: "max_ulp" is the largest error over about a million arguments of the range, in units of the last place of
// the exact result (the C library's in double), and "rounded" the share of results that are the nearest float to it.
#include <limits>

#include "verify.h"

namespace gcompile::bench {
namespace {

struct MathFunction {
  const char* name;
  Tensor (*compiled)(const Tensor&);
  double (*reference)(double);
  float low, high;
  double admitted_ulp;  // beyond this nothing is timed
};

// The distance to the next float of greater size.
double ulp(double exact) {
  const float size = std::abs(static_cast<float>(exact));
  return static_cast<double>(std::nextafter(size, std::numeric_limits<float>::infinity())) - static_cast<double>(size);
}

double sigmoid_of(double x) { return 1 / (1 + std::exp(-x)); }

const MathFunction kFunctions[] = {
    {"exp", [](const Tensor& x) { return exp(x); }, std::exp, -80, 80, 4},
    {"expm1", [](const Tensor& x) { return expm1(x); }, std::expm1, -10, 80, 4},
    {"log", [](const Tensor& x) { return log(x); }, std::log, 1e-30f, 1e4f, 4},
    {"log1p", [](const Tensor& x) { return log1p(x); }, std::log1p, -0.999f, 1e4f, 4},
    {"tanh", [](const Tensor& x) { return tanh(x); }, std::tanh, -10, 10, 6},
    {"sigmoid", [](const Tensor& x) { return sigmoid(x); }, sigmoid_of, -80, 80, 4},
    {"erf", [](const Tensor& x) { return erf(x); }, std::erf, -5, 5, 6},
    {"sin", [](const Tensor& x) { return sin(x); }, std::sin, -1000, 1000, 8},
    {"cos", [](const Tensor& x) { return cos(x); }, std::cos, -1000, 1000, 8},
};

struct Accuracy {
  double max_ulp = 0;
  double rounded = 0;  // share of correctly rounded results
};

template <class Step>
Accuracy accuracy_of(const MathFunction& f, Step& step) {
  constexpr std::int64_t kBlock = 1 << 12;
  constexpr int kBlocks = 256;
  Accuracy all;
  std::int64_t rounded = 0;
  Array x(DType::kF32, {kBlock});
  for (int block = 0; block < kBlocks; ++block) {
    for (std::int64_t i = 0; i < kBlock; ++i) {
      const double share = (static_cast<double>(block) + static_cast<double>(i) * kBlocks) / (kBlock * kBlocks - 1);
      x.set(i, f.low + share * (static_cast<double>(f.high) - f.low));
    }
    const Array y = step(x);
    for (std::int64_t i = 0; i < kBlock; ++i) {
      const double exact = f.reference(x.at(i)), error = std::abs(y.at(i) - exact) / ulp(exact);
      if (!(error <= all.max_ulp)) all.max_ulp = error;
      rounded += static_cast<float>(exact) == static_cast<float>(y.at(i));
    }
  }
  all.rounded = static_cast<double>(rounded) / (kBlock * kBlocks);
  return all;
}

void math(benchmark::State& state, const MathFunction& f) {
  guarded(state, [&] {
    constexpr std::int64_t kElements = 2048;  // operand and result together take 16 KiB
    const Dim n{"N"};
    auto function = f.compiled;
    auto step = compile([function](Tensor x) { return function(x); }, {f32(n)});
    const Accuracy accuracy = accuracy_of(f, step);
    if (!(accuracy.max_ulp <= f.admitted_ulp))
      throw std::runtime_error("wrong result, not timed: an error of " + std::to_string(accuracy.max_ulp) + " ulp");
    Array x(DType::kF32, {kElements});
    for (std::int64_t i = 0; i < kElements; ++i)
      x.set(i, f.low + (static_cast<double>(f.high) - f.low) * static_cast<double>(i) / kElements);
    const double seconds = timed(state, [&] {
      Array y = step(x);
      benchmark::DoNotOptimize(y);
    });
    report_estimate(state, step.compiled(), seconds);
    state.counters["elements/s"] = benchmark::Counter(kElements, benchmark::Counter::kIsIterationInvariantRate);
    state.counters["max_ulp"] = accuracy.max_ulp;
    state.counters["rounded"] = accuracy.rounded;
  });
}

const bool kRegistered = [] {
  for (const MathFunction& f : kFunctions)
    benchmark::RegisterBenchmark((std::string("math/") + f.name).c_str(), [&f](benchmark::State& s) { math(s, f); });
  return true;
}();

}  // namespace
}  // namespace gcompile::bench
