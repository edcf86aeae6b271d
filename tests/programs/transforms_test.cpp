// Transforms of the DSL, alone and in each other: against what is known by hand and against each other.
#include <gtest/gtest.h>

#include <cmath>

#include "gcompile/gcompile.h"

namespace gc = gcompile;

namespace {

using gc::Array;
using gc::Shape;
using gc::Tensor;

Array range(const Shape& shape, double step = 0.1) {
  Array a(gc::DType::kF32, shape);
  for (std::int64_t i = 0; i < a.size(); ++i) a.set(i, step * static_cast<double>(i + 1));
  return a;
}

void expect_near(const Array& a, const Array& b, double tolerance = 1e-5) {
  ASSERT_EQ(a.shape().str(), b.shape().str());
  for (std::int64_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a.at(i), b.at(i), tolerance) << "element " << i;
}

// R^3 -> R^2
Tensor field(Tensor x) {
  const Tensor a = x.slice(0, 0, gc::Dim(1)), b = x.slice(0, 1, gc::Dim(2)), c = x.slice(0, 2);
  return gc::concat({a * b * c, gc::sin(a) + c * c});
}

TEST(Jacobian, OfAField) {
  auto f = gc::jit([](Tensor x) { return gc::jacobian(field)(x); });
  const Array j = f(Array(std::vector<float>{1, 2, 3}));
  expect_near(j, Array(std::vector<float>{6, 3, 2, std::cos(1.0f), 0, 6}, {2, 3}));
}

TEST(Jacobian, FromEitherSide) {
  auto f = gc::jit([](Tensor x, Tensor u, Tensor v) {
    const auto [y, dy] = gc::jvp(field, x, v);
    const auto [again, dx] = gc::vjp(field, x, u);
    const Tensor j = gc::jacobian(field)(x);
    return gc::outputs(dy, j.matmul(v), dx, u.matmul(j), y - again);
  });
  const auto [dy, jv, dx, uj, zero] =
      f(range({3}), Array(std::vector<float>{2, -1}), Array(std::vector<float>{1, 0.5f, -2}));
  expect_near(dy, jv);
  expect_near(dx, uj);
  expect_near(zero, Array(gc::DType::kF32, {2}));
}

Tensor rosenbrock(Tensor x) {
  const Tensor a = x.slice(0, 0, gc::Dim(-1)), b = x.slice(0, 1);
  return gc::sum(100.0f * gc::square(b - a * a) + gc::square(1.0f - a));
}

TEST(Hessian, OfRosenbrock) {
  auto f = gc::jit([](Tensor x, Tensor v) {
    const Tensor h = gc::hessian(rosenbrock)(x);
    return gc::outputs(h, h.matmul(v), gc::hvp(rosenbrock, x, v), h - h.T());
  });
  const auto [h, hv, product, difference] = f(Array(std::vector<float>{1, 1, 1}), Array(std::vector<float>{1, -1, 2}));
  expect_near(h, Array(std::vector<float>{802, -400, 0, -400, 1002, -400, 0, -400, 200}, {3, 3}), 1e-3);
  expect_near(product, hv, 1e-2);
  expect_near(difference, Array(gc::DType::kF32, {3, 3}), 1e-3);
}

TEST(Vmap, IsALoopOverTheBatch) {
  auto f = gc::jit([](Tensor xs, Tensor w) {
    const auto one = [](Tensor x, Tensor m) { return gc::softmax(gc::tanh(x.matmul(m))); };
    const Tensor all = gc::vmap(one, {.in = {0, gc::BatchAxes::kNone}})(xs, w);
    std::vector<Tensor> each;
    for (int i = 0; i < 4; ++i) each.push_back(one(xs.slice(0, i, gc::Dim(i + 1)).squeeze(0), w));
    return gc::outputs(all, gc::stack(each));
  });
  const auto [all, each] = f(range({4, 3}), range({3, 5}));
  expect_near(all, each, 1e-6);
}

TEST(Vmap, OverOtherAxes) {
  auto f = gc::jit([](Tensor a, Tensor b) {
    return gc::vmap([](Tensor x, Tensor y) { return x * y; }, {.in = {1, -1}, .out = 1})(a, b);
  });
  const Array a = range({2, 3}), b = range({2, 3});
  const Array y = f(a, b);
  for (int i = 0; i < 6; ++i) EXPECT_FLOAT_EQ(static_cast<float>(y.at(i)), static_cast<float>(a.at(i) * b.at(i)));
}

TEST(Vmap, OfGradients) {
  // The gradient of each member's loss by shared weights: [batch, weights].
  const gc::Parameter w{"w", range({3})};
  auto f = gc::jit([&](Tensor xs) {
    const auto of_one = [&](Tensor x) {
      const Tensor loss = gc::square(gc::sum(x * w));
      return gc::grad(loss, w);
    };
    return gc::vmap(of_one)(xs);
  });
  const Array x = range({4, 3}), g = f(x);
  for (int i = 0; i < 4; ++i) {
    double dot = 0;
    for (int j = 0; j < 3; ++j) dot += x.at(3 * i + j) * 0.1 * (j + 1);
    for (int j = 0; j < 3; ++j) EXPECT_NEAR(g.at(3 * i + j), 2 * dot * x.at(3 * i + j), 1e-5);
  }
}

TEST(Vmap, InVmap) {
  auto f = gc::jit([](Tensor a, Tensor b) {
    const auto row = [&](Tensor x) { return gc::vmap([&](Tensor y) { return gc::sum(x * y); })(b); };
    return gc::outputs(gc::vmap(row)(a), a.matmul(b.T()));
  });
  const auto [outer, product] = f(range({2, 3}), range({4, 3}));
  expect_near(outer, product);
}

TEST(Vmap, OfASymbolicBatch) {
  gc::Dim n{"N"};
  auto f =
      gc::compile([](Tensor xs) { return gc::vmap([](Tensor x) { return gc::sum(x * x); })(xs); }, {gc::f32(n, 3)});
  for (const std::int64_t rows : {1, 4}) EXPECT_EQ(f(range({rows, 3})).shape().str(), Shape({rows}).str());
}

// Everything in everything: the gradient of a scan whose step is a vmap, over a batch.
Tensor recurrence(Tensor x) {
  return gc::scan(
             [](Tensor h, Tensor e) {
               h = gc::vmap([](Tensor a, Tensor b) { return gc::tanh(a + b); })(h, e);
               return gc::outputs(h, h);
             },
             gc::zeros({3}), x)
      .first;
}

TEST(Transforms, NestInAnyOrder) {
  auto f = gc::jit([](Tensor xs) {
    const auto loss = [](Tensor x) { return gc::sum(gc::square(recurrence(x))); };
    const Tensor batched = gc::vmap([&](Tensor x) { return gc::grad(loss(x), x); })(xs);
    const Tensor total = gc::grad(gc::sum(gc::vmap(loss)(xs)), xs);
    const Tensor hessians = gc::vmap([&](Tensor x) { return gc::hessian(loss)(x); })(xs);
    return gc::outputs(batched, total, hessians);
  });
  const Array xs = range({2, 4, 3});
  const auto [batched, total, hessians] = f(xs);
  expect_near(batched, total, 1e-6);
  EXPECT_EQ(hessians.shape().str(), Shape({2, 4, 3, 4, 3}).str());
  // A column of the Hessian by differences of the gradient.
  constexpr double kStep = 1e-2;
  const std::int64_t moved = 5;  // of the first member
  Array up = xs, down = xs;
  up.set(moved, xs.at(moved) + kStep);
  down.set(moved, xs.at(moved) - kStep);
  const Array above = f(up)[0], below = f(down)[0];
  for (std::int64_t i = 0; i < 12; ++i)
    EXPECT_NEAR(hessians.at(i * 12 + moved), (above.at(i) - below.at(i)) / (2 * kStep), 2e-3);
}

TEST(Transforms, OfBranchesAndLoops) {
  auto f = gc::jit([](Tensor xs) {
    const auto one = [](Tensor x) {
      const Tensor doubled =
          gc::while_loop([](Tensor v) { return v < 10.0f; }, [](Tensor v) { return v * 2.0f; }, gc::stop_gradient(x));
      return gc::cond(
                 x > 2.0f, [&] { return x * x; }, [&] { return -x; }) +
             doubled;
    };
    const Tensor y = gc::vmap(one)(xs);
    return gc::outputs(y, gc::grad(gc::sum(y), xs));
  });
  const auto [y, g] = f(Array(std::vector<float>{1, 3, 20}));
  EXPECT_EQ(y.str(), "f32[3] [15, 21, 420]");
  EXPECT_EQ(g.str(), "f32[3] [-1, 6, 40]");
}

TEST(Vmap, OfAWhileOverNoMembersEnds) {
  gc::Dim n{"N"};
  auto f = gc::compile(
      [](Tensor xs) {
        return gc::vmap([](Tensor x) {
          return gc::while_loop([](Tensor v) { return v < 10; }, [](Tensor v) { return v * 2; }, x);
        })(xs);
      },
      {gc::f32(n)});
  EXPECT_EQ(f(Array(gc::DType::kF32, {0})).size(), 0);
  EXPECT_EQ(f(Array(std::vector<float>{3, 20})).str(), "f32[2] [12, 20]");
}

TEST(Vmap, RefusesBatchesOfTwoSizes) {
  auto f = gc::jit(
      [](Tensor a, Tensor b) { return gc::vmap([](Tensor x, Tensor y) { return gc::sum(x) + gc::sum(y); })(a, b); });
  try {
    f(range({2, 3}), range({4, 3}));
    FAIL() << "no error";
  } catch (const gc::ModelError& e) {
    EXPECT_NE(std::string(e.what()).find("the batch has 2 members in argument 0 and 4 in argument 1"),
              std::string::npos)
        << e.what();
  }
}

TEST(Jacobian, RefusesASymbolicExtent) {
  gc::Dim n{"N"};
  EXPECT_THROW(gc::compile([](Tensor x) { return gc::jacobian([](Tensor v) { return v * v; })(x); }, {gc::f32(n)}),
               gc::ModelError);
}

}  // namespace
