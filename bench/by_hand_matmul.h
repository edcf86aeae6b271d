// What matrix products are measured against: the processor's peak, and Eigen, both compiled for this machine.
#pragma once

#include <cstdint>

namespace gcompile::bench {

// f32 multiplications and additions a second (each counts) of one thread, in 1e9, from a loop that does nothing else.
double fma_peak();

// c[m, n] = a[m, k] b[k, n], row-major; where `a_transposed`, a is [k, m], and where `b_transposed`, b is [n, k].
struct MatmulShape {
  std::int64_t m, k, n;
  bool a_transposed, b_transposed;
};
void matmul_by_eigen(const MatmulShape& shape, const float* a, const float* b, float* c);

}  // namespace gcompile::bench
