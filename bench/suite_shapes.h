// The workloads of the suite that are multilayer perceptrons, as shapes.
#pragma once

#include "any_network.h"

namespace gcompile::bench {

inline AnyShape w4_shape() { return {.widths = {8, 6, 4, 1}, .rows = 759}; }
inline AnyShape w5_shape() { return {.widths = {8, 6, 4, 1}, .rows = 32}; }
inline AnyShape w6_shape() {
  return {{784, 512, 256, 128, 64, 10},
          64,
          AnyShape::Activation::kRelu,
          AnyShape::Head::kSoftmax,
          AnyShape::Optimizer::kMomentum};
}
inline AnyShape w13_shape() {
  return {{4, 16, 3}, 30, AnyShape::Activation::kRelu, AnyShape::Head::kSoftmax, AnyShape::Optimizer::kAdam};
}

}  // namespace gcompile::bench
