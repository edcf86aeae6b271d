// Control flow of the DSL, as users write it: values against loops in C++, gradients against what the unrolled function
// gives, and errors.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "gcompile/gcompile.h"

namespace gc = gcompile;

namespace {

using gc::Array;
using gc::Shape;
using gc::Tensor;

Array noise(const Shape& shape, std::uint64_t seed) {
  Array a(gc::DType::kF32, shape);
  for (std::int64_t i = 0; i < a.size(); ++i) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    a.set(i, static_cast<double>(seed >> 40) / double(1 << 24) - 0.5);
  }
  return a;
}

void expect_near(const Array& a, const Array& b, double tolerance) {
  ASSERT_EQ(a.shape().str(), b.shape().str());
  for (std::int64_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a.at(i), b.at(i), tolerance) << "element " << i;
}

TEST(Scan, SumsAndStacks) {
  auto f = gc::jit([](Tensor x) {
    auto [last, all] =
        gc::scan([](Tensor sum, Tensor one) { return gc::outputs(sum + one, sum * 2); }, gc::zeros({3}), x);
    return gc::outputs(last, all);
  });
  const Array x(std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, {4, 3});
  const auto [last, all] = f(x);
  EXPECT_EQ(last.str(), "f32[3] [22, 26, 30]");
  EXPECT_EQ(all.str(), "f32[4,3] [[0, 0, 0], [2, 4, 6], [10, 14, 18], [24, 30, 36]]");
}

TEST(Scan, Reverse) {
  auto f = gc::jit([](Tensor x) {
    auto [last, all] =
        gc::scan([](Tensor s, Tensor one) { return gc::outputs(s * 2 + one, s); }, gc::zeros({}), x, {.reverse = true});
    return gc::outputs(last, all);
  });
  const auto [last, all] = f(Array(std::vector<float>{1, 2, 3}));
  EXPECT_EQ(last.str(), "17");  // ((3) * 2 + 2) * 2 + 1
  EXPECT_EQ(all.str(), "f32[3] [8, 3, 0]");
}

TEST(Scan, OfNoSteps) {
  gc::Dim n{"N"};
  auto f = gc::compile(
      [](Tensor x) {
        auto [last, all] = gc::scan([](Tensor s, Tensor one) { return gc::outputs(s + one, s); }, gc::ones({2}), x);
        return gc::outputs(last, all);
      },
      {gc::f32(n, 2)});
  const auto [last, all] = f(Array(gc::DType::kF32, {0, 2}));
  EXPECT_EQ(last.str(), "f32[2] [1, 1]");
  EXPECT_EQ(all.shape().str(), Shape({0, 2}).str());
  const auto [one, each] = f(Array{{3.0f, 4.0f}});
  EXPECT_EQ(one.str(), "f32[2] [4, 5]");
}

// A recurrent layer and what it is unrolled.
constexpr int kSteps = 5, kBatch = 3, kIn = 4, kHidden = 6;

struct Layer {
  gc::Parameter w{"w", noise({kIn, kHidden}, 1)}, u{"u", noise({kHidden, kHidden}, 2)}, b{"b", noise({kHidden}, 3)};

  Tensor cell(const Tensor& h, const Tensor& x) const { return gc::tanh(x.matmul(w) + h.matmul(u) + b); }
  Tensor looped(const Tensor& h0, const Tensor& xs, const gc::ScanOptions& options = {}) const {
    return gc::scan(
               [this](Tensor h, Tensor x) {
                 h = cell(h, x);
                 return gc::outputs(h, gc::square(h));
               },
               h0, xs, options)
        .second;
  }
  Tensor unrolled(const Tensor& h0, const Tensor& xs) const {
    std::vector<Tensor> all;
    Tensor h = h0;
    for (int t = 0; t < kSteps; ++t) {
      h = cell(h, xs.slice(0, t, gc::Dim(t + 1)).squeeze(0));
      all.push_back(gc::square(h));
    }
    return gc::stack(all);
  }
};

