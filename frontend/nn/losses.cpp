#include "gcompile/frontend/nn/losses.h"

#include <limits>

#include "gcompile/frontend/functions.h"
#include "gcompile/frontend/making.h"

namespace gcompile::nn {

namespace {

Tensor reduced(const Tensor& losses, Reduction reduction) {
  return reduction == Reduction::Mean ? mean(losses) : sum(losses);
}

void require_alike(const char* name, const Tensor& prediction, const Tensor& target, Where where) {
  const Making making(name, where);
  const Type &p = making.value(prediction).type(), &t = making.value(target).type();
  const std::vector<std::pair<std::string, Tensor>> both{{"prediction", prediction}, {"target", target}};
  if (!is_float(p.dtype)) making.fail("the prediction must be a float, not " + p.str(), both);
  if (p != t) making.fail("prediction and target differ: " + p.str() + " and " + t.str(), both);
}

// log p, but -100 where p is (nearly) 0. Nothing infinite is computed there, so that the gradient is 0 and not NaN; a
// NaN is not below anything and passes.
Tensor bounded_log(const Tensor& p) {
  // The least normal number.
  const double tiny = p.dtype() == DType::kF64   ? std::numeric_limits<double>::min()
                      : p.dtype() == DType::kF16 ? 0x1p-14
                                                 : static_cast<double>(std::numeric_limits<float>::min());
  const Tensor vanishes = p < tiny;
  return gcompile::where(vanishes, -100, maximum(log(gcompile::where(vanishes, 1, p)), -100));
}

}  // namespace

Tensor MSELoss::operator()(const Tensor& prediction, const Tensor& target, Where where) const {
  require_alike("MSELoss", prediction, target, where);
  const LocationScope scope(where);
  return reduced(square(prediction - target), reduction);
}

Tensor BCELoss::operator()(const Tensor& prediction, const Tensor& target, Where where) const {
  require_alike("BCELoss", prediction, target, where);
  const LocationScope scope(where);
  const Tensor log_p = bounded_log(prediction), log_q = bounded_log(1 - prediction);
  return reduced(-(target * log_p + (1 - target) * log_q), reduction);
}

// max(z, 0) is written as (z + |z|) / 2, whose derivative at 0 is 1/2, the sigmoid there.
Tensor BCEWithLogitsLoss::operator()(const Tensor& prediction, const Tensor& target, Where where) const {
  require_alike("BCEWithLogitsLoss", prediction, target, where);
  const LocationScope scope(where);
  const Tensor size = abs(prediction);
  return reduced(0.5 * (prediction + size) - prediction * target + log1p(exp(-size)), reduction);
}

Tensor BCEWithLogitsLoss::probabilities(const Tensor& prediction) const { return sigmoid(prediction); }

Tensor CrossEntropyLoss::operator()(const Tensor& prediction, const Tensor& target, Where where) const {
  const Making making("CrossEntropyLoss", where);
  const Type p = making.value(prediction).type(), t = making.value(target).type();
  const std::vector<std::pair<std::string, Tensor>> both{{"prediction", prediction}, {"target", target}};
  if (p.rank() != 2 || !is_float(p.dtype)) making.fail("the prediction must be scores [N,C], not " + p.str(), both);
  const bool classes =
      is_integer(t.dtype) && (t.rank() == 1 || (t.rank() == 2 && t.dim(1).is(1))) && t.dim(0) == p.dim(0);
  if (!classes && p != t)
    making.fail("the target must be class indices, integers [" + p.dim(0).str() + "], or probabilities " + p.str() +
                    ", not " + t.str(),
                both);
  const LocationScope scope(where);
  const Tensor logs = log_softmax(prediction, 1);
  if (!classes) return -reduced(sum(target * logs, 1), reduction);
  const Tensor indices = making.tensor(index_value(making, target, "classes", both));
  const Tensor hit = reshape(indices, {p.dim(0), 1}) == arange(p.dim(1));
  return -reduced(sum(gcompile::where(hit, logs, 0), 1), reduction);
}

}  // namespace gcompile::nn
