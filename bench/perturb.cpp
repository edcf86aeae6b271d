#include "perturb.h"

#include <algorithm>
#include <cstdio>
#include <exception>

#include "suite_shapes.h"

namespace gcompile::bench {
namespace {

constexpr double kSeconds = 0.3;  // for each measurement

// The unchanged network is measured beside each, so that a machine that drifts moves both.
double ratio(AnyStep& plain, const AnyShape& shape, const AnyShape& changed) {
  AnyStep step(changed);
  const double before = plain.measure(kSeconds), there = step.measure(kSeconds), after = plain.measure(kSeconds);
  return there / changed.flops() / (std::min(before, after) / shape.flops());
}

double workload(const char* name, const AnyShape& shape) {
  AnyStep plain(shape);
  double worst = 0;
  const auto changed = [&](const AnyShape& other) {
    const double r = ratio(plain, shape, other);
    worst = std::max(worst, r);
    std::printf("%-4s %-32s %6.2f\n", name, other.name().c_str(), r);
    std::fflush(stdout);
  };
  std::printf("%-4s %-32s %9.3f us, %.2f GFlop/s\n", name, shape.name().c_str(), plain.measure(kSeconds) * 1e6,
              shape.flops() / plain.measure(kSeconds) * 1e-9);
  for (const int by : {-1, 1}) {
    for (std::size_t i = 0; i < shape.widths.size(); ++i) {
      AnyShape other = shape;
      other.widths[i] += by;
      if (other.widths[i] > 0) changed(other);
    }
    AnyShape other = shape;
    other.rows += by;
    changed(other);
  }
  return worst;
}

}  // namespace

int perturb() {
  try {
    const std::pair<const char*, AnyShape> suite[] = {
        {"W4", w4_shape()}, {"W5", w5_shape()}, {"W6", w6_shape()}, {"W13", w13_shape()}};
    for (const auto& [name, shape] : suite) std::printf("%-4s worst %.2f\n\n", name, workload(name, shape));
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "gcompile-bench: %s\n", e.what());
    return 1;
  }
}

}  // namespace gcompile::bench
