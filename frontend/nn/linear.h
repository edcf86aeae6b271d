// Linear: y = x weight^T + bias, over the last axis of x.
#pragma once

#include "gcompile/frontend/nn/module.h"

namespace gcompile::nn {

class Linear : public Module {
 public:
  // weight f32[outputs, inputs] and bias f32[outputs] begin uniform in +-1/sqrt(inputs). Throws ModelError unless both
  // are positive.
  Linear(Module* owner, const std::string& name, std::int64_t inputs, std::int64_t outputs, bool with_bias = true,
         Where where = Where::current());

  // [..., inputs] -> [..., outputs]
  Tensor forward(const Tensor& x, Where where = Where::current()) const;
  Tensor operator()(const Tensor& x, Where where = Where::current()) const { return forward(x, where); }

 private:
  std::int64_t inputs_, outputs_;

 public:
  Parameter weight;
  Parameter bias;  // f32[0], and not part of the module, when made without bias

 private:
  bool with_bias_;
};

}  // namespace gcompile::nn
