// Nothing is timed before it was seen to be right: what benchmarks share to check their work, and to report about it.
#pragma once

#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <exception>
#include <filesystem>
#include <random>
#include <stdexcept>
#include <string>

#include "by_hand.h"
#include "networks.h"

namespace gcompile::bench {

using Clock = std::chrono::steady_clock;

inline double milliseconds_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

// Runs a benchmark's body; what it throws becomes the benchmark's error, in its line and in the JSON.
template <class Body>
void guarded(benchmark::State& state, const Body& body) {
  try {
    body();
  } catch (const std::exception& e) {
    state.SkipWithError(e.what());
  }
}

inline void require_near(const std::string& what, double value, double reference, double tolerance) {
  if (!(std::abs(value - reference) <= tolerance))
    throw std::runtime_error("wrong result, not timed: " + what + " is " + std::to_string(value) + ", not " +
                             std::to_string(reference));
}

// Elements between -most and most.
inline Array random_matrix(std::int64_t rows, std::int64_t columns, float most, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> element(-most, most);
  Array x(DType::kF32, {rows, columns});
  for (float& f : x.mutable_data<float>()) f = element(random);
  return x;
}

// A folder for a compile cache, removed with its files.
class CacheFolder {
 public:
  CacheFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "gcompile-bench-XXXXXX").string();
    if (!::mkdtemp(pattern.data())) throw std::runtime_error("no folder " + pattern);
    path_ = pattern;
  }
  ~CacheFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  CacheFolder(const CacheFolder&) = delete;
  CacheFolder& operator=(const CacheFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// The model's parameters in the layout of the versions by hand, and their largest difference.
Weights weights_of(const Diabetes& model);
double largest_difference(const Weights& a, const Weights& b);

// Trains copies of the model's weights for some steps with gcompile's step and by hand, and throws unless losses and
// weights agree; the model is then as it was.
void verify_diabetes(TrainStep& step, const Diabetes& model, const Array& inputs, const Array& labels, float rate);

// Times `step` as the benchmark does and gives its seconds: the processor's, or those on the wall.
template <class Step>
double timed(benchmark::State& state, const Step& step, bool on_the_wall = false) {
  const auto wall = Clock::now();
  const std::clock_t begin = std::clock();
  for (auto _ : state) step();
  const double used = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  return (on_the_wall ? milliseconds_since(wall) * 1e-3 : used) /
         static_cast<double>(std::max<std::int64_t>(state.iterations(), 1));
}

// "estimate_ratio": the seconds of a step over those that the compiler estimates for it.
void report_estimate(benchmark::State& state, const Program& program, double seconds);
// "samples/s", "arena_bytes", "compile_ms", "estimate_ratio".
void report(benchmark::State& state, std::int64_t samples, const Program& program, double compile_ms, double seconds);

}  // namespace gcompile::bench
