// What the elementwise, row-wise and data-moving pieces are measured against: Eigen, compiled for this machine, and the
// rate at which this machine copies memory.
#pragma once

#include <cstdint>

namespace gcompile::bench {

// One of the pieces on row-major f32 matrices a and b [rows, columns]; `out` has as many elements as the result.
using Piece = void (*)(std::int64_t rows, std::int64_t columns, const float* a, const float* b, float* out);

void softmax_by_eigen(std::int64_t rows, std::int64_t columns, const float* a, const float* b, float* out);
void layer_norm_by_eigen(std::int64_t rows, std::int64_t columns, const float* a, const float* b, float* out);
void gelu_by_eigen(std::int64_t rows, std::int64_t columns, const float* a, const float* b, float* out);
void chain_by_eigen(std::int64_t rows, std::int64_t columns, const float* a, const float* b, float* out);
void row_sums_by_eigen(std::int64_t rows, std::int64_t columns, const float* a, const float* b, float* out);
void column_sums_by_eigen(std::int64_t rows, std::int64_t columns, const float* a, const float* b, float* out);
void transpose_by_eigen(std::int64_t rows, std::int64_t columns, const float* a, const float* b, float* out);
void add_by_eigen(std::int64_t rows, std::int64_t columns, const float* a, const float* b, float* out);

// Bytes a second, in 1e9, that a loop moves (read and written, each counts) between two blocks of `bytes` together.
double copy_rate(std::int64_t bytes);

}  // namespace gcompile::bench
