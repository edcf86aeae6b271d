// Numbers at the ends of what dtypes hold: remainders of large quotients, infinite logits, long counts, integers beyond
// 2^53, empty axes, sums that 16 bits do not hold. What compiled code computes, by values worked out by hand.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "gcompile/gcompile.h"

namespace gcompile {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

// f(x...) has these elements, to the bit, and this type.
void expect_same(const Array& y, const Array& wanted) {
  ASSERT_EQ(y.shape(), wanted.shape()) << y.str();
  ASSERT_EQ(y.dtype(), wanted.dtype());
  for (std::int64_t i = 0; i < y.size(); ++i)
    EXPECT_TRUE(y.at(i) == wanted.at(i) || (std::isnan(y.at(i)) && std::isnan(wanted.at(i))))
        << i << ": " << y.at(i) << ", wanted " << wanted.at(i);
  if (!is_integer(y.dtype())) return;
  for (std::int64_t i = 0; i < y.size(); ++i) EXPECT_EQ(y.at_integer(i), wanted.at_integer(i));
}

template <class F>
std::string refused(const F& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "(accepted)";
}

// Rounded towards minus infinity with a whole quotient, by a remainder that fmod has exact.
template <class T>
T floored_remainder(T a, T b) {
  const T r = std::fmod(a, b);
  return r != 0 && (r < 0) != (b < 0) ? static_cast<T>(double{r} + double{b}) : r;
}

template <class T>
void check_remainders(int low, int high) {
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> significand(1, 2);
  std::uniform_int_distribution<int> exponent(low, high), near(-2, 2), sign(0, 1);
  std::vector<T> as, bs;
  for (int i = 0; i < 4000; ++i) {
    const auto b = static_cast<T>(std::ldexp(significand(random), exponent(random)) * (sign(random) ? 1 : -1));
    T a = static_cast<T>(std::ldexp(significand(random), exponent(random)) * (sign(random) ? 1 : -1));
    if (i % 2 == 0) {  // beside a multiple of b
      a = static_cast<T>(b * std::floor(significand(random) * 1000));
      for (int k = near(random); k != 0; k += k > 0 ? -1 : 1)
        a = std::nextafter(a, k > 0 ? std::numeric_limits<T>::infinity() : -std::numeric_limits<T>::infinity());
    }
    if (!std::isfinite(a) || b == 0) continue;
    as.push_back(a);
    bs.push_back(b);
  }
  auto both = jit([](Tensor a, Tensor b) { return outputs(remainder(a, b), floor_div(a, b)); });
  const auto [r, q] = both(Array(as), Array(bs));
  for (std::size_t i = 0; i < as.size(); ++i) {
    const T a = as[i], b = bs[i], left = r.template data<T>()[i], whole = q.template data<T>()[i];
    EXPECT_EQ(left, floored_remainder(a, b)) << a << " over " << b;
    EXPECT_TRUE(b > 0 ? left >= 0 && left <= b : left <= 0 && left >= b) << a << " over " << b;
    const long double exact = (static_cast<long double>(a) - static_cast<long double>(std::fmod(a, b))) / b -
                              (std::fmod(a, b) != 0 && (std::fmod(a, b) < 0) != (b < 0) ? 1 : 0);
    if (std::abs(exact) < 0x1p24L) {
      EXPECT_EQ(whole, static_cast<T>(exact)) << a << " over " << b;
    }
  }
}

TEST(ExactNumbers, RemaindersOfLargeQuotients) {
  auto mod = jit([](Tensor a, Tensor b) { return remainder(a, b); });
  expect_same(mod(Array{1e10f, .3f, 1.0f, -1.0f, 1e8f}, Array{3.0f, .1f, kInf, kInf, 6.2831855f}),
              Array{1.0f, static_cast<float>(std::fmod(.3f, .1f)), 1.0f, kInf,
                    static_cast<float>(std::fmod(1e8, double{6.2831855f}))});
  auto div = jit([](Tensor a, Tensor b) { return floor_div(a, b); });
  expect_same(div(Array{1e10f, .3f, 1.0f, -1.0f, 3.0f, 0.0f}, Array{3.0f, .1f, kInf, kInf, 0.0f, 0.0f}),
              Array{3333333333.0f, 3.0f, 0.0f, -1.0f, kInf, NAN});
  expect_same(mod(Array{kInf, NAN, 1.0f, 1.0f}, Array{1.0f, 1.0f, NAN, 0.0f}), Array{NAN, NAN, NAN, NAN});
}

TEST(ExactNumbers, RemaindersAreFmods) {
  check_remainders<float>(-10, 10);
  check_remainders<float>(-148, 127);
  check_remainders<double>(-10, 10);
  check_remainders<double>(-1073, 1023);
}

// A constant is folded by the interpreter, an argument is computed by machine code.
TEST(ExactNumbers, FoldedRemaindersHaveTheBitsOfCompiledOnes) {
  const Array a{1e10f, -7.5f, 3e38f, -1e-30f, 0.0f, -6.0f}, b{3.0f, 2.0f, 1e-40f, 1.0f, -2.0f, 3.0f};
  auto compiled = jit([](Tensor x, Tensor y) { return outputs(remainder(x, y), floor_div(x, y)); });
  auto folded = jit([&](Tensor x) {
    return outputs(remainder(constant(a), constant(b)) + 0 * sum(x), floor_div(constant(a), constant(b)));
  });
  const auto [r, q] = compiled(a, b);
  const auto [fr, fq] = folded(Array{0.0f});
  expect_same(r, fr);
  EXPECT_TRUE(same_bits(q, fq)) << q.str() << fq.str();
}

TEST(ExactNumbers, HessiansOfProductsWithZeros) {
  auto h = jit([](Tensor x) { return hessian([](Tensor y) { return prod(y); })(x); });
  expect_same(h(Array{0.0f, 2.0f, 3.0f}), Array{{0.0f, 3.0f, 2.0f}, {3.0f, 0.0f, 0.0f}, {2.0f, 0.0f, 0.0f}});
  expect_same(h(Array{0.0f, 2.0f, 0.0f}), Array{{0.0f, 0.0f, 2.0f}, {0.0f, 0.0f, 0.0f}, {2.0f, 0.0f, 0.0f}});
}

TEST(ExactNumbers, CountsBeyondAnI32) {
  auto tail = jit([](Tensor x) {
    return arange(std::int64_t{5000000000}, DType::kI64).slice(0, 4999999998) + 0 * sum(cast(x, DType::kI64));
  });
  const Array y = tail(Array{0.0f});
  ASSERT_EQ(y.size(), 2);
  EXPECT_EQ(y.at_integer(0), 4999999998);
  EXPECT_EQ(y.at_integer(1), 4999999999);
  const auto count = [](DType t, std::int64_t n) {
    return refused([=] { jit([=](Tensor x) { return x + sum(cast(arange(n, t), DType::kF32)); })(Array{0.0f}); });
  };
  EXPECT_NE(count(DType::kU8, 300).find("counts to 299, and u8 holds the integers 0 .. 255"), std::string::npos);
  EXPECT_NE(count(DType::kI32, 5000000000).find("counts to 4999999999"), std::string::npos);
  EXPECT_EQ(count(DType::kU8, 256), "(accepted)");
}

TEST(ExactNumbers, LogarithmsOfSumsWithInfinities) {
  auto f = jit([](Tensor x) { return logsumexp(x); });
  expect_same(f(Array{{-kInf, -kInf}, {kInf, 0.0f}, {-kInf, 1.0f}, {kInf, -kInf}}), Array{-kInf, kInf, 1.0f, kInf});
  auto g = jit([](Tensor x) { return grad(sum(logsumexp(x)), x); });
  expect_same(g(Array{{-kInf, 1.0f}, {0.0f, 0.0f}}), Array{{0.0f, 1.0f}, {0.5f, 0.5f}});
}

TEST(ExactNumbers, PartsThatAreNone) {
  const auto parts = [](std::vector<Dim> extents) {
    return refused([&] { jit([&](Tensor x) { return split(x, extents)[0]; })(Array{1.0f, 2.0f, 3.0f}); });
  };
  EXPECT_NE(parts({Dim(-1), Dim(4)}).find("split: a part of -1 elements"), std::string::npos);
  EXPECT_NE(parts({Dim(1), Dim(-1)}).find("split: a part of -1 elements"), std::string::npos);
}

TEST(ExactNumbers, IntegersComeInWhole) {
  constexpr std::int64_t kLarge = 9007199254740993;
  auto f = jit([](Tensor x) { return full({1}, kLarge, DType::kI64) + 0 * x; });
  expect_same(f(Array{std::int64_t{0}}), Array{kLarge});
  auto p = jit([](Tensor x) { return pad(x, {1}, {0}, kLarge); });
  expect_same(p(Array{std::int64_t{5}}), Array{kLarge, std::int64_t{5}});
  auto w = jit([](Tensor x) { return where(x > 0, 1, 16777217); });
  expect_same(w(Array{1.0f, -1.0f}), Array{1, 16777217});
  auto b = jit([](Tensor x) { return where(x > 0, 1, 0.5); });
  expect_same(b(Array{1.0f, -1.0f}), Array{1.0f, 0.5f});
}

TEST(ExactNumbers, RangesThatAreTooWide) {
  const auto uniform = [](double low, double high) {
    return refused(
        [=] { jit([=](Tensor x) { return x + random::uniform(random::key(1), {4}, low, high); })(Array(0.0f)); });
  };
  EXPECT_NE(uniform(-1e38, 3e38).find("is wider than f32 holds"), std::string::npos);
  EXPECT_NE(uniform(0, 1e39).find("is wider than f32 holds"), std::string::npos);
  EXPECT_EQ(uniform(-1e38, 1e38), "(accepted)");
}

TEST(ExactNumbers, NothingIsSortedAndTaken) {
  const Array nothing(DType::kF32, {0}), none(DType::kI32, {0});
  expect_same(compile([](Tensor x) { return sort(x); }, {f32(0)})(nothing), nothing);
  expect_same(compile([](Tensor x) { return sort(x, 0); }, {f32(0, 3)})(Array(DType::kF32, {0, 3})),
              Array(DType::kF32, {0, 3}));
  expect_same(compile([](Tensor x, Tensor i) { return take(x, i); }, {f32(0), i32(0)})(nothing, none), nothing);
  expect_same(compile([](Tensor x, Tensor i) { return grad(sum(take(x, i)), x); }, {f32(0), i32(0)})(nothing, none),
              nothing);
  const std::string text = refused([&] { compile([](Tensor x, Tensor i) { return take(x, i); }, {f32(0), i32(2)}); });
  EXPECT_NE(text.find("take: axis 0 is empty, and the indices are i32[2]"), std::string::npos) << text;
}

TEST(ExactNumbers, TooManyElements) {
  const std::string text = refused([] {
    jit([](Tensor x) { return x + sum(zeros({std::int64_t{1} << 62, 8})); })(Array(0.0f));
  });
  EXPECT_NE(text.find("exact_numbers_test.cpp:"), std::string::npos) << text;
  EXPECT_NE(text.find("f32[4611686018427387904,8] does not fit in 63 bits"), std::string::npos) << text;
  const std::string memory = refused([] {
    jit([](Tensor x) { return broadcast_to(x, {std::int64_t{1} << 50, 1}); })(Array{1.0f});
  });
  EXPECT_NE(memory.find("4503599627370496 bytes"), std::string::npos) << memory;
}

TEST(ExactNumbers, IntegersToWholePowers) {
  const auto power = [](int n) { return jit([=](Tensor x) { return pow(x, n); })(Array{-3, 2, 65537}); };
  expect_same(power(0), Array{1, 1, 1});
  expect_same(power(1), Array{-3, 2, 65537});
  expect_same(power(2), Array{9, 4, 131073});
  expect_same(power(3), Array{-27, 8, 196609});
  expect_same(power(5), Array{-243, 32, 327681});
  EXPECT_NE(refused([&] { power(-1); }).find("powers to C++ numbers that are whole and not negative, not to -1"),
            std::string::npos);
}

TEST(ExactNumbers, ClassesOfEveryInteger) {
  const Array scores{{1.0f, 2.0f, 0.5f}, {0.0f, -1.0f, 3.0f}};
  auto loss = jit([](Tensor p, Tensor t) { return nn::CrossEntropyLoss{}(p, t); });
  const Array wanted = loss(scores, Array{1, 2});
  for (const DType t : {DType::kI64, DType::kU8, DType::kU32}) {
    auto same = jit([](Tensor p, Tensor c) { return nn::CrossEntropyLoss{}(p, c); });
    EXPECT_TRUE(same_bits(same(scores, Array{1, 2}.cast(t)), wanted));
    EXPECT_EQ(accuracy(scores, Array{1, 2}.cast(t)), 1);
  }
}

TEST(ExactNumbers, MeansOfSixteenBits) {
  const Array x = Array::full(DType::kF16, {100}, 1000);
  auto f = jit([](Tensor y) { return outputs(mean(y), variance(y), logsumexp(y), sum(softmax(y))); });
  const auto [m, v, l, s] = f(x);
  EXPECT_EQ(m.item(), 1000);
  EXPECT_EQ(v.item(), 0);
  EXPECT_NEAR(l.item(), 1000 + std::log(100.0), 0.5);
  EXPECT_NEAR(s.item(), 1, 1e-2);
  EXPECT_EQ(m.dtype(), DType::kF16);
}

}  // namespace
}  // namespace gcompile
