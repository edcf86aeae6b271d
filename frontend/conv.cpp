#include "gcompile/frontend/conv.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "gcompile/frontend/functions.h"
#include "gcompile/frontend/making.h"
#include "gcompile/ir/ops/windows.h"

namespace gcompile {

namespace {

using Numbers = std::vector<std::int64_t>;

constexpr int kSpatial = 2;  // the first spatial axis of x

// One place of a window along one axis after the other: what convolution and pooling have in common.
class Moving {
 public:
  Moving(const Making& making, const Tensor& x, const std::vector<Dim>& window, const Numbers& steps,
         const Numbers& apart)
      : making_(making), x_(x), window_(window) {
    const int spatial = making.value(x).type().rank() - kSpatial;
    if (spatial < 1 || spatial != static_cast<int>(window.size()))
      fail("takes [N, channels, spatial..] with " + std::to_string(window.size()) + " spatial axes, as the window has");
    strides = each("strides", steps);
    dilations = each("dilations", apart);
    for (const auto& [name, list] : {std::pair("stride", &strides), std::pair("dilation", &dilations)})
      for (const std::int64_t s : *list)
        if (s < 1) fail("a " + std::string(name) + " must be positive, not " + std::to_string(s));
  }

  // One number for every spatial axis.
  Numbers each(const std::string& name, const Numbers& given) const {
    if (given.size() == window_.size()) return given;
    if (given.size() == 1) return Numbers(window_.size(), given[0]);
    fail(name + " has " + std::to_string(given.size()) + " entries, the window has " + std::to_string(window_.size()) +
         " axes");
  }

  // x with the padding around it, and what is missing at either end taken away.
  ir::V padded(ir::V v, const Padding& padding, double filler) const {
    const std::size_t rank = v.type().dims.size();
    Numbers low(rank, 0), high(rank, 0), starts(rank, 0);
    const Numbers before = each("padding", padding.low), after = each("padding", padding.high);
    std::vector<Dim> stops = v.type().dims;
    for (std::size_t i = 0; i < window_.size(); ++i) {
      const std::size_t a = kSpatial + i;
      const auto [l, h] = padding.is_same ? around_same(v.type().dims[a], i) : std::pair(before[i], after[i]);
      low[a] = std::max<std::int64_t>(l, 0), high[a] = std::max<std::int64_t>(h, 0);
      starts[a] = std::max<std::int64_t>(-l, 0);
      stops[a] = stops[a] - Dim(std::max<std::int64_t>(-h, 0));
      if (const Dim left = stops[a] - Dim(starts[a]); left.is_constant() && left.constant() < 0)
        fail("a padding of " + std::to_string(l) + " and " + std::to_string(h) + " takes more than axis " +
             std::to_string(a) + " has, " + v.type().dims[a].str());
    }
    ir::Builder& b = making_.builder();
    if (starts != Numbers(rank, 0) || stops != v.type().dims)
      v.v = b.make("slice", {v}, {{"starts", starts}, {"stops", stops}, {"steps", Numbers(rank, 1)}});
    if (low != Numbers(rank, 0) || high != Numbers(rank, 0))
      v.v = b.make("pad", {v, b.scalar(v.type().dtype, filler)}, {{"low", low}, {"high", high}});
    for (std::size_t i = 0; i < window_.size(); ++i) {
      const Dim &extent = v.type().dims[kSpatial + i], reach = span(i);
      const Dim room = extent - reach;
      if (room.is_constant() && room.constant() < 0)
        fail("a window of " + window_[i].str() + (dilations[i] > 1 ? ", which spans " + reach.str() + "," : "") +
             " is larger than axis " + std::to_string(kSpatial + i) + ", which has " + extent.str() +
             " elements with its padding");
      making_.require_at_least(room, 0,
                               "a window of " + window_[i].str() + " along axis " + std::to_string(kSpatial + i) +
                                   " of " + v.type().str() + ", padding included");
    }
    return v;
  }

  Numbers strides, dilations;

 private:
  [[noreturn]] void fail(const std::string& message) const { making_.fail(message, {{"operand", x_}}); }

