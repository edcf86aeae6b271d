// gcompile-ulp: how exact the compiled f32 functions are, over floats spread evenly over all bit patterns, or all of
// them (--all). A graph of the one function is compiled as any other; the C library's function in double is the
// reference. Prints for each function the largest error in units of the last place of the exact result, and where; the
// exit code is 1 when one is above what docs/numerics.md says.
#include <gcompile/gcompile.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>

#include "gcompile/codegen/compile.h"

namespace gcompile {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

struct Case {
  const char* name;
  Tensor (*compiled)(const Tensor&);
  double (*exact)(double);
  double admitted;           // ulp, with fma; without half as much again
  double flushed = 0;        // results below it may be 0
  double largest = kInf;     // finite arguments beyond have no bound but the next
  double bounded_by = kInf;  // of |results| beyond
};

double sigmoid_of(double x) { return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x)); }

const Case kFunctions[] = {
    {"exp", [](const Tensor& x) { return exp(x); }, std::exp, 2},
    {"expm1", [](const Tensor& x) { return expm1(x); }, std::expm1, 4},
    {"log", [](const Tensor& x) { return log(x); }, std::log, 2},
    {"log1p", [](const Tensor& x) { return log1p(x); }, std::log1p, 4},
    {"tanh", [](const Tensor& x) { return tanh(x); }, std::tanh, 6},
    {"sigmoid", [](const Tensor& x) { return sigmoid(x); }, sigmoid_of, 5, 0x1p-126},
    {"erf", [](const Tensor& x) { return erf(x); }, std::erf, 6},
    {"sin", [](const Tensor& x) { return sin(x); }, std::sin, 2.5, 0, 1e5, 1},
    {"cos", [](const Tensor& x) { return cos(x); }, std::cos, 2.5, 0, 1e5, 1},
    {"atan", [](const Tensor& x) { return atan(x); }, std::atan, 3},
    {"tan", [](const Tensor& x) { return tan(x); }, std::tan, 5, 0, 1e5},
    {"asin", [](const Tensor& x) { return asin(x); }, std::asin, 4},
    {"acos", [](const Tensor& x) { return acos(x); }, std::acos, 4},
    {"sqrt", [](const Tensor& x) { return sqrt(x); }, std::sqrt, 0.5},
    {"rsqrt", [](const Tensor& x) { return rsqrt(x); }, [](double x) { return 1 / std::sqrt(x); }, 2},
    {"reciprocal", [](const Tensor& x) { return 1 / x; }, [](double x) { return 1 / x; }, 0.5},
    {"floor", [](const Tensor& x) { return floor(x); }, std::floor, 0},
    {"ceil", [](const Tensor& x) { return ceil(x); }, std::ceil, 0},
    {"round_even", [](const Tensor& x) { return round_even(x); }, std::nearbyint, 0},
};

// |y - exact| in units of the last place of the exact result; of a subnormal one in units of the least subnormal.
double ulps(float y, double exact) {
  const auto nearest = static_cast<float>(exact);
  if (std::isnan(y) || std::isnan(nearest)) return std::isnan(y) && std::isnan(nearest) ? 0 : kInf;
  if (std::isinf(y) || std::isinf(nearest)) return y == nearest ? 0 : kInf;
  const float size = std::max(std::fabs(nearest), std::numeric_limits<float>::min());
  const std::uint64_t exponent = std::bit_cast<std::uint32_t>(size) >> 23;  // with a bias of 127
  const auto per_unit = std::bit_cast<double>((1023 + 127 + 23 - exponent) << 52);
  return std::fabs(static_cast<double>(y) - exact) * per_unit;
}

double error_of(const Case& f, float x, float y) {
  const auto argument = static_cast<double>(x);
  if (std::fabs(argument) > f.largest)
    return (std::isinf(x) ? std::isnan(y) : std::fabs(static_cast<double>(y)) <= f.bounded_by) ? 0 : kInf;
  const double exact = f.exact(argument);
  if (y == 0 && std::fabs(exact) < f.flushed) return 0;
  return ulps(y, exact);
}

struct Worst {
  double error = 0;
  float at = 0;
};

Worst search(const Case& f, std::uint64_t patterns) {
  constexpr std::int64_t kBlock = 1 << 15;
  auto compiled = f.compiled;
  auto step = compile([compiled](Tensor x) { return compiled(x); }, {f32(Dim("N"))});
  Array x(DType::kF32, {kBlock});
  Worst worst;
  const std::uint64_t stride = (std::uint64_t{1} << 32) / patterns;
  for (std::uint64_t block = 0; block * kBlock < patterns; ++block) {
    const auto arguments = x.mutable_data<float>();
    for (std::size_t i = 0; i < static_cast<std::size_t>(kBlock); ++i) {
      // Within its stride each pattern is somewhere, so that no low bits are left out.
      const std::uint64_t n = block * kBlock + i, within = n * 2654435761u % stride;
      arguments[i] = std::bit_cast<float>(static_cast<std::uint32_t>(n * stride + within));
    }
    const Array result = step(x);
    const auto values = result.data<float>();
    for (std::size_t i = 0; i < static_cast<std::size_t>(kBlock); ++i) {
      const double error = error_of(f, arguments[i], values[i]);
      if (error > worst.error) worst = {error, arguments[i]};
    }
  }
  return worst;
}

int usage(int code) {
  std::fprintf(code ? stderr : stdout, "usage: gcompile-ulp [--all | --log2=N] [FUNCTION]...\n"
                                       "  --all      all 2^32 floats: about a minute or two for a function\n"
                                       "  --log2=N   2^N floats for each function, N in 16 .. 32 (default 22)\n");
  return code;
}

int run(int argc, char** argv) {
  int log2 = 22;
  std::vector<std::string> names;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--help") return usage(0);
    if (argument == "--all")
      log2 = 32;
    else if (argument.rfind("--log2=", 0) == 0)
      log2 = std::atoi(argument.c_str() + 7);
    else if (argument[0] == '-')
      return usage(2);
    else
      names.push_back(argument);
  }
  if (log2 < 16 || log2 > 32) return usage(2);
  const Target target = codegen::default_target();
  std::printf("%s, 2^%d floats for each function\n", target.name.c_str(), log2);
  bool ok = true;
  std::size_t known = 0;
  for (const Case& f : kFunctions) {
    if (!names.empty() && std::find(names.begin(), names.end(), f.name) == names.end()) continue;
    ++known;
    const Worst worst = search(f, std::uint64_t{1} << log2);
    const double admitted = f.admitted > 0.5 && !target.has_fma ? f.admitted * 1.5 : f.admitted;
    ok &= worst.error <= admitted;
    std::printf("%-10s %6.3f ulp at %a (%.9g), admitted %g%s\n", f.name, worst.error, static_cast<double>(worst.at),
                static_cast<double>(worst.at), admitted, worst.error <= admitted ? "" : ": TOO FAR OFF");
    std::fflush(stdout);
  }
  if (known < names.size()) return usage(2);
  return ok ? 0 : 1;
}

}  // namespace
}  // namespace gcompile

int main(int argc, char** argv) { return gcompile::run(argc, argv); }