template <class Make>
std::array<Array, 6> value_and_gradients(const Layer& layer, Make make) {
  auto f = gc::jit([&](Tensor h0, Tensor xs) {
    const Tensor y = make(h0, xs);
    const auto g = gc::grad(gc::sum(y * y), {h0, xs, layer.w, layer.u, layer.b});
    return gc::outputs(y, g[0], g[1], g[2], g[3], g[4]);
  });
  return f(noise({kBatch, kHidden}, 4), noise({kSteps, kBatch, kIn}, 5));
}

TEST(Scan, GradientsAreThoseOfTheUnrolledLoop) {
  const Layer layer;
  const auto wanted = value_and_gradients(layer, [&](Tensor h, Tensor x) { return layer.unrolled(h, x); });
  const auto found = value_and_gradients(layer, [&](Tensor h, Tensor x) { return layer.looped(h, x); });
  for (std::size_t i = 0; i < wanted.size(); ++i) expect_near(found[i], wanted[i], 1e-6);
}

TEST(Scan, CheckpointsGiveTheSameGradients) {
  const Layer layer;
  const auto wanted = value_and_gradients(layer, [&](Tensor h, Tensor x) { return layer.looped(h, x); });
  for (const int every : {1, 2, 3, 5, 7}) {
    const auto found =
        value_and_gradients(layer, [&](Tensor h, Tensor x) { return layer.looped(h, x, {.checkpoint_every = every}); });
    for (std::size_t i = 0; i < wanted.size(); ++i) expect_near(found[i], wanted[i], 1e-6);
  }
}

TEST(Scan, SecondDerivative) {
  const auto quartic = [](Tensor x) {
    return gc::scan([](Tensor p, Tensor) { return gc::outputs(p, p); }, x, gc::zeros({1})).first;
  };
  auto f = gc::jit([&](Tensor x) {
    const Tensor y = gc::for_loop(
        3, [&](Tensor, Tensor p) { return p * x; }, quartic(x));  // x^4
    const Tensor d = gc::grad(y, x);
    return gc::outputs(y, d, gc::grad(d, x));
  });
  const auto [y, d, d2] = f(2.0f);
  EXPECT_EQ(y.item(), 16);  // powers of 2: exact
  EXPECT_EQ(d.item(), 32);
  EXPECT_EQ(d2.item(), 48);
}

// A temporary of outside that the first kernel of a step reads and none behind it: its memory is no other's before the
// last step.
TEST(Scan, WhatEveryStepReadsStaysUntilTheLast) {
  const auto step = [](const gc::Tensor& h, const gc::Tensor& v, const gc::Tensor& w) {
    return gc::tanh(gc::cumsum(gc::tanh(gc::tanh(h.matmul(w) + v).matmul(w)).matmul(w), 1) * 0.1);
  };
  const auto given = [](const gc::Tensor& x, const gc::Tensor& w) { return x.matmul(w) * 3; };
  auto loop = gc::jit([&](gc::Tensor x, gc::Tensor w) {
    const gc::Tensor v = given(x, w);
    return scan(
               [&](gc::Tensor h, gc::Tensor) {
                 h = step(h, v, w);
                 return gc::outputs(h, gc::sum(h));
               },
               x, gc::arange(4))
        .first;
  });
  auto unrolled = gc::jit([&](gc::Tensor x, gc::Tensor w) {
    const gc::Tensor v = given(x, w);
    gc::Tensor h = x;
    for (int i = 0; i < 4; ++i) h = step(h, v, w);
    return h;
  });
  gc::Array x(gc::DType::kF32, {48, 48}), w(gc::DType::kF32, {48, 48});
  for (std::int64_t i = 0; i < x.size(); ++i) {
    x.set(i, std::sin(0.37 * static_cast<double>(i)));
    w.set(i, 0.2 * std::cos(0.11 * static_cast<double>(i * i % 1009)));
  }
  const gc::Array a = loop(x, w), b = unrolled(x, w);
  for (std::int64_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a.at(i), b.at(i), 1e-4) << i;
}

