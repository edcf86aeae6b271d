// Losses: plain values that are called with predictions and targets and give a scalar. A loss of your own is any
// callable (Tensor prediction, Tensor target) -> Tensor; what a loss knows beyond that (see training.h) is optional.
#pragma once

#include "gcompile/frontend/tensor.h"

namespace gcompile {

// How the losses of the elements (or samples) become one number.
enum class Reduction : std::uint8_t { Mean, Sum };

namespace nn {

// The square of the difference. Shapes and dtypes must be equal: a loss never broadcasts.
struct MSELoss {
  Reduction reduction = Reduction::Mean;
  Tensor operator()(const Tensor& prediction, const Tensor& target, Where where = Where::current()) const;
  friend bool operator==(const MSELoss&, const MSELoss&) = default;
};

// -(t log p + (1 - t) log(1 - p)) of probabilities p; logarithms are not below -100.
struct BCELoss {
  Reduction reduction = Reduction::Mean;
  Tensor operator()(const Tensor& prediction, const Tensor& target, Where where = Where::current()) const;
  static constexpr bool kClassifies = true;
  friend bool operator==(const BCELoss&, const BCELoss&) = default;
};

// The same of the sigmoid of the prediction, computed without overflow.
struct BCEWithLogitsLoss {
  Reduction reduction = Reduction::Mean;
  Tensor operator()(const Tensor& prediction, const Tensor& target, Where where = Where::current()) const;
  static constexpr bool kClassifies = true;
  Tensor probabilities(const Tensor& prediction) const;
  friend bool operator==(const BCEWithLogitsLoss&, const BCEWithLogitsLoss&) = default;
};

// -log softmax(prediction)[class] of scores [N,C]. Targets are class indices [N] or [N,1] of any integer dtype, in
// [0, C) (any other counts as no class: its loss is 0), or probabilities [N,C].
struct CrossEntropyLoss {
  Reduction reduction = Reduction::Mean;
  Tensor operator()(const Tensor& prediction, const Tensor& target, Where where = Where::current()) const;
  static constexpr bool kClassifies = true;
  friend bool operator==(const CrossEntropyLoss&, const CrossEntropyLoss&) = default;
};

}  // namespace nn
}  // namespace gcompile
