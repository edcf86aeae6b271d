#include "gcompile/frontend/fit.h"

#include <atomic>
#include <cmath>
#include <csignal>

#include "gcompile/runtime/plot.h"
#include "gcompile/runtime/progress.h"

namespace gcompile {

namespace {

// A signal handler can reach nothing but a global.
std::atomic<bool> interrupt_asked{false};
static_assert(std::atomic<bool>::is_always_lock_free, "it is set by a signal handler");

void ask_interrupt(int) { interrupt_asked.store(true); }

// While it lives, the first SIGINT is noted and not acted on.
class InterruptScope {
 public:
  InterruptScope() {
    interrupt_asked.store(false);
    struct sigaction action = {};
    action.sa_handler = ask_interrupt;
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, &before_);
  }
  InterruptScope(const InterruptScope&) = delete;
  InterruptScope& operator=(const InterruptScope&) = delete;
  ~InterruptScope() { sigaction(SIGINT, &before_, nullptr); }
  bool asked() const { return interrupt_asked.load(std::memory_order_relaxed); }

 private:
  struct sigaction before_ = {};
};

[[noreturn]] void not_finite(double loss, std::size_t epoch, std::int64_t batch, std::optional<double> last,
                             Where where) {
  std::string text = "fit: the loss is " + std::to_string(loss) + " in epoch " + std::to_string(epoch) + ", batch " +
                     std::to_string(batch) + "; ";
  text += last ? "the last finite loss was " + std::to_string(*last) : "no loss before it was finite";
  throw NumericError(Location::from(where), text + ". A lower learning rate or scaled inputs often help");
}

// The loss of one step; a NaN that the step's own check finds is told with epoch and batch.
double checked_step(TrainStep& step, const data::Batch& batch, std::size_t epoch, std::int64_t number, Where where) {
  try {
    return step({batch.inputs, where}, {batch.labels, where}).item();
  } catch (const NumericError& e) {
    throw NumericError(e.where(), e.message() + "\n  in epoch " + std::to_string(epoch) + ", batch " +
                                      std::to_string(number) + " of fit at " + Location::from(where).str());
  }
}

void draw(const std::string& path, const History& history) {
  LinePlot plot{.title = "Loss", .y_label = "loss", .series = {{.title = "training", .values = history.loss}}};
  if (!history.validation_loss.empty())
    plot.series.push_back({.title = "validation", .values = history.validation_loss});
  write_line_plot(path, plot);
}

}  // namespace

History fit(TrainStep& step, const data::DataLoader& loader, const FitOptions& options, Where where) {
  if (options.epochs < 1)
    throw CallError(Location::from(where),
                    "fit: the number of epochs must be positive, not " + std::to_string(options.epochs));
  const bool weighted = step.reduction() == Reduction::Mean;
  History history;
  std::optional<double> last;
  std::optional<ProgressBar> bar;
  if (options.progress) bar.emplace(options.epochs);
  const InterruptScope interrupt;
  while (static_cast<std::int64_t>(history.loss.size()) < options.epochs && !interrupt.asked()) {
    double sum = 0, samples = 0;
    std::int64_t batches = 0;
    for (const data::Batch& batch : loader) {
      ++batches;
      const double loss = checked_step(step, batch, history.loss.size() + 1, batches, where);
      if (!std::isfinite(loss)) not_finite(loss, history.loss.size() + 1, batches, last, where);
      last = loss;
      const double rows = weighted && batch.inputs.rank() > 0 ? static_cast<double>(batch.inputs.shape()[0]) : 1;
      sum += loss * rows;
      samples += rows;
      if (interrupt.asked()) break;
    }
    if (interrupt.asked() && batches < loader.size()) break;
    history.loss.push_back(weighted ? sum / samples : sum);
    Progress progress{.epoch = static_cast<std::int64_t>(history.loss.size()), .loss = history.loss.back()};
    if (options.validation) {
      const Evaluation e = step.evaluate(options.validation->get(), options.metric, where);
      history.validation_loss.push_back(e.loss);
      if (e.metric) history.metric.push_back(*e.metric);
      progress.metric = e.metric;
      progress.metric_name = options.metric_name;
    }
    if (bar) bar->update(progress);
  }
  history.interrupted = interrupt.asked() && static_cast<std::int64_t>(history.loss.size()) < options.epochs;
  if (bar) bar->finish();
  if (!options.plot.empty() && !history.loss.empty()) draw(options.plot, history);
  return history;
}

}  // namespace gcompile
