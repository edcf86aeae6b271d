// Activations as modules, for Sequential.
#pragma once

#include "gcompile/frontend/functions.h"
#include "gcompile/frontend/nn/module.h"

namespace gcompile::nn {

struct ReLU {
  Tensor forward(const Tensor& x, Where where = Where::current()) const { return relu(x, where); }
  Tensor operator()(const Tensor& x, Where where = Where::current()) const { return forward(x, where); }
};

struct Sigmoid {
  Tensor forward(const Tensor& x, Where where = Where::current()) const { return sigmoid(x, where); }
  Tensor operator()(const Tensor& x, Where where = Where::current()) const { return forward(x, where); }
};

struct Tanh {
  Tensor forward(const Tensor& x, Where where = Where::current()) const { return tanh(x, where); }
  Tensor operator()(const Tensor& x, Where where = Where::current()) const { return forward(x, where); }
};

struct GELU {
  bool tanh = false;  // the approximation by tanh
  Tensor forward(const Tensor& x, Where where = Where::current()) const {
    return tanh ? gelu_tanh(x, where) : gelu(x, where);
  }
  Tensor operator()(const Tensor& x, Where where = Where::current()) const { return forward(x, where); }
};

struct Softmax {
  int axis = -1;
  Tensor forward(const Tensor& x, Where where = Where::current()) const { return softmax(x, axis, where); }
  Tensor operator()(const Tensor& x, Where where = Where::current()) const { return forward(x, where); }
};

struct Flatten {
  int first_axis = 1;
  Tensor forward(const Tensor& x, Where where = Where::current()) const { return flatten(x, first_axis, where); }
  Tensor operator()(const Tensor& x, Where where = Where::current()) const { return forward(x, where); }
};

}  // namespace gcompile::nn
