// The diabetes network's training step without a compiler of ours: what gcompile's figures of W4 and W5 are measured
// against. All versions do the same arithmetic in f32 (8-6-4-1, sigmoids, mean binary cross-entropy, plain SGD) and are
// compiled with -O3 for this machine; they are checked against each other before anything is timed.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

namespace gcompile::bench {

// Row-major [outputs][inputs], in the order of the module's parameters.
struct Weights {
  std::array<std::array<float, 8>, 6> w1;
  std::array<float, 6> b1;
  std::array<std::array<float, 6>, 4> w2;
  std::array<float, 4> b2;
  std::array<std::array<float, 4>, 1> w3;
  std::array<float, 1> b3;
};
constexpr int kWeights = 87;
static_assert(sizeof(Weights) == kWeights * sizeof(float));

// One step over n rows of 8 inputs; returns the loss before it.
using HandStep = float (*)(Weights& weights, const float* inputs, const float* labels, std::int64_t n, float rate);

// One sample after the other, as one writes it down first.
float step_by_loops(Weights& weights, const float* inputs, const float* labels, std::int64_t n, float rate);
// Sixteen samples side by side in arrays that the C++ compiler vectorises, with -ffast-math and its vector library.
float step_by_lanes(Weights& weights, const float* inputs, const float* labels, std::int64_t n, float rate);

// Matrix products and array expressions of Eigen; keeps its temporaries from step to step.
class EigenNet {
 public:
  EigenNet();
  ~EigenNet();
  float step(Weights& weights, const float* inputs, const float* labels, std::int64_t n, float rate);

 private:
  struct Buffers;
  std::unique_ptr<Buffers> buffers_;
};

}  // namespace gcompile::bench
