// Ops on the ends of the integer dtypes' ranges: the interpreter against C++'s own arithmetic, and compiled code
// against the interpreter on every target that runs here; casts between all dtypes.
#include <cmath>
#include <limits>

#include "gcompile/base/convert.h"
#include "gcompile/base/error.h"
#include "gcompile/codegen/check/compare.h"
#include "gcompile/codegen/compile.h"
#include "gcompile/ir/build.h"
#include "gcompile/ir/op.h"
#include "tests/support/like_interpreter.h"
#include "gtest/gtest.h"

namespace gcompile {
namespace {

using codegen::Call;
using codegen::Outcome;
using ir::OpDef;

template <class T>
std::vector<T> edges() {
  using Limits = std::numeric_limits<T>;
  if constexpr (std::is_same_v<T, bool>) {
    return {false, true};
  } else if constexpr (std::is_integral_v<T>) {
    std::vector<T> list{0, 1, 2, 3, 7, 31, 33, 100, Limits::max(), Limits::max() - 1, Limits::max() / 2, Limits::min()};
    list.insert(list.end(), {static_cast<T>(-1), static_cast<T>(-7), static_cast<T>(Limits::min() + 1),
                             static_cast<T>(Limits::max() / 2 + 1)});
    return list;
  } else {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
    std::vector<T> list;
    for (const double x : {0.0, -0.0, 0.5, -0.5, 1.5, 2.5, -2.5, -1.0, nan, inf, -inf, 255.0, 256.0, 65504.0})
      list.push_back(static_cast<T>(x));
    for (const double x : {0x1p31, 0x1p31 - 1, -0x1p31, 0x1p32, 0x1p32 - 256, 0x1p63, -0x1p63, 0x1p62, 0x1p100, 1e-30})
      for (const double y : {x, x * (1 - 0x1p-20), -x}) list.push_back(static_cast<T>(y));
    return list;
  }
}

Array edge_array(DType t) {
  return dispatch(t, [&](auto zero) {
    using T = decltype(zero);
    const std::vector<T> list = edges<T>();
    Array a(t, {static_cast<std::int64_t>(list.size())});
    std::copy(list.begin(), list.end(), a.mutable_data<T>().begin());
    return a;
  });
}

// All pairs of edges.
std::pair<Array, Array> edge_pairs(DType t) {
  const Array once = edge_array(t);
  const std::int64_t n = once.size();
  Array left(t, {n * n}), right(t, {n * n});
  for (std::int64_t i = 0; i < n * n; ++i) {
    left.set_integer(i, once.at_integer(i / n));
    right.set_integer(i, once.at_integer(i % n));
  }
  return {left, right};
}

// What the op is in C++, on the dtype's own type.
template <class T>
std::optional<T> in_cpp(std::string_view op, T a, T b) {
  using U = std::make_unsigned_t<T>;
  const auto x = static_cast<U>(a), y = static_cast<U>(b);
  const auto shift = static_cast<unsigned>(y % (8 * sizeof(T)));
  if (op == "add") return static_cast<T>(x + y);
  if (op == "sub") return static_cast<T>(x - y);
  if (op == "mul") return static_cast<T>(std::uint64_t{x} * std::uint64_t{y});
  if (op == "max") return a > b ? a : b;
  if (op == "min") return a < b ? a : b;
  if (op == "bit_and") return static_cast<T>(x & y);
  if (op == "bit_or") return static_cast<T>(x | y);
  if (op == "bit_xor") return static_cast<T>(x ^ y);
  if (op == "shl") return static_cast<T>(static_cast<std::uint64_t>(x) << shift);
  if (op == "lshr") return static_cast<T>(x >> shift);
  if (op == "ashr") return static_cast<T>(static_cast<std::make_signed_t<T>>(a) >> shift);
  if (op == "floor_div" || op == "rem") {
    const bool quotient = op == "floor_div";
    if (b == 0) return T{0};
    if (std::is_signed_v<T> && b == static_cast<T>(-1)) return quotient ? static_cast<T>(U{0} - x) : T{0};
    bool down = false;
    if constexpr (std::is_signed_v<T>) down = a % b != 0 && (a % b < 0) != (b < 0);
    return static_cast<T>(quotient ? a / b - down : a % b + (down ? b : 0));
  }
  return std::nullopt;
}

const std::vector<DType> kIntegers{DType::kI32, DType::kI64, DType::kU32, DType::kU8};

bool admits(const OpDef& op, DType t) {
  return op.dtypes.empty() || std::find(op.dtypes.begin(), op.dtypes.end(), t) != op.dtypes.end();
}

TEST(Integers, OpsOfOneAndTwoOperandsAtTheEndsOfTheRange) {
  int checked = 0;
  for (const DType t : kIntegers) {
    const auto [left, right] = edge_pairs(t);
    ir::Graph graph("edges");
    ir::Builder b(graph);
    const Type type = Type::of(t, left.shape());
    const ir::Value x = b.input("x", type), y = b.input("y", type);
    std::vector<const OpDef*> ops;
    for (const OpDef& op : ir::all_ops()) {
      if (!op.is(ir::kElementwise) || op.is(ir::kKernelOnly) || !admits(op, t) || op.arity > 2 || op.name == "cast")
        continue;
      ops.push_back(&op);
      graph.results.push_back({op.arity == 1 ? b.make(op, {x}) : b.make(op, {x, y}), std::string(op.name)});
    }
    const Call call{{left, right}, {}, {}};
    expect_like_interpreter(graph, call, std::string(name(t)));
    const Outcome values = codegen::interpret(graph, call);
    for (std::size_t k = 0; k < ops.size(); ++k)
      dispatch(t, [&](auto zero) {
        using T = decltype(zero);
        if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>)
          for (std::int64_t i = 0; i < left.size(); ++i) {
            const auto at = static_cast<std::size_t>(i);
            const auto expected = in_cpp<T>(ops[k]->name, left.data<T>()[at], right.data<T>()[at]);
            if (!expected) return;
            ++checked;
            EXPECT_EQ(values.results[k].at_integer(i), std::int64_t{*expected})
                << ops[k]->name << " of " << name(t) << " " << left.at_integer(i) << " and " << right.at_integer(i);
          }
      });
  }
  EXPECT_GT(checked, 10000);
}

TEST(Integers, ComparisonsAndCastsBetweenAllDtypes) {
  for (const DType from : kAllDTypes) {
    const Array once = edge_array(from);
    ir::Graph graph("casts");
    ir::Builder b(graph);
    const ir::Value x = b.input("x", Type::of(from, once.shape()));
    for (const DType to : kAllDTypes)
      graph.results.push_back({b.make("cast", {x}, {{"dtype", to}}), std::string(name(to))});
    expect_like_interpreter(graph, {{once}, {}, {}}, "casts of " + std::string(name(from)));
  }
}

TEST(Integers, CastsAreWhatTheyAreSaidToBe) {
  EXPECT_EQ(convert<std::int64_t>(std::nan("")), 0);
  EXPECT_EQ(convert<std::int64_t>(1e300), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(convert<std::int64_t>(-1e300), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(convert<std::uint32_t>(-1.0), 0u);
  EXPECT_EQ(convert<std::uint32_t>(4294967295.5), 4294967295u);
  EXPECT_EQ(convert<std::uint8_t>(255.99f), 255);
  EXPECT_EQ(convert<std::uint8_t>(std::int64_t{-1}), 255);
  EXPECT_EQ(convert<std::uint8_t>(300), 44);
  EXPECT_EQ(convert<std::int32_t>(std::uint32_t{4294967295u}), -1);
  EXPECT_EQ(convert<float>(std::int64_t{16777217}), 16777216.0f);
  EXPECT_TRUE(convert<bool>(-0.5f));
  EXPECT_FALSE(convert<bool>(-0.0));
}

// i64 is exact where a double is not: in arrays, constants, folding and reductions.
TEST(Integers, SixtyFourBitsAreExact) {
  const std::int64_t large = (std::int64_t{1} << 53) + 1, most = std::numeric_limits<std::int64_t>::max();
  Array a(DType::kI64, {3});
  a.set_integer(0, large);
  a.set_integer(1, -large);
  a.set_integer(2, most);
  EXPECT_EQ(a.str(), "i64[3] [9007199254740993, -9007199254740993, 9223372036854775807]");
  EXPECT_EQ(a.cast(DType::kF64).cast(DType::kI64).at_integer(0), large - 1);
  EXPECT_THROW(Array(1.5f).at_integer(0), ModelError);

  ir::Graph graph("large");
  ir::Builder b(graph);
  const ir::V x{&b, b.input("x", {DType::kI64, {3}})};
  const ir::V c{&b, ir::splat(b, x.type(), Array(large))}, one{&b, ir::splat(b, x.type(), 1)};
  const auto add = [&](ir::V v) { graph.results.push_back({v.v, ""}); };
  add(x + c);
  add({&b, b.make("add", {c, one})});
  add(ir::compare("eq", x, c));
  for (const char* op : {"reduce_sum", "reduce_max", "reduce_min", "reduce_prod"}) add(ir::reduce(op, x, {0}));
  add({&b, b.make("argmax", {x}, {{"axis", std::int64_t{0}}})});
  add(ir::dot(x, c, {0}, {0}, {}, {}));
  const Call call{{a}, {}, {}};
  const Outcome values = codegen::interpret(graph, call);
  EXPECT_EQ(values.results[0].at_integer(0), 2 * large);
  EXPECT_EQ(values.results[1].at_integer(2), large + 1);
  EXPECT_EQ(values.results[2].str(), "bool[3] [true, false, false]");
  EXPECT_EQ(values.results[3].at_integer(0), most);
  EXPECT_EQ(values.results[5].at_integer(0), -large);
  expect_like_interpreter(graph, call, "large numbers");
}

// The largest of nothing but the least numbers is the identity's own test.
TEST(Integers, ExtremesOfTheLeastAndTheGreatest) {
  for (const DType t : kIntegers) {
    ir::Graph graph("extremes");
    ir::Builder b(graph);
    const ir::V x{&b, b.input("x", {t, {Dim(21)}})};
    graph.results = {{ir::reduce("reduce_max", x, {0}).v, ""}, {ir::reduce("reduce_min", x, {0}).v, ""}};
    for (const std::int64_t number : {range_of(t).min, range_of(t).max}) {
      Array a(t, {21});
      for (std::int64_t i = 0; i < a.size(); ++i) a.set_integer(i, number);
      const Call call{{a}, {}, {}};
      EXPECT_EQ(codegen::interpret(graph, call).results[0].at_integer(0), number);
      EXPECT_EQ(codegen::interpret(graph, call).results[1].at_integer(0), number);
      expect_like_interpreter(graph, call, std::string(name(t)) + " of " + std::to_string(number));
    }
  }
}

}  // namespace
}  // namespace gcompile
