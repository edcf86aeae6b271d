// TrainStep: forward, backward and the optimizer's update as one compiled function.
//
//   gc::TrainStep step(model, gc::nn::BCELoss{}, gc::optim::SGD{.lr = 0.1});
//   gc::Array loss = step(inputs, labels);
//   gc::TrainStep careful(model, gc::nn::BCELoss{}, gc::optim::SGD{.lr = 0.1}, {.check = gc::Check::NaN});
//
// The leading axis of inputs and labels is the batch, any size from 1: a smaller last batch does not recompile; only
// the first batch of one row does, to a program of its own, which is faster and computes the same bits. Frozen
// parameters are left alone; a parameter that the loss does not use too, with one warning on stderr.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gcompile/frontend/loss_function.h"
#include "gcompile/frontend/nn/module.h"
#include "gcompile/frontend/optim/rule.h"
#include "gcompile/frontend/predict.h"

namespace gcompile {

class TrainStep {
 public:
  // The model must outlive the step. `loss`: see loss_function.h; `optimizer`: see optim/rule.h. ModelError for
  // settings that the optimizer refuses.
  template <std::derived_from<nn::Module> M, class Loss, class Optimizer>
  TrainStep(const M& model, Loss loss, const Optimizer& optimizer, const JitOptions& options = {},
            Where where = Where::current())
      : TrainStep(
            model, [&model, where](const Tensor& x) { return nn::call_forward(model, x, where); },
            LossFunction::from(std::move(loss)), started(optimizer, model.parameters(), where), options, where) {}
  TrainStep(TrainStep&&) noexcept;
  TrainStep& operator=(TrainStep&&) noexcept;
  ~TrainStep();

  // One step; the loss before it. CallError, with nothing updated, for an empty batch, different numbers of inputs and
  // labels, or a call while another runs. NumericError, with nothing updated, for a NaN, where the options ask for that
  // check (evaluate then makes it too). ModelError, at the first call, for a model that does not fit the data.
  Array operator()(const Argument& inputs, const Argument& labels);

  // Takes effect at the next step and compiles nothing. ModelError for a rate that is negative, infinite or a NaN.
  void set_learning_rate(double rate, Where where = Where::current());
  double learning_rate() const;

  // Loss and metric of the model over a data set, without training.
  Evaluation evaluate(const data::Dataset& data, const Metric& metric = nullptr, Where where = Where::current());

  // The compiled step for such arguments (not run), or that of the last call.
  Program compiled(const Argument& inputs, const Argument& labels);
  Program compiled() const;
  // How many variants of the step were compiled.
  std::size_t variant_count() const;

  // The model's states and the optimizer's: what a run needs to go on where it was. Files as Module::save.
  std::vector<State> states() const;
  void save(const std::string& path) const;
  void load(const std::string& path);

  Reduction reduction() const;

 private:
  // What the optimizer refuses, it refuses at the line of the step.
  template <class Optimizer>
  static optim::Rule started(const Optimizer& optimizer, const std::vector<Parameter>& parameters, Where where) {
    try {
      return optimizer.start(parameters);
    } catch (const ModelError& e) {
      if (e.where().known()) throw;
      throw ModelError(Location::from(where), e.message());
    }
  }

  struct Impl;
  TrainStep(const nn::Module& model, detail::Forward forward, LossFunction loss, optim::Rule rule,
            const JitOptions& options, Where where);
  std::unique_ptr<Impl> impl_;
};

}  // namespace gcompile
