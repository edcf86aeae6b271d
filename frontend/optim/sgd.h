// Stochastic gradient descent, with momentum (Sutskever et al., 2013) in the form most frameworks use:
//   g = gradient + weight_decay w;  v = momentum v + g;  w -= lr (nesterov ? g + momentum v : v)
#pragma once

#include "gcompile/frontend/optim/rule.h"

namespace gcompile::optim {

struct SGD {
  double lr = 0.01;
  double momentum = 0;
  double weight_decay = 0;
  bool nesterov = false;  // needs a momentum
  Rule start(std::span<const Parameter> parameters) const;
};

}  // namespace gcompile::optim
