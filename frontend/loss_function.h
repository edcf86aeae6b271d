// A loss without its type: what training and evaluation know of it. Beyond being callable a loss may have
//   reduction       how the losses of samples become one number (mean, unless told): how batches are weighted
//   kClassifies     whether accuracy makes sense
//   probabilities   what is predicted, from the model's output (which it is itself, unless told)
#pragma once

#include <functional>

#include "gcompile/frontend/nn/losses.h"

namespace gcompile {

struct LossFunction {
  std::function<Tensor(const Tensor& prediction, const Tensor& target, Where)> loss;
  std::function<Tensor(const Tensor& prediction)> probabilities;  // null: the prediction itself
  Reduction reduction = Reduction::Mean;
  bool classifies = false;

  template <class L>
  static LossFunction from(L l) {
    LossFunction f;
    if constexpr (requires { l.reduction == Reduction::Mean; }) f.reduction = l.reduction;
    if constexpr (requires { L::kClassifies; }) f.classifies = L::kClassifies;
    if constexpr (requires(Tensor t) { l.probabilities(t); })
      f.probabilities = [l](const Tensor& t) { return l.probabilities(t); };
    f.loss = [l = std::move(l)](const Tensor& p, const Tensor& t, Where where) -> Tensor {
      if constexpr (requires { l(p, t, where); })
        return l(p, t, where);
      else
        return l(p, t);
    };
    return f;
  }
};

}  // namespace gcompile
