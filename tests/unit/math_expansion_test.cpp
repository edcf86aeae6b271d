// How exact the expansions of approximated ops are, with and without fma: the largest error in units of the last place
// over dense samples of each range against the C library in long double, and every special value. The bounds are what
// docs and the op records promise. MathExpansionLong goes through all floats of the ranges.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "gcompile/ir/op.h"
#include "tests/support/host_scalars.h"

namespace gcompile::testing {
namespace {

using Reference = long double (*)(long double);

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

struct Range {
  const char* op;
  Reference exact;
  double low, high;
  double ulp_f32, ulp_f64;  // admitted; without fma half as much again
};

long double sigmoid(long double x) { return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x)); }
long double rsqrt(long double x) { return 1 / std::sqrt(x); }

template <class T>
struct Numbers;
template <>
struct Numbers<float> {
  using Bits = std::int32_t;
  static double ulp(const Range& r) { return r.ulp_f32; }
};
template <>
struct Numbers<double> {
  using Bits = std::int64_t;
  static double ulp(const Range& r) { return r.ulp_f64; }
};

template <class T>
std::vector<T> evaluate(const char* op, const std::vector<T>& x, bool has_fma, int* primitives = nullptr) {
  HostScalars host(has_fma);
  const ir::Expr y = host.op(op, {host.add(x)});
  if (primitives) *primitives = host.primitives;
  return host.get<T>(y);
}

template <class T>
T power(T a, T b, bool has_fma) {
  HostScalars host(has_fma);
  const ir::Expr x = host.add(std::vector<T>{a}), y = host.add(std::vector<T>{b});
  return host.get<T>(host.op("pow", {x, y}))[0];
}

// |y - exact| in units of the last place of the exact result; of a subnormal one in units of the least subnormal.
template <class T>
double ulps(T y, long double exact) {
  const T nearest = static_cast<T>(exact);
  if (std::isnan(y) || std::isnan(nearest)) return std::isnan(y) && std::isnan(nearest) ? 0 : kInf;
  if (std::isinf(y) || std::isinf(nearest)) return y == nearest ? 0 : kInf;
  const T size = std::max(std::fabs(nearest), std::numeric_limits<T>::min());
  const long double unit =
      static_cast<long double>(std::ldexp(T(1), std::ilogb(size))) * std::numeric_limits<T>::epsilon();
  return static_cast<double>(std::fabs(y - exact) / unit);
}

// About `wanted` numbers between two, evenly by their bits; all of them for 0.
template <class T, class F>
void each_number(T low, T high, std::int64_t wanted, F&& f) {
  using Bits = typename Numbers<T>::Bits;
  const auto order = [](T x) {  // monotonic in x
    const Bits b = std::bit_cast<Bits>(x);
    return static_cast<long double>(b < 0 ? -static_cast<long double>(b & std::numeric_limits<Bits>::max()) : b);
  };
  const auto number = [](long double o) {
    const T x = std::bit_cast<T>(static_cast<Bits>(std::fabs(o)));
    return o < 0 ? -x : x;
  };
  const long double first = order(low), last = order(high);
  const long double step = wanted > 0 ? std::max(1.0L, (last - first) / static_cast<long double>(wanted)) : 1.0L;
  std::vector<T> batch;
  for (long double o = first; o <= last; o += step) {
    batch.push_back(number(std::floor(o)));
    if (batch.size() == 8192) f(batch), batch.clear();
  }
  // Evenly over the range too: large numbers are few among all floats.
  for (std::int64_t i = 0; i < wanted / 4; ++i) {
    batch.push_back(low + (high - low) * (static_cast<T>(i) + T(0.37)) / (static_cast<T>(wanted) / 4));
    if (batch.size() == 8192) f(batch), batch.clear();
  }
  f(batch);
}

template <class T>
void check_range(const Range& r, std::int64_t wanted) {
  for (const bool has_fma : {true, false}) {
    double worst = 0;
    T where = 0;
    int primitives = 0;
    each_number<T>(static_cast<T>(r.low), static_cast<T>(r.high), wanted, [&](const std::vector<T>& x) {
      const std::vector<T> y = evaluate(r.op, x, has_fma, &primitives);
      for (std::size_t i = 0; i < x.size(); ++i)
        if (const double e = ulps(y[i], r.exact(x[i])); e > worst) worst = e, where = x[i];
    });
    ::testing::Test::RecordProperty(std::string(r.op) + (has_fma ? "_fma" : "_plain") + "_ulp", std::to_string(worst));
    EXPECT_LE(worst, Numbers<T>::ulp(r) * (has_fma ? 1 : 1.5))
        << r.op << " at " << std::hexfloat << where << std::defaultfloat << " = " << where
        << (has_fma ? ", with fma" : ", without fma");
    if (std::getenv("GCOMPILE_PRINT_ULP"))
      std::printf("%-8s %s %-6s [%g, %g] %.3f ulp at %.9g, %d ops\n", r.op, sizeof(T) == 4 ? "f32" : "f64",
                  has_fma ? "fma" : "plain", r.low, r.high, worst, static_cast<double>(where), primitives);
  }
}

