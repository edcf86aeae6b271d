// A network of Linear layers with sigmoids, and its training, by hand in double: what the compiled steps are compared
// with. Formulas as in any textbook, loops as plain as they can be.
#pragma once

#include <cmath>
#include <vector>

#include "gcompile/gcompile.h"

namespace gcompile::testing {

using Matrix = std::vector<std::vector<double>>;

inline Matrix to_matrix(const Array& a) {
  const std::int64_t rows = a.shape()[0], columns = a.rank() > 1 ? a.shape()[1] : 1;
  Matrix m(static_cast<std::size_t>(rows));
  for (std::int64_t i = 0; i < a.size(); ++i) m[static_cast<std::size_t>(i / columns)].push_back(a.at(i));
  return m;
}

// Parameters, gradients and whatever an optimizer keeps, flat and in the order of Module::parameters().
using Flat = std::vector<std::vector<double>>;

inline Flat flat(const std::vector<Parameter>& parameters) {
  Flat all;
  for (const Parameter& p : parameters) {
    const Array value = p.value();
    all.emplace_back();
    for (std::int64_t i = 0; i < value.size(); ++i) all.back().push_back(value.at(i));
  }
  return all;
}

struct ReferenceNet {
  std::vector<std::size_t> widths;  // inputs, hidden ..., outputs
  Flat parameters;                  // weight [out,in], bias [out], for each layer
  double loss = 0;

  // Mean binary cross-entropy of sigmoid layers, and its gradients.
  Flat gradients(const Matrix& x, const Matrix& y) {
    Flat g;
    for (const auto& p : parameters) g.emplace_back(p.size(), 0.0);
    loss = 0;
    const double count = static_cast<double>(x.size() * widths.back());
    for (std::size_t n = 0; n < x.size(); ++n) {
      Matrix h{x[n]};
      for (std::size_t l = 0; l + 1 < widths.size(); ++l) {
        h.emplace_back();
        for (std::size_t o = 0; o < widths[l + 1]; ++o) {
          double z = parameters[2 * l + 1][o];
          for (std::size_t i = 0; i < widths[l]; ++i) z += parameters[2 * l][o * widths[l] + i] * h[l][i];
          h.back().push_back(1 / (1 + std::exp(-z)));
        }
      }
      std::vector<double> dz;
      for (std::size_t o = 0; o < widths.back(); ++o) {
        const double p = h.back()[o], t = y[n][o];
        loss -= (t * std::log(p) + (1 - t) * std::log(1 - p)) / count;
        dz.push_back((p - t) / count);
      }
      for (std::size_t l = widths.size() - 1; l-- > 0;) {
        std::vector<double> below(widths[l], 0.0);
        for (std::size_t o = 0; o < widths[l + 1]; ++o) {
          g[2 * l + 1][o] += dz[o];
          for (std::size_t i = 0; i < widths[l]; ++i) {
            g[2 * l][o * widths[l] + i] += dz[o] * h[l][i];
            below[i] += dz[o] * parameters[2 * l][o * widths[l] + i];
          }
        }
        for (std::size_t i = 0; i < widths[l]; ++i) below[i] *= h[l][i] * (1 - h[l][i]);
        dz = below;
      }
    }
    return g;
  }
};

// The largest difference between the parameters of a model and the reference.
inline double largest_difference(const std::vector<Parameter>& parameters, const Flat& reference) {
  const Flat have = flat(parameters);
  double worst = 0;
  for (std::size_t i = 0; i < have.size(); ++i)
    for (std::size_t k = 0; k < have[i].size(); ++k) worst = std::max(worst, std::abs(have[i][k] - reference[i][k]));
  return worst;
}

}  // namespace gcompile::testing
