// gelu, exactly and with a tanh, as functions and as a module, beside their formulas.
#include <gtest/gtest.h>

#include <cmath>

#include "gcompile/gcompile.h"

namespace gcompile {
namespace {

TEST(Gelu, BothFormsAreTheirFormulas) {
  auto f = jit([](Tensor x) { return outputs(gelu(x), gelu_tanh(x), grad(sum(gelu(x)), x)); });
  for (const double x : {-6.0, -1.5, -0.1, 0.0, 0.3, 2.0, 7.0}) {
    const auto [exact, by_tanh, slope] = f(Array{static_cast<float>(x)});
    EXPECT_NEAR(exact.at(0), x * 0.5 * std::erfc(-x / std::sqrt(2)), 1e-6);
    EXPECT_NEAR(by_tanh.at(0), 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x))), 1e-6);
    EXPECT_NEAR(slope.at(0), 0.5 * std::erfc(-x / std::sqrt(2)) + x * std::exp(-x * x / 2) / std::sqrt(2 * M_PI), 1e-6);
  }
}

TEST(Gelu, AsAModule) {
  auto f = jit([](Tensor x) { return outputs(nn::GELU{}(x), nn::GELU{.tanh = true}(x), gelu(x), gelu_tanh(x)); });
  const auto [a, b, c, d] = f(Array{-1.5f, 0.25f});
  EXPECT_TRUE(same_bits(a, c));
  EXPECT_TRUE(same_bits(b, d));
}

}  // namespace
}  // namespace gcompile
