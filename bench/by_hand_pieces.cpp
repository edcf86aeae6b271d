#include "by_hand_pieces.h"

#include <Eigen/Core>
#include <algorithm>
#include <ctime>
#include <vector>

namespace gcompile::bench {
namespace {

using Values = Eigen::Array<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Out = Eigen::Map<Values>;
using In = Eigen::Map<const Values>;

constexpr float kRootOfTwoOverPi = 0.7978845608F;

}  // namespace

void softmax_by_eigen(std::int64_t rows, std::int64_t columns, const float* a, const float*, float* out) {
  const In x(a, rows, columns);
  Out y(out, rows, columns);
  for (std::int64_t i = 0; i < rows; ++i) {
    y.row(i) = (x.row(i) - x.row(i).maxCoeff()).exp();
    y.row(i) *= 1 / y.row(i).sum();
  }
}

void layer_norm_by_eigen(std::int64_t rows, std::int64_t columns, const float* a, const float*, float* out) {
  const In x(a, rows, columns);
  Out y(out, rows, columns);
  for (std::int64_t i = 0; i < rows; ++i) {
    y.row(i) = x.row(i) - x.row(i).mean();
    y.row(i) *= 1 / std::sqrt(y.row(i).square().mean() + 1e-5F);
  }
}

void gelu_by_eigen(std::int64_t rows, std::int64_t columns, const float* a, const float*, float* out) {
  const In x(a, 1, rows * columns);
  Out(out, 1, rows * columns) = 0.5F * x * (1 + (kRootOfTwoOverPi * (x + 0.044715F * x * x * x)).tanh());
}

void chain_by_eigen(std::int64_t rows, std::int64_t columns, const float* a, const float* b, float* out) {
  const In x(a, 1, rows * columns), y(b, 1, rows * columns);
  Out(out, 1, rows * columns) = ((x * y + x).exp().tanh() * 2 + y).logistic() - x;
}

void row_sums_by_eigen(std::int64_t rows, std::int64_t columns, const float* a, const float*, float* out) {
  Out(out, rows, 1) = In(a, rows, columns).rowwise().sum();
}

void column_sums_by_eigen(std::int64_t rows, std::int64_t columns, const float* a, const float*, float* out) {
  Out(out, 1, columns) = In(a, rows, columns).colwise().sum();
}

void transpose_by_eigen(std::int64_t rows, std::int64_t columns, const float* a, const float*, float* out) {
  Out(out, columns, rows) = In(a, rows, columns).transpose();
}

void add_by_eigen(std::int64_t rows, std::int64_t columns, const float* a, const float* b, float* out) {
  Out(out, 1, rows * columns) = In(a, 1, rows * columns) + In(b, 1, rows * columns);
}

double copy_rate(std::int64_t bytes) {
  const auto count = static_cast<std::int64_t>(bytes / 2 / static_cast<std::int64_t>(sizeof(float)));
  Values from = Values::Constant(1, count, 1), to = Values::Zero(1, count);
  const std::int64_t repeats = std::max<std::int64_t>(1, (std::int64_t{1} << 27) / bytes);
  double best = 0;
  for (int i = 0; i < 5; ++i) {
    const std::clock_t begin = std::clock();
    for (std::int64_t r = 0; r < repeats; ++r) {
      to = from;
      asm volatile("" : : "r"(to.data()), "r"(from.data()) : "memory");
    }
    const double seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
    best = std::max(best, 1e-9 * static_cast<double>(repeats * count) * 2 * sizeof(float) / seconds);
  }
  return best;
}

}  // namespace gcompile::bench
