// Functions along an axis: sums so far, sorting and what is made of it, by values worked out by hand or by the standard
// library; their gradients; their refusals.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "gcompile/gcompile.h"

namespace gcompile {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

template <class F>
void expect(const F& f, const Array& x, const Array& wanted) {
  const Array y = jit(f)(x);
  EXPECT_TRUE(same_bits(y, wanted)) << y << " instead of " << wanted;
}

template <class F>
void expect_refused(const F& f, const Array& x, const std::string& text) {
  try {
    jit(f)(x);
    FAIL() << "expected: " << text;
  } catch (const ModelError& e) {
    EXPECT_NE(std::string(e.what()).find(text), std::string::npos) << e.what();
  }
}

const Array kX{{3.0f, 1.0f, 2.0f}, {-1.0f, 5.0f, -1.0f}};

TEST(Ordering, SumsUpToEachElement) {
  expect([](Tensor x) { return cumsum(x); }, kX, Array{{3.0f, 4.0f, 6.0f}, {-1.0f, 4.0f, 3.0f}});
  expect([](Tensor x) { return cumsum(x, 0); }, kX, Array{{3.0f, 1.0f, 2.0f}, {2.0f, 6.0f, 1.0f}});
  expect([](Tensor x) { return cumsum(x, 1, {.reverse = true}); }, kX, Array{{6.0f, 3.0f, 2.0f}, {3.0f, 4.0f, -1.0f}});
  expect([](Tensor x) { return cumsum(x, 1, {.exclusive = true}); }, kX,
         Array{{0.0f, 3.0f, 4.0f}, {0.0f, -1.0f, 4.0f}});
  expect([](Tensor x) { return cumsum(x, -1, {.reverse = true, .exclusive = true}); }, Array{1, 2, 4}, Array{6, 4, 0});
}

TEST(Ordering, SortsStablyWithNaNLast) {
  const Array x{2.0f, kNaN, 1.0f, 2.0f, -kInf, 1.0f, kInf, kNaN, -0.0f, 0.0f};
  expect([](Tensor t) { return argsort(t); }, x, Array{4, 8, 9, 2, 5, 0, 3, 6, 1, 7});
  expect([](Tensor t) { return argsort(t, 0, true); }, x, Array{6, 0, 3, 2, 5, 8, 9, 4, 1, 7});
  expect([](Tensor t) { return sort(t); }, kX, Array{{1.0f, 2.0f, 3.0f}, {-1.0f, -1.0f, 5.0f}});
  expect([](Tensor t) { return sort(t, 0, true); }, kX, Array{{3.0f, 5.0f, 2.0f}, {-1.0f, 1.0f, -1.0f}});
  expect([](Tensor t) { return sort(t); }, Array{7, -3, 7, 0}, Array{-3, 0, 7, 7});
}

// Of every length around the powers of two, with a symbolic extent: what is merged last is of any length.
TEST(Ordering, SortsAnyNumberOfElements) {
  auto order = jit([](Tensor x) { return argsort(x); });
  for (const std::int64_t n : {0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 100, 257, 1000, 4097}) {
    Array x(DType::kF32, {n});
    for (std::int64_t i = 0; i < n; ++i) x.set(i, static_cast<double>(i * i * 7919 % 47));  // with ties
    std::vector<std::int32_t> wanted(static_cast<std::size_t>(n));
    std::iota(wanted.begin(), wanted.end(), 0);
    std::stable_sort(wanted.begin(), wanted.end(), [&](auto a, auto b) { return x.at(a) < x.at(b); });
    const Array y = order(x);
    ASSERT_EQ(y.size(), n);
    for (std::int64_t i = 0; i < n; ++i) ASSERT_EQ(y.at(i), wanted[static_cast<std::size_t>(i)]) << n << ", " << i;
  }
}

// By digits of the key, by merging, and the first few as they come: all the same order, NaN last and zeros of both
// signs equal, for keys of every dtype.
TEST(Ordering, EveryWayOfSortingGivesTheSameOrder) {
  for (const DType dtype :
       {DType::kF32, DType::kF64, DType::kF16, DType::kBF16, DType::kI32, DType::kI64, DType::kU32, DType::kU8})
    for (const bool descending : {false, true})
      for (const std::int64_t n : {5, 40, 130, 700}) {
        Array x(dtype, {3, n});
        std::uint32_t random = 12345;
        for (std::int64_t i = 0; i < x.size(); ++i) {
          random = random * 1664525 + 1013904223;
          if (!is_float(dtype))
            x.set_integer(i, i % 3                 ? random >> 24
                             : dtype == DType::kU8 ? random >> 25
                                                   : std::int64_t{random} - (dtype == DType::kU32 ? 0 : 1 << 30));
          else if (i % 7 == 0)
            x.set(i, i % 2 ? kNaN : i % 3 ? kInf : -kInf);
          else
            x.set(i, i % 5 == 0 ? (i % 2 ? -0.0 : 0.0) : static_cast<double>(random >> 24) - 128);
        }
        const auto all = [=](Tensor t) { return argsort(t, 1, descending); };
        const Array order = jit(all)(x), alone = jit([=](Tensor t) {
                                           return argsort(transpose(t, {1, 0}), 0, descending);
                                         })(x);
        for (std::int64_t r = 0; r < 3; ++r) {
          std::vector<std::int64_t> wanted(static_cast<std::size_t>(n));
          std::iota(wanted.begin(), wanted.end(), 0);
          std::stable_sort(wanted.begin(), wanted.end(), [&](std::int64_t i, std::int64_t j) {
            const double a = x.at(r * n + i), b = x.at(r * n + j);
            if (a != a || b != b) return a == a;
            return descending ? a > b : a < b;
          });
          for (std::int64_t i = 0; i < n; ++i) {
            ASSERT_EQ(order.at_integer(r * n + i), wanted[static_cast<std::size_t>(i)])
                << name(dtype) << n << ", " << i;
            ASSERT_EQ(alone.at_integer(i * 3 + r), wanted[static_cast<std::size_t>(i)])
                << name(dtype) << n << ", " << i;
          }
        }
        if (!descending) continue;
        for (const std::int64_t k : {1, 4, 33}) {
          if (k > n) continue;
          const Array first = jit([=](Tensor t) { return top_k(t, k).indices; })(x);
          for (std::int64_t r = 0; r < 3; ++r)
            for (std::int64_t i = 0; i < k; ++i)
              ASSERT_EQ(first.at_integer(r * k + i), order.at_integer(r * n + i)) << name(dtype) << n << ", " << k;
        }
      }
}

// Rows of their own, with several threads.
TEST(Ordering, SortsManyRowsOnThreads) {
  const Array x = [] {
    Array a(DType::kF32, {64, 300});
    for (std::int64_t i = 0; i < a.size(); ++i) a.set(i, static_cast<double>(i * 7919 % 1009));
    return a;
  }();
  const auto f = [](Tensor t) { return sort(t, 1); };
  const Array one = jit(f, {.threads = 1})(x), four = jit(f, {.threads = 4})(x);
  EXPECT_TRUE(same_bits(one, four));
  for (std::int64_t r = 0; r < 64; ++r)
    for (std::int64_t i = 1; i < 300; ++i) ASSERT_LE(one.at(r * 300 + i - 1), one.at(r * 300 + i));
}

TEST(Ordering, TakesTheLargest) {
  expect([](Tensor x) { return top_k(x, 2).values; }, kX, Array{{3.0f, 2.0f}, {5.0f, -1.0f}});
  expect([](Tensor x) { return top_k(x, 2).indices; }, kX, Array{{0, 2}, {1, 0}});
  expect([](Tensor x) { return top_k(x, 1, 0).values; }, kX, Array{{3.0f, 5.0f, 2.0f}});
  expect_refused([](Tensor x) { return top_k(x, 4).values; }, kX, "top_k: 4 elements of axis 1, which has 3");
}

TEST(Ordering, TakesElementsOfTheSameLine) {
  auto f = jit([](Tensor x, Tensor i) { return take_along_axis(x, i, 1); });
  EXPECT_TRUE(same_bits(f(kX, Array{{2, 0}, {-7, 9}}), Array{{2.0f, 3.0f}, {-1.0f, -1.0f}}));
  auto g = jit([](Tensor x, Tensor i) { return take_along_axis(x, i, 0); });
  EXPECT_TRUE(same_bits(g(kX, Array{{1, 0, 1}}), Array{{-1.0f, 1.0f, -1.0f}}));
  expect_refused(
      [](Tensor x) {
        return take_along_axis(x, zeros({3, 2}, DType::kI32), 1);
      },
      kX, "take_along_axis: the indices must have the shape of the operand but for axis 1");
  expect_refused([](Tensor x) { return take_along_axis(x, x, 1); }, kX, "the indices must be integers, not f32[2,3]");
}

// The gradient of a sort goes back to where the elements were.
TEST(Ordering, GradientsGoBackToTheirElements) {
  auto f = jit([](Tensor x) {
    const Tensor loss = sum(sort(x) * constant(Array{1.0f, 10.0f, 100.0f}));
    return grad(loss, x);
  });
  EXPECT_TRUE(same_bits(f(kX), Array{{100.0f, 1.0f, 10.0f}, {1.0f, 100.0f, 10.0f}}));
}

TEST(Ordering, PartsAndTurns) {
  expect([](Tensor x) { return flip(x, 1); }, kX, Array{{2.0f, 1.0f, 3.0f}, {-1.0f, 5.0f, -1.0f}});
  expect([](Tensor x) { return flip(x); }, kX, Array{{-1.0f, 5.0f, -1.0f}, {2.0f, 1.0f, 3.0f}});
  expect([](Tensor x) { return split(x, {1, 2}, 1)[1]; }, kX, Array{{1.0f, 2.0f}, {5.0f, -1.0f}});
  expect([](Tensor x) { return split(x, 3, 1)[2]; }, kX, Array{{2.0f}, {-1.0f}});
  expect_refused([](Tensor x) { return split(x, 2, 1)[0]; }, kX, "split: 2 equal parts of axis 1, which has 3");
  expect_refused(
      [](Tensor x) {
        return split(x, {1, 1}, 1)[0];
      },
      kX, "split: the parts have 2 elements together, axis 1 has 3");
}

TEST(Ordering, AnyAndAll) {
  const auto number = [](const Tensor& x) { return cast(x, DType::kI32); };
  expect([&](Tensor x) { return number(any(x > 2, 1)); }, kX, Array{1, 1});
  expect([&](Tensor x) { return number(all(x > 0, 1)); }, kX, Array{1, 0});
  expect([&](Tensor x) { return number(all(x > -2)); }, kX, Array(1));
  expect([&](Tensor x) { return number(any(x > 9)) + 2 * number(all(x > 9)); }, Array(DType::kF32, {0}), Array(2));
  expect_refused([](Tensor x) { return any(x); }, kX, "any: is for bool, not for f32[");
}

}  // namespace
}  // namespace gcompile
