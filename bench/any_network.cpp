#include "any_network.h"

#include <time.h>

#include <algorithm>
#include <cmath>
#include <sstream>
#include <stdexcept>

#include "verify.h"

namespace gcompile::bench {
namespace {

using Activation = AnyShape::Activation;
using Head = AnyShape::Head;
using Optimizer = AnyShape::Optimizer;

void add_activation(nn::Sequential& net, Activation activation) {
  switch (activation) {
    case Activation::kSigmoid: net.add<nn::Sigmoid>(); return;
    case Activation::kTanh: net.add<nn::Tanh>(); return;
    case Activation::kRelu: net.add<nn::ReLU>(); return;
  }
}

// Of this thread, which is the only one: what else the machine does takes less part in it.
double processor_seconds() {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

template <class Loss>
std::unique_ptr<TrainStep> with_loss(const nn::Sequential& net, const Loss& loss, Optimizer optimizer) {
  switch (optimizer) {
    case Optimizer::kSgd:
      return std::make_unique<TrainStep>(net, loss, optim::SGD{.lr = 0.01}, JitOptions{.threads = 1});
    case Optimizer::kMomentum:
      return std::make_unique<TrainStep>(net, loss, optim::SGD{.lr = 0.01, .momentum = 0.5}, JitOptions{.threads = 1});
    case Optimizer::kAdam:
      return std::make_unique<TrainStep>(net, loss, optim::Adam{.lr = 0.001}, JitOptions{.threads = 1});
  }
  return nullptr;
}

}  // namespace

std::string AnyShape::name() const {
  std::string text;
  for (const std::int64_t w : widths) text += (text.empty() ? "" : "-") + std::to_string(w);
  return text + "x" + std::to_string(rows);
}

double AnyShape::flops() const {
  const double update = optimizer == Optimizer::kSgd ? 2 : optimizer == Optimizer::kMomentum ? 4 : 14;
  double per_row = 0, all = 0;
  for (std::size_t i = 1; i < widths.size(); ++i) {
    const auto in = static_cast<double>(widths[i - 1]), out = static_cast<double>(widths[i]);
    per_row += (i == 1 ? 4 : 6) * in * out;
    all += update * (in + 1) * out;
    const bool last = i + 1 == widths.size();
    if (!last) per_row += (activation == Activation::kRelu ? 3 : 25) * out;
    if (last) per_row += (head == Head::kSquared ? 4 : 25) * out;
    if (last && head == Head::kBinary) per_row += 2 * 25 * out;  // the logarithms of p and of 1 - p
    if (last && head == Head::kSoftmax) per_row += 25;           // of the sum
  }
  return per_row * static_cast<double>(rows) + all;
}

AnyStep::AnyStep(const AnyShape& s) : x_(DType::kF32, {s.rows, s.widths.front()}) {
  for (std::size_t i = 1; i < s.widths.size(); ++i) {
    net_.add<nn::Linear>(s.widths[i - 1], s.widths[i]);
    if (i + 1 < s.widths.size()) add_activation(net_, s.activation);
  }
  if (s.head == Head::kBinary) net_.add<nn::Sigmoid>();
  for (std::int64_t i = 0; i < x_.size(); ++i) x_.set(i, static_cast<double>(i * 7919 % 1009) / 1009 - 0.5);
  y_ = s.head == Head::kSoftmax ? Array(DType::kI32, {s.rows}) : Array(DType::kF32, {s.rows, s.widths.back()});
  const std::int64_t classes = s.head == Head::kSoftmax ? s.widths.back() : 2;
  for (std::int64_t i = 0; i < y_.size(); ++i) y_.set(i, static_cast<double>(i * 31 % classes));
  switch (s.head) {
    case Head::kBinary: step_ = with_loss(net_, nn::BCELoss{}, s.optimizer); break;
    case Head::kSquared: step_ = with_loss(net_, nn::MSELoss{}, s.optimizer); break;
    case Head::kSoftmax: step_ = with_loss(net_, nn::CrossEntropyLoss{}, s.optimizer); break;
  }
  const double first = run();
  double last = first;
  for (int i = 0; i < 50; ++i) last = run();
  if (!(last < first))
    throw std::runtime_error("the loss does not fall: " + std::to_string(first) + " to " + std::to_string(last));
}

std::size_t AnyStep::launches() {
  std::size_t count = 0;
  std::istringstream text(step_->compiled().dump("program"));
  for (std::string line; std::getline(text, line);) count += line.rfind("launch", 0) == 0;
  return count;
}

double AnyStep::measure(double seconds) {
  constexpr int kRuns = 15;
  const auto timed = [&](int steps) {
    const double begin = processor_seconds();
    for (int i = 0; i < steps; ++i) run();
    return processor_seconds() - begin;
  };
  int steps = 1;
  while (timed(steps) < seconds / kRuns / 2) steps *= 2;
  std::vector<double> each;
  for (int i = 0; i < kRuns; ++i) each.push_back(timed(steps) / steps);
  std::nth_element(each.begin(), each.begin() + kRuns / 2, each.end());
  return each[kRuns / 2];
}

}  // namespace gcompile::bench
