// Convolution and pooling against loops that say what they mean; training of a small network of images; refusals.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "gcompile/gcompile.h"

namespace gcompile {
namespace {

using Numbers = std::vector<std::int64_t>;

Array random(const Shape& shape, std::uint64_t seed) {
  Array a(DType::kF32, shape);
  fill_uniform(a, -1, 1, random_key(seed, "x"));
  return a;
}

Array image(const Shape& shape, const std::vector<float>& values) { return Array(values, shape); }

struct Case {
  Shape x, w;
  Numbers strides{1, 1}, low{0, 0}, high{0, 0}, dilations{1, 1}, spread{1, 1};
  std::int64_t groups = 1;
};

// Two spatial dimensions, element by element.
Array expected(const Case& c, const Array& x, const Array& w) {
  std::int64_t out[2], extent[2];
  for (int a = 0; a < 2; ++a) {
    const auto i = static_cast<std::size_t>(a);
    extent[a] = (c.x[2 + a] - 1) * c.spread[i] + 1;
    out[a] = (extent[a] + c.low[i] + c.high[i] - (c.w[2 + a] - 1) * c.dilations[i] - 1) / c.strides[i] + 1;
  }
  const std::int64_t outputs = c.w[0], channels = c.w[1], of_group = outputs / c.groups;
  Array y(DType::kF32, {c.x[0], outputs, out[0], out[1]});
  const auto at = [&](std::int64_t n, std::int64_t ch, std::int64_t i, std::int64_t j) {
    if (i < 0 || j < 0 || i >= extent[0] || j >= extent[1] || i % c.spread[0] || j % c.spread[1]) return 0.0;
    return x.at(((n * c.x[1] + ch) * c.x[2] + i / c.spread[0]) * c.x[3] + j / c.spread[1]);
  };
  std::int64_t flat = 0;
  for (std::int64_t n = 0; n < c.x[0]; ++n)
    for (std::int64_t o = 0; o < outputs; ++o)
      for (std::int64_t i = 0; i < out[0]; ++i)
        for (std::int64_t j = 0; j < out[1]; ++j) {
          double sum = 0;
          for (std::int64_t ch = 0; ch < channels; ++ch)
            for (std::int64_t p = 0; p < c.w[2]; ++p)
              for (std::int64_t q = 0; q < c.w[3]; ++q)
                sum += at(n, o / of_group * channels + ch, i * c.strides[0] - c.low[0] + p * c.dilations[0],
                          j * c.strides[1] - c.low[1] + q * c.dilations[1]) *
                       w.at(((o * channels + ch) * c.w[2] + p) * c.w[3] + q);
          y.set(flat++, sum);
        }
  return y;
}

TEST(Conv, IsWhatItsLoopsSay) {
  const Case cases[] = {
      {{2, 3, 6, 7}, {4, 3, 3, 2}},
      {{1, 1, 1, 1}, {1, 1, 1, 1}},
      {{3, 2, 9, 8}, {5, 2, 3, 3}, {2, 3}, {1, 1}, {1, 1}},
      {{2, 2, 5, 5}, {2, 2, 3, 3}, {1, 1}, {2, 0}, {1, 3}, {2, 1}},
      {{2, 2, 8, 8}, {2, 2, 2, 2}, {1, 2}, {-1, 2}, {-2, -1}},
      {{2, 3, 4, 4}, {4, 3, 3, 3}, {1, 1}, {2, 2}, {2, 2}, {1, 1}, {2, 3}},
      {{2, 6, 5, 6}, {4, 3, 2, 3}, {1, 1}, {1, 1}, {0, 0}, {1, 1}, {1, 1}, 2},
      {{2, 4, 5, 6}, {4, 1, 3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}, {1, 1}, 4},
      {{1, 8, 20, 40}, {16, 8, 3, 3}, {1, 1}, {1, 1}, {1, 1}},
  };
  int number = 0;
  for (const Case& c : cases) {
    const Array x = random(c.x, 1), w = random(c.w, 2), wanted = expected(c, x, w);
    const ConvOptions options{.strides = c.strides,
                              .padding = {c.low, c.high},
                              .dilations = c.dilations,
                              .input_dilations = c.spread,
                              .groups = c.groups};
    const Array y = jit([&](Tensor a, Tensor b) { return conv2d(a, b, options); })(x, w);
    ASSERT_EQ(y.shape(), wanted.shape()) << number;
    for (std::int64_t i = 0; i < y.size(); ++i) ASSERT_NEAR(y.at(i), wanted.at(i), 1e-5) << number << ", " << i;
    ++number;
  }
}

TEST(Conv, PaddingSameKeepsTheExtent) {
  const Array w = random({2, 1, 4, 3}, 3);
  const auto shape = [&](const ConvOptions& options, const Shape& x) {
    return jit([&](Tensor a, Tensor b) { return conv2d(a, b, options); })(random(x, 4), w).shape();
  };
  EXPECT_EQ(shape({.padding = Padding::same()}, {1, 1, 5, 6}), (Shape{1, 2, 5, 6}));
  EXPECT_EQ(shape({.strides = {2, 3}, .padding = Padding::same()}, {1, 1, 5, 6}), (Shape{1, 2, 3, 2}));
  EXPECT_EQ(shape({.padding = Padding::valid()}, {1, 1, 5, 6}), (Shape{1, 2, 2, 4}));
}

TEST(Conv, OneDimension) {
  auto f = jit([](Tensor x, Tensor w) { return conv1d(x, w, {.padding = 1}); });
  EXPECT_TRUE(
      same_bits(f(image({1, 1, 3}, {1, 2, 3}), image({1, 1, 3}, {1, 10, 100})), image({1, 1, 3}, {210, 321, 32})));
}

TEST(Conv, PoolsOfOverlappingAndPaddedWindows) {
  const Array x = image({1, 1, 3, 4}, {1, 5, 2, 0, 4, 3, -1, 8, -2, -3, -4, -5});
  const auto pooled = [&](auto f) { return jit(f)(x); };
  EXPECT_TRUE(same_bits(pooled([](Tensor t) { return max_pool2d(t, {2, 2}); }), image({1, 1, 1, 2}, {5, 8})));
  EXPECT_TRUE(same_bits(pooled([](Tensor t) { return max_pool2d(t, {2}); }), image({1, 1, 1, 2}, {5, 8})));
  EXPECT_TRUE(same_bits(pooled([](Tensor t) { return avg_pool(t, {2}); }), image({1, 1, 1, 2}, {3.25, 2.25})));
  EXPECT_TRUE(same_bits(pooled([](Tensor t) {
                          return max_pool2d(t, {2, 2}, {.strides = {1}});
                        }),
                        image({1, 1, 2, 3}, {5, 5, 8, 4, 3, 8})));
  EXPECT_TRUE(same_bits(pooled([](Tensor t) {
                          return max_pool2d(t, {3, 3}, {.strides = {2}, .padding = 1});
                        }),
                        image({1, 1, 2, 2}, {5, 8, 4, 8})));
  EXPECT_TRUE(same_bits(pooled([](Tensor t) { return avg_pool2d(t, {2, 2}); }), image({1, 1, 1, 2}, {3.25, 2.25})));
  // Padding counts as zeros.
  EXPECT_TRUE(same_bits(pooled([](Tensor t) {
                          return avg_pool2d(t, {4, 2}, {.padding = Padding({1, 0}, {0, 0})});
                        }),
                        image({1, 1, 1, 2}, {1, 0})));
}

// What is around them is less than any number of the dtype.
TEST(Pooling, PadsIntegersWithTheLeast) {
  auto f = jit([](Tensor x) { return max_pool2d(x, {2, 2}, {.padding = 1}); });
  Array x(DType::kI64, {1, 1, 1, 1});
  x.set_integer(0, -(std::int64_t{1} << 40));
  EXPECT_EQ(f(x).at_integer(0), -(std::int64_t{1} << 40));
}

TEST(Conv, OfEqualElementsTheFirstGetsTheGradient) {
  auto f = jit([](Tensor x) { return grad(sum(max_pool2d(x, {2, 2}, {.strides = {1}})), x); });
  EXPECT_TRUE(same_bits(f(image({1, 1, 2, 3}, {1, 1, 0, 1, 1, 0})), image({1, 1, 2, 3}, {1, 1, 0, 0, 0, 0})));
}

struct Images : nn::Module {
  nn::Sequential net{this, "net"};
  Images() {
    net.add<nn::Conv2d>(1, 4, 3, ConvOptions{.padding = 1});
    net.add<nn::ReLU>();
    net.add<nn::MaxPool2d>(Numbers{2, 2});
    net.add<nn::Conv2d>(4, 6, 3);
    net.add<nn::Tanh>();
    net.add<nn::AvgPool2d>(Numbers{2, 2});
    net.add<nn::Flatten>();
    net.add<nn::Linear>(6, 1);
  }
  Tensor forward(Tensor x) const { return net(x); }
};

// Images that are brighter above or below: a network of convolutions learns which.
TEST(Conv, ASmallNetworkOfImagesLearns) {
  Images model;
  EXPECT_EQ(model.named_parameters().front().first, "net.0.weight");
  EXPECT_EQ(model.parameters().front().value().shape(), (Shape{4, 1, 3, 3}));
  TrainStep step(model, nn::BCEWithLogitsLoss{}, optim::Adam{.lr = 0.02});
  Array x = random({32, 1, 8, 8}, 9), y(DType::kF32, {32, 1});
  for (std::int64_t n = 0; n < 32; ++n) {
    y.set(n, static_cast<double>(n % 2));
    for (std::int64_t i = 0; i < 32; ++i) x.set(n * 64 + n % 2 * 32 + i, x.at(n * 64 + n % 2 * 32 + i) + 0.5);
  }
  const double first = step(x, y).item();
  double last = first;
  for (int i = 0; i < 60; ++i) last = step(x, y).item();
  EXPECT_LT(last, 0.3 * first);
}

template <class F>
void expect_refused(const F& f, const std::string& text) {
  try {
    jit(f)(Array(DType::kF32, {2, 4, 5, 5}));
    FAIL() << "expected: " << text;
  } catch (const ModelError& e) {
    EXPECT_NE(std::string(e.what()).find(text), std::string::npos) << e.what();
    EXPECT_NE(std::string(e.what()).find("conv_test.cpp"), std::string::npos) << e.what();
  }
}

TEST(Conv, RefusalsNameShapesAndWhatWasExpected) {
  const auto weight = [](std::vector<Dim> dims) { return zeros(dims); };
  expect_refused([&](Tensor x) { return conv2d(x, weight({6, 3, 3, 3})); }, "conv2d: the channels differ: f32[");
  expect_refused(
      [&](Tensor x) {
        return conv2d(x, weight({6, 4, 3}));
      },
      "conv2d: takes x [N, channels, height, width] and a weight [outputs, channels / groups, window..], got");
  expect_refused([&](Tensor x) { return conv1d(x, weight({6, 4, 3, 3})); }, "conv1d: takes x [N, channels, length]");
  expect_refused(
      [&](Tensor x) {
        return conv2d(x, weight({6, 4, 6, 3}));
      },
      "conv2d: a window of 6 is larger than axis 2, which has 5 elements with its padding");
  expect_refused(
      [&](Tensor x) {
        return conv2d(x, weight({6, 4, 3, 3}), {.dilations = {1, 3}});
      },
      "conv2d: a window of 3, which spans 7, is larger than axis 3, which has 5 elements with its padding");
  expect_refused(
      [&](Tensor x) {
        return conv2d(x, weight({6, 4, 3, 3}), {.strides = {0}});
      },
      "conv2d: a stride must be positive, not 0");
  expect_refused(
      [&](Tensor x) {
        return conv2d(x, weight({6, 4, 3, 3}), {.strides = {1, 1, 1}});
      },
      "conv2d: strides has 3 entries, the window has 2 axes");
  expect_refused(
      [&](Tensor x) {
        return conv2d(x, weight({6, 4, 3, 3}), {.groups = 3});
      },
      "conv2d: 3 groups must divide the channels and the outputs");
  expect_refused(
      [&](Tensor x) {
        return conv2d(x, weight({6, 4, 3, 3}), {.padding = -3});
      },
      "conv2d: a padding of -3 and -3 takes more than axis 2 has, 5");
  expect_refused(
      [&](Tensor x) {
        return max_pool2d(x, {2, 2, 2});
      },
      "max_pool2d: the window has 3 extents, it needs one for each of 2 spatial axes, or one for all");
  expect_refused([&](Tensor x) { return avg_pool2d(x, {7, 2}); }, "avg_pool2d: a window of 7 is larger than axis 2");
  nn::Module owner;
  EXPECT_THROW((nn::Conv2d{&owner, "c", 4, 6, 3, ConvOptions{.groups = 4}}), ModelError);
}

}  // namespace
}  // namespace gcompile