TEST(Scan, SeveralCarriesThatTradePlaces) {
  auto f = gc::jit([](Tensor x) {
    const gc::Step all = gc::scan(
        [](Tensor a, Tensor b, Tensor) {
          return gc::Step{{b, a + b}, {a}};
        },
        {gc::zeros({}), gc::ones({})}, {x});
    return gc::outputs(all.carries[0], all.carries[1], all.stacked[0]);
  });
  const auto [a, b, fibonacci] = f(Array(gc::DType::kF32, {8}));
  EXPECT_EQ(a.item(), 21);
  EXPECT_EQ(b.item(), 34);
  EXPECT_EQ(fibonacci.str(), "f32[8] [0, 1, 1, 2, 3, 5, 8, 13]");
}

TEST(Scan, LengthsHoldMembersOfTheBatch) {
  auto f = gc::jit([](Tensor x, Tensor lengths) {
    auto [last, all] = gc::scan([](Tensor s, Tensor one) { return gc::outputs(s + one, s + one); }, gc::zeros({2}), x,
                                {.lengths = lengths});
    return gc::outputs(last, all);
  });
  const Array x{{1.0f, 10.0f}, {2.0f, 20.0f}, {3.0f, 30.0f}};
  const auto [last, all] = f(x, Array(std::vector<std::int32_t>{1, 3}));
  EXPECT_EQ(last.str(), "f32[2] [1, 60]");
  EXPECT_EQ(all.str(), "f32[3,2] [[1, 10], [0, 30], [0, 60]]");
}

TEST(Scan, IsOneCompileForEveryLength) {
  gc::Dim t{"T"};
  const Layer layer;
  auto f = gc::compile([&](Tensor h0, Tensor xs) { return layer.looped(h0, xs); },
                       {gc::f32(kBatch, kHidden), gc::f32(t, kBatch, kIn)});
  auto fixed = gc::jit([&](Tensor h0, Tensor xs) { return layer.looped(h0, xs); });
  for (const std::int64_t steps : {1, 2, 7}) {
    const Array h = noise({kBatch, kHidden}, 4), x = noise({steps, kBatch, kIn}, 5);
    const Array a = f(h, x), b = fixed(h, x);
    expect_near(a, b, 0);
  }
}

// Lines of assembly, kernels launched, and bytes of temporaries of the gradient of a recurrent layer.
struct Size {
  std::ptrdiff_t lines;
  std::int64_t bytes;
};
Size size_of_gradient(std::int64_t steps, std::int64_t every) {
  const Layer layer;
  auto f = gc::compile(
      [&](Tensor xs) {
        const Tensor last = gc::scan(
                                [&](Tensor h, Tensor x) {
                                  h = layer.cell(h, x);
                                  return gc::outputs(h, gc::sum(h));
                                },
                                gc::zeros({kBatch, kHidden}), xs, {.checkpoint_every = every})
                                .first;
        return gc::grad(gc::sum(last), layer.u);
      },
      {gc::f32(steps, kBatch, kIn)}, {.cache = "off"});
  const std::string code = f.compiled().dump("asm");
  return {std::count(code.begin(), code.end(), '\n'), f.compiled().peak_bytes()};
}

TEST(Scan, CodeDoesNotGrowWithTheStepsAndMemoryDoesAsSaid) {
  const Size ten = size_of_gradient(10, 0), hundred = size_of_gradient(100, 0), thousand = size_of_gradient(1000, 0);
  EXPECT_EQ(ten.lines, hundred.lines);
  EXPECT_EQ(hundred.lines, thousand.lines);
  const std::int64_t carry = kBatch * kHidden * 4;
  EXPECT_GE(thousand.bytes, 1000 * carry);
  EXPECT_LE(thousand.bytes - hundred.bytes, 900 * carry);
  const Size checkpointed = size_of_gradient(1000, 32);
  EXPECT_LE(checkpointed.bytes, 110 * carry);  // near 1000 / 32 + 32 of them, in slots of whole 64 bytes
}

