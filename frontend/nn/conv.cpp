#include "gcompile/frontend/nn/conv.h"

#include <algorithm>
#include <cmath>

#include "gcompile/frontend/functions.h"

namespace gcompile::nn {

namespace {

// The shape of the weight, or an error that names the module.
Shape checked(std::int64_t inputs, std::int64_t outputs, const std::vector<std::int64_t>& window, std::int64_t groups,
              const std::string& name, Where where) {
  const auto fail = [&](const std::string& text) {
    throw ModelError(Location::from(where), "Conv '" + name + "': " + text);
  };
  if (inputs < 1 || outputs < 1)
    fail("the numbers of inputs and outputs must be positive: " + std::to_string(inputs) + ", " +
         std::to_string(outputs));
  if (window.empty() || std::any_of(window.begin(), window.end(), [](std::int64_t k) { return k < 1; }))
    fail("the extents of the window must be positive");
  if (groups < 1 || inputs % groups != 0 || outputs % groups != 0)
    fail(std::to_string(groups) + " groups must divide the numbers of inputs and outputs: " + std::to_string(inputs) +
         ", " + std::to_string(outputs));
  std::vector<std::int64_t> extents{outputs, inputs / groups};
  extents.insert(extents.end(), window.begin(), window.end());
  return Shape(extents);
}

Initializer fan_in(std::int64_t count, const Shape& shape) {
  const double bound = 1 / std::sqrt(static_cast<double>(count));
  return uniform(-bound, bound, shape);
}

}  // namespace

Conv::Conv(Module* owner, const std::string& name, std::int64_t inputs, std::int64_t outputs,
           const std::vector<std::int64_t>& window, ConvOptions options, bool with_bias, Where where)
    : Module(owner, name), options_(std::move(options)), fan_in_(1),
      weight_shape_(checked(inputs, outputs, window, options_.groups, name, where)),
      weight(this, "weight", fan_in(fan_in_ = weight_shape_.size() / outputs, weight_shape_)),
      bias(with_bias ? Parameter(this, "bias", fan_in(fan_in_, {outputs}))
                     : Parameter("bias", Array(DType::kF32, {0}))),
      with_bias_(with_bias) {}

Tensor Conv::forward(const Tensor& x, Where where) const {
  const LocationScope scope(where);
  const Tensor y = conv(x, Tensor(weight, where), options_, where);
  if (!with_bias_) return y;
  std::vector<Dim> dims(static_cast<std::size_t>(weight_shape_.rank()) - 1, Dim(1));
  dims[0] = weight_shape_[0];
  return y + reshape(Tensor(bias, where), dims, where);
}

}  // namespace gcompile::nn
