// Convolutions as modules, and pooling for Sequential: see frontend/conv.h for layouts and options.
#pragma once

#include "gcompile/frontend/conv.h"
#include "gcompile/frontend/nn/module.h"

namespace gcompile::nn {

// For as many spatial axes as the window has.
class Conv : public Module {
 public:
  // weight f32[outputs, inputs / groups, window..] and bias f32[outputs] begin uniform in +-1/sqrt(n), n the number of
  // elements that an element of the result is summed of. Throws ModelError unless all extents are positive and the
  // groups divide inputs and outputs.
  Conv(Module* owner, const std::string& name, std::int64_t inputs, std::int64_t outputs,
       const std::vector<std::int64_t>& window, ConvOptions options = {}, bool with_bias = true,
       Where where = Where::current());

  // [N, inputs, spatial..] -> [N, outputs, spatial..]
  Tensor forward(const Tensor& x, Where where = Where::current()) const;
  Tensor operator()(const Tensor& x, Where where = Where::current()) const { return forward(x, where); }

 private:
  ConvOptions options_;
  std::int64_t fan_in_;
  Shape weight_shape_;

 public:
  Parameter weight;
  Parameter bias;  // f32[0], and not part of the module, when made without bias

 private:
  bool with_bias_;
};

struct Conv1d : Conv {
  Conv1d(Module* owner, const std::string& name, std::int64_t inputs, std::int64_t outputs, std::int64_t window,
         ConvOptions options = {}, bool with_bias = true, Where where = Where::current())
      : Conv(owner, name, inputs, outputs, {window}, std::move(options), with_bias, where) {}
};
struct Conv2d : Conv {
  // The window is square, or of two extents.
  Conv2d(Module* owner, const std::string& name, std::int64_t inputs, std::int64_t outputs, std::int64_t window,
         ConvOptions options = {}, bool with_bias = true, Where where = Where::current())
      : Conv(owner, name, inputs, outputs, {window, window}, std::move(options), with_bias, where) {}
  Conv2d(Module* owner, const std::string& name, std::int64_t inputs, std::int64_t outputs,
         std::pair<std::int64_t, std::int64_t> window, ConvOptions options = {}, bool with_bias = true,
         Where where = Where::current())
      : Conv(owner, name, inputs, outputs, {window.first, window.second}, std::move(options), with_bias, where) {}
};

struct MaxPool2d {
  std::vector<std::int64_t> window;
  PoolOptions options = {};
  Tensor forward(const Tensor& x, Where where = Where::current()) const {
    return max_pool2d(x, window, options, where);
  }
  Tensor operator()(const Tensor& x, Where where = Where::current()) const { return forward(x, where); }
};

struct AvgPool2d {
  std::vector<std::int64_t> window;
  PoolOptions options = {};
  Tensor forward(const Tensor& x, Where where = Where::current()) const {
    return avg_pool2d(x, window, options, where);
  }
  Tensor operator()(const Tensor& x, Where where = Where::current()) const { return forward(x, where); }
};

}  // namespace gcompile::nn
