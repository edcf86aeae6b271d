#include "mlp_reference.h"

#include <algorithm>
#include <cmath>

namespace gcompile::bench {

double MlpReference::step(const Numbers& x, const std::vector<std::int64_t>& labels, const Rule& rule) {
  const std::size_t layers = widths_.size() - 1, rows = labels.size();
  const auto width = [&](std::size_t l) { return static_cast<std::size_t>(widths_[l]); };
  std::vector<Numbers> values{x};  // of every layer, after ReLU
  for (std::size_t l = 0; l < layers; ++l) {
    const Numbers &w = parameters_[2 * l], &b = parameters_[2 * l + 1];
    Numbers out(rows * width(l + 1));
    for (std::size_t r = 0; r < rows; ++r)
      for (std::size_t o = 0; o < width(l + 1); ++o) {
        double sum = b[o];
        for (std::size_t i = 0; i < width(l); ++i) sum += values[l][r * width(l) + i] * w[o * width(l) + i];
        out[r * width(l + 1) + o] = l + 1 < layers ? std::max(sum, 0.0) : sum;
      }
    values.push_back(std::move(out));
  }
  const std::size_t classes = width(layers);
  double loss = 0;
  Numbers d(rows * classes);  // the loss's derivative by what the layer at hand gives
  for (std::size_t r = 0; r < rows; ++r) {
    const double* z = &values[layers][r * classes];
    double sum = 0;
    for (std::size_t c = 0; c < classes; ++c) sum += std::exp(z[c]);
    const auto label = static_cast<std::size_t>(labels[r]);
    loss += (std::log(sum) - z[label]) / static_cast<double>(rows);
    for (std::size_t c = 0; c < classes; ++c)
      d[r * classes + c] = (std::exp(z[c]) / sum - (c == label ? 1 : 0)) / static_cast<double>(rows);
  }
  std::size_t first = 0;  // of the layer's parameters among all, counted from the last layer
  for (std::size_t l = layers; l-- > 0;) {
    Numbers &w = parameters_[2 * l], &b = parameters_[2 * l + 1];
    Numbers dx(rows * width(l)), dw(w.size()), db(b.size());
    for (std::size_t r = 0; r < rows; ++r)
      for (std::size_t o = 0; o < width(l + 1); ++o) {
        const double g = d[r * width(l + 1) + o];
        db[o] += g;
        for (std::size_t i = 0; i < width(l); ++i) {
          dw[o * width(l) + i] += g * values[l][r * width(l) + i];
          dx[r * width(l) + i] += g * w[o * width(l) + i];
        }
      }
    for (std::size_t i = 0; i < dx.size(); ++i)
      if (l > 0 && values[l][i] <= 0) dx[i] = 0;
    for (std::size_t i = 0; i < w.size(); ++i) w[i] = rule(first + i, w[i], dw[i]);
    for (std::size_t i = 0; i < b.size(); ++i) b[i] = rule(first + w.size() + i, b[i], db[i]);
    first += w.size() + b.size();
    d = std::move(dx);
  }
  return loss;
}

}  // namespace gcompile::bench