const Range kRanges[] = {
    {"exp", std::exp, -104, 88.7228, 2, 2},
    {"exp", std::exp, -1, 1, 2, 2},
    {"expm1", std::expm1, -20, 88.7228, 4, 4},
    {"expm1", std::expm1, -1.2, 1.2, 4, 4},
    {"log", std::log, 1e-45, 3.4e38, 2, 2},
    {"log", std::log, 0.5, 2, 2, 2},
    {"log1p", std::log1p, -0.99999994, 3.4e38, 4, 4},
    {"log1p", std::log1p, -0.5, 1, 4, 4},
    {"tanh", std::tanh, -12, 12, 5.1, 5},  // 5.02 near -6.04, among millions
    {"sigmoid", sigmoid, -87, 90, 5, 5},
    {"erf", std::erf, -5, 5, 6, 3},
    {"erf", std::erf, -1, 1, 5, 3},
    {"sin", std::sin, -1e5, 1e5, 2.5, 2},
    {"cos", std::cos, -1e5, 1e5, 2.5, 2},
    {"sin", std::sin, -4, 4, 2, 2},
    {"cos", std::cos, -4, 4, 2, 2},
    {"rsqrt", rsqrt, 1e-37, 1e37, 2, 2},
};

TEST(MathExpansion, F32IsAsExactAsPromised) {
  for (const Range& r : kRanges) check_range<float>(r, 400'000);
}

TEST(MathExpansion, F64IsAsExactAsPromised) {
  for (const Range& r : kRanges) check_range<double>(r, 40'000);
  check_range<double>({"exp", std::exp, -745, 709.78, 0, 2}, 40'000);
  check_range<double>({"expm1", std::expm1, -50, 709.78, 0, 4}, 40'000);
  check_range<double>({"log", std::log, 5e-324, 1.7e308, 0, 2}, 40'000);
  check_range<double>({"log1p", std::log1p, 1e-300, 1e300, 0, 4}, 40'000);
  check_range<double>({"tanh", std::tanh, -30, 30, 0, 5}, 40'000);
  check_range<double>({"erf", std::erf, -7, 7, 0, 3}, 40'000);
  check_range<double>({"erf", std::erf, 1e-300, 1e-3, 0, 3}, 40'000);
  check_range<double>({"sigmoid", sigmoid, -708, 50, 0, 5}, 40'000);
}

TEST(MathExpansionLong, MillionsOfFloats) {
  for (const Range& r : kRanges) check_range<float>(r, 4'000'000);
}

struct Special {
  const char* op;
  double x, y;
};

// -0 and 0 are told apart. f32 and f64 agree in all of them.
const Special kSpecial[] = {
    {"exp", 0, 1},         {"exp", -0.0, 1},      {"exp", kInf, kInf},     {"exp", -kInf, 0},
    {"exp", kNaN, kNaN},   {"exp", 1e4, kInf},    {"exp", -1e4, 0},        {"expm1", 0, 0},
    {"expm1", -0.0, -0.0}, {"expm1", kInf, kInf}, {"expm1", -kInf, -1},    {"expm1", kNaN, kNaN},
    {"expm1", 1e4, kInf},  {"expm1", -1e4, -1},   {"log", 1, 0},           {"log", 0, -kInf},
    {"log", -0.0, -kInf},  {"log", -1, kNaN},     {"log", -kInf, kNaN},    {"log", kInf, kInf},
    {"log", kNaN, kNaN},   {"log1p", 0, 0},       {"log1p", -0.0, -0.0},   {"log1p", -1, -kInf},
    {"log1p", -2, kNaN},   {"log1p", kInf, kInf}, {"log1p", -kInf, kNaN},  {"log1p", kNaN, kNaN},
    {"tanh", 0, 0},        {"tanh", -0.0, -0.0},  {"tanh", kInf, 1},       {"tanh", -kInf, -1},
    {"tanh", kNaN, kNaN},  {"tanh", 40, 1},       {"tanh", -40, -1},       {"sigmoid", 0, 0.5},
    {"sigmoid", kInf, 1},  {"sigmoid", -kInf, 0}, {"sigmoid", kNaN, kNaN}, {"sigmoid", 1e4, 1},
    {"sigmoid", -1e4, 0},  {"sin", 0, 0},         {"sin", kInf, kNaN},     {"sin", -kInf, kNaN},
    {"sin", kNaN, kNaN},   {"cos", 0, 1},         {"cos", kInf, kNaN},     {"cos", -kInf, kNaN},
    {"cos", kNaN, kNaN},   {"rsqrt", 0, kInf},    {"rsqrt", kInf, 0},      {"rsqrt", -1, kNaN},
    {"rsqrt", kNaN, kNaN}, {"sign", -0.0, -0.0},  {"sign", kNaN, kNaN},    {"sign", kInf, 1},
    {"sign", -kInf, -1},   {"erf", 0, 0},         {"erf", -0.0, -0.0},     {"erf", kInf, 1},
    {"erf", -kInf, -1},    {"erf", kNaN, kNaN},   {"erf", 9, 1},           {"erf", -9, -1},
};

template <class T>
void expect_same(T y, double wanted, const std::string& what) {
  if (std::isnan(wanted)) {
    EXPECT_TRUE(std::isnan(y)) << what << " = " << y;
  } else {
    EXPECT_EQ(y, static_cast<T>(wanted)) << what;
    EXPECT_EQ(std::signbit(y), std::signbit(wanted)) << what;
  }
}

TEST(MathExpansion, SpecialValuesAreExact) {
  for (const Special& s : kSpecial)
    for (const bool has_fma : {true, false}) {
      const std::string what = std::string(s.op) + "(" + std::to_string(s.x) + ")";
      expect_same(evaluate<float>(s.op, {static_cast<float>(s.x)}, has_fma)[0], s.y, "f32 " + what);
      expect_same(evaluate<double>(s.op, {s.x}, has_fma)[0], s.y, "f64 " + what);
    }
}

TEST(MathExpansion, TanhAndErfStayWithinOne) {
  for (const auto& [op, middle] : {std::pair("tanh", 8.5f), std::pair("erf", 3.5f)}) {
    std::vector<float> x;
    for (int i = 0; i < 400'000; ++i) x.push_back(middle - 1.5f + 3 * static_cast<float>(i) / 400'000);
    for (const float y : evaluate(op, x, true)) ASSERT_LE(y, 1) << op;
    for (const float y : evaluate(op, x, false)) ASSERT_LE(y, 1) << op;
  }
}

TEST(MathExpansion, SineOfHugeAnglesStaysBounded) {
  for (const float x : {1e6f, 1e8f, 3e15f, 1e30f, -3e38f})
    for (const char* op : {"sin", "cos"}) EXPECT_LE(std::fabs(evaluate(op, std::vector<float>{x}, true)[0]), 1) << x;
}

TEST(MathExpansion, PowOfSpecialValuesIsThatOfTheCLibrary) {
  const double values[] = {0, -0.0, 1, -1, 2, -2, 3, -3, 0.5, -0.5, 2.5, -2.5, 1e30, -1e30, kInf, -kInf, kNaN};
  for (const double a : values)
    for (const double b : values)
      for (const bool has_fma : {true, false}) {
        const double wanted = std::pow(a, b);
        const std::string what = "pow(" + std::to_string(a) + ", " + std::to_string(b) + ")";
        const float y = power(static_cast<float>(a), static_cast<float>(b), has_fma);
        const float wanted_f32 = std::pow(static_cast<float>(a), static_cast<float>(b));
        if (std::isnan(wanted) || wanted == 0 || std::isinf(wanted)) {
          expect_same(power(a, b, has_fma), wanted, "f64 " + what);
        } else {
          EXPECT_NEAR(power(a, b, has_fma) / wanted, 1, 1e-13) << what;
        }
        if (std::isnan(wanted_f32) || wanted_f32 == 0 || std::isinf(wanted_f32)) {
          expect_same(y, wanted_f32, "f32 " + what);
        } else {
          EXPECT_LE(ulps(y, wanted_f32), 2) << what;
        }
      }
}

TEST(MathExpansion, PowIsAsExactAsPromised) {
  for (const bool has_fma : {true, false}) {
    double worst = 0, worst_f64 = 0;
    HostScalars host(has_fma);
    std::vector<float> a, b;
    std::vector<double> c, d;
    for (int i = 0; i < 400; ++i)
      for (int k = 0; k < 400; ++k) {
        a.push_back(std::exp(-20.0f + 0.1f * static_cast<float>(i)));
        b.push_back(-4.0f + 0.02f * static_cast<float>(k) + 0.001f * static_cast<float>(i));
        c.push_back(a.back());
        d.push_back(b.back());
      }
    const std::vector<float> y = host.get<float>(host.op("pow", {host.add(a), host.add(b)}));
    const std::vector<double> z = host.get<double>(host.op("pow", {host.add(c), host.add(d)}));
    for (std::size_t i = 0; i < a.size(); ++i) {
      const long double exact = std::pow(static_cast<long double>(a[i]), static_cast<long double>(b[i]));
      worst = std::max(worst, ulps(y[i], exact));
      worst_f64 = std::max(worst_f64, ulps(z[i], exact) / (2 + std::fabs(d[i] * std::log(c[i]))));
    }
    if (std::getenv("GCOMPILE_PRINT_ULP"))
      std::printf("pow f32 %.3f ulp, f64 %.3f of 2 + |b log a|\n", worst, worst_f64);
    EXPECT_LE(worst, 2) << has_fma;
    EXPECT_LE(worst_f64, 2) << has_fma;
  }
}

}  // namespace
}  // namespace gcompile::testing
