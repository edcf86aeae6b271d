// Convolution and pooling, in any number of spatial dimensions. Layouts are x [N, channels, spatial..] and
// weight [outputs, channels / groups, window..], the result is [N, outputs, spatial..]. As in most of machine learning
// the window is not turned around. All throw ModelError with the user's line.
#pragma once

#include "gcompile/frontend/tensor.h"

namespace gcompile {

// What is put around the spatial axes: so many elements before and after each, where negative numbers take elements
// away. One number stands for all axes. "same": so many that a window with stride 1 keeps the extent, with stride s the
// result has ceil(extent / s); an odd one comes after.
struct Padding {
  std::vector<std::int64_t> low = {0}, high = {0};
  bool is_same = false;

  Padding() = default;
  Padding(std::int64_t both) : low{both}, high{both} {}                      // NOLINT(google-explicit-constructor)
  Padding(const std::vector<std::int64_t>& both) : low(both), high(both) {}  // NOLINT(google-explicit-constructor)
  Padding(std::vector<std::int64_t> before, std::vector<std::int64_t> after)
      : low(std::move(before)), high(std::move(after)) {}
  static Padding valid() { return {}; }
  static Padding same() {
    Padding p;
    p.is_same = true;
    return p;
  }
};

// Lists have one number for each spatial axis, or one for all of them.
struct ConvOptions {
  std::vector<std::int64_t> strides = {1};
  Padding padding = {};
  std::vector<std::int64_t> dilations = {1};        // how far apart the window's elements are
  std::vector<std::int64_t> input_dilations = {1};  // the same of x, with zeros between: before the padding
  std::int64_t groups = 1;                          // channels and outputs in so many parts, each for itself
};
// The sum over channels and window, for as many spatial axes as there are.
Tensor conv(const Tensor& x, const Tensor& weight, const ConvOptions& options = {}, Where where = Where::current());
Tensor conv1d(const Tensor& x, const Tensor& weight, const ConvOptions& options = {}, Where where = Where::current());
Tensor conv2d(const Tensor& x, const Tensor& weight, const ConvOptions& options = {}, Where where = Where::current());

struct PoolOptions {
  std::vector<std::int64_t> strides = {};  // none: those of the window, so that places do not overlap
  Padding padding = {};
  std::vector<std::int64_t> dilations = {1};
};
// `window` has an extent for each spatial axis, or one for all.
// The largest element of each place of the window; NaN when one is. Padding is minus infinity (of integers the least).
// Of equal elements the first gets the gradient.
Tensor max_pool(const Tensor& x, const std::vector<std::int64_t>& window, const PoolOptions& options = {},
                Where where = Where::current());
Tensor max_pool2d(const Tensor& x, const std::vector<std::int64_t>& window, const PoolOptions& options = {},
                  Where where = Where::current());
// The mean of each place of the window, padding (zeros) included.
Tensor avg_pool(const Tensor& x, const std::vector<std::int64_t>& window, const PoolOptions& options = {},
                Where where = Where::current());
Tensor avg_pool2d(const Tensor& x, const std::vector<std::int64_t>& window, const PoolOptions& options = {},
                  Where where = Where::current());

}  // namespace gcompile
