// The graph passes one behaviour at a time: cse, dce, fold, contract, and simplify where attributes decide.
#include <gtest/gtest.h>

#include "gcompile/ir/build.h"
#include "gcompile/ir/op.h"
#include "gcompile/ir/parse.h"
#include "gcompile/ir/print.h"
#include "gcompile/passes/contract.h"
#include "gcompile/passes/cse.h"
#include "gcompile/passes/dce.h"
#include "gcompile/passes/fold.h"
#include "gcompile/passes/simplify.h"
#include "graph_testing.h"

namespace gcompile::passes {
namespace {

using ir::Builder;
using ir::Graph;
using ir::V;
using ir::Value;
using testing::evaluate;

PassContext with_fma(bool has_fma) {
  PassContext context;
  context.target.has_fma = has_fma;
  return context;
}

// "add(a, transpose(b))": the result of a graph as nested calls, without types.
std::string formula(Value v) {
  const ir::Node& n = *v.node;
  if (const auto* name = n.attrs.find("name")) return std::get<std::string>(*name);
  if (n.op->name == "constant") return n.attrs.get<Array>("value").str();
  std::string text(n.op->name);
  if (n.operands.empty()) return text;
  for (std::size_t i = 0; i < n.operands.size(); ++i) text += (i ? ", " : "(") + formula(n.operands[i]);
  return text + ")";
}

struct Passes : ::testing::Test {
  Graph g;
  Builder b{g};
  V input(const std::string& name, std::vector<Dim> dims, DType dtype = DType::kF32) {
    return {&b, b.input(name, {dtype, std::move(dims)})};
  }
  // The formula of v after the pass.
  std::string after(GraphPass pass, Value v, const PassContext& context = {}) {
    g.results = {{v, ""}};
    const Graph out = pass(g, context);
    ir::verify(out);
    EXPECT_EQ(out.results[0].value.type(), v.type());
    return formula(out.results[0].value);
  }
  std::string simplified(Value v) { return after(simplify, v); }
};

using Simplify = Passes;

TEST_F(Simplify, RunsToAFixpointThroughNewNodes) {
  const V a = input("a", {4}), c = input("c", {4});
  EXPECT_EQ(simplified(-((-(-(-a))) * c)), "mul(a, c)");
  EXPECT_EQ(simplified(a + (-a) * (-(-c))), "sub(a, mul(a, c))");
  EXPECT_EQ(simplified(-((a * 3) * 1)), "mul(a, broadcast(-3))");
  EXPECT_EQ(simplified(a / 8), "mul(a, broadcast(0.125))");
}

TEST_F(Simplify, ComposesViews) {
  const V x = input("x", {Dim("N"), 2, 3});
  EXPECT_EQ(simplified(ir::transpose(ir::transpose(x, {1, 2, 0}), {2, 0, 1})), "x");
  const V twice = ir::transpose(ir::transpose(x, {2, 0, 1}), {2, 0, 1});
  EXPECT_EQ(simplified(twice), "transpose(x)");
  g.results = {{twice, ""}};
  EXPECT_EQ(simplify(g, {}).results[0].value.node->attrs.ints("permutation"), (std::vector<std::int64_t>{1, 2, 0}));
  EXPECT_EQ(simplified(ir::reshape(ir::reshape(x, {Dim("N") * 6}), {Dim("N"), 2, 3})), "x");
  EXPECT_EQ(simplified(ir::reshape(ir::reshape(x, {Dim("N") * 6}), {Dim("N"), 6})), "reshape(x)");
  const V row = input("row", {3});
  const V twice_broadcast = ir::broadcast(ir::broadcast(row, {2, 3}, {1}), {2, Dim("N"), 3}, {0, 2});
  EXPECT_EQ(simplified(twice_broadcast), "broadcast(row)");
  EXPECT_EQ(simplified(ir::transpose({&b, ir::splat(b, {DType::kF32, {2, 3}}, 7)}, {1, 0})), "broadcast(7)");
}

TEST_F(Simplify, KeepsWhatTheAttributesForbid) {
  const V x = input("x", {4, 4});
  EXPECT_EQ(simplified(ir::transpose(x, {1, 0})), "transpose(x)");
  const Value part = b.make("slice", {x},
                            {{"starts", std::vector<std::int64_t>{0, 0}},
                             {"stops", std::vector<Dim>{4, 4}},
                             {"steps", std::vector<std::int64_t>{1, 2}}});
  EXPECT_EQ(simplified(part), "slice(x)");
  const auto turned = [&](Value v, std::vector<std::int64_t> axes) { return b.make("reverse", {v}, {{"axes", axes}}); };
  EXPECT_EQ(simplified(turned(turned(x, {0}), {1})), "reverse(reverse(x))");
  EXPECT_EQ(simplified(turned(turned(x, {0}), {0})), "x");
  EXPECT_EQ(simplified(ir::cast(ir::cast(x, DType::kI32), DType::kF32)), "cast(cast(x))");
}

TEST_F(Simplify, ReducesOfOneElementAreReshapes) {
  const V x = input("x", {5, 1, 3});
  EXPECT_EQ(simplified(ir::reduce("reduce_max", x, {1})), "reshape(x)");
  EXPECT_EQ(simplified(ir::reduce("reduce_max", x, {2})), "reduce_max(x)");
  // A batch of 1 is reduced like any other.
  EXPECT_EQ(simplified(ir::reduce("reduce_max", input("y", {1, 5}), {0})), "reduce_max(y)");
}

TEST_F(Simplify, DotReadsTransposedOperandsAsTheyAre) {
  const V x = input("x", {Dim("N"), 8}), w = input("w", {6, 8});
  EXPECT_EQ(simplified(ir::dot(x, ir::transpose(w, {1, 0}), {1}, {0})), "dot(x, w)");
  EXPECT_EQ(simplified(ir::dot(ir::transpose(x, {1, 0}), x, {1}, {0})), "dot(x, x)");
  EXPECT_EQ(simplified(ir::transpose(ir::dot(x, w, {1}, {1}), {1, 0})), "dot(w, x)");
  const V p = input("p", {2, 3, 4}), q = input("q", {2, 4, 5});
  const V batched = ir::dot(p, q, {2}, {1}, {0}, {0});
  EXPECT_EQ(simplified(ir::transpose(batched, {0, 2, 1})), "dot(q, p)");
  EXPECT_EQ(simplified(ir::transpose(batched, {2, 1, 0})), "transpose(dot(p, q))");
  const V t = input("t", {2, 3, 4});
  EXPECT_EQ(simplified(ir::dot(ir::transpose(t, {1, 0, 2}), input("v", {4}), {2}, {0})), "dot(transpose(t), v)");
}

TEST_F(Simplify, DoesElementwiseWorkBeforeABroadcast) {
  const V row = input("row", {3}), full = input("full", {2, 3});
  const V rows = ir::broadcast(row, {2, 3}, {1});
  EXPECT_EQ(simplified(ir::unary("exp", rows * 3)), "broadcast(exp(mul(row, broadcast(3))))");
  EXPECT_EQ(simplified(rows * full), "mul(broadcast(row), full)");
  const V scalar = input("scalar", {});
  EXPECT_EQ(simplified(rows * ir::broadcast(scalar, {2, 3}, {})), "mul(broadcast(row), broadcast(scalar))");
}

using Cse = Passes;

TEST_F(Cse, MakesEqualNodesOneWithBothLocations) {
  const V x = input("x", {2}), y = input("y", {2});
  b.where = {{"m.cpp", 1}};
  const V first = x * y;
  b.where = {{"m.cpp", 2}};
  const V second = y * x;
  b.where = {};
  g.results = {{first + second, ""}, {x - y, ""}, {y - x, ""}};
  const Graph out = cse(g, {});
  const ir::Node& sum = *out.results[0].value.node;
  EXPECT_EQ(sum.operands[0], sum.operands[1]);
  EXPECT_EQ(out.where(sum.operands[0].node), (std::vector<Location>{{"m.cpp", 1}, {"m.cpp", 2}}));
  EXPECT_NE(out.results[1].value, out.results[2].value);
}

TEST_F(Cse, ComparesAttributesAndConstantsByBits) {
  const V x = input("x", {3, 3});
  const auto constant = [&](double value) { return V{&b, b.scalar(DType::kF32, value)}; };
  g.results = {{ir::reduce("reduce_sum", x, {0}), ""},
               {ir::reduce("reduce_sum", x, {1}), ""},
               {constant(0), ""},
               {constant(-0.0), ""},
               {constant(0), ""},
               {x * 2, ""},
               {x * 2, ""}};
  const Graph out = cse(g, {});
  const auto result = [&](std::size_t i) { return out.results[i].value; };
  EXPECT_NE(result(0), result(1));
  EXPECT_NE(result(2), result(3));
  EXPECT_EQ(result(2), result(4));
  EXPECT_EQ(result(5), result(6)) << "their constants and broadcasts are one each";
}

TEST_F(Cse, KeepsInputsAndStatesApart) {
  const Type t{DType::kF32, {}};
  const V x = input("x", {}), y = input("y", {});
  const Value s = b.state("s", t, nullptr), r = b.state("r", t, nullptr);
  g.results = {{x + y, ""}, {V{&b, s} + V{&b, r}, ""}};
  const Graph out = cse(g, {});
  for (const auto& result : out.results) EXPECT_NE(result.value.node->operands[0], result.value.node->operands[1]);
}

using Dce = Passes;

TEST_F(Dce, DropsStatesThatNothingTouches) {
  const Type t{DType::kF32, {}};
  const V x = input("x", {});
  input("unused", {3});
  const Value read = b.state("read", t, nullptr);
  b.state("neither", t, nullptr);
  b.state("written", t, nullptr);
  g.results = {{x * V{&b, read}, "r"}};
  g.updates = {{2, g.results[0].value}};
  const Value dead = ir::unary("exp", x);
  g.add_locations(dead.node, {{"m.cpp", 1}});
  const Graph out = dce(g, {});
  ir::verify(out);
  ASSERT_EQ(out.states.size(), 2u);
  EXPECT_EQ(out.states[1].name, "written");
  EXPECT_EQ(out.updates[0].state, 1);
  EXPECT_EQ(out.inputs.size(), 2u);
  EXPECT_FALSE(out.locations.contains(dead.node));
}

constexpr const char* kChainOfFusions = R"(graph @f(%a: f32[4], %b: f32[4], %c: f32[4]) {
  %0:2 = fusion(%a, %b) {anchor = [0, -1], kind = "nest"} : (f32[4], f32[4]) graph @one(%p: f32[4], %q: f32[4]) {
    %0 = neg(%p) : f32[4]
    %1 = exp(%q) : f32[4]
    return %0, %1
  }
  %1:3 = fusion(%0#0, %0#1, %c) {anchor = [-1, 0, 0], kind = "nest"} : (f32[4], f32[4], f32[4]) graph @two(%p: f32[4], %q: f32[4], %r: f32[4]) {
    %0 = mul(%p, %q) : f32[4]
    %1 = sub(%p, %r) : f32[4]
    %2 = abs(%r) : f32[4]
    return %0, %1, %2
  }
  return %1#2, %1#1
})";

