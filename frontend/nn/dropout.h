// Dropout: in training every element is 0 with a probability, and those that stay are scaled so that the mean stays;
// elsewhere (predict, evaluate) nothing is done. (N. Srivastava et al., 2014.)
#pragma once

#include "gcompile/frontend/nn/module.h"

namespace gcompile::nn {

// Which elements stay is a function of the module's key, which Module::initialize draws, of the number of the training
// step, which the module counts in a state, and of how often the module was called before in the step. Both states are
// saved with the model, so that a run goes on as it would have. "Training" is what TrainStep does, and what is under a
// gc::TrainingScope. Within the body of a loop or of a vmap a call has one mask for all steps and members; fold a
// number of theirs into a key of your own, for gc::dropout, where that should differ.
class Dropout : public Module {
 public:
  // ModelError unless 0 <= rate < 1.
  Dropout(Module* owner, const std::string& name, double rate = 0.5, Where where = Where::current());

  Tensor forward(const Tensor& x, Where where = Where::current()) const;
  Tensor operator()(const Tensor& x, Where where = Where::current()) const { return forward(x, where); }
  double rate() const { return rate_; }

 private:
  double rate_;

 public:
  State key;    // u32[2]
  State count;  // u32: training steps
};

}  // namespace gcompile::nn
