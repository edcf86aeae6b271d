// Every scalar primitive, scalar and with lanes, on pairs of special values, against C++'s own arithmetic.
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>

#include "codegen_program.h"
#include "gcompile/base/error.h"

namespace gcompile::codegen::testing {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kMaxInt = 2147483647.0, kMinInt = -2147483648.0;

std::vector<double> values_of(DType dtype) {
  if (dtype == DType::kBool) return {0, 1};
  if (dtype == DType::kI32) return {0, 1, -1, 7, -7, 2, -3, kMaxInt, kMinInt, 100, 31, 33};
  return {0,     -0.0, 1,    -1,     0.5,          -0.5,          1.5,       2.5,    -2.5,  kInf,
          -kInf, kNan, 3e38, -1e-40, 2147483648.0, -2147483904.0, 8388609.0, 123.25, -0.75, 4194304.5};
}

struct OpCase {
  std::string name;
  int arity;
  DType in, out;
  std::function<double(double, double, double)> expected;
  bool zeros_differ = true;  // false: of two zeros either may be the result
};

float f(double x) { return static_cast<float>(x); }
std::int32_t i(double x) { return static_cast<std::int32_t>(x); }
std::uint32_t u(double x) { return static_cast<std::uint32_t>(static_cast<std::int64_t>(x)); }
double wrapped(std::int64_t x) { return static_cast<std::int32_t>(static_cast<std::uint32_t>(x)); }
std::int64_t wide(double x) { return static_cast<std::int64_t>(x); }
double maximum(double a, double b) { return std::isnan(a) || std::isnan(b) ? kNan : a > b ? a : b; }
double minimum(double a, double b) { return std::isnan(a) || std::isnan(b) ? kNan : a < b ? a : b; }
double floor_quotient(double a, double b) { return b == 0 ? 0 : wrapped(static_cast<std::int64_t>(std::floor(a / b))); }
double floor_remainder(double a, double b) { return b == 0 ? 0 : a - b * std::floor(a / b); }
double floored(double a, double b) {
  if (b == 0) return a / b;
  const double r = std::fmod(a, b), q = std::nearbyint((a - r) / b) - (r != 0 && (r < 0) != (b < 0) ? 1 : 0);
  return q == 0 ? std::copysign(q, a / b) : q;
}
double left(double a, double b) {
  const double r = std::fmod(a, b);
  return r != 0 && (r < 0) != (b < 0) ? r + b : std::copysign(r, r == 0 ? b : r);
}
double saturated(double x) { return std::isnan(x) ? 0 : std::trunc(std::min(std::max(x, kMinInt), kMaxInt)); }

// f32 results are rounded by the comparison: exact in double and then rounded once is the same for + - * / sqrt.
std::vector<OpCase> float_cases(DType t) {
  return {
      {"add", 2, t, t, [](double a, double b, double) { return a + b; }},
      {"sub", 2, t, t, [](double a, double b, double) { return a - b; }},
      {"mul", 2, t, t, [](double a, double b, double) { return a * b; }},
      {"div", 2, t, t, [](double a, double b, double) { return a / b; }},
      {"neg", 1, t, t, [](double a, double, double) { return -a; }},
      {"abs", 1, t, t, [](double a, double, double) { return std::fabs(a); }},
      {"sqrt", 1, t, t, [](double a, double, double) { return std::sqrt(a); }},
      {"floor", 1, t, t, [](double a, double, double) { return std::floor(a); }},
      {"ceil", 1, t, t, [](double a, double, double) { return std::ceil(a); }},
      {"round_even", 1, t, t, [](double a, double, double) { return std::nearbyint(a); }},
      {"floor_div", 2, t, t, [](double a, double b, double) { return floored(a, b); }},
      {"rem", 2, t, t, [](double a, double b, double) { return left(a, b); }},
      {"max", 2, t, t, [](double a, double b, double) { return maximum(a, b); }, false},
      {"min", 2, t, t, [](double a, double b, double) { return minimum(a, b); }, false},
      {"eq", 2, t, DType::kBool, [](double a, double b, double) { return a == b; }},
      {"ne", 2, t, DType::kBool, [](double a, double b, double) { return a != b; }},
      {"lt", 2, t, DType::kBool, [](double a, double b, double) { return a < b; }},
      {"le", 2, t, DType::kBool, [](double a, double b, double) { return a <= b; }},
      {"gt", 2, t, DType::kBool, [](double a, double b, double) { return a > b; }},
      {"ge", 2, t, DType::kBool, [](double a, double b, double) { return a >= b; }},
      {"cast", 1, t, DType::kI32, [](double a, double, double) { return saturated(a); }},
      {"cast", 1, t, DType::kBool, [](double a, double, double) { return !(a == 0); }},
      {"cast", 1, t, DType::kF64, [](double a, double, double) { return a; }},
      {"cast", 1, t, DType::kF32, [](double a, double, double) { return a; }},
  };
}

std::vector<OpCase> cases() {
  std::vector<OpCase> all = float_cases(DType::kF32);
  for (const OpCase& c : float_cases(DType::kF64)) all.push_back(c);
  const DType t = DType::kI32, p = DType::kBool;
  const std::vector<OpCase> others = {
      {"add", 2, t, t, [](double a, double b, double) { return wrapped(wide(a) + wide(b)); }},
      {"sub", 2, t, t, [](double a, double b, double) { return wrapped(wide(a) - wide(b)); }},
      {"mul", 2, t, t, [](double a, double b, double) { return wrapped(wide(a) * wide(b)); }},
      {"neg", 1, t, t, [](double a, double, double) { return wrapped(-wide(a)); }},
      {"abs", 1, t, t, [](double a, double, double) { return wrapped(std::abs(wide(a))); }},
      {"max", 2, t, t, [](double a, double b, double) { return std::max(a, b); }},
      {"min", 2, t, t, [](double a, double b, double) { return std::min(a, b); }},
      {"floor_div", 2, t, t, [](double a, double b, double) { return floor_quotient(a, b); }},
      {"rem", 2, t, t, [](double a, double b, double) { return floor_remainder(a, b); }},
      {"lt", 2, t, p, [](double a, double b, double) { return a < b; }},
      {"ge", 2, t, p, [](double a, double b, double) { return a >= b; }},
      {"eq", 2, t, p, [](double a, double b, double) { return a == b; }},
      {"shl", 2, t, t,
       [](double a, double b, double) { return wrapped(static_cast<std::int64_t>(u(a) << (u(b) & 31))); }},
      {"lshr", 2, t, t, [](double a, double b, double) { return wrapped(u(a) >> (u(b) & 31)); }},
      {"ashr", 2, t, t, [](double a, double b, double) { return i(a) >> (u(b) & 31); }},
      {"bit_and", 2, t, t, [](double a, double b, double) { return i(a) & i(b); }},
      {"bit_or", 2, t, t, [](double a, double b, double) { return i(a) | i(b); }},
      {"cast", 1, t, DType::kF32, [](double a, double, double) { return f(a); }},
      {"cast", 1, t, DType::kF64, [](double a, double, double) { return a; }},
      {"cast", 1, t, p, [](double a, double, double) { return a != 0; }},
      {"and", 2, p, p, [](double a, double b, double) { return a != 0 && b != 0; }},
      {"or", 2, p, p, [](double a, double b, double) { return a != 0 || b != 0; }},
      {"xor", 2, p, p, [](double a, double b, double) { return a != b; }},
      {"not", 1, p, p, [](double a, double, double) { return a == 0; }},
      {"eq", 2, p, p, [](double a, double b, double) { return a == b; }},
      {"lt", 2, p, p, [](double a, double b, double) { return a < b; }},
      {"ge", 2, p, p, [](double a, double b, double) { return a >= b; }},
      {"cast", 1, p, DType::kF32, [](double a, double, double) { return a; }},
      {"cast", 1, p, DType::kI32, [](double a, double, double) { return a; }},
  };
  all.insert(all.end(), others.begin(), others.end());
  return all;
}

// All pairs of the dtype's values, filled up to whole vectors.
struct Inputs {
  Array a, b;
  std::int64_t size;
};
Inputs inputs_of(DType dtype) {
  const std::vector<double> v = values_of(dtype);
  const auto n = static_cast<std::int64_t>(v.size());
  const std::int64_t size = (n * n + 15) / 16 * 16;
  Inputs in{Array(dtype, {size}), Array(dtype, {size}), size};
  for (std::int64_t k = 0; k < size; ++k) {
    in.a.set(k, v[static_cast<std::size_t>(k % n)]);
    in.b.set(k, v[static_cast<std::size_t>(k / n % n)]);
  }
  return in;
}

void expect_same(const Array& got, std::int64_t k, double expected, bool zeros_differ, const std::string& what) {
  if (got.dtype() == DType::kF32) expected = f(expected);
  const double x = got.at(k);
  if (std::isnan(expected)) {
    EXPECT_TRUE(std::isnan(x)) << what << " is " << x;
  } else {
    EXPECT_EQ(x, expected) << what;
    if (zeros_differ && is_float(got.dtype())) {
      EXPECT_EQ(std::signbit(x), std::signbit(expected)) << what;
    }
  }
}

class CodegenOps : public OnTarget {};

TEST_P(CodegenOps, EveryPrimitiveOnSpecialValues) {
  for (const OpCase& c : cases()) {
    Inputs in = inputs_of(c.in);
    TestProgram p;
    for (const char* name : {"a", "b"}) p.buffer(name, c.in, {in.size}, ir::BufferRole::kInput);
    for (const char* name : {"lanes", "scalars", "mixed"}) p.buffer(name, c.out, {in.size});
    const auto apply = [&](const char* result, const ir::Index& at, const ir::Index& other) {
      std::vector<int> v{p.load("a", at)};
      if (c.arity > 1) v.push_back(p.load("b", other));
      p.store(result, at, p.op(c.name, v, c.out));
    };
    p.loop("t", in.size / 16, ir::LoopKind::kSerial, [&](const Dim& t) {
      const ir::Index at{t * Dim(16) + kLane};
      apply("lanes", at, at);
      apply("mixed", at, {t * Dim(16)});
    });
    p.loop("i", in.size, ir::LoopKind::kSerial, [&](const Dim& n) { apply("scalars", {n}, {n}); });
    Array lanes(c.out, {in.size}), scalars(c.out, {in.size}), mixed(c.out, {in.size});
    p.run(target(), {in.a.raw(), in.b.raw(), lanes.raw(), scalars.raw(), mixed.raw()});
    for (std::int64_t k = 0; k < in.size; ++k) {
      const std::string what = c.name + " " + std::string(name(c.in)) + " -> " + std::string(name(c.out)) + " of " +
                               std::to_string(in.a.at(k)) + ", " + std::to_string(in.b.at(k));
      const double expected = c.expected(in.a.at(k), in.b.at(k), 0);
      expect_same(lanes, k, expected, c.zeros_differ, what);
      expect_same(scalars, k, expected, c.zeros_differ, what + " (scalar)");
      expect_same(mixed, k, c.expected(in.a.at(k), in.b.at(k / 16 * 16), 0), c.zeros_differ, what + " (mixed)");
    }
  }
}

TEST_P(CodegenOps, MaximumWithAConstantOnEitherSidePropagatesNan) {
  Inputs in = inputs_of(DType::kF32);
  TestProgram p;
  p.buffer("a", DType::kF32, {in.size});
  for (const char* name : {"left", "right", "low"}) p.buffer(name, DType::kF32, {in.size});
  p.loop("t", in.size / 16, ir::LoopKind::kSerial, [&](const Dim& t) {
    const ir::Index at{t * Dim(16) + kLane};
    const int a = p.load("a", at), one = p.literal(DType::kF32, 1);
    p.store("left", at, p.op("max", {one, a}, DType::kF32));
    p.store("right", at, p.op("max", {a, one}, DType::kF32));
    p.store("low", at, p.op("min", {a, one}, DType::kF32));
  });
  Array left(DType::kF32, {in.size}), right = Array(DType::kF32, {in.size}), low = Array(DType::kF32, {in.size});
  p.run(target(), {in.a.raw(), left.raw(), right.raw(), low.raw()});
  for (std::int64_t k = 0; k < in.size; ++k) {
    const std::string what = "of 1 and " + std::to_string(in.a.at(k));
    expect_same(left, k, maximum(1, in.a.at(k)), true, "max " + what);
    expect_same(right, k, maximum(in.a.at(k), 1), true, "max " + what);
    expect_same(low, k, minimum(in.a.at(k), 1), true, "min " + what);
  }
}

TEST_P(CodegenOps, SelectBitcastAndFma) {
  Inputs in = inputs_of(DType::kF32);
  const Target t = target();
  TestProgram p;
  for (const char* name : {"a", "b", "chosen", "fused"}) p.buffer(name, DType::kF32, {in.size});
  p.buffer("bits", DType::kI32, {in.size});
  p.loop("t", in.size / 16, ir::LoopKind::kSerial, [&](const Dim& n) {
    const ir::Index at{n * Dim(16) + kLane};
    const int a = p.load("a", at), b = p.load("b", at);
    p.store("chosen", at, p.op("select", {p.op("lt", {a, b}, DType::kBool), a, b}, DType::kF32));
    p.store("bits", at, p.op("bitcast", {a}, DType::kI32));
    if (t.has_fma) p.store("fused", at, p.op("fma", {a, b, p.literal(DType::kF32, -1)}, DType::kF32));
  });
  Array chosen(DType::kF32, {in.size}), fused(DType::kF32, {in.size}), bits(DType::kI32, {in.size});
  p.run(t, {in.a.raw(), in.b.raw(), chosen.raw(), fused.raw(), bits.raw()});
  for (std::int64_t k = 0; k < in.size; ++k) {
    const float a = in.a.data<float>()[static_cast<std::size_t>(k)],
                b = in.b.data<float>()[static_cast<std::size_t>(k)];
    expect_same(chosen, k, a < b ? a : b, true, "select");
    if (t.has_fma) expect_same(fused, k, std::fmaf(a, b, -1), true, "fma");
    std::int32_t expected;
    std::memcpy(&expected, &a, 4);
    EXPECT_EQ(bits.data<std::int32_t>()[static_cast<std::size_t>(k)], expected);
  }
}

TEST_P(CodegenOps, IntegersConvertedFromTheirBits) {
  TestProgram p;
  p.buffer("bits", DType::kI32, {16});
  p.buffer("x", DType::kF32, {16});
  p.store("x", {kLane}, p.op("bitcast", {p.load("bits", {kLane})}, DType::kF32));
  Array bits = Array::full(DType::kI32, {16}, 0x3fc00000), x(DType::kF32, {16});
  p.run(target(), {bits.raw(), x.raw()});
  for (std::int64_t k = 0; k < 16; ++k) EXPECT_EQ(x.at(k), 1.5);
}

INSTANTIATE_TEST_SUITE_P(Targets, CodegenOps, ::testing::ValuesIn(targets_here()), target_test_name);

TEST(CodegenErrors, AnOpThatShouldHaveBeenExpandedIsNamed) {
  TestProgram p;
  p.buffer("x", DType::kF32, {16});
  p.store("x", {kLane}, p.op("tanh", {p.load("x", {kLane})}, DType::kF32));
  try {
    emit_llvm(p.program(), host_target());
    FAIL() << "tanh was emitted";
  } catch (const InternalError& e) {
    EXPECT_NE(std::string(e.what()).find("tanh"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace gcompile::codegen::testing
