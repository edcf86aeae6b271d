// The functions of the DSL: what each means, by values worked out by hand.
#include <gtest/gtest.h>

#include <cmath>

#include "gcompile/gcompile.h"

namespace gcompile {
namespace {

const Array kX{{1.0f, -2.0f, 3.0f}, {0.5f, 0.0f, -1.0f}};

// f(x) has these elements and this shape.
template <class F>
void expect(const F& f, const Array& x, const Array& wanted) {
  const Array y = jit(f)(x);
  ASSERT_EQ(y.shape(), wanted.shape()) << y.str();
  ASSERT_EQ(y.dtype(), wanted.dtype());
  for (std::int64_t i = 0; i < y.size(); ++i) EXPECT_NEAR(y.at(i), wanted.at(i), 1e-5) << i << " of " << y.str();
}

TEST(Functions, BroadcastingIsNumPys) {
  expect(
      [](Tensor x) {
        return x + constant(Array{10.0f, 20.0f, 30.0f});
      },
      kX, Array{{11.0f, 18.0f, 33.0f}, {10.5f, 20.0f, 29.0f}});
  expect(
      [](Tensor x) {
        return x * constant(Array{{1.0f}, {2.0f}});
      },
      kX, Array{{1.0f, -2.0f, 3.0f}, {1.0f, 0.0f, -2.0f}});
  expect([](Tensor x) { return unsqueeze(x, 1) - x; }, Array{1.0f, 2.0f}, Array{{0.0f, -1.0f}, {1.0f, 0.0f}});
  expect([](Tensor x) { return broadcast_to(x, {2, 2}); }, Array{1.0f, 2.0f}, Array{{1.0f, 2.0f}, {1.0f, 2.0f}});
}

TEST(Functions, NumbersAreWeakOnBothSides) {
  expect([](Tensor x) { return 1 - x / 2; }, kX, Array{{0.5f, 2.0f, -0.5f}, {0.75f, 1.0f, 1.5f}});
  expect([](Tensor x) { return 10 - 3 * x; }, Array{1, 2}, Array{7, 4});
  expect(
      [](Tensor x) {
        x += 1;
        x *= x;
        return x;
      },
      Array{1.0f, 2.0f}, Array{4.0f, 9.0f});
}

TEST(Functions, ComparisonsAndSelection) {
  expect([](Tensor x) { return where(x > 0, x, -x); }, kX, Array{{1.0f, 2.0f, 3.0f}, {0.5f, 0.0f, 1.0f}});
  expect([](Tensor x) { return where(logical_and(x >= 0, x != 3), 1, 0); }, kX, Array{{1, 0, 0}, {1, 1, 0}});
  expect([](Tensor x) { return where(x > 0, 1.0, 0); }, kX, Array{{1.0f, 0.0f, 1.0f}, {1.0f, 0.0f, 0.0f}});
  expect([](Tensor x) { return cast(logical_not(x == 0), DType::kI32); }, kX, Array{{1, 1, 1}, {1, 0, 1}});
  expect([](Tensor x) { return clamp(x, -1, 1); }, kX, Array{{1.0f, -1.0f, 1.0f}, {0.5f, 0.0f, -1.0f}});
  expect([](Tensor x) { return relu(x); }, kX, Array{{1.0f, 0.0f, 3.0f}, {0.5f, 0.0f, 0.0f}});
  expect([](Tensor x) { return floor_div(x, 3) + 100 * remainder(x, 3); }, Array{7, -7}, Array{102, 197});
}

TEST(Functions, AnglesAndHyperbolas) {
  expect([](Tensor x) { return tan(x); }, kX,
         Array{{1.5574077f, 2.1850399f, -0.1425465f}, {0.5463025f, 0.0f, -1.5574077f}});
  expect([](Tensor x) { return atan(x); }, Array{-1e30f, -1.0f, 0.5f, 3.0f, INFINITY},
         Array{-1.5707963f, -0.7853982f, 0.4636476f, 1.2490458f, 1.5707963f});
  expect([](Tensor x) { return asin(x); }, Array{-1.0f, -0.5f, 0.25f, 1.0f},
         Array{-1.5707963f, -0.5235988f, 0.2526803f, 1.5707963f});
  expect([](Tensor x) { return acos(x); }, Array{-1.0f, -0.5f, 0.25f, 1.0f},
         Array{3.1415927f, 2.0943951f, 1.3181161f, 0.0f});
  expect([](Tensor x) { return sinh(x) + 0 * cosh(x); }, kX,
         Array{{1.1752012f, -3.6268604f, 10.0178749f}, {0.5210953f, 0.0f, -1.1752012f}});
  expect([](Tensor x) { return cosh(x); }, kX,
         Array{{1.5430806f, 3.7621957f, 10.0676620f}, {1.1276260f, 1.0f, 1.5430806f}});
  expect(
      [](Tensor x) {
        return atan2(x, constant(Array{1.0f, -1.0f, 0.0f}));
      },
      Array{{1.0f, 1.0f, 1.0f}, {-2.0f, -1.0f, 0.0f}},
      Array{{0.7853982f, 2.3561945f, 1.5707963f}, {-1.1071487f, -2.3561945f, 0.0f}});
}

TEST(Functions, Reductions) {
  expect([](Tensor x) { return sum(x); }, kX, Array(1.5f));
  expect([](Tensor x) { return x.sum(0); }, kX, Array{1.5f, -2.0f, 2.0f});
  expect([](Tensor x) { return x.sum(-1, true); }, kX, Array{{2.0f}, {-0.5f}});
  expect([](Tensor x) { return mean(x, 1); }, kX, Array{2 / 3.0f, -0.5f / 3});
  expect([](Tensor x) { return max(x, 1) - min(x, {1}); }, kX, Array{5.0f, 1.5f});
  expect([](Tensor x) { return prod(x, 1); }, kX, Array{-6.0f, 0.0f});
  expect([](Tensor x) { return variance(x, 1); }, Array{{1.0f, 3.0f}}, Array{1.0f});
  expect([](Tensor x) { return argmax(x); }, kX, Array{2, 0});
  expect([](Tensor x) { return argmin(x, 0); }, kX, Array{1, 0, 1});
}

TEST(Functions, SoftmaxAndItsKin) {
  const Array x{{1000.0f, 1001.0f}, {0.0f, -std::numeric_limits<float>::infinity()}};
  const float p = 1 / (1 + std::exp(1.0f));
  expect([](Tensor t) { return softmax(t); }, x, Array{{p, 1 - p}, {1.0f, 0.0f}});
  expect([](Tensor t) { return logsumexp(t); }, x, Array{1001 + std::log1p(std::exp(-1.0f)), 0.0f});
  expect([](Tensor t) { return exp(log_softmax(t, 0)); }, Array{0.0f, std::log(3.0f)}, Array{0.25f, 0.75f});
}

TEST(Functions, Products) {
  const Array a{{1.0f, 2.0f}, {3.0f, 4.0f}};
  expect([](Tensor x) { return matmul(x, x); }, a, Array{{7.0f, 10.0f}, {15.0f, 22.0f}});
  expect([](Tensor x) { return x.T().matmul(x); }, a, Array{{10.0f, 14.0f}, {14.0f, 20.0f}});
  expect([](Tensor x) { return x.matmul(x.T()); }, a, Array{{5.0f, 11.0f}, {11.0f, 25.0f}});
  expect([](Tensor x) { return matmul(x, constant(Array{1.0f, 10.0f})); }, a, Array{21.0f, 43.0f});
  expect([](Tensor x) { return matmul(constant(Array{1.0f, 10.0f}), x); }, a, Array{31.0f, 42.0f});
  expect([](Tensor x) { return dot(x, x); }, Array{1.0f, 2.0f}, Array(5.0f));
  // A batch of two matrices on either side, against one matrix, and against one another.
  const auto batch = [](Tensor x) { return stack({x, 2 * x}); };
  expect([&](Tensor x) { return matmul(batch(x), x).slice(0, 1); }, a,
         Array{{14.0f, 20.0f}, {30.0f, 44.0f}}.reshaped({1, 2, 2}));
  expect([&](Tensor x) { return matmul(x, batch(x)).slice(0, 1); }, a,
         Array{{14.0f, 20.0f}, {30.0f, 44.0f}}.reshaped({1, 2, 2}));
  expect([&](Tensor x) { return matmul(batch(x), batch(x).T()).slice(0, 1); }, a,
         Array{{20.0f, 44.0f}, {44.0f, 100.0f}}.reshaped({1, 2, 2}));
}

TEST(Functions, Views) {
  expect([](Tensor x) { return x.reshape({3, -1}); }, kX, Array{{1.0f, -2.0f}, {3.0f, 0.5f}, {0.0f, -1.0f}});
  expect([](Tensor x) { return x.T(); }, kX, Array{{1.0f, 0.5f}, {-2.0f, 0.0f}, {3.0f, -1.0f}});
  expect([](Tensor x) { return flatten(x, 0); }, kX, Array{1.0f, -2.0f, 3.0f, 0.5f, 0.0f, -1.0f});
  expect([](Tensor x) { return x.slice(1, -2); }, kX, Array{{-2.0f, 3.0f}, {0.0f, -1.0f}});
  expect([](Tensor x) { return x.slice(1, 0, -1); }, kX, Array{{1.0f, -2.0f}, {0.5f, 0.0f}});
  expect([](Tensor x) { return squeeze(x.slice(0, 1, 2), 0); }, kX, Array{0.5f, 0.0f, -1.0f});
  expect([](Tensor x) { return concat({x, x.slice(0, 0, 1)}); }, Array{1.0f, 2.0f}, Array{1.0f, 2.0f, 1.0f});
  expect([](Tensor x) { return stack({x, -x}, 1); }, Array{1.0f, 2.0f}, Array{{1.0f, -1.0f}, {2.0f, -2.0f}});
  expect([](Tensor x) { return pad(x, {1}, {2}, 7); }, Array{1.0f}, Array{7.0f, 1.0f, 7.0f, 7.0f});
  expect(
      [](Tensor x) {
        return take(x, constant(Array{1, 0, 1}), 0);
      },
      kX, Array{{0.5f, 0.0f, -1.0f}, {1.0f, -2.0f, 3.0f}, {0.5f, 0.0f, -1.0f}});
  expect([](Tensor x) { return one_hot(x, 3); }, Array{2, 0, 5},
         Array{{0.0f, 0.0f, 1.0f}, {1.0f, 0.0f, 0.0f}, {0.0f, 0.0f, 0.0f}});
  expect([](Tensor x) { return x + arange(3) + ones({3}, DType::kI32); }, Array{10, 10, 10}, Array{11, 12, 13});
}

TEST(Functions, SequentialAndModuleListNameTheirParts) {
  struct Net : nn::Module {
    nn::Sequential body{this, "body"};
    nn::ModuleList<nn::Linear> heads{this, "heads"};
    Net() {
      body.add<nn::Linear>(3, 4).add<nn::Tanh>().add<nn::Linear>(4, 2, /*with_bias=*/false);
      heads.add(2, 1);
      heads.add(2, 1);
    }
    Tensor forward(Tensor x) const { return heads[0](body(x)) + heads[1](body(x)); }
  } model;
  std::string names;
  for (const auto& [name, parameter] : model.named_parameters()) names += name + " ";
  EXPECT_EQ(names, "body.0.weight body.0.bias body.2.weight heads.0.weight heads.0.bias heads.1.weight heads.1.bias ");
  EXPECT_EQ(predict(model, kX).shape(), (Shape{2, 1}));
}

struct Residual : nn::Block<Residual> {
  using Block::Block;
  nn::Linear inner{this, "inner", 3, 3};
  Tensor forward(Tensor x) const { return x + inner(x); }
};

TEST(Functions, BlocksAreCalled) {
  struct Net : nn::Module {
    Residual first{this, "first"}, second{this, "second"};
    Tensor forward(Tensor x) const { return second.forward(first(x)); }
  } model;
  EXPECT_EQ(model.parameters()[2].name(), "second.inner.weight");
  for (const Parameter& p : model.parameters()) Parameter(p).assign(0);
  EXPECT_TRUE(same_bits(predict(model, kX), kX));
}

TEST(Functions, InitialValuesDependOnSeedAndFullNameAlone) {
  struct Pair : nn::Module {
    nn::Linear a{this, "a", 5, 4}, b{this, "b", 5, 4};
  } first, second;
  EXPECT_TRUE(same_bits(first.a.weight.value(), second.a.weight.value()));
  EXPECT_FALSE(same_bits(first.a.weight.value(), first.b.weight.value()));
  const Array zero = first.a.weight.value();
  first.initialize(1);
  EXPECT_FALSE(same_bits(first.a.weight.value(), zero));
  first.initialize(0);
  EXPECT_TRUE(same_bits(first.a.weight.value(), zero));
  for (std::int64_t i = 0; i < zero.size(); ++i) EXPECT_LE(std::abs(zero.at(i)), 1 / std::sqrt(5.0) + 1e-7);
}

}  // namespace
}  // namespace gcompile
