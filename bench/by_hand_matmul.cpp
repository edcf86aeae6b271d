#include "by_hand_matmul.h"

#include <Eigen/Core>
#include <algorithm>
#include <ctime>

namespace gcompile::bench {
namespace {

#if defined(__AVX512F__)
constexpr int kFloats = 16;
#elif defined(__AVX__)
constexpr int kFloats = 8;
#else
constexpr int kFloats = 4;
#endif
using Floats [[gnu::vector_size(kFloats * sizeof(float))]] = float;

// The sum stays in its register, and is computed.
inline void add_product(Floats& sum, const Floats& factor, const Floats& term) {
  sum = sum * factor + term;
  asm volatile("" : "+v"(sum));
}

// Twelve chains that do not depend on each other: more than the latency of the operation times the units that do it.
double rate_of_fma(std::int64_t steps) {
  const Floats x = Floats{} + 0.5f, y = Floats{} + 1.0f;
  Floats a = y, b = y, c = y, d = y, e = y, f = y, g = y, h = y, i = y, j = y, k = y, l = y;
  const std::clock_t begin = std::clock();
  for (std::int64_t step = 0; step < steps; ++step) {
    add_product(a, x, y), add_product(b, x, y), add_product(c, x, y), add_product(d, x, y);
    add_product(e, x, y), add_product(f, x, y), add_product(g, x, y), add_product(h, x, y);
    add_product(i, x, y), add_product(j, x, y), add_product(k, x, y), add_product(l, x, y);
  }
  const double seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  return 1e-9 * static_cast<double>(steps) * 12 * kFloats * 2 / seconds;
}

using Matrix = Eigen::Map<Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;
using Operand = Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;

}  // namespace

double fma_peak() {
  double best = 0;
  for (int i = 0; i < 5; ++i) best = std::max(best, rate_of_fma(2'000'000));
  return best;
}

void matmul_by_eigen(const MatmulShape& s, const float* a, const float* b, float* c) {
  const Operand x(a, s.a_transposed ? s.k : s.m, s.a_transposed ? s.m : s.k);
  const Operand y(b, s.b_transposed ? s.n : s.k, s.b_transposed ? s.k : s.n);
  Matrix z(c, s.m, s.n);
  if (s.a_transposed && s.b_transposed)
    z.noalias() = x.transpose() * y.transpose();
  else if (s.a_transposed)
    z.noalias() = x.transpose() * y;
  else if (s.b_transposed)
    z.noalias() = x * y.transpose();
  else
    z.noalias() = x * y;
}

}  // namespace gcompile::bench
