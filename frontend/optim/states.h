// States that optimizers keep beside the parameters. Internal to optim.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "gcompile/frontend/functions.h"
#include "gcompile/frontend/optim/rule.h"

namespace gcompile::optim {

// Zeros of each parameter's type, named "optimizer.KIND.PARAMETER".
inline std::vector<State> like(std::span<const Parameter> parameters, const std::string& kind) {
  std::vector<State> states;
  for (const Parameter& p : parameters)
    states.push_back(State("optimizer." + kind + "." + p.name(), Array(p.dtype(), p.shape())));
  return states;
}

// f64 when all parameters are, else f32.
inline DType common_dtype(std::span<const Parameter> parameters) {
  const bool wide =
      std::all_of(parameters.begin(), parameters.end(), [](const Parameter& p) { return p.dtype() == DType::kF64; });
  return wide && !parameters.empty() ? DType::kF64 : DType::kF32;
}

}  // namespace gcompile::optim
