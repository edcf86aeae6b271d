// predict and evaluate: a model on data, without training. What is compiled for them is kept in the model.
#pragma once

#include <any>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gcompile/frontend/function_cache.h"
#include "gcompile/frontend/loss_function.h"
#include "gcompile/frontend/nn/module.h"
#include "gcompile/runtime/data/dataset.h"

namespace gcompile {

// A figure of merit: predictions of all samples, and their labels.
using Metric = std::function<double(const Array& predictions, const Array& labels)>;

struct Evaluation {
  double loss = 0;
  std::optional<double> metric = std::nullopt;  // accuracy, for losses of classifiers, unless a metric is given
};
std::ostream& operator<<(std::ostream& out, const Evaluation& evaluation);

namespace detail {

// A model's compiled functions, found by keys of any type that compares.
struct ForwardCaches {
  struct Entry {
    std::any key;
    std::unique_ptr<FunctionCache> cache;
  };
  std::vector<Entry> entries;

  // The one whose key is made of these parts; a key is made only for a new one.
  template <class Key, class Make, class... Parts>
  FunctionCache& find(const Make& make, const Parts&... parts) {
    for (const Entry& e : entries)
      if (const Key* k = std::any_cast<Key>(&e.key); k && k->is_of(parts...)) return *e.cache;
    entries.push_back({Key{parts...}, make()});
    return *entries.back().cache;
  }
};

template <class M>
struct PredictKey {
  JitOptions options;
  bool is_of(const JitOptions& others) const { return options == others; }
};
template <class M, class L>
struct EvaluateKey {
  L loss;
  JitOptions options;
  bool is_of(const L& other, const JitOptions& others) const { return loss == other && options == others; }
};

using Forward = std::function<Tensor(const Tensor&)>;

std::unique_ptr<FunctionCache> make_predict(Forward forward, const JitOptions& options);
std::unique_ptr<FunctionCache> make_evaluate(Forward forward, const LossFunction& loss, const JitOptions& options,
                                             Where where);
Array run_predict(FunctionCache& cache, const Argument& x);
Evaluation run_evaluate(FunctionCache& cache, const LossFunction& loss, const data::Dataset& data, const Metric& metric,
                        Where where);

}  // namespace detail

// The model's output for x. The leading axis of x, when it has more than one, is the batch: one compile for all sizes,
// and one for a single row.
template <std::derived_from<nn::Module> M>
Array predict(const M& model, const Argument& x, const JitOptions& options = {}) {
  const auto make = [&] {
    return detail::make_predict(
        [&model, where = x.where()](const Tensor& t) { return nn::call_forward(model, t, where); }, options);
  };
  return detail::run_predict(model.caches().template find<detail::PredictKey<M>>(make, options), x);
}

// The loss, and the metric, over a data set. CallError for an empty one.
template <std::derived_from<nn::Module> M, class L>
Evaluation evaluate(const M& model, const L& loss, const data::Dataset& data, const Metric& metric = nullptr,
                    const JitOptions& options = {}, Where where = Where::current()) {
  const LossFunction f = LossFunction::from(loss);
  const auto make = [&] {
    return detail::make_evaluate([&model, where](const Tensor& t) { return nn::call_forward(model, t, where); }, f,
                                 options, where);
  };
  if constexpr (std::equality_comparable<L>)
    return detail::run_evaluate(model.caches().template find<detail::EvaluateKey<M, L>>(make, loss, options), f, data,
                                metric, where);
  else
    return detail::run_evaluate(*make(), f, data, metric, where);
}

}  // namespace gcompile
