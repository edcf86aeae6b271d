#include "gcompile/frontend/nn/linear.h"

#include <cmath>

#include "gcompile/frontend/functions.h"

namespace gcompile::nn {

namespace {

std::int64_t checked(std::int64_t inputs, std::int64_t outputs, const std::string& name, Where where) {
  if (inputs > 0 && outputs > 0) return inputs;
  throw ModelError(Location::from(where), "Linear '" + name +
                                              "': the numbers of inputs and outputs must be positive: " +
                                              std::to_string(inputs) + ", " + std::to_string(outputs));
}

Initializer fan_in(std::int64_t inputs, const Shape& shape) {
  const double bound = 1 / std::sqrt(static_cast<double>(inputs));
  return uniform(-bound, bound, shape);
}

}  // namespace

Linear::Linear(Module* owner, const std::string& name, std::int64_t inputs, std::int64_t outputs, bool with_bias,
               Where where)
    : Module(owner, name), inputs_(checked(inputs, outputs, name, where)), outputs_(outputs),
      weight(this, "weight", fan_in(inputs_, {outputs_, inputs_})),
      bias(with_bias ? Parameter(this, "bias", fan_in(inputs_, {outputs_}))
                     : Parameter("bias", Array(DType::kF32, {0}))),
      with_bias_(with_bias) {}

Tensor Linear::forward(const Tensor& x, Where where) const {
  const LocationScope scope(where);
  const Tensor y = matmul(x, T(Tensor(weight, where), where), where);
  return with_bias_ ? y + bias : y;
}

}  // namespace gcompile::nn
