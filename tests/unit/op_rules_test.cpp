// Single ops by hand: reference semantics at ties, at NaN, at the ends of i32 and out of range, gradient rules where a
// formula is easily wrong, and the texts of refusals.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "gcompile/base/error.h"
#include "gcompile/ir/build.h"
#include "gcompile/ir/interpreter.h"
#include "gcompile/passes/gradient.h"

namespace gcompile::ir {
namespace {

using Ints = std::vector<std::int64_t>;
using Dims = std::vector<Dim>;

const float kNaN = std::numeric_limits<float>::quiet_NaN();

// The op applied to arrays, as inputs of a graph.
struct OneOp {
  Graph graph;
  std::vector<Array> inputs;
  Value result;

  OneOp(const char* op, std::vector<Array> arrays, const Attrs& attrs = {}) : inputs(std::move(arrays)) {
    Builder b(graph);
    std::vector<Value> operands;
    for (const Array& a : inputs) operands.push_back(b.input("x", Type::of(a.dtype(), a.shape())));
    result = b.make(op, operands, attrs);
    graph.results = {{result, "y"}};
  }
  Array value() const { return interpret(graph, inputs).results[0]; }
  // Of the sum of the result's elements with respect to every float input.
  std::vector<Array> gradients() const {
    Graph g = graph;
    Builder b(g);
    std::vector<Value> wrt;
    for (const auto& i : g.inputs)
      if (is_float(i.value.type().dtype)) wrt.push_back(i.value);
    const auto d = passes::gradient(b, result, wrt, splat(b, result.type(), 1));
    g.results.clear();
    for (const Value& v : d) g.results.push_back({v, ""});
    return interpret(g, inputs).results;
  }
};

Array apply(const char* op, std::vector<Array> arrays, const Attrs& attrs = {}) {
  return OneOp(op, std::move(arrays), attrs).value();
}

void expect_array(const Array& actual, const Array& expected) {
  EXPECT_TRUE(same_bits(actual, expected)) << actual << " instead of " << expected;
}

const Array kLeast = std::numeric_limits<std::int32_t>::min(), kMost = std::numeric_limits<std::int32_t>::max();

TEST(OpSemantics, I32WrapsAround) {
  expect_array(apply("add", {kMost, Array(1)}), kLeast);
  expect_array(apply("sub", {kLeast, Array(1)}), kMost);
  expect_array(apply("mul", {Array(65537), Array(65537)}), Array(131073));
  expect_array(apply("mul", {kMost, kMost}), Array(1));
  expect_array(apply("neg", {kLeast}), kLeast);
  expect_array(apply("abs", {kLeast}), kLeast);
  expect_array(apply("reduce_sum", {Array{2147483647, 2147483647, 2147483647}}, {{"axes", Ints{0}}}),
               Array(2147483645));
  expect_array(apply("reduce_prod", {Array{65537, 65537}}, {{"axes", Ints{0}}}), Array(131073));
  expect_array(
      apply("dot", {Array{65537, 1}, Array{65537, 5}},
            {{"lhs_contract", Ints{0}}, {"rhs_contract", Ints{0}}, {"lhs_batch", Ints{}}, {"rhs_batch", Ints{}}}),
      Array(131078));
}

TEST(OpSemantics, DivisionOfIntegersRoundsDownAndNeverTraps) {
  expect_array(apply("floor_div", {Array{7, -7, 7, -7, 7, 0}, Array{2, 2, -2, -2, 0, 0}}), Array{3, -4, -4, 3, 0, 0});
  expect_array(apply("rem", {Array{7, -7, 7, -7, 7, 0}, Array{2, 2, -2, -2, 0, 0}}), Array{1, 1, -1, -1, 0, 0});
  expect_array(apply("floor_div", {kLeast, Array(-1)}), kLeast);
  expect_array(apply("rem", {kLeast, Array(-1)}), Array(0));
}

TEST(OpSemantics, RemainderOfFloatsHasTheDivisorsSign) {
  expect_array(apply("rem", {Array{5.5f, -5.5f, 5.5f, -5.5f}, Array{2.0f, 2.0f, -2.0f, -2.0f}}),
               Array{1.5f, 0.5f, -0.5f, -1.5f});
  // 0.3f / 0.1f is 3 in f32, and less than 3: the remainder is just below the divisor.
  EXPECT_LT(apply("floor_div", {Array(0.3f), Array(0.1f)}).item(), 3.5);
}

TEST(OpSemantics, ExtremesPropagateNaN) {
  for (const char* op : {"max", "min"}) {
    EXPECT_TRUE(std::isnan(apply(op, {Array(kNaN), Array(1.0f)}).item()));
    EXPECT_TRUE(std::isnan(apply(op, {Array(1.0f), Array(kNaN)}).item()));
  }
  for (const char* op : {"reduce_max", "reduce_min"})
    EXPECT_TRUE(std::isnan(apply(op, {Array{1.0f, kNaN, 3.0f}}, {{"axes", Ints{0}}}).item()));
}

TEST(OpSemantics, ArgumentsOfExtremesAreTheFirstAndNaNWins) {
  const Attrs axis{{"axis", std::int64_t{1}}};
  expect_array(apply("argmax", {Array{{1.0f, 3.0f, 3.0f}, {2.0f, kNaN, kNaN}, {5.0f, 1.0f, 0.0f}}}, axis),
               Array{1, 1, 0});
  expect_array(apply("argmin", {Array{{1.0f, 1.0f, 3.0f}, {2.0f, 0.0f, kNaN}, {5.0f, 1.0f, 0.0f}}}, axis),
               Array{0, 2, 2});
}

TEST(OpSemantics, CastsAreTowardsZeroAndSaturate) {
  expect_array(apply("cast", {Array{1.9f, -1.9f, 3e9f, -3e9f, kNaN}}, {{"dtype", DType::kI32}}),
               Array{1, -1, 2147483647, -2147483647 - 1, 0});
  expect_array(apply("cast", {Array{0.0f, -0.0f, 0.5f, kNaN}}, {{"dtype", DType::kBool}}),
               Array{false, false, true, true});
  expect_array(apply("cast", {Array{true, false}}, {{"dtype", DType::kF32}}), Array{1.0f, 0.0f});
}

TEST(OpSemantics, FmaRoundsOnce) {
  // a * b + c whose exact value lies just beyond the middle of two f32, which a detour through double would lose.
  const float a = 1 + 0x1p-12f, c = 0x1p-60f;
  expect_array(apply("fma", {Array(a), Array(a), Array(c)}), Array(std::fma(a, a, c)));
  EXPECT_NE(apply("fma", {Array(a), Array(a), Array(c)}).item(),
            static_cast<double>(static_cast<float>(static_cast<double>(a) * a + c)));
}

TEST(OpSemantics, GatherClampsItsIndices) {
  const Array x{{1.0f, 2.0f}, {3.0f, 4.0f}, {5.0f, 6.0f}};
  expect_array(apply("gather", {x, Array{-4, 2, 9}}, {{"axis", std::int64_t{0}}}),
               Array{{1.0f, 2.0f}, {5.0f, 6.0f}, {5.0f, 6.0f}});
  expect_array(apply("gather", {x, Array(1)}, {{"axis", std::int64_t{1}}}), Array{2.0f, 4.0f, 6.0f});
}

TEST(OpSemantics, ScatterAddClampsItsIndicesAndAddsAll) {
  const ir::Attrs rows{{"axis", std::int64_t{0}}, {"dims", std::vector<Dim>{3, 2}}};
  expect_array(apply("scatter_add", {Array{{1.0f, 2.0f}, {3.0f, 4.0f}, {5.0f, 6.0f}}, Array{-4, 9, 2}}, rows),
               Array{{1.0f, 2.0f}, {0.0f, 0.0f}, {8.0f, 10.0f}});
  const ir::Attrs columns{{"axis", std::int64_t{1}}, {"dims", std::vector<Dim>{2, 3}}};
  expect_array(apply("scatter_add", {Array{1.0f, 2.0f}, Array(1)}, columns),
               Array{{0.0f, 1.0f, 0.0f}, {0.0f, 2.0f, 0.0f}});
  const ir::Attrs whole{{"axis", std::int64_t{0}}, {"dims", std::vector<Dim>{1}}};
  expect_array(apply("scatter_add", {Array{2147483647, 1}, Array{0, 0}}, whole), Array{-2147483647 - 1});
}

TEST(OpSemantics, DotOverTwoAxesInTheirOwnOrder) {
  // a[i,j] b[j,i] summed: the trace of the product.
  expect_array(
      apply("dot", {Array{{1.0f, 2.0f}, {3.0f, 4.0f}}, Array{{5.0f, 6.0f}, {7.0f, 8.0f}}},
            {{"lhs_contract", Ints{0, 1}}, {"rhs_contract", Ints{1, 0}}, {"lhs_batch", Ints{}}, {"rhs_batch", Ints{}}}),
      Array(5.0f + 14.0f + 18.0f + 32.0f));
}

TEST(OpSemantics, SliceStepsPadsAndReverses) {
  const Array x{0.0f, 1.0f, 2.0f, 3.0f, 4.0f, 5.0f, 6.0f};
  expect_array(apply("slice", {x}, {{"starts", Ints{1}}, {"stops", Dims{7}}, {"steps", Ints{3}}}), Array{1.0f, 4.0f});
  expect_array(apply("reverse", {Array{{1, 2}, {3, 4}}}, {{"axes", Ints{1}}}), Array{{2, 1}, {4, 3}});
  expect_array(apply("pad", {Array{1, 2}, Array(9)}, {{"low", Ints{1}}, {"high", Ints{2}}}), Array{9, 1, 2, 9, 9});
}

// ---- Gradients.

TEST(OpGradients, OfEqualOperandsGoesToTheFirst) {
  for (const char* op : {"max", "min"}) {
    const auto d = OneOp(op, {Array{1.0f, 2.0f}, Array{1.0f, 2.0f}}).gradients();
    expect_array(d[0], Array{1.0f, 1.0f});
    expect_array(d[1], Array{0.0f, 0.0f});
  }
}

TEST(OpGradients, OfEqualExtremesIsShared) {
  const auto d = OneOp("reduce_max", {Array{3.0f, 1.0f, 3.0f}}, {{"axes", Ints{0}}}).gradients();
  expect_array(d[0], Array{0.5f, 0.0f, 0.5f});
}

TEST(OpGradients, OfAProductWithZeros) {
  const auto of = [](const Array& x) { return OneOp("reduce_prod", {x}, {{"axes", Ints{0}}}).gradients()[0]; };
  expect_array(of(Array{2.0f, 3.0f, 4.0f}), Array{12.0f, 8.0f, 6.0f});
  expect_array(of(Array{2.0f, 0.0f, 4.0f}), Array{0.0f, 8.0f, 0.0f});
  expect_array(of(Array{0.0f, 0.0f, 4.0f}), Array{0.0f, 0.0f, 0.0f});
}

TEST(OpSemantics, RecurrencesGoEitherWay) {
  const Array a{2.0f, 3.0f, 5.0f}, b{1.0f, 10.0f, 100.0f};
  const auto h = [&](bool reverse, bool delayed) {
    return apply("recurrence", {a, b}, {{"axis", std::int64_t{0}}, {"reverse", reverse}, {"delayed", delayed}});
  };
  expect_array(h(false, false), Array{1.0f, 13.0f, 165.0f});
  expect_array(h(false, true), Array{1.0f, 12.0f, 136.0f});
  expect_array(h(true, false), Array{621.0f, 310.0f, 100.0f});
  expect_array(h(true, true), Array{1531.0f, 510.0f, 100.0f});
}

TEST(OpGradients, OfRemainderCountsTheQuotient) {
  const auto d = OneOp("rem", {Array{5.5f, -5.5f}, Array{2.0f, 2.0f}}).gradients();
  expect_array(d[0], Array{1.0f, 1.0f});
  expect_array(d[1], Array{-2.0f, 3.0f});
}

TEST(OpGradients, OfPowAtZeroIsFinite) {
  const auto d = OneOp("pow", {Array{0.0f, 0.0f, 2.0f}, Array{0.0f, 2.0f, 3.0f}}).gradients();
  expect_array(d[0], Array{0.0f, 0.0f, 12.0f});
  EXPECT_EQ(d[1].at(0), 0);
  EXPECT_EQ(d[1].at(1), 0);
  EXPECT_NEAR(d[1].at(2), 8 * std::log(2.0), 1e-5);
}

TEST(OpGradients, OfThePaddingIsSummedOverTheBorderAlone) {
  const auto d = OneOp("pad", {Array{1.0f, 2.0f}, Array(9.0f)}, {{"low", Ints{1}}, {"high", Ints{2}}}).gradients();
  expect_array(d[0], Array{1.0f, 1.0f});
  expect_array(d[1], Array(3.0f));
}

TEST(OpGradients, OfRepeatedIndicesAdd) {
  const auto d =
      OneOp("gather", {Array{1.0f, 2.0f, 3.0f}, Array{1, 1, 8, -1}}, {{"axis", std::int64_t{0}}}).gradients();
  expect_array(d[0], Array{1.0f, 2.0f, 1.0f});
}

// x[:N-1] and x[1:] of a symbolic axis: what is given back is a concat with a symbolic part first, whose own gradient
// has parts that begin at a symbolic place.
TEST(OpGradients, OfSlicesOfASymbolicAxis) {
  const Dim n("N");
  for (const bool from_start : {true, false}) {
    Graph g;
    Builder b(g);
    const V x{&b, b.input("x", {DType::kF64, {n}})};
    const V part{&b, b.make("slice", {x},
                            {{"starts", Ints{from_start ? 0 : 1}},
                             {"stops", Dims{from_start ? n - Dim(1) : n}},
                             {"steps", Ints{1}}})};
    const Value wrt[] = {x};
    const V loss = reduce("reduce_sum", part * part * part, {0});
    const V first{&b, passes::gradient(b, loss, wrt)[0]};
    const Value second = passes::gradient(b, reduce("reduce_sum", first * first, {0}), wrt)[0];
    g.results = {{first, ""}, {second, ""}};
    const auto r = interpret(g, {Array{1.0, 2.0, 3.0}}).results;
    expect_array(r[0], from_start ? Array{3.0, 12.0, 0.0} : Array{0.0, 12.0, 27.0});
    expect_array(r[1], from_start ? Array{36.0, 288.0, 0.0} : Array{0.0, 288.0, 972.0});
  }
}

TEST(OpGradients, OfConcatWithSymbolicPartsAnywhere) {
  const Dim n("N");
  Graph g;
  Builder b(g);
  const V x{&b, b.input("x", {DType::kF64, {n}})}, y{&b, b.input("y", {DType::kF64, {2}})};
  const V all{&b, b.make("concat", {x, y, x}, {{"axis", std::int64_t{0}}})};
  const V position{&b,
                   b.make("iota", {}, {{"dtype", DType::kF64}, {"dims", all.type().dims}, {"axis", std::int64_t{0}}})};
  const Value wrt[] = {x, y};
  const auto d = passes::gradient(b, reduce("reduce_sum", all * position, {0}), wrt);
  g.results = {{d[0], ""}, {d[1], ""}};
  const auto r = interpret(g, {Array{1.0, 1.0, 1.0}, Array{1.0, 1.0}}).results;
  expect_array(r[0], Array{5.0, 7.0, 9.0});
  expect_array(r[1], Array{3.0, 4.0});
}

// ---- What is said when operands do not fit.

std::string refusal(const char* op, const std::vector<Type>& types, const Attrs& attrs = {}) {
  Graph g;
  Builder b(g);
  std::vector<Value> operands;
  for (const Type& t : types) operands.push_back(b.input("x", t));
  try {
    b.make(op, operands, attrs);
  } catch (const ModelError& e) {
    return e.what();
  }
  return "";
}

TEST(OpRefusals, NameShapesAndWhatWasExpected) {
  const Attrs product{
      {"lhs_contract", Ints{1}}, {"rhs_contract", Ints{0}}, {"lhs_batch", Ints{}}, {"rhs_batch", Ints{}}};
  EXPECT_EQ(refusal("dot", {{DType::kF32, {32, 8}}, {DType::kF32, {6, 4}}}, product),
            "dot: the inner dimensions differ: f32[32,8] x f32[6,4] (8 against 6)");
  EXPECT_EQ(refusal("add", {{DType::kF32, {32, 8}}, {DType::kF32, {8}}}),
            "add: the shapes differ: f32[32,8] and f32[8]; broadcast one of them");
  EXPECT_EQ(refusal("mul", {{DType::kF32, {3}}, {DType::kF64, {3}}}),
            "mul: the dtypes differ: f32[3] and f64[3]; cast one of them");
  EXPECT_EQ(refusal("exp", {{DType::kI32, {3}}}), "exp: is for f32, f64, bf16 and f16, not for i32[3]");
  EXPECT_EQ(refusal("reshape", {{DType::kF32, {Dim("N"), 4}}}, {{"dims", Dims{Dim("N"), 5}}}),
            "reshape: the sizes differ: f32[N,4] has 4*N elements, f32[N,5] has 5*N");
  EXPECT_EQ(refusal("broadcast", {{DType::kF32, {1}}}, {{"axes", Ints{0}}, {"dims", Dims{Dim("N")}}}),
            "broadcast: axis 0 of f32[1] is 1, axis 0 of the result f32[N] is N; they must be equal (reshape an extent "
            "of 1 away)");
  EXPECT_EQ(refusal("reduce_sum", {{DType::kF32, {2, 3}}}, {{"axes", Ints{2}}}),
            "reduce_sum: axes 2 is out of range for rank 2 (f32[2,3])");
  EXPECT_EQ(refusal("slice", {{DType::kF32, {5}}}, {{"starts", Ints{2}}, {"stops", Dims{7}}, {"steps", Ints{1}}}),
            "slice: 2 to 7 is no part of axis 0 of f32[5]");
  const Attrs moves{{"strides", Ints{2}}, {"dilations", Ints{3}}};
  EXPECT_EQ(refusal("conv", {{DType::kF32, {2, 1, 4, 9}}, {DType::kF32, {1, 5, 3, 3}}}, moves),
            "conv: the channels differ: f32[2,1,4,9] and f32[1,5,3,3] (4 against 3)");
  EXPECT_EQ(refusal("conv", {{DType::kF32, {2, 1, 4, 6}}, {DType::kF32, {1, 5, 4, 3}}}, moves),
            "conv: a window of 3, which spans 7, does not fit into an axis of 6 (f32[2,1,4,6] and f32[1,5,4,3])");
  EXPECT_EQ(refusal("gather", {{DType::kF32, {4, 5}}, {DType::kI32, {3, 2}}},
                    {{"axis", std::int64_t{1}}, {"batch_axes", std::int64_t{1}}}),
            "gather: batch axis 0 differs: f32[4,5] and the indices i32[3,2]");
  EXPECT_EQ(refusal("gather", {{DType::kF32, {4, 5}}, {DType::kI32, {4, 5}}},
                    {{"axis", std::int64_t{1}}, {"batch_axes", std::int64_t{2}}}),
            "gather: batch_axes 2 must be in 0 .. 1: they come before axis 1 of f32[4,5] and are axes of the indices "
            "i32[4,5]");
  const std::string division = refusal("div", {{DType::kI32, {3}}, {DType::kI32, {3}}});
  EXPECT_NE(division.find("floor_div"), std::string::npos) << division;
  EXPECT_NE(division.find("cast"), std::string::npos) << division;
}

}  // namespace
}  // namespace gcompile::ir
