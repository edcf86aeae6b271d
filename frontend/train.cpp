#include "gcompile/frontend/train.h"

#include <algorithm>
#include <cmath>
#include <iostream>
#include <set>

#include "gcompile/frontend/grad.h"
#include "gcompile/runtime/checkpoint.h"

namespace gcompile {

struct TrainStep::Impl {
  // What is compiled while the same parameters are frozen.
  struct Mode {
    std::vector<bool> trainable;
    std::unique_ptr<detail::FunctionCache> cache;
  };

  detail::Forward forward;
  LossFunction loss;
  optim::Rule rule;
  JitOptions options;
  Where where;
  std::vector<Parameter> parameters;
  std::vector<State> model_states;
  std::vector<std::unique_ptr<Mode>> modes;
  Mode* mode = nullptr;
  std::unique_ptr<detail::FunctionCache> evaluation;
  std::set<std::string> warned;

  bool current() const {
    if (!mode) return false;
    for (std::size_t i = 0; i < parameters.size(); ++i)
      if (parameters[i].storage()->trainable() != mode->trainable[i]) return false;
    return true;
  }

  detail::FunctionCache& cache() {
    if (current()) return *mode->cache;
    std::vector<bool> trainable;
    for (const Parameter& p : parameters) trainable.push_back(!p.frozen());
    for (const auto& m : modes)
      if (m->trainable == trainable) return *(mode = m.get())->cache;
    modes.push_back(std::make_unique<Mode>());
    mode = modes.back().get();
    mode->trainable = trainable;
    mode->cache = std::make_unique<detail::FunctionCache>(
        [this, trainable](std::span<const Tensor> in) { return trace(in, trainable); }, 1, options.named("train_step"),
        detail::FunctionCache::Batch::kSymbolicNonempty, std::vector<std::string>{"x", "y"});
    return *mode->cache;
  }

  std::vector<Tensor> trace(std::span<const Tensor> in, const std::vector<bool>& trainable) {
    const TrainingScope training(true, where);
    const Tensor value = loss.loss(forward(in[0]), in[1], where);
    const LocationScope scope(where);
    std::vector<std::size_t> trained;
    std::vector<Tensor> leaves;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      if (!trainable[i]) continue;
      trained.push_back(i);
      leaves.emplace_back(parameters[i]);
    }
    const std::vector<Tensor> gradients = grad_or_empty(value, leaves);
    std::vector<optim::Change> changes;
    for (std::size_t k = 0; k < trained.size(); ++k) {
      if (gradients[k].empty())
        warn(parameters[trained[k]].name());
      else
        changes.push_back({trained[k], gradients[k]});
    }
    if (changes.empty())
      throw ModelError(Location::from(where), "TrainStep: the loss depends on no parameter that is to be trained");
    rule.update(changes);
    return {value};
  }

  void warn(const std::string& name) {
    if (warned.insert(name).second)
      std::cerr << Location::from(where).str() << ": warning: the loss does not depend on parameter " << name
                << ", which is left as it is\n";
  }
};

TrainStep::TrainStep(const nn::Module& model, detail::Forward forward, LossFunction loss, optim::Rule rule,
                     const JitOptions& options, Where where)
    : impl_(new Impl{std::move(forward),
                     std::move(loss),
                     std::move(rule),
                     options,
                     where,
                     model.parameters(),
                     model.states(),
                     {},
                     nullptr,
                     nullptr,
                     {}}) {}
TrainStep::TrainStep(TrainStep&&) noexcept = default;
TrainStep& TrainStep::operator=(TrainStep&&) noexcept = default;
TrainStep::~TrainStep() = default;

Array TrainStep::operator()(const Argument& inputs, const Argument& labels) {
  const Argument* const arguments[] = {&inputs, &labels};
  return impl_->cache().call(arguments, [](std::span<const Array> results) { return results[0]; });
}

void TrainStep::set_learning_rate(double rate, Where where) {
  if (!(rate >= 0) || std::isinf(rate))
    throw ModelError(Location::from(where), "set_learning_rate: the rate is " + std::to_string(rate) +
                                                ", it must be a finite number that is not negative");
  impl_->rule.learning_rate.assign(rate);
}
double TrainStep::learning_rate() const { return impl_->rule.learning_rate.item(); }

Evaluation TrainStep::evaluate(const data::Dataset& data, const Metric& metric, Where where) {
  if (!impl_->evaluation) {
    JitOptions options = impl_->options;
    options.name.clear();  // the name is the step's
    impl_->evaluation = detail::make_evaluate(impl_->forward, impl_->loss, options, impl_->where);
  }
  return detail::run_evaluate(*impl_->evaluation, impl_->loss, data, metric, where);
}

Program TrainStep::compiled(const Argument& inputs, const Argument& labels) {
  const Argument* const arguments[] = {&inputs, &labels};
  return impl_->cache().compiled(arguments);
}
Program TrainStep::compiled() const { return impl_->cache().compiled(); }

std::size_t TrainStep::variant_count() const {
  std::size_t count = 0;
  for (const auto& m : impl_->modes) count += m->cache->variant_count();
  return count;
}

std::vector<State> TrainStep::states() const {
  std::vector<State> all = impl_->model_states;
  all.insert(all.end(), impl_->rule.states.begin(), impl_->rule.states.end());
  return all;
}

void TrainStep::save(const std::string& path) const { save_checkpoint(path, nn::storages(states())); }
void TrainStep::load(const std::string& path) { load_checkpoint(path, nn::storages(states())); }

Reduction TrainStep::reduction() const { return impl_->loss.reduction; }

}  // namespace gcompile
