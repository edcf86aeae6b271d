// Programs of 16-bit floats: training in bf16, products in f16 beside weights of f32, checkpoints.
#include <gtest/gtest.h>

#include <cmath>

#include "gcompile/gcompile.h"
#include "gcompile/runtime/checkpoint.h"
#include "gcompile/runtime/npy.h"
#include "tests/unit/temp_dir.h"

namespace gcompile {
namespace {

Array waves(DType dtype, const Shape& shape) {
  Array a(dtype, shape);
  for (std::int64_t i = 0; i < a.size(); ++i) a.set(i, std::sin(0.7 * static_cast<double>(i)));
  return a;
}

TEST(Float16, ALinearModelIsTrainedInBf16) {
  Parameter w("w", Array(DType::kBF16, {4}));
  auto step = jit([&](Tensor x, Tensor y) {
    const Tensor loss = mean(square(matmul(x, w) - y));
    w.set(w - 0.1 * grad(loss, w));
    return loss;
  });
  const Array x = waves(DType::kBF16, {64, 4});
  Array y(DType::kBF16, {64});
  for (std::int64_t i = 0; i < 64; ++i) y.set(i, 2 * x.at(4 * i) - x.at(4 * i + 2));
  const double first = step(x, y).item();
  double last = first;
  for (int i = 0; i < 100; ++i) last = step(x, y).item();
  EXPECT_LT(last, 0.02 * first);
  EXPECT_EQ(w.value().dtype(), DType::kBF16);
}

// Weights of f32, products of f16, sums of f32: the gradient goes through the casts.
TEST(Float16, MixedPrecisionIsACast) {
  Parameter w("w", waves(DType::kF32, {5, 3}));
  auto f = jit([&](Tensor x) {
    const Tensor y = matmul(cast(x, DType::kF16), cast(w, DType::kF16));
    const Tensor loss = sum(square(cast(y, DType::kF32)));
    return outputs(y, loss, grad(loss, w));
  });
  const Array x = waves(DType::kF32, {7, 5});
  const auto [y, loss, gradient] = f(x);
  EXPECT_EQ(y.dtype(), DType::kF16);
  EXPECT_EQ(gradient.dtype(), DType::kF32);
  for (std::int64_t i = 0; i < 7; ++i)
    for (std::int64_t j = 0; j < 3; ++j) {
      double expected = 0;
      for (std::int64_t k = 0; k < 5; ++k)
        expected += static_cast<double>(half(x.at(5 * i + k))) * static_cast<double>(half(w.value().at(3 * k + j)));
      EXPECT_NEAR(y.at(3 * i + j), expected, 2e-3 * std::abs(expected) + 1e-6);
    }
}

TEST(Float16, FilesKeepTheBits) {
  testing::TempDir files;
  for (const DType t : {DType::kBF16, DType::kF16}) {
    const Array a = waves(t, {3, 5});
    save_npy(files.path("a.npy"), a);
    EXPECT_TRUE(same_bits(load_npy(files.path("a.npy")), a));
    Checkpoint checkpoint;
    checkpoint.tensors = {{"a", a}, {"b", waves(DType::kF64, {3})}, {"c", waves(DType::kU8, {3})}};
    write_checkpoint(files.path("c"), checkpoint);
    EXPECT_TRUE(same_bits(read_checkpoint(files.path("c")).tensors.at("a"), a));
  }
}

TEST(Float16, FunctionsOfTheLibraryTakeThem) {
  for (const DType t : {DType::kBF16, DType::kF16}) {
    auto f = jit([](Tensor x) {
      return outputs(softmax(x), log_softmax(x), gelu(x), variance(x), pow(x, 3), clamp(x, -0.5, 0.5), x / 3);
    });
    auto g = jit([](Tensor x) {
      return outputs(softmax(x), log_softmax(x), gelu(x), variance(x), pow(x, 3), clamp(x, -0.5, 0.5), x / 3);
    });
    const Array x = waves(t, {9, 17});
    const auto found = f(x);
    const auto expected = g(x.cast(DType::kF32));
    const auto near = [&](const Array& a, const Array& b) {
      EXPECT_EQ(a.dtype(), t);
      for (std::int64_t i = 0; i < a.size(); ++i)
        EXPECT_NEAR(a.at(i), b.at(i), (t == DType::kF16 ? 0.01 : 0.06) * (std::abs(b.at(i)) + 0.05)) << i;
    };
    std::apply([&](const auto&... a) { std::apply([&](const auto&... b) { (near(a, b), ...); }, expected); }, found);
  }
}

}  // namespace
}  // namespace gcompile