TEST(Scan, InAScan) {
  auto f = gc::jit([](Tensor x) {
    return gc::scan(
               [](Tensor sum, Tensor row) {
                 const Tensor inner =
                     gc::scan([](Tensor s, Tensor e) { return gc::outputs(s + e, s); }, sum, row).first;
                 return gc::outputs(inner, inner);
               },
               gc::zeros({}), x)
        .second;
  });
  EXPECT_EQ(f(Array{{1.0f, 2.0f}, {3.0f, 4.0f}, {5.0f, 6.0f}}).str(), "f32[3] [3, 10, 21]");
}

TEST(While, RunsAsLongAsItsConditionHolds) {
  auto f = gc::jit([](Tensor x, Tensor limit) {
    return gc::while_loop([&](Tensor v) { return v < limit; }, [](Tensor v) { return v * 2; }, x);
  });
  EXPECT_EQ(f(1.0f, 100.0f).item(), 128);
  EXPECT_EQ(f(3.0f, 2.0f).item(), 3);
}

TEST(While, HasNoGradientAndSaysWhatToUse) {
  auto f = gc::jit([](Tensor x) {
    const Tensor y = gc::while_loop([](Tensor v) { return v < 100.0f; }, [](Tensor v) { return v * 2; }, x);
    return gc::grad(y, x);
  });
  try {
    f(1.0f);
    FAIL() << "no error";
  } catch (const gc::ModelError& e) {
    EXPECT_NE(std::string(e.what()).find("while: is not differentiable"), std::string::npos) << e.what();
    EXPECT_NE(std::string(e.what()).find("use scan"), std::string::npos) << e.what();
    EXPECT_EQ(e.where().line, __LINE__ - 9);
  }
}

TEST(Cond, RunsOneBranch) {
  auto f = gc::jit([](Tensor x) {
    const Tensor y = gc::cond(
        gc::sum(x) > 0, [&] { return gc::exp(x); }, [&] { return x * x; });
    return gc::outputs(y, gc::grad(gc::sum(y), x));
  });
  const auto [up, up_slope] = f(Array(std::vector<float>{1, 2}));
  EXPECT_NEAR(up.at(1), std::exp(2), 1e-5);
  EXPECT_NEAR(up_slope.at(1), std::exp(2), 1e-5);
  const auto [down, down_slope] = f(Array(std::vector<float>{-1, -2}));
  EXPECT_EQ(down.at(1), 4);
  EXPECT_EQ(down_slope.at(1), -4);
}

TEST(Cond, DoesNotMakeTheBranchThatIsNotTaken) {
  // The gradient of sqrt is infinite at 0 and none below; an endless loop would not end.
  auto f = gc::jit(
      [](Tensor x) {
        const Tensor y = gc::cond(
            x > 0, [&] { return gc::sqrt(x); },
            [&] {
              return gc::while_loop([](Tensor v) { return v < 0; }, [](Tensor v) { return v + 1; },
                                    gc::stop_gradient(x));
            });
        return gc::outputs(y, gc::grad(y, x));
      },
      {.check = gc::Check::NaN});
  const auto [up, slope] = f(4.0f);
  EXPECT_EQ(up.item(), 2);
  EXPECT_EQ(slope.item(), 0.25);
  const auto [down, none] = f(-1.5f);
  EXPECT_EQ(down.item(), 0.5);
  EXPECT_EQ(none.item(), 0);
  const std::string kernels = f.compiled().dump("kernel");
  EXPECT_GT(kernels.find("= sqrt("), kernels.find(" in r"));
}

TEST(Scan, RefusesAStepWithOtherCarries) {
  auto f = gc::jit([](Tensor x) {
    return gc::scan([](Tensor h, Tensor e) { return gc::Step{{h, e}, {h}}; }, {gc::zeros({})}, {x}).carries[0];
  });
  try {
    f(Array(gc::DType::kF32, {4}));
    FAIL() << "no error";
  } catch (const gc::ModelError& e) {
    EXPECT_NE(std::string(e.what()).find("the step returns 2 carries, it was given 1"), std::string::npos) << e.what();
  }
}

