// Functions that transforms make are functions: each of them in each other one, against what is known by hand.
#include <gtest/gtest.h>

#include <cmath>

#include "gcompile/gcompile.h"

namespace gc = gcompile;

namespace {

using gc::Array;
using gc::Tensor;

constexpr auto cube = [](Tensor x) { return x * x * x; };
// The cube, with a gradient that is not its own: 5 x^2.
auto odd_cube() {
  return gc::custom_vjp([](Tensor x) { return x * x * x; }, [](Tensor x, Tensor, Tensor g) { return 5 * x * x * g; });
}

template <class F>
float at(F f, float x) {
  return static_cast<float>(gc::jit(std::move(f))(x).item());
}
template <class F>
void expect(F f, const Array& x, const std::vector<float>& wanted) {
  const Array y = gc::jit(std::move(f))(x);
  ASSERT_EQ(y.size(), static_cast<std::int64_t>(wanted.size()));
  for (std::int64_t i = 0; i < y.size(); ++i)
    EXPECT_FLOAT_EQ(static_cast<float>(y.at(i)), wanted[static_cast<std::size_t>(i)]);
}

TEST(Nesting, IsCompiledByItself) {
  EXPECT_FLOAT_EQ(at(gc::checkpoint(cube), 2), 8);
  EXPECT_FLOAT_EQ(at(odd_cube(), 2), 8);
  EXPECT_FLOAT_EQ(at(gc::grad(cube), 2), 12);
  expect(gc::vmap(cube), {1.0f, 2.0f}, {1, 8});
  expect(gc::jacobian(cube), {1.0f, 2.0f}, {3, 0, 0, 12});
  expect(gc::hessian([](Tensor x) { return gc::sum(x * x * x); }), {1.0f, 2.0f}, {6, 0, 0, 12});
}

TEST(Nesting, OfScalars) {
  EXPECT_FLOAT_EQ(at(gc::grad(gc::checkpoint(cube)), 2), 12);
  EXPECT_FLOAT_EQ(at(gc::grad(odd_cube()), 2), 20);
  EXPECT_FLOAT_EQ(at(gc::checkpoint(gc::grad(cube)), 2), 12);
  EXPECT_FLOAT_EQ(at(gc::checkpoint(gc::checkpoint(cube)), 2), 8);
  EXPECT_FLOAT_EQ(at(gc::checkpoint(odd_cube()), 2), 8);
  EXPECT_FLOAT_EQ(at(gc::grad(gc::checkpoint(odd_cube())), 2), 20);
  EXPECT_FLOAT_EQ(at(gc::grad(gc::grad(gc::checkpoint(cube))), 2), 12);
  EXPECT_FLOAT_EQ(at(gc::grad(gc::checkpoint(gc::grad(gc::checkpoint(cube)))), 2), 12);
  EXPECT_FLOAT_EQ(at(gc::grad(gc::custom_vjp(gc::checkpoint(cube), [](Tensor, Tensor, Tensor g) { return 7 * g; })), 2),
                  7);
  const auto both = gc::jit(gc::value_and_grad(gc::checkpoint(cube)))(2.0f);
  EXPECT_FLOAT_EQ(static_cast<float>(both[0].item()), 8);
  EXPECT_FLOAT_EQ(static_cast<float>(both[1].item()), 12);
}

TEST(Nesting, OfBatches) {
  const Array x{1.0f, 2.0f}, m{{1.0f, 2.0f}, {3.0f, 4.0f}};
  expect(gc::vmap(gc::checkpoint(cube)), x, {1, 8});
  expect(gc::vmap(odd_cube()), x, {1, 8});
  expect(gc::vmap(gc::grad(cube)), x, {3, 12});
  expect(gc::vmap(gc::grad(gc::checkpoint(cube))), x, {3, 12});
  expect(gc::vmap(gc::grad(odd_cube())), x, {5, 20});
  expect(gc::checkpoint(gc::vmap(cube)), x, {1, 8});
  expect(gc::vmap(gc::vmap(cube)), m, {1, 8, 27, 64});
  expect(gc::vmap(gc::vmap(gc::grad(cube))), m, {3, 12, 27, 48});
  expect(gc::vmap(gc::checkpoint(gc::vmap(cube))), m, {1, 8, 27, 64});
  expect(gc::jacobian(gc::vmap(gc::checkpoint(cube))), x, {3, 0, 0, 12});
  expect(gc::vmap(gc::jacobian(gc::vmap(cube))), m, {3, 0, 0, 12, 27, 0, 0, 48});
  expect(gc::vmap(gc::hessian([](Tensor v) { return gc::sum(v * v * v); })), m, {6, 0, 0, 12, 18, 0, 0, 24});
}

TEST(Nesting, KeepsHowManyThereAre) {
  const auto f = gc::vmap(gc::checkpoint([](Tensor a, Tensor b) { return gc::outputs(a * b, a + b); }));
  const auto [product, sum] = gc::jit(f)(Array{1.0f, 2.0f}, Array{3.0f, 4.0f});
  EXPECT_EQ(product.at(1), 8);
  EXPECT_EQ(sum.at(1), 6);
  auto by_second = gc::jit(gc::grad(gc::checkpoint([](Tensor a, Tensor b) { return a * a * b; }), 1));
  EXPECT_EQ(by_second(3.0f, 2.0f).item(), 9);
}

TEST(Nesting, TakesStates) {
  const gc::Parameter w{"w", Array{1.0f, 2.0f}};
  const Array y = gc::jit([&](Tensor x) {
    return gc::vmap(gc::checkpoint([](Tensor a, Tensor b) { return a * b; }))(x, w);
  })(Array{3.0f, 4.0f});
  EXPECT_EQ(y.at(1), 8);
}

TEST(Nesting, DerivativesOfWhatDoesNotDependAreZeros) {
  EXPECT_EQ(at(gc::grad(gc::grad([](Tensor x) { return 3 * x; })), 2), 0);
  EXPECT_EQ(at(gc::grad(gc::grad(gc::grad([](Tensor x) { return x * x; }))), 2), 0);
  EXPECT_EQ(at(gc::grad(gc::grad([](Tensor x) { return gc::relu(x); })), 2), 0);
  const auto [value, gradient] = gc::jit(gc::value_and_grad([](Tensor x, Tensor) { return x * x; }, 1))(3.0f, 2.0f);
  EXPECT_EQ(value.item(), 9);
  EXPECT_EQ(gradient.item(), 0);
  // Those of a part of the function do not, so there it is an error: a parameter was forgotten.
  EXPECT_THROW(gc::jit([](Tensor x, Tensor y) { return gc::grad(x * x, y); })(1.0f, 2.0f), gc::ModelError);
  // What has a shape keeps it.
  auto f = gc::jit([](Tensor x, Tensor v) {
    const auto linear = [](Tensor p) { return gc::sum(3 * p); };
    const auto constant = [](Tensor) { return gc::ones({}); };
    return gc::outputs(gc::hvp(linear, x, v), gc::hvp(constant, x, v), gc::hessian(constant)(x), gc::grad(constant)(x));
  });
  const auto [a, b, c, d] = f(Array{1.0f, 2.0f}, Array{1.0f, 1.0f});
  EXPECT_EQ(a.shape().str() + b.shape().str() + c.shape().str() + d.shape().str(), "[2][2][2,2][2]");
  for (const Array* each : {&a, &b, &c, &d})
    for (std::int64_t i = 0; i < each->size(); ++i) EXPECT_EQ(each->at(i), 0);
}

// Doubled until it is 100 or more: for ever, for what is not positive.
Tensor grown(Tensor x) {
  return gc::while_loop([](Tensor v) { return v < 100; }, [](Tensor v) { return v * 2; }, x);
}

TEST(Nesting, LoopsInABranchRunForMembersThatTakeIt) {
  const auto one = [](Tensor x) {
    return gc::cond(
        x > 0, [&] { return grown(x); }, [&] { return -x; });
  };
  expect(gc::vmap(one), {3.0f, -1.0f, 0.0f, 60.0f}, {192, 1, 0, 120});
  // The other branch, where the loop is deeper: in a checkpoint, in a scan.
  const auto deep = [](Tensor x) {
    const auto inner = gc::checkpoint([](Tensor v) {
      return gc::for_loop(
          2, [](Tensor, Tensor u) { return grown(u) / 64; }, v);
    });
    return gc::cond(
        x <= 0, [&] { return x; }, [&] { return inner(x); });
  };
  expect(gc::vmap(deep), {3.0f, -1.0f, 0.0f, 60.0f}, {3, -1, 0, 1.875f});
  const auto both = [](Tensor x, Tensor y) {
    return gc::cond(
        x > 0,
        [&] {
          return gc::cond(
              y > 0, [&] { return grown(x * y); }, [&] { return y; });
        },
        [&] { return x; });
  };
  const Array made = gc::jit(gc::vmap(both))(Array{1.0f, -1.0f, 2.0f}, Array{3.0f, -1.0f, -2.0f});
  EXPECT_EQ(made.at(0), 192);
  EXPECT_EQ(made.at(1), -1);
  EXPECT_EQ(made.at(2), -2);
}

TEST(Nesting, LoopsInALoopRunForMembersThatTakeTheStep) {
  const auto one = [](Tensor x) {
    return gc::while_loop([](Tensor v) { return v > 0; }, [](Tensor v) { return grown(v) - 150; }, x);
  };
  expect(gc::vmap(one), {3.0f, -1.0f, 60.0f}, {-6, -1, -30});
}

}  // namespace
