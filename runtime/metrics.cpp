#include "gcompile/runtime/metrics.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "gcompile/base/error.h"

namespace gcompile {
namespace {

constexpr std::int64_t kNoClass = -1;  // a NaN among the scores

std::string type_of(const Array& a) { return std::string(name(a.dtype())) + a.shape().str(); }

bool is_column(const Array& a) { return a.rank() == 1 || (a.rank() == 2 && a.shape()[1] == 1); }

struct Classes {
  std::int64_t count;
  std::vector<std::int64_t> predicted, actual;
};

template <class T>
std::int64_t predicted_class(const T* scores, std::int64_t count) {
  std::int64_t best = 0;
  for (std::int64_t c = 0; c < count; ++c) {
    if (std::isnan(scores[c])) return kNoClass;
    if (scores[c] > scores[best]) best = c;
  }
  if (count == 1) return scores[0] >= T(0.5) ? 1 : 0;
  return best;
}

// Predicted and actual class of every sample, after all checks.
Classes classes_of(const char* metric, const Array& predictions, const Array& labels,
                   const std::source_location& where) {
  if (is_float16(predictions.dtype())) return classes_of(metric, predictions.cast(DType::kF32), labels, where);
  const auto require = [&](bool holds, const std::string& what) {
    if (!holds)
      throw CallError(Location::from(where), std::string(metric) + " of predictions " + type_of(predictions) +
                                                 " against labels " + type_of(labels) + ": " + what);
  };
  require(is_float(predictions.dtype()) && (predictions.rank() == 1 || predictions.rank() == 2) &&
              (predictions.rank() == 1 || predictions.shape()[1] > 0),
          "predictions must be f32 or f64 of shape [N,1], [N] or [N,C]");
  const bool binary = is_column(predictions);
  const std::int64_t samples = predictions.shape()[0];
  require(is_column(labels) && labels.shape()[0] == samples, "there must be one label for each prediction");
  require(samples > 0, "there are no samples");
  require(binary || is_integer(labels.dtype()), "labels of several classes must be class indices, integers");

  Classes classes{binary ? 2 : predictions.shape()[1], {}, {}};
  const std::int64_t columns = binary ? 1 : classes.count;
  for (std::int64_t i = 0; i < samples; ++i) {
    const double label = labels.at(i);
    if (!(label >= 0 && label < static_cast<double>(classes.count) && label == std::floor(label)))
      require(false, "label " + std::to_string(label) + " of sample " + std::to_string(i) + " is none of the " +
                         std::to_string(classes.count) + " classes");
    classes.actual.push_back(static_cast<std::int64_t>(label));
    classes.predicted.push_back(predictions.dtype() == DType::kF32
                                    ? predicted_class(predictions.data<float>().data() + i * columns, columns)
                                    : predicted_class(predictions.data<double>().data() + i * columns, columns));
  }
  return classes;
}

}  // namespace

double accuracy(const Array& predictions, const Array& labels, const std::source_location& where) {
  const Classes classes = classes_of("accuracy", predictions, labels, where);
  std::int64_t right = 0;
  for (std::size_t i = 0; i < classes.actual.size(); ++i) right += classes.predicted[i] == classes.actual[i];
  return static_cast<double>(right) / static_cast<double>(classes.actual.size());
}

Array confusion_matrix(const Array& predictions, const Array& labels, const std::source_location& where) {
  const Classes classes = classes_of("confusion_matrix", predictions, labels, where);
  Array counts(DType::kI32, {classes.count, classes.count});
  const auto cells = counts.mutable_data<std::int32_t>();
  for (std::size_t i = 0; i < classes.actual.size(); ++i) {
    if (classes.predicted[i] == kNoClass)
      throw CallError(Location::from(where),
                      "confusion_matrix: the prediction of sample " + std::to_string(i) + " is NaN");
    ++cells[static_cast<std::size_t>(classes.actual[i] * classes.count + classes.predicted[i])];
  }
  return counts;
}

double majority_class_accuracy(const Array& labels, const std::source_location& where) {
  if (!is_column(labels) || labels.size() == 0)
    throw CallError(Location::from(where),
                    "majority_class_accuracy: labels must be [N] or [N,1] with N >= 1, got " + type_of(labels));
  std::map<double, std::int64_t> counts;
  std::int64_t most = 0;
  for (std::int64_t i = 0; i < labels.size(); ++i) {
    const double label = labels.at(i);
    if (std::isnan(label))
      throw CallError(Location::from(where),
                      "majority_class_accuracy: the label of sample " + std::to_string(i) + " is NaN");
    most = std::max(most, ++counts[label]);
  }
  return static_cast<double>(most) / static_cast<double>(labels.size());
}

}  // namespace gcompile
