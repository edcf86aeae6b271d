// The step with sixteen samples side by side: every value of a sample is an array of sixteen, every inner loop runs
// over these lanes and has no dependence, so that the C++ compiler turns it into vector code. This file alone is
// compiled with -ffast-math, which lets exp and log come from the vector library. A last group of fewer rows is masked.
#include <algorithm>
#include <cmath>

#include "by_hand.h"

namespace gcompile::bench {

namespace {

constexpr int kLanes = 16;
using Lanes = std::array<float, kLanes>;
template <std::size_t N>
using Layer = std::array<Lanes, N>;

template <class F>
void for_lanes(const F& f) {
#pragma GCC unroll 1
  for (int l = 0; l < kLanes; ++l) f(static_cast<std::size_t>(l));
}

template <std::size_t I, std::size_t O>
void forward(const std::array<std::array<float, I>, O>& w, const std::array<float, O>& b, const Layer<I>& x,
             Layer<O>& y) {
  for (std::size_t o = 0; o < O; ++o) {
    Lanes sum;
    sum.fill(b[o]);
    for (std::size_t i = 0; i < I; ++i) for_lanes([&](std::size_t l) { sum[l] += w[o][i] * x[i][l]; });
    for_lanes([&](std::size_t l) { y[o][l] = 1.0f / (1.0f + std::exp(-sum[l])); });
  }
}

template <std::size_t I, std::size_t O>
void add_gradients(const Layer<I>& x, const Layer<O>& dz, std::array<Layer<I>, O>& dw, Layer<O>& db) {
  for (std::size_t o = 0; o < O; ++o) {
    for_lanes([&](std::size_t l) { db[o][l] += dz[o][l]; });
    for (std::size_t i = 0; i < I; ++i) for_lanes([&](std::size_t l) { dw[o][i][l] += dz[o][l] * x[i][l]; });
  }
}

template <std::size_t I, std::size_t O>
void propagate(const std::array<std::array<float, I>, O>& w, const Layer<I>& x, const Layer<O>& dz, Layer<I>& dx) {
  for (std::size_t i = 0; i < I; ++i) {
    Lanes sum{};
    for (std::size_t o = 0; o < O; ++o) for_lanes([&](std::size_t l) { sum[l] += dz[o][l] * w[o][i]; });
    for_lanes([&](std::size_t l) { dx[i][l] = sum[l] * x[i][l] * (1 - x[i][l]); });
  }
}

float total(const Lanes& lanes) {
  float sum = 0;
  for (const float v : lanes) sum += v;
  return sum;
}

template <std::size_t I, std::size_t O>
void update(std::array<std::array<float, I>, O>& w, std::array<float, O>& b, const std::array<Layer<I>, O>& dw,
            const Layer<O>& db, float scale) {
  for (std::size_t o = 0; o < O; ++o) {
    b[o] -= scale * total(db[o]);
    for (std::size_t i = 0; i < I; ++i) w[o][i] -= scale * total(dw[o][i]);
  }
}

}  // namespace

float step_by_lanes(Weights& w, const float* inputs, const float* labels, std::int64_t n, float rate) {
  std::array<Layer<8>, 6> dw1{};
  std::array<Layer<6>, 4> dw2{};
  std::array<Layer<4>, 1> dw3{};
  Layer<6> db1{};
  Layer<4> db2{};
  Layer<1> db3{};
  Lanes losses{};
  for (std::int64_t first = 0; first < n; first += kLanes) {
    const auto rows = static_cast<std::size_t>(std::min<std::int64_t>(kLanes, n - first));
    Layer<8> x{};
    Lanes label{}, mask{};
    for (std::size_t l = 0; l < rows; ++l) {
      const float* row = inputs + 8 * (first + static_cast<std::int64_t>(l));
      for (std::size_t i = 0; i < 8; ++i) x[i][l] = row[i];
      label[l] = labels[first + static_cast<std::int64_t>(l)];
      mask[l] = 1;
    }
    Layer<6> h1, dz1;
    Layer<4> h2, dz2;
    Layer<1> p, dz3;
    forward(w.w1, w.b1, x, h1);
    forward(w.w2, w.b2, h1, h2);
    forward(w.w3, w.b3, h2, p);
    for_lanes([&](std::size_t l) {
      const float log_p = std::max(std::log(p[0][l]), -100.0f), log_q = std::max(std::log(1 - p[0][l]), -100.0f);
      losses[l] -= mask[l] * (label[l] * log_p + (1 - label[l]) * log_q);
      dz3[0][l] = mask[l] * (p[0][l] - label[l]);
    });
    add_gradients(h2, dz3, dw3, db3);
    propagate(w.w3, h2, dz3, dz2);
    add_gradients(h1, dz2, dw2, db2);
    propagate(w.w2, h1, dz2, dz1);
    add_gradients(x, dz1, dw1, db1);
  }
  const float scale = rate / static_cast<float>(n);
  update(w.w1, w.b1, dw1, db1, scale);
  update(w.w2, w.b2, dw2, db2, scale);
  update(w.w3, w.b3, dw3, db3, scale);
  return total(losses) / static_cast<float>(n);
}

}  // namespace gcompile::bench
