// The step as scalar loops: forward and backward of one sample after the other, gradients summed, then the update.
#include <algorithm>
#include <cmath>

#include "by_hand.h"

namespace gcompile::bench {

namespace {

template <std::size_t I, std::size_t O>
using Matrix = std::array<std::array<float, I>, O>;

float sigmoid(float z) { return 1.0f / (1.0f + std::exp(-z)); }

template <std::size_t I, std::size_t O>
void forward(const Matrix<I, O>& w, const std::array<float, O>& b, const float* x, std::array<float, O>& y) {
  for (std::size_t o = 0; o < O; ++o) {
    float sum = b[o];
    for (std::size_t i = 0; i < I; ++i) sum += w[o][i] * x[i];
    y[o] = sigmoid(sum);
  }
}

// dz: the derivative by the layer's pre-activations. dx may be null.
template <std::size_t I, std::size_t O>
void backward(const Matrix<I, O>& w, const float* x, const std::array<float, O>& dz, Matrix<I, O>& dw,
              std::array<float, O>& db, std::array<float, I>* dx) {
  for (std::size_t o = 0; o < O; ++o) {
    db[o] += dz[o];
    for (std::size_t i = 0; i < I; ++i) dw[o][i] += dz[o] * x[i];
  }
  if (!dx) return;
  for (std::size_t i = 0; i < I; ++i) {
    float sum = 0;
    for (std::size_t o = 0; o < O; ++o) sum += dz[o] * w[o][i];
    (*dx)[i] = sum * x[i] * (1 - x[i]);  // x is the sigmoid of the layer below
  }
}

}  // namespace

float step_by_loops(Weights& w, const float* inputs, const float* labels, std::int64_t n, float rate) {
  Weights d{};
  float loss = 0;
  for (std::int64_t s = 0; s < n; ++s) {
    const float* x = inputs + 8 * s;
    const float label = labels[s];
    std::array<float, 6> h1, dz1;
    std::array<float, 4> h2, dz2;
    std::array<float, 1> p, dz3;
    forward(w.w1, w.b1, x, h1);
    forward(w.w2, w.b2, h1.data(), h2);
    forward(w.w3, w.b3, h2.data(), p);
    loss -= label * std::max(std::log(p[0]), -100.0f) + (1 - label) * std::max(std::log(1 - p[0]), -100.0f);
    dz3[0] = p[0] - label;
    backward(w.w3, h2.data(), dz3, d.w3, d.b3, &dz2);
    backward(w.w2, h1.data(), dz2, d.w2, d.b2, &dz1);
    backward<8, 6>(w.w1, x, dz1, d.w1, d.b1, nullptr);
  }
  const float scale = rate / static_cast<float>(n);
  auto* to = reinterpret_cast<float*>(&w);
  const auto* from = reinterpret_cast<const float*>(&d);
  for (int i = 0; i < kWeights; ++i) to[i] -= scale * from[i];
  return loss / static_cast<float>(n);
}

}  // namespace gcompile::bench