TEST_F(Dce, NarrowsFusionsUpTheChain) {
  const Graph before = ir::parse_graph(kChainOfFusions);
  const Graph out = dce(before, {});
  ir::verify(out);
  const ir::Node& two = *out.results[0].value.node;
  EXPECT_EQ(two.types.size(), 2u);
  EXPECT_EQ(two.attrs.ints("anchor"), (std::vector<std::int64_t>{-1, 0}));
  ASSERT_EQ(two.operands.size(), 2u);
  const ir::Node& one = *two.operands[0].node;
  EXPECT_EQ(one.types.size(), 1u) << "exp(b) was needed by a dead result only";
  EXPECT_EQ(formula(one.operands[0]), "a");
  EXPECT_EQ(one.operands.size(), 1u);
  const std::vector<Array> inputs{Array{1.0f, 2.0f, 3.0f, 4.0f}, Array{0.0f, 0.0f, 0.0f, 0.0f},
                                  Array{-5.0f, 6.0f, -7.0f, 8.0f}};
  const auto want = evaluate(before, inputs), got = evaluate(out, inputs);
  for (std::size_t i = 0; i < want.size(); ++i) EXPECT_TRUE(same_bits(want[i], got[i]));
}

using Fold = Passes;

TEST_F(Fold, EvaluatesConstants) {
  const V x = input("x", {2});
  const V two{&b, b.scalar(DType::kF32, 2)};
  EXPECT_EQ(after(fold, x * ir::broadcast(two * two + two, {2}, {})), "mul(x, broadcast(6))");
  const Array table({1.0f, 2.0f}), other({3.0f, 4.0f});
  EXPECT_EQ(after(fold, x * V{&b, b.constant(table)} * V{&b, b.constant(other)}),
            "mul(mul(x, " + table.str() + "), " + other.str() + ")")
      << "it does not reassociate";
  const V ones{&b, ir::splat(b, {DType::kF32, {32, 4}}, 1)};
  EXPECT_EQ(after(fold, ir::reduce("reduce_max", ones, {0, 1})), "1");
  EXPECT_EQ(after(fold, ir::reduce("reduce_sum", ones, {0, 1})), "reduce_sum(broadcast(1))")
      << "compiled code sums in another order";
  EXPECT_EQ(after(fold, ir::unary("exp", two)), "exp(2)") << "compiled code approximates";
  EXPECT_EQ(after(fold, ones + 2), "broadcast(3)") << "equal elements stay one number";
}

