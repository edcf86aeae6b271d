// Adam (Kingma and Ba, 2015) with L2 weight decay added to the gradient:
//   m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2
//   w -= lr / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + eps)
// The powers of the betas are states in f64: they stay exact to 1e-13 over a million steps.
#pragma once

#include "gcompile/frontend/optim/rule.h"

namespace gcompile::optim {

struct Adam {
  double lr = 0.001;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0;
  Rule start(std::span<const Parameter> parameters) const;
};

}  // namespace gcompile::optim
