// generality/...: networks that no one tuned for. "GFlop/s" is what any_network.h counts over the time of a step,
// "of_W5" and "of_W6" the time for a flop over that of W5 (8-6-4-1, 32 rows) and of W6 (784-512-256-128-64-10, 64
// rows), which are measured when the first of them runs: 1 is as good, 2 takes twice as long.
#include "any_network.h"
#include "suite_shapes.h"
#include "verify.h"

namespace gcompile::bench {
namespace {

using Activation = AnyShape::Activation;
using Head = AnyShape::Head;
using Optimizer = AnyShape::Optimizer;

const AnyShape kSmall[] = {
    {{1, 1, 1}, 32, Activation::kSigmoid, Head::kBinary, Optimizer::kSgd},
    {{2, 3, 2}, 32, Activation::kTanh, Head::kSoftmax, Optimizer::kAdam},
    {{3, 5, 7, 1}, 23, Activation::kRelu, Head::kSquared, Optimizer::kMomentum},
    {{9, 40, 1}, 32, Activation::kSigmoid, Head::kBinary, Optimizer::kSgd},
    {{13, 11, 5}, 1000, Activation::kRelu, Head::kSoftmax, Optimizer::kAdam},
    {{17, 2, 19, 3}, 32, Activation::kTanh, Head::kSquared, Optimizer::kSgd},
    {{23, 10, 10, 10, 4}, 1000, Activation::kRelu, Head::kSoftmax, Optimizer::kMomentum},
    {{31, 8, 8}, 1, Activation::kSigmoid, Head::kSoftmax, Optimizer::kSgd},
    {{37, 6, 29}, 32, Activation::kTanh, Head::kSoftmax, Optimizer::kAdam},
    {{40, 33, 1}, 23, Activation::kRelu, Head::kBinary, Optimizer::kMomentum},
};

const AnyShape kMiddle[] = {
    {{300, 200, 100, 10}, 32, Activation::kRelu, Head::kSoftmax, Optimizer::kMomentum},
    {{1000, 333, 77, 5}, 64, Activation::kRelu, Head::kSoftmax, Optimizer::kMomentum},
    {{784, 100, 10}, 128, Activation::kRelu, Head::kSoftmax, Optimizer::kSgd},
    {{123, 457, 211, 50}, 100, Activation::kTanh, Head::kSoftmax, Optimizer::kAdam},
    {{512, 512, 512, 512}, 48, Activation::kRelu, Head::kSquared, Optimizer::kMomentum},
};

double seconds_per_flop(const AnyShape& shape) { return AnyStep(shape).measure(0.3) / shape.flops(); }

void measured(benchmark::State& state, const AnyShape& shape, const char* counter, double (*reference)()) {
  guarded(state, [&] {
    AnyStep step(shape);
    for (auto _ : state) benchmark::DoNotOptimize(step.run());
    const double seconds = step.measure(0.3), per_flop = seconds / shape.flops();
    report_estimate(state, step.program(), seconds);
    state.counters["GFlop/s"] = 1e-9 / per_flop;
    state.counters[counter] = per_flop / reference();
    state.counters["launches"] = static_cast<double>(step.launches());
  });
}

double of_w5() {
  static const double value = seconds_per_flop(w5_shape());
  return value;
}
double of_w6() {
  static const double value = seconds_per_flop(w6_shape());
  return value;
}

const bool kRegistered = [] {
  for (const AnyShape& shape : kSmall)
    benchmark::RegisterBenchmark(("generality/small/" + shape.name()).c_str(),
                                 [&shape](benchmark::State& s) { measured(s, shape, "of_W5", of_w5); });
  for (const AnyShape& shape : kMiddle)
    benchmark::RegisterBenchmark(("generality/middle/" + shape.name()).c_str(),
                                 [&shape](benchmark::State& s) { measured(s, shape, "of_W6", of_w6); });
  return true;
}();

}  // namespace
}  // namespace gcompile::bench