TEST(Scan, RefusesLengthsOfValuesWithoutABatch) {
  auto f = gc::jit([](Tensor x, Tensor lengths) {
    return gc::scan([](Tensor h, Tensor e) { return gc::outputs(h + gc::sum(e), h); }, gc::zeros({}), x,
                    {.lengths = lengths})
        .first;
  });
  try {
    f(Array(gc::DType::kF32, {4, 2}), Array(gc::DType::kI32, {2}));
    FAIL() << "no error";
  } catch (const gc::ModelError& e) {
    EXPECT_NE(std::string(e.what()).find("the leading axis of a carry is the batch of 2"), std::string::npos)
        << e.what();
  }
}

TEST(Checkpoint, GivesTheSameGradients) {
  const Layer layer;
  const auto two = [&](const auto& cell) {
    auto f = gc::jit([&](Tensor h, Tensor x) {
      const Tensor y = gc::sum(cell(cell(h, x), x));
      return gc::outputs(y, gc::grad(y, layer.u), gc::grad(y, h));
    });
    return f(noise({kBatch, kHidden}, 4), noise({kBatch, kIn}, 5));
  };
  const auto plain = [&](const Tensor& h, const Tensor& x) { return layer.cell(h, x); };
  const auto again = [&](const Tensor& h, const Tensor& x) {
    return gc::checkpoint([&](Tensor a, Tensor b) { return layer.cell(a, b); })(h, x);
  };
  const auto a = two(plain), b = two(again);
  for (std::size_t i = 0; i < a.size(); ++i) expect_near(a[i], b[i], 1e-6);
}

TEST(CustomVjp, TakesTheGivenGradient) {
  auto f = gc::jit([](Tensor x) {
    const auto clipped =
        gc::custom_vjp([](Tensor v) { return v * v; }, [](Tensor v, Tensor y, Tensor g) { return g * v + 0 * y; });
    const Tensor y = clipped(x);
    return gc::outputs(y, gc::grad(gc::sum(y), x));
  });
  const auto [y, g] = f(Array(std::vector<float>{3, 4}));
  EXPECT_EQ(y.str(), "f32[2] [9, 16]");
  EXPECT_EQ(g.str(), "f32[2] [3, 4]");  // half of the true one
}

TEST(CustomVjp, RefusesWhatItsGradientDoesNotSpeakOf) {
  const gc::Parameter w{"w", 2.0f};
  auto f = gc::jit([&](Tensor x) {
    return gc::custom_vjp([&](Tensor v) { return v * w; }, [](Tensor, Tensor, Tensor g) { return g; })(x);
  });
  EXPECT_THROW(f(1.0f), gc::ModelError);
}

TEST(Scan, RefusesACarryThatChangesItsType) {
  auto f = gc::jit(
      [](Tensor x) { return gc::scan([](Tensor, Tensor e) { return gc::outputs(e, e); }, gc::zeros({3}), x).first; });
  try {
    f(Array(gc::DType::kF32, {4, 2}));
    FAIL() << "no error";
  } catch (const gc::ModelError& e) {
    EXPECT_NE(std::string(e.what()).find("carry 0 is f32[3] before a step and f32[2] after it"), std::string::npos)
        << e.what();
    EXPECT_EQ(e.where().line, __LINE__ - 7);
  }
}

TEST(Scan, RefusesAStateSetInItsBody) {
  const gc::Parameter w{"w", 2.0f};
  auto f = gc::jit([&](Tensor x) {
    return gc::scan(
               [&](Tensor s, Tensor e) {
                 w.set(s);
                 return gc::outputs(s + e, s);
               },
               gc::zeros({}), x)
        .first;
  });
  EXPECT_THROW(f(Array(gc::DType::kF32, {4})), gc::ModelError);
}

TEST(Scan, RefusesWhatEscapesItsBody) {
  auto f = gc::jit([](Tensor x) {
    Tensor kept;
    gc::scan(
        [&](Tensor s, Tensor e) {
          kept = s + e;
          return gc::outputs(kept, kept);
        },
        gc::zeros({}), x);
    return kept;
  });
  EXPECT_THROW(f(Array(gc::DType::kF32, {4})), gc::ModelError);
}

}  // namespace
