#include "gcompile/frontend/predict.h"

#include <algorithm>
#include <cstring>
#include <ostream>

#include "gcompile/runtime/metrics.h"

namespace gcompile {

std::ostream& operator<<(std::ostream& out, const Evaluation& evaluation) {
  out << "loss " << evaluation.loss;
  if (evaluation.metric) out << ", metric " << *evaluation.metric;
  return out;
}

namespace detail {

namespace {

constexpr std::int64_t kChunk = 4096;  // samples per call: the memory that evaluation takes does not grow with the data

// Rows of several batches, one below the other.
class Rows {
 public:
  void append(const Array& batch, std::int64_t total) {
    if (at_ == 0) {
      Shape shape = batch.shape();
      if (shape.rank() == 0) return;
      shape[0] = total;
      all_ = Array::uninitialized(batch.dtype(), shape);
    }
    std::memcpy(static_cast<std::byte*>(all_.raw()) + at_, batch.raw(), batch.bytes());
    at_ += batch.bytes();
  }
  const Array& all() const { return all_; }

 private:
  Array all_;
  std::size_t at_ = 0;
};

}  // namespace

std::unique_ptr<FunctionCache> make_predict(Forward forward, const JitOptions& options) {
  return std::make_unique<FunctionCache>(
      [forward = std::move(forward)](std::span<const Tensor> in) { return std::vector<Tensor>{forward(in[0])}; }, 1,
      options.named("predict"), FunctionCache::Batch::kSymbolic, std::vector<std::string>{"x"});
}

std::unique_ptr<FunctionCache> make_evaluate(Forward forward, const LossFunction& loss, const JitOptions& options,
                                             Where where) {
  auto body = [forward = std::move(forward), loss, where](std::span<const Tensor> in) -> std::vector<Tensor> {
    const Tensor output = forward(in[0]);
    const Tensor value = loss.loss(output, in[1], where);
    const LocationScope scope(where);
    return {value, loss.probabilities ? loss.probabilities(output) : output};
  };
  return std::make_unique<FunctionCache>(std::move(body), 2, options.named("evaluate"),
                                         FunctionCache::Batch::kSymbolicNonempty, std::vector<std::string>{"x", "y"});
}

Array run_predict(FunctionCache& cache, const Argument& x) {
  const Argument* const arguments[] = {&x};
  return cache.call(arguments, [](std::span<const Array> results) { return results[0]; });
}

Evaluation run_evaluate(FunctionCache& cache, const LossFunction& loss, const data::Dataset& data, const Metric& metric,
                        Where where) {
  const std::int64_t total = data.size();
  if (total == 0) throw CallError(Location::from(where), "evaluate: the data set is empty");
  double sum = 0;
  Rows predictions, labels;
  data::Batch batch;
  std::vector<std::int64_t> indices;
  for (std::int64_t begin = 0; begin < total; begin += kChunk) {
    indices.clear();
    for (std::int64_t i = begin; i < std::min(total, begin + kChunk); ++i) indices.push_back(i);
    data.gather(indices, batch);
    const Argument x(batch.inputs, where), y(batch.labels, where);
    const Argument* const arguments[] = {&x, &y};
    cache.call(arguments, [&](std::span<const Array> results) {
      const double share = loss.reduction == Reduction::Mean ? static_cast<double>(indices.size()) : 1;
      sum += results[0].item() * share;
      predictions.append(results[1], total);
      labels.append(batch.labels, total);
      return 0;
    });
  }
  Evaluation result;
  result.loss = loss.reduction == Reduction::Mean ? sum / static_cast<double>(total) : sum;
  if (metric)
    result.metric = metric(predictions.all(), labels.all());
  else if (loss.classifies)
    result.metric = accuracy(predictions.all(), labels.all(), where);
  return result;
}

}  // namespace detail
}  // namespace gcompile