TEST_F(Fold, LeavesBroadcastsAndIotaAlone) {
  const auto iota = [&](Dim n) {
    return V{&b,
             b.make("iota", {}, {{"dtype", DType::kI32}, {"dims", std::vector<Dim>{n}}, {"axis", std::int64_t{0}}})};
  };
  EXPECT_EQ(after(fold, iota(3)), "iota");
  EXPECT_EQ(after(fold, ir::broadcast(iota(3), {2, 3}, {1})), "broadcast(iota)");
  const Array shifted{1, 2, 3};
  EXPECT_EQ(after(fold, iota(3) + 1), shifted.str());
  input("n", {Dim("N")});
  EXPECT_EQ(after(fold, iota(Dim("N")) + 1), "add(iota, broadcast(1))") << "N is not known";
  EXPECT_EQ(after(fold, ir::reduce("reduce_sum", iota((1 << 20) + 1), {0})), "reduce_sum(iota)");
}

TEST_F(Fold, DoesNotGrowTables) {
  const auto column = [&](std::int64_t n) { return V{&b, b.constant(Array(DType::kF32, {n, 1}))}; };
  const auto square = [&](std::int64_t n) {
    const std::vector<std::int64_t> low{0, 0}, high{0, n - 1};
    return V{&b, b.make("pad", {column(n), b.scalar(DType::kF32, 0)}, {{"low", low}, {"high", high}})};
  };
  EXPECT_EQ(after(fold, square(32)), "broadcast(0)");
  EXPECT_EQ(after(fold, square(33)).substr(0, 4), "pad(");
}

