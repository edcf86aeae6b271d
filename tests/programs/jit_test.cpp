// jit and compile: variants, weak numbers, symbolic extents, results that are held, updates, gradients of functions.
#include <gtest/gtest.h>

#include <thread>

#include "gcompile/gcompile.h"
#include "tests/unit/temp_dir.h"

namespace gcompile {
namespace {

using testing::message_of;

TEST(Jit, OneVariantPerShapeAndDtype) {
  auto f = jit([](Tensor x) { return x * 2 + 1; });
  EXPECT_EQ(f(3).item(), 7);
  EXPECT_EQ(f(4.5).item(), 10);
  EXPECT_EQ(f.variant_count(), 1u);  // numbers are f32
  EXPECT_TRUE(same_bits(f(Array{1.0f, 2.0f}), Array{3.0f, 5.0f}));
  EXPECT_TRUE(same_bits(f(Array{1.0, 2.0}), Array{3.0, 5.0}));
  EXPECT_TRUE(same_bits(f(Array{1, 2}), Array{3, 5}));
  EXPECT_EQ(f.variant_count(), 4u);
  EXPECT_EQ(f(1.0f).item(), 3);
  EXPECT_EQ(f.variant_count(), 4u);
}

TEST(Jit, ResultsThatAreHeldAreNotWrittenOver) {
  auto f = jit([](Tensor x) { return x + 1; });
  std::vector<Array> held;
  for (int i = 0; i < 12; ++i) held.push_back(f(Array::full(DType::kF32, {100}, i)));
  for (int i = 0; i < 12; ++i) EXPECT_EQ(held[static_cast<std::size_t>(i)].at(99), i + 1);
}

TEST(Jit, FunctionPointersPairsAndNothing) {
  Tensor (*twice)(Tensor) = [](Tensor x) { return x + x; };
  EXPECT_EQ(jit(twice)(4).item(), 8);
  State count{"count", 0};
  auto increment = jit([&](Tensor by) { count.set(count + by); });
  increment(2);
  increment(3);
  EXPECT_EQ(count.item(), 5);
  auto nothing_in = jit([&] { return count * 2; });
  EXPECT_EQ(nothing_in().item(), 10);
}

TEST(Jit, UpdatesAreParallel) {
  State v{"v", 1.0f}, w{"w", 2.0f};
  auto swap = jit([&] {
    v.set(w);
    w.set(v);
    return outputs(v, w);
  });
  const auto [old_v, old_w] = swap();
  EXPECT_EQ(old_v.item(), 1);
  EXPECT_EQ(old_w.item(), 2);
  EXPECT_EQ(v.item(), 2);
  EXPECT_EQ(w.item(), 1);
  swap();
  EXPECT_EQ(v.item(), 1);
}

TEST(Jit, StatesTakeNumbersAndAssignedValues) {
  State v{"v", Array{1.0f, 2.0f, 3.0f}};
  auto reset = jit([&](Tensor x) {
    v.set(0.5);
    return sum(v) * x;
  });
  EXPECT_EQ(reset(1).item(), 6);
  EXPECT_TRUE(same_bits(v.value(), Array{0.5f, 0.5f, 0.5f}));
  v.assign(Array{4.0f, 4.0f, 4.0f});
  EXPECT_EQ(reset(2).item(), 24);
  EXPECT_THROW(v.assign(Array{1.0f}), CallError);
}

TEST(Jit, StateOutlivesItsHandle) {
  auto make = [] {
    Parameter w{"w", 3.0f};
    return jit([w](Tensor x) { return w * x; });
  };
  auto f = make();
  EXPECT_EQ(f(2).item(), 6);
}

TEST(Compile, OneForEveryExtent) {
  const Dim N{"N"};
  auto f = compile([](Tensor x, Tensor y) { return mean(square(x - y)); }, {f32(N, 2), f32(N, 2)});
  EXPECT_EQ(f(Array{{1.0f, 2.0f}}, Array{{3.0f, 2.0f}}).item(), 2);
  EXPECT_EQ(f(Array(DType::kF32, {70, 2}), Array::full(DType::kF32, {70, 2}, 3)).item(), 9);
  EXPECT_EQ(f.variant_count(), 1u);
  const auto refused = [&](const Array& x, const Array& y) { return message_of<CallError>([&] { f(x, y); }); };
  EXPECT_NE(refused(Array{{1.0f, 2.0f}}, Array{{1.0}}).find("dtype"), std::string::npos);
  EXPECT_NE(refused(Array{{1.0f, 2.0f}}, Array{1.0f}).find("rank"), std::string::npos);
  EXPECT_NE(refused(Array{{1.0f, 2.0f, 3.0f}}, Array{{1.0f, 2.0f}}).find("axis 1 has 3 elements"), std::string::npos);
  EXPECT_NE(refused(Array{{1.0f, 2.0f}}, Array(DType::kF32, {2, 2})).find("N is 1 from argument x0"),
            std::string::npos);
  EXPECT_NE(refused(Array(DType::kF32, {0, 2}), Array(DType::kF32, {0, 2})).find("N is 0"), std::string::npos);
}

TEST(Compile, NumbersTakeTheDeclaredDtype) {
  auto f = compile([](Tensor x) { return x + 1; }, {f64()});
  const Array y = f(0.1);
  EXPECT_EQ(y.dtype(), DType::kF64);
  EXPECT_EQ(y.item(), 1.1);
  auto g = compile([](Tensor x) { return x + 1; }, {i32()});
  EXPECT_EQ(g(41).item(), 42);
  EXPECT_THROW(g(0.5), CallError);
  EXPECT_THROW(compile([](Tensor x) { return x; }, {f32(), f32()}), CallError);
}

TEST(Compile, StaticAndSymbolicExtentsGiveTheSameBits) {
  Parameter w{"w", Array{{0.3f, -0.7f, 1.1f}}};
  const auto body = [&](Tensor x) { return softmax(x * w, 1); };
  auto fixed = jit(body);
  auto symbolic = compile(body, {f32(Dim("N"), 3)});
  for (const std::int64_t n : {1, 2, 16, 33}) {
    Array x = Array::uninitialized(DType::kF32, {n, 3});
    fill_uniform(x, -2, 2, random_key(0, "x"));
    EXPECT_TRUE(same_bits(fixed(x), symbolic(x))) << n;
  }
}

TEST(Grad, OfFunctions) {
  const auto f = [](Tensor x) { return pow(x, 3); };
  EXPECT_NEAR(jit(grad(f))(2).item(), 12, 1e-5);
  EXPECT_NEAR(jit(grad(grad(f)))(2).item(), 12, 1e-5);
  EXPECT_NEAR(jit(grad(grad(grad(f))))(2).item(), 6, 1e-5);
  const auto [value, slope] = jit(value_and_grad(f))(2);
  EXPECT_NEAR(value.item(), 8, 1e-5);
  EXPECT_NEAR(slope.item(), 12, 1e-5);
  const auto product = [](Tensor x, Tensor y) { return x * y; };
  EXPECT_EQ(jit(grad(product, 1))(3, 5).item(), 3);
}

TEST(Grad, OfSeveralParametersAndOfValuesInBetween) {
  Parameter a{"a", 2.0f}, b{"b", 3.0f};
  auto f = jit([&](Tensor x) {
    const Tensor inner = a * x, loss = square(inner + b);
    const std::vector<Tensor> by_both = grad(loss, {a, b});
    return outputs(by_both[0], by_both[1], grad(loss, inner), grad(loss, x));
  });
  const auto [da, db, di, dx] = f(4);
  EXPECT_EQ(da.item(), 2 * 11 * 4);
  EXPECT_EQ(db.item(), 2 * 11);
  EXPECT_EQ(di.item(), 2 * 11);
  EXPECT_EQ(dx.item(), 2 * 11 * 2);
}

TEST(Jit, ThreadsTraceAndRunWithoutEachOther) {
  std::vector<double> results(4);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([t, &results] {
      auto f = jit([t](Tensor x) { return x * t; });
      double last = 0;
      for (int i = 0; i < 100; ++i) last = f(i).item();
      results[static_cast<std::size_t>(t)] = last;
    });
  for (std::thread& t : threads) t.join();
  for (int t = 0; t < 4; ++t) EXPECT_EQ(results[static_cast<std::size_t>(t)], 99 * t);
}

TEST(Jit, AFunctionThatThrowsLeavesNothingBehind) {
  bool broken = true;
  auto f = jit([&](Tensor x) {
    if (broken) throw std::runtime_error("the user's own");
    return x + 1;
  });
  EXPECT_THROW(f(1), std::runtime_error);
  EXPECT_EQ(Trace::current(), nullptr);
  broken = false;
  EXPECT_EQ(f(1).item(), 2);
}

}  // namespace
}  // namespace gcompile
