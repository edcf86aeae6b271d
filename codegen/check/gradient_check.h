// The gradient of a graph's scalar loss against central differences, both by the interpreter in double.
#pragma once

#include <string>
#include <vector>

#include "gcompile/codegen/check/call.h"

namespace gcompile::codegen {

// The graph with f64 in place of f32, constants and casts included.
ir::Graph in_double(const ir::Graph& graph);

// Whether a result is a float scalar, that is, whether there is a gradient to check.
bool has_loss(const ir::Graph& graph);

struct GradientCheck {
  std::string name;     // of the input or the trainable state
  double analytic = 0;  // derivative along a random direction
  double numeric = 0;
  double allowed = 0;
  bool ok() const { return !(std::abs(analytic - numeric) > allowed); }
};
// One entry per float input and trainable float state, whose direction is a function of its name. Where the loss has a
// kink or is not finite within the steps, the entry's difference says nothing and `allowed` is infinite.
std::vector<GradientCheck> check_gradient(const ir::Graph& graph, const Call& call);

}  // namespace gcompile::codegen