using Contract = Passes;

TEST_F(Contract, TakesAllFourForms) {
  const V x = input("x", {4}), y = input("y", {4}), z = input("z", {4});
  const auto contracted = [&](Value v) { return after(contract, v, with_fma(true)); };
  EXPECT_EQ(contracted(x * y + z), "fma(x, y, z)");
  EXPECT_EQ(contracted(z + x * y), "fma(x, y, z)");
  EXPECT_EQ(contracted(x * y - z), "fma(x, y, neg(z))");
  EXPECT_EQ(contracted(z - x * y), "fma(neg(x), y, z)");
  EXPECT_EQ(contracted(x * y + y * z), "fma(x, y, mul(y, z))");
  EXPECT_EQ(contracted((x * y + z) * x + y), "fma(fma(x, y, z), x, y)");
}

TEST_F(Contract, LeavesTheRestAlone) {
  const V x = input("x", {4}), y = input("y", {4}), i = input("i", {4}, DType::kI32);
  EXPECT_EQ(after(contract, x * y + x, with_fma(false)), "add(mul(x, y), x)");
  EXPECT_EQ(after(contract, i * i + i, with_fma(true)), "add(mul(i, i), i)");
  const V product = x * y;
  EXPECT_EQ(after(contract, product + product, with_fma(true)), "add(mul(x, y), mul(x, y))");
  g.results = {{product, ""}, {product + x, ""}};
  EXPECT_EQ(formula(contract(g, with_fma(true)).results[1].value), "add(mul(x, y), x)");
}

TEST_F(Contract, StaysWithinItsTolerance) {
  const V x = input("x", {5}), y = input("y", {5}), z = input("z", {5});
  g.results = {{x * y + z, ""}};
  const std::vector<Array> inputs{Array{1.1f, 1e10f, -3.3f, 7.7f, 0.1f}, Array{1.3f, 1e-3f, 2.7f, 0.3f, 0.1f},
                                  Array{-1.43f, -1e7f, 8.91f, 1e-9f, -0.01f}};
  const Array exact = evaluate(g, inputs)[0], fused = evaluate(contract(g, with_fma(true)), inputs)[0];
  EXPECT_FALSE(same_bits(exact, fused)) << "the inputs do not show a difference";
  for (std::int64_t i = 0; i < 5; ++i)
    EXPECT_LE(std::abs(exact.at(i) - fused.at(i)),
              kContractTolerance * (std::abs(inputs[0].at(i) * inputs[1].at(i)) + std::abs(inputs[2].at(i))));
}

}  // namespace
}  // namespace gcompile::passes