  Dim span(std::size_t i) const {
    try {
      return (window_[i] - Dim(1)) * Dim(dilations[i]) + Dim(1);
    } catch (const ModelError&) {
      fail("a window of " + window_[i].str() + " with a dilation of " + std::to_string(dilations[i]) +
           " spans more than fits in 63 bits");
    }
  }

  std::pair<std::int64_t, std::int64_t> around_same(const Dim& extent, std::size_t i) const {
    Dim total = span(i) - Dim(1);
    if (strides[i] > 1) total = (ceildiv(extent, strides[i]) - Dim(1)) * Dim(strides[i]) + span(i) - extent;
    if (!total.is_constant())
      fail("padding \"same\" with a stride of " + std::to_string(strides[i]) + " needs a constant extent, not " +
           extent.str());
    const std::int64_t count = std::max<std::int64_t>(total.constant(), 0);
    return {count / 2, count - count / 2};
  }

  const Making& making_;
  const Tensor& x_;
  std::vector<Dim> window_;
};

Tensor convolve(const char* name, std::optional<int> spatial, const Tensor& x, const Tensor& weight,
                const ConvOptions& options, Where where) {
  const Making making(name, where);
  const ir::V v = making.value(x), w = making.value(weight);
  const std::vector<std::pair<std::string, Tensor>> operands{{"operand", x}, {"weight", weight}};
  const std::string shapes = v.type().str() + " and a weight of " + w.type().str();
  if (v.type().rank() != w.type().rank() || v.type().rank() <= kSpatial ||
      (spatial && v.type().rank() != kSpatial + *spatial))
    making.fail("takes x [N, channels, " +
                    std::string(spatial == 1   ? "length"
                                : spatial == 2 ? "height, width"
                                               : "spatial..") +
                    "] and a weight [outputs, channels / groups, window..], got " + shapes,
                operands);
  if (v.type().dtype != w.type().dtype) making.fail("the dtypes differ: " + shapes, operands);
  const Dim groups(options.groups);
  const auto channels = options.groups > 0 ? v.type().dim(1).divided_by(groups) : std::nullopt;
  const auto outputs = options.groups > 0 ? w.type().dim(0).divided_by(groups) : std::nullopt;
  if (!channels || !outputs)
    making.fail(std::to_string(options.groups) + " groups must divide the channels and the outputs: " + shapes,
                operands);
  if (!(*channels == w.type().dim(1)))
    making.fail("the channels differ: " + shapes + " (" + channels->str() + (options.groups > 1 ? " of a group" : "") +
                    " against " + w.type().dim(1).str() + ")",
                operands);

  const Moving moving(making, x, {w.type().dims.begin() + kSpatial, w.type().dims.end()}, options.strides,
                      options.dilations);
  ir::V spread = v;
  const Numbers apart = moving.each("input_dilations", options.input_dilations);
  for (std::size_t i = 0; i < apart.size(); ++i) {
    if (apart[i] < 1) making.fail("an input dilation must be positive, not " + std::to_string(apart[i]), operands);
    spread = ir::dilated(spread, static_cast<std::int64_t>(kSpatial + i), apart[i]);
  }
  const ir::V padded = moving.padded(spread, options.padding, 0);
  // [N, G, C / G, ..], [G, O / G, C / G, ..] -> [N, G, O / G, ..] -> [N, O, ..]
  std::vector<Dim> grouped = padded.type().dims, window = w.type().dims;
  grouped[1] = *channels;
  grouped.insert(grouped.begin() + 1, groups);
  window[0] = *outputs;
  window.insert(window.begin(), groups);
  const ir::V y{v.b, making.builder().make("conv", {ir::reshape(padded, grouped), ir::reshape(w, window)},
                                           {{"strides", moving.strides}, {"dilations", moving.dilations}})};
  std::vector<Dim> dims = y.type().dims;
  dims.erase(dims.begin() + 1);
  dims[1] = w.type().dim(0);
  return making.tensor(ir::reshape(y, dims));
}

// The places of the window, its axes in front of the spatial ones; and which these are.
std::pair<ir::V, Numbers> places(const Making& making, const Tensor& x, const Numbers& window,
                                 const PoolOptions& options, double filler) {
  for (const std::int64_t extent : window)
    if (extent < 1)
      making.fail("a window must have elements, not an extent of " + std::to_string(extent), {{"operand", x}});
  const Moving moving(making, x, {window.begin(), window.end()}, options.strides.empty() ? window : options.strides,
                      options.dilations);
  Numbers axes(window.size());
  std::iota(axes.begin(), axes.end(), kSpatial);
  const ir::V padded = moving.padded(making.value(x), options.padding, filler);
  const ir::V moved{padded.b, making.builder().make("windows", {padded},
                                                    {{"axes", axes},
                                                     {"sizes", std::vector<Dim>(window.begin(), window.end())},
                                                     {"strides", moving.strides},
                                                     {"dilations", moving.dilations}})};
  return {moved, axes};
}

// An extent for every spatial axis, of which a function may have so many by its name.
Numbers window_of(const Making& making, std::optional<std::size_t> axes, const Tensor& x, const Numbers& given) {
  const auto rank = static_cast<std::size_t>(making.value(x).type().rank());
  const std::size_t spatial = axes.value_or(rank > kSpatial ? rank - kSpatial : given.size());
  if (given.size() == spatial) return given;
  if (given.size() == 1) return Numbers(spatial, given[0]);
  making.fail("the window has " + std::to_string(given.size()) + " extents, it needs one for each of " +
                  std::to_string(spatial) + " spatial axes, or one for all",
              {{"operand", x}});
}

Tensor largest(const char* name, std::optional<std::size_t> axes, const Tensor& x, const Numbers& extents,
               const PoolOptions& options, Where where) {
  const Making making(name, where);
  const Numbers window = window_of(making, axes, x, extents);
  const DType dtype = making.value(x).type().dtype;
  if (dtype == DType::kBool) making.fail("of bools: cast them to a number first", {{"operand", x}});
  const double least =
      is_float(dtype) ? -std::numeric_limits<double>::infinity() : static_cast<double>(range_of(dtype).min);
  const auto [moved, folded] = places(making, x, window, options, least);
  return making.tensor(
      making.builder().make("reduce_max", {moved}, {{"axes", folded}, {"ties", std::string("first")}}));
}

Tensor average(const char* name, std::optional<std::size_t> axes, const Tensor& x, const Numbers& extents,
               const PoolOptions& options, Where where) {
  const Making making(name, where);
  const Numbers window = window_of(making, axes, x, extents);
  if (const Type& type = making.value(x).type(); !is_float(type.dtype))
    making.fail("is for floats, not for " + type.str(), {{"operand", x}});
  const auto [moved, folded] = places(making, x, window, options, 0);
  const auto count = std::accumulate(window.begin(), window.end(), std::int64_t{1}, std::multiplies<>());
  return making.tensor(ir::reduce("reduce_sum", moved, folded) * (1.0 / static_cast<double>(count)));
}

}  // namespace

Tensor conv(const Tensor& x, const Tensor& weight, const ConvOptions& options, Where where) {
  return convolve("conv", std::nullopt, x, weight, options, where);
}
Tensor conv1d(const Tensor& x, const Tensor& weight, const ConvOptions& options, Where where) {
  return convolve("conv1d", 1, x, weight, options, where);
}
Tensor conv2d(const Tensor& x, const Tensor& weight, const ConvOptions& options, Where where) {
  return convolve("conv2d", 2, x, weight, options, where);
}

Tensor max_pool(const Tensor& x, const Numbers& window, const PoolOptions& options, Where where) {
  return largest("max_pool", std::nullopt, x, window, options, where);
}
Tensor max_pool2d(const Tensor& x, const Numbers& window, const PoolOptions& options, Where where) {
  return largest("max_pool2d", 2, x, window, options, where);
}
Tensor avg_pool(const Tensor& x, const Numbers& window, const PoolOptions& options, Where where) {
  return average("avg_pool", std::nullopt, x, window, options, where);
}
Tensor avg_pool2d(const Tensor& x, const Numbers& window, const PoolOptions& options, Where where) {
  return average("avg_pool2d", 2, x, window, options, where);
}

}  // namespace gcompile
