// A training step of a multilayer perceptron of any shape, with data of its own, and what it computes counted: what is
// measured of networks that are nobody's workload.
#pragma once

#include <gcompile/gcompile.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace gcompile::bench {

struct AnyShape {
  enum class Activation { kSigmoid, kTanh, kRelu };
  enum class Head { kBinary, kSquared, kSoftmax };  // BCE of a sigmoid, squared error, cross-entropy
  enum class Optimizer { kSgd, kMomentum, kAdam };

  std::vector<std::int64_t> widths;  // inputs, hidden ones, outputs
  std::int64_t rows = 32;
  Activation activation = Activation::kSigmoid;
  Head head = Head::kBinary;
  Optimizer optimizer = Optimizer::kSgd;

  std::string name() const;  // "8-6-4-1x32"
  // Multiplications and additions of a step: those of the products (forward, dX but for the inputs, dW), and about 25
  // for each sigmoid, tanh or exponential and its derivative and for each logarithm of the loss, 3 for a ReLU, 4 to 14
  // for the update of a weight.
  double flops() const;
};

class AnyStep {
 public:
  explicit AnyStep(const AnyShape& shape);
  double run() { return step_->operator()(x_, y_).item(); }
  std::size_t launches();
  Program program() const { return step_->compiled(); }
  // Processor seconds of one step: the median of several runs of at least `seconds` in all.
  double measure(double seconds);

 private:
  nn::Sequential net_;
  Array x_, y_;
  std::unique_ptr<TrainStep> step_;
};

}  // namespace gcompile::bench
