#include "gcompile/codegen/check/compare.h"

#include <cmath>
#include <cstdio>
#include <functional>

namespace gcompile::codegen {
namespace {

std::string number(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.9g", value);
  return text;
}

bool same_number(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) || (a == b && std::signbit(a) == std::signbit(b));
}

class Comparison {
 public:
  // `errors` null: bits.
  void compare(const std::string& what, const Array& expected, const Array& actual, const Array* errors) {
    if (expected.dtype() != actual.dtype() || !(expected.shape() == actual.shape())) {
      fail(what + " is " + std::string(name(actual.dtype())) + actual.shape().str() + ", expected " +
           std::string(name(expected.dtype())) + expected.shape().str());
      return;
    }
    for (std::int64_t i = 0; i < expected.size(); ++i) {
      ++d_.compared;
      const double x = expected.at(i), y = actual.at(i);
      const bool same = is_float(expected.dtype()) ? same_number(x, y) : expected.at_integer(i) == actual.at_integer(i);
      if (same) continue;
      const double bound = errors ? errors->at(i) : 0;
      if (std::isinf(bound)) {
        ++d_.uncertain;
        continue;
      }
      const double abs = std::abs(x - y);
      if (!errors || !(abs <= bound) || !is_float(expected.dtype())) {
        fail(what + "[" + std::to_string(i) + "] is " + number(y) + ", expected " + number(x) +
             (errors ? " within " + number(bound) : ""));
        if (!std::isfinite(abs)) continue;
      }
      d_.max_abs = std::max(d_.max_abs, abs);
      if (x != 0) d_.max_rel = std::max(d_.max_rel, abs / std::abs(x));
    }
  }

  void compare(const Outcome& expected, const Outcome& actual, const Outcome* errors) {
    if (expected.results.size() != actual.results.size())
      return fail(std::to_string(actual.results.size()) + " results, expected " +
                  std::to_string(expected.results.size()));
    for (std::size_t i = 0; i < expected.results.size(); ++i)
      compare("result " + std::to_string(i), expected.results[i], actual.results[i],
              errors ? &errors->results[i] : nullptr);
    for (const auto& [state, value] : expected.states) {
      const auto it = actual.states.find(state);
      if (it == actual.states.end())
        fail("state '" + state + "' is not updated");
      else
        compare("state " + state, value, it->second, errors ? &errors->states.at(state) : nullptr);
    }
    for (const auto& [state, value] : actual.states)
      if (!expected.states.count(state)) fail("state '" + state + "' is updated, it should not be");
  }

  Difference difference() const { return d_; }

 private:
  void fail(const std::string& text) {
    if (d_.worst.empty()) d_.worst = text;
  }
  Difference d_;
};

}  // namespace

std::string Difference::str() const {
  std::string text = std::to_string(compared) + " elements, ";
  text += max_abs == 0 && uncertain == 0 ? "equal bits" : "max abs " + number(max_abs) + ", max rel " + number(max_rel);
  if (uncertain) text += ", " + std::to_string(uncertain) + " uncertain";
  return ok() ? text : worst + " (" + text + ")";
}

Difference compare_bits(const Outcome& expected, const Outcome& actual) {
  Comparison c;
  c.compare(expected, actual, nullptr);
  return c.difference();
}

Difference compare_within(const BoundedOutcome& expected, const Outcome& actual) {
  Comparison c;
  c.compare(expected.values, actual, &expected.errors);
  return c.difference();
}

}  // namespace gcompile::codegen
