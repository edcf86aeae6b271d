// A multi-layer perceptron with ReLU and softmax cross-entropy (mean) in double, one loop after the other: what the
// steps of classifiers are checked against.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace gcompile::bench {

class MlpReference {
 public:
  using Numbers = std::vector<double>;
  // Changes one parameter: (which of all, its value, its gradient) -> its new value.
  using Rule = std::function<double(std::size_t, double, double)>;

  // widths: inputs, hidden..., classes. parameters: weight [out, in] and bias of every layer, in order, row-major.
  MlpReference(std::vector<std::int64_t> widths, std::vector<Numbers> parameters)
      : widths_(std::move(widths)), parameters_(std::move(parameters)) {}

  // The loss before the update. x: rows of inputs; labels: a class per row.
  double step(const Numbers& x, const std::vector<std::int64_t>& labels, const Rule& rule);

 private:
  std::vector<std::int64_t> widths_;
  std::vector<Numbers> parameters_;
};

}  // namespace gcompile::bench
