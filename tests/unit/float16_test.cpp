// 16-bit floats: their conversions for all bits and all ties, and generated code against the interpreter on every
// target that runs here, instructions or not.
#include "gcompile/base/float16.h"

#include <cmath>
#include <limits>

#include "gcompile/base/convert.h"
#include "gcompile/codegen/check/compare.h"
#include "gcompile/codegen/compile.h"
#include "gcompile/ir/build.h"
#include "gcompile/ir/op.h"
#include "gcompile/ir/print.h"
#include "gcompile/passes/widen.h"
#include "tests/support/like_interpreter.h"
#include "gtest/gtest.h"

namespace gcompile {
namespace {

using codegen::Call;
using codegen::Outcome;

constexpr int kBits = 1 << 16;

// What a number of that many digits and least exponent is rounded to, by the definition: to the nearest multiple of the
// unit of its last place.
double nearest(double x, int digits, int least_exponent, double largest) {
  if (x == 0 || !std::isfinite(x)) return x;
  const int exponent = std::max(std::ilogb(x), least_exponent);
  const double unit = std::ldexp(1.0, exponent - digits + 1);
  const double rounded = std::nearbyint(x / unit) * unit;
  return std::abs(rounded) > largest ? std::copysign(std::numeric_limits<double>::infinity(), x) : rounded;
}

// Every number, what lies in the middle between it and the next one, and beside that.
template <class T>
std::vector<float> numbers_and_ties() {
  std::vector<float> list;
  for (int bits = 0; bits < kBits; ++bits) {
    const float x = T::from_bits(static_cast<std::uint16_t>(bits));
    if (!std::isfinite(x)) continue;
    const float next = T::from_bits(static_cast<std::uint16_t>(bits + 1));
    const float middle = std::isfinite(next) ? x + (next - x) / 2 : x * (1 + 0x1p-11f);
    list.insert(list.end(), {x, middle, std::nextafter(middle, 0.0f), std::nextafter(middle, 2 * middle)});
  }
  for (const double x : {70000.0, 65519.0, 65520.0, 3e38, 1e-45, 1e-39, 0x1p-25, 0x1.8p-25, 0x1p-134, 0x1.8p-134})
    list.insert(list.end(), {static_cast<float>(x), static_cast<float>(-x)});
  return list;
}

template <class T>
void expect_nearest(int digits, int least_exponent, double largest) {
  for (const float x : numbers_and_ties<T>()) {
    const double expected = nearest(static_cast<double>(x), digits, least_exponent, largest);
    const auto found = static_cast<double>(static_cast<float>(T(x)));
    ASSERT_EQ(found, expected) << "of " << x;
    ASSERT_EQ(std::signbit(found), std::signbit(expected)) << "of " << x;
  }
  for (int bits = 0; bits < kBits; ++bits) {
    const T x = T::from_bits(static_cast<std::uint16_t>(bits));
    if (std::isnan(static_cast<float>(x)))
      ASSERT_TRUE(std::isnan(static_cast<float>(T(static_cast<float>(x))))) << bits;
    else
      ASSERT_EQ(T(static_cast<float>(x)).bits(), bits);
  }
}

TEST(Float16, ConversionsRoundToTheNearestEven) {
  expect_nearest<half>(11, -14, 65504);
  expect_nearest<bfloat16>(8, -126, 0x1.fep127);
  EXPECT_EQ(half(1).bits(), 0x3c00);
  EXPECT_EQ(bfloat16(-2.0).bits(), 0xc000);
  EXPECT_EQ(half::from_bits(1), 0x1p-24f);
  EXPECT_EQ(convert<half>(std::int64_t{65519}), 65504.0f);
  EXPECT_TRUE(std::isinf(static_cast<float>(convert<half>(bfloat16(65536.0f)))));
  EXPECT_EQ(convert<std::uint8_t>(half(300)), 255);
}

// Every f32 that matters is cast down, every 16 bits are cast up, on every target.
TEST(Float16, GeneratedConversionsHaveTheSameBits) {
  for (const DType t : {DType::kF16, DType::kBF16}) {
    Array all(t, {kBits});
    for (int bits = 0; bits < kBits; ++bits)
      static_cast<std::uint16_t*>(all.raw())[bits] = static_cast<std::uint16_t>(bits);
    std::vector<float> list = t == DType::kF16 ? numbers_and_ties<half>() : numbers_and_ties<bfloat16>();
    list.insert(list.end(), {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
                             std::numeric_limits<float>::quiet_NaN()});
    const Array singles(list);
    ir::Graph graph("casts");
    ir::Builder b(graph);
    const ir::V x{&b, b.input("x", Type::of(t, all.shape()))},
        y{&b, b.input("y", Type::of(DType::kF32, singles.shape()))};
    const auto add = [&](ir::V v) { graph.results.push_back({v.v, ""}); };
    add(ir::cast(x, DType::kF32));
    add(ir::cast(x, DType::kF64));
    add(ir::cast(x, DType::kI32));
    add(ir::cast(x, DType::kBool));
    add(ir::cast(y, t));
    add(ir::cast(ir::cast(y, t), DType::kF32));
    add(ir::cast(ir::cast(y, DType::kF64), t));
    expect_like_interpreter(graph, {{all, singles}, {}, {}}, std::string(name(t)));
  }
}

// Arithmetic is that of f32, rounded after every operation; scalars and lanes.
TEST(Float16, EveryOperationIsRounded) {
  for (const DType t : {DType::kF16, DType::kBF16})
    for (const std::int64_t n : {1, 300}) {
      Array a(t, {n}), c(t, {n});
      for (std::int64_t i = 0; i < n; ++i) {
        a.set(i, std::sin(static_cast<double>(i) + 0.3) * std::exp(static_cast<double>(i % 17) - 9));
        c.set(i, std::cos(static_cast<double>(3 * i)) + 1.5);
      }
      ir::Graph graph("arithmetic");
      ir::Builder b(graph);
      const ir::V x{&b, b.input("x", {t, {Dim(n)}})}, y{&b, b.input("y", {t, {Dim(n)}})};
      const auto add = [&](ir::V v) { graph.results.push_back({v.v, ""}); };
      const ir::V sum = x + y, product = sum * x, quotient = product / y, difference = quotient - sum;
      for (const ir::V& v : {sum, product, quotient, difference, -x, x * 3.0 + 0.1}) add(v);
      for (const char* op : {"abs", "sign", "sqrt", "floor", "ceil", "round_even"}) add(ir::unary(op, y));
      for (const char* op : {"max", "min", "floor_div"}) add(ir::binary(op, x, y));
      for (const char* op : {"eq", "ne", "lt", "le", "gt", "ge"}) add(ir::compare(op, x, y));
      add(ir::select(ir::compare("lt", x, y), x, y));
      for (const char* op : {"reduce_max", "reduce_min"}) add(ir::reduce(op, x, {0}));
      add({&b, b.make("reverse", {x}, {{"axes", std::vector<std::int64_t>{0}}})});
      expect_like_interpreter(graph, {{a, c}, {}, {}}, std::string(name(t)) + " of " + std::to_string(n));
      const Outcome values = codegen::interpret(graph, {{a, c}, {}, {}});
      for (std::int64_t i = 0; i < n; ++i) {
        const float single = static_cast<float>(a.at(i)) + static_cast<float>(c.at(i));
        EXPECT_EQ(values.results[0].at(i),
                  t == DType::kF16 ? static_cast<double>(half(single)) : static_cast<double>(bfloat16(single)));
      }
    }
}

// Ones to which nothing could be added in 16 bits: a sum is rounded at its end alone.
TEST(Float16, SumsAndProductsAccumulateInF32) {
  for (const DType t : {DType::kF16, DType::kBF16}) {
    constexpr std::int64_t n = 4096;
    ir::Graph graph("sums");
    ir::Builder b(graph);
    const ir::V x{&b, b.input("x", {t, {Dim(2), Dim(n)}})}, i{&b, b.input("i", {DType::kI32, {Dim(n)}})};
    const auto add = [&](ir::V v) { graph.results.push_back({v.v, ""}); };
    add(ir::reduce("reduce_sum", x, {1}));
    add(ir::reduce("reduce_sum", x, {0}));
    add(ir::dot(x, x, {1}, {1}, {}, {}));
    const ir::V flat = ir::reduce("reduce_max", x, {0});
    add({&b, b.make("scatter_add", {flat, i}, {{"axis", std::int64_t{0}}, {"dims", std::vector<Dim>{Dim(3)}}})});
    const Call call{{Array::full(t, {2, n}, 1), Array::full(DType::kI32, {n}, 1)}, {}, {}};
    const Outcome values = codegen::interpret(graph, call);
    EXPECT_EQ(values.results[0].at(0), n);
    EXPECT_EQ(values.results[2].at(3), n);
    EXPECT_EQ(values.results[3].at(1), n);
    expect_like_interpreter(graph, call, std::string(name(t)));
  }
}

// What is left when widen has run: casts, and no arithmetic in 16 bits; the casts of what is only chosen are gone.
TEST(Float16, WidenLeavesNoArithmeticInSixteenBits) {
  ir::Graph graph("wide");
  ir::Builder b(graph);
  const ir::V x{&b, b.input("x", {DType::kBF16, {Dim("N")}})};
  const ir::V y = ir::binary("max", ir::unary("exp", x) * x, x);
  graph.results.push_back({ir::reduce("reduce_sum", y, {0}).v, ""});
  const ir::Graph wide = passes::widen(graph, {codegen::target_named("x86-64")});
  ir::verify(wide);
  int casts = 0;
  for (const ir::Node* n : wide.topological()) {
    casts += n->op->name == "cast";
    const bool computes = n->op->name == "exp" || n->op->name == "mul" || n->op->name == "reduce_sum";
    if (computes) {
      EXPECT_EQ(n->types[0].dtype, DType::kF32) << n->op->name;
    }
    if (n->op->name == "max") {
      EXPECT_EQ(n->types[0].dtype, DType::kBF16);
    }
  }
  EXPECT_EQ(casts, 1 + 1 + 2 + 1 + 1 + 1);  // exp and back, mul's two and back, the sum's and back
}

TEST(Float16, TextIsTheShortestThatComesBack) {
  Array a(DType::kBF16, {4});
  a.set(0, 0.1);
  a.set(1, -65504);
  a.set(2, std::numeric_limits<double>::quiet_NaN());
  a.set(3, std::numeric_limits<double>::infinity());
  EXPECT_EQ(ir::print_array(a), "bf16[4] [0.1, -6.55e+04, nan, inf]");
  EXPECT_EQ(ir::print_array(a.cast(DType::kF16)), "f16[4] [0.1001, -inf, nan, inf]");
}

}  // namespace
}  // namespace gcompile
