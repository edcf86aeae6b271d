// The step with Eigen: one matrix product per layer and direction, array expressions in between. Samples are columns,
// so that the batch is the long, contiguous axis of every elementwise expression.
#include <Eigen/Core>

#include "by_hand.h"

namespace gcompile::bench {

namespace {

using Eigen::Dynamic;
using Eigen::RowMajor;

template <int Rows>
using Batch = Eigen::Matrix<float, Rows, Dynamic, RowMajor>;
template <int Rows, int Columns>
using Weight = Eigen::Map<Eigen::Matrix<float, Rows, Columns, Columns == 1 ? Eigen::ColMajor : RowMajor>>;

}  // namespace

struct EigenNet::Buffers {
  Batch<8> x;
  Batch<6> h1, dz1;
  Batch<4> h2, dz2;
  Batch<1> p, dz3;
};

EigenNet::EigenNet() : buffers_(std::make_unique<Buffers>()) {}
EigenNet::~EigenNet() = default;

float EigenNet::step(Weights& weights, const float* inputs, const float* labels, std::int64_t n, float rate) {
  Buffers& b = *buffers_;
  Weight<6, 8> w1(weights.w1[0].data());
  Weight<6, 1> b1(weights.b1.data());
  Weight<4, 6> w2(weights.w2[0].data());
  Weight<4, 1> b2(weights.b2.data());
  Eigen::Map<Eigen::Matrix<float, 1, 4>> w3(weights.w3[0].data());
  float& b3 = weights.b3[0];
  const Eigen::Map<const Eigen::Array<float, 1, Dynamic>> label(labels, n);

  b.x = Eigen::Map<const Eigen::Matrix<float, 8, Dynamic>>(inputs, 8, n);
  b.h1.noalias() = w1 * b.x;
  b.h1 = ((b.h1.colwise() + b1).array()).logistic();
  b.h2.noalias() = w2 * b.h1;
  b.h2 = ((b.h2.colwise() + b2).array()).logistic();
  b.p.noalias() = w3 * b.h2;
  b.p = (b.p.array() + b3).logistic();

  const auto p = b.p.array();
  const float loss = -(label * p.log().max(-100.0f) + (1 - label) * (1 - p).log().max(-100.0f)).sum();
  b.dz3 = p - label;
  b.dz2.noalias() = w3.transpose() * b.dz3;
  b.dz2.array() *= b.h2.array() * (1 - b.h2.array());
  b.dz1.noalias() = w2.transpose() * b.dz2;
  b.dz1.array() *= b.h1.array() * (1 - b.h1.array());

  const float scale = rate / static_cast<float>(n);
  w3.noalias() -= scale * b.dz3 * b.h2.transpose();
  b3 -= scale * b.dz3.sum();
  w2.noalias() -= scale * b.dz2 * b.h1.transpose();
  b2 -= scale * b.dz2.rowwise().sum();
  w1.noalias() -= scale * b.dz1 * b.x.transpose();
  b1 -= scale * b.dz1.rowwise().sum();
  return loss / static_cast<float>(n);
}

}  // namespace gcompile::bench
