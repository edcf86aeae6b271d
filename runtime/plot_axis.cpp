#include "gcompile/runtime/plot_axis.h"

#include <algorithm>
#include <charconv>

namespace gcompile::runtime {
namespace {

std::string text_of(double value, int decimals) {
  char text[64];
  const bool plain = decimals <= 6 && std::abs(value) < 1e7;
  const auto end = plain ? std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, decimals).ptr
                         : std::to_chars(text, text + sizeof text, value, std::chars_format::general, 6).ptr;
  return {text, end};
}

// The smallest of 1, 2, 5, 10 times a power of ten that is not below `rough`.
double nice_step(double rough) {
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  for (double factor : {1.0, 2.0, 5.0})
    if (factor * power >= rough * (1 - 1e-9)) return factor * power;
  return 10 * power;
}

// 1e-4 as "0.0001", 1e-5 as "1e-05".
std::string log_text(double value) {
  char text[64];
  return {text, std::to_chars(text, text + sizeof text, value, std::chars_format::general, 6).ptr};
}

}  // namespace

Axis linear_axis(double low, double high, int count, bool widen, bool whole) {
  Axis axis;
  // A constant, or a range so narrow that doubles cannot divide it.
  const double magnitude = std::max(std::abs(low), std::abs(high));
  if (high - low <= 1e-12 * magnitude || high == low) {
    const double margin = widen && magnitude > 0 ? 0.1 * magnitude : std::max(0.5, 1e-6 * magnitude);
    low -= margin;
    high += margin;
  }
  double step = nice_step((high - low) / count);
  if (whole) step = std::max(1.0, step);
  axis.low = widen ? std::min(low, std::floor(low / step + 1e-9) * step) : low;
  axis.high = widen ? std::max(high, std::ceil(high / step - 1e-9) * step) : high;
  const int decimals = std::max(0, static_cast<int>(-std::floor(std::log10(step) + 1e-9)));
  const double first = std::ceil(axis.low / step - 1e-9);
  for (int i = 0; (first + i) * step <= axis.high + 1e-9 * step; ++i) {
    const double value = (first + i) == 0 ? 0.0 : (first + i) * step;  // never "-0"
    axis.ticks.push_back({std::clamp(value, axis.low, axis.high), text_of(value, decimals)});
  }
  return axis;
}

Axis log_axis(double low, double high) {
  Axis axis;
  axis.log = true;
  const double decades = std::log10(high) - std::log10(low);
  const int stride = std::max(1, static_cast<int>(std::ceil(decades / 8)));
  const int from = std::max(-307, static_cast<int>(std::floor(std::log10(low))) - stride);
  const int to = std::min(308, static_cast<int>(std::ceil(std::log10(high))) + stride);
  std::vector<double> candidates;
  for (int power = from; power <= to; ++power) {
    if (power % stride != 0) continue;
    const double unit = std::pow(10.0, power);
    candidates.push_back(unit);
    if (decades <= 2.5 && power < 308) candidates.insert(candidates.end(), {2 * unit, 5 * unit});
  }
  // From the last candidate not above the data to the first one not below it, and at least one interval.
  std::size_t begin = 0, end = candidates.size() - 1;
  while (begin + 1 < candidates.size() && candidates[begin + 1] <= low * (1 + 1e-9)) ++begin;
  while (end > begin + 1 && candidates[end - 1] >= high * (1 - 1e-9)) --end;
  axis.low = std::min(candidates[begin], low);
  axis.high = std::max(candidates[end], high);
  for (std::size_t i = begin; i <= end; ++i) axis.ticks.push_back({candidates[i], log_text(candidates[i])});
  return axis;
}

}  // namespace gcompile::runtime
