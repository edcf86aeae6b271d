// What a training step knows of an optimizer. An optimizer is a plain value with a member
//   Rule start(std::span<const Parameter>) const
// which makes the states it keeps for these parameters. A user's own needs nothing else.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "gcompile/frontend/state.h"
#include "gcompile/frontend/tensor.h"

namespace gcompile::optim {

struct Change {
  std::size_t parameter;  // index into the parameters given to start
  Tensor gradient;
};

struct Rule {
  State learning_rate;
  std::vector<State> states;  // all that outlives a step, the learning rate among them: what a checkpoint holds
  std::function<void(std::span<const Change>)> update;  // records the updates in the function being traced
};

}  // namespace gcompile::optim
