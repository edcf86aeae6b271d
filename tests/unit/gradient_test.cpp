// gradient: against derivatives by hand on small graphs, its errors, and what it must not do.
#include "gcompile/passes/gradient.h"

#include <gtest/gtest.h>

#include <cmath>

#include "gcompile/base/error.h"
#include "gcompile/ir/build.h"
#include "gcompile/ir/op.h"
#include "gcompile/ir/print.h"
#include "graph_testing.h"

namespace gcompile::passes {
namespace {

using ir::Builder;
using ir::Graph;
using ir::V;
using ir::Value;
using testing::evaluate;

const Type kScalar{DType::kF64, {}};

// The gradient of the graph's result with respect to all its inputs, as results of a graph.
Graph with_gradients(Graph g, Value loss) {
  Builder b(g);
  std::vector<Value> wrt;
  for (const auto& i : g.inputs) wrt.push_back(i.value);
  const auto gradients = gradient(b, loss, wrt);
  g.results.clear();
  for (Value v : gradients) g.results.push_back({v, ""});
  ir::verify(g);
  return g;
}

struct Fixture : ::testing::Test {
  Graph g;
  Builder b{g};
  V x{&b, b.input("x", kScalar)};
  V y{&b, b.input("y", kScalar)};

  std::vector<double> at(const Graph& graph, double vx, double vy) {
    std::vector<double> values;
    for (const Array& a : evaluate(graph, {Array(vx), Array(vy)})) values.push_back(a.item());
    return values;
  }
};
using Gradient = Fixture;

TEST_F(Gradient, OfAProductAndASum) {
  // f = x y + x: f_x = y + 1, f_y = x. x has two users, whose contributions add up.
  const Graph d = with_gradients(g, x * y + x);
  EXPECT_EQ(at(d, 3, 5), (std::vector<double>{6, 3}));
}

TEST_F(Gradient, ThroughAChain) {
  // f = exp(x y): f_x = y f, f_y = x f.
  const Graph d = with_gradients(g, ir::unary("exp", x * y));
  const auto values = at(d, 0.5, 0.25);
  EXPECT_DOUBLE_EQ(values[0], 0.25 * std::exp(0.125));
  EXPECT_DOUBLE_EQ(values[1], 0.5 * std::exp(0.125));
}

TEST_F(Gradient, OfTheSameOperandTwice) {
  const Graph d = with_gradients(g, x * x + y);
  EXPECT_EQ(at(d, 3, 0), (std::vector<double>{6, 1}));
}

TEST_F(Gradient, OfALinearLayer) {
  // f = sum (x W)^2 with x = (1, 2), W = ((1, 2), (3, 4)): x W = (7, 10), dW = 2 x^T (x W), dx = 2 (x W) W^T.
  Graph layer;
  Builder lb(layer);
  const V row{&lb, lb.input("row", {DType::kF64, {1, 2}})};
  const V w{&lb, lb.input("w", {DType::kF64, {2, 2}})};
  const V out = ir::dot(row, w, {1}, {0});
  const Graph d = with_gradients(layer, ir::reduce("reduce_sum", out * out, {0, 1}));
  const auto values = evaluate(d, {Array{{1.0, 2.0}}, Array{{1.0, 2.0}, {3.0, 4.0}}});
  EXPECT_TRUE(same_bits(values[0], Array{{54.0, 122.0}})) << values[0];
  EXPECT_TRUE(same_bits(values[1], Array{{14.0, 20.0}, {28.0, 40.0}})) << values[1];
}

TEST_F(Gradient, OfABroadcastIsASum) {
  Graph sum;
  Builder sb(sum);
  const V s{&sb, sb.input("s", kScalar)};
  const V r{&sb, sb.input("r", {DType::kF64, {3}})};
  const Graph d = with_gradients(sum, ir::reduce("reduce_sum", ir::broadcast(s, {3}, {}) * r, {0}));
  const auto values = evaluate(d, {Array(2.0), Array{1.0, 10.0, 100.0}});
  EXPECT_EQ(values[0].item(), 111);
  EXPECT_TRUE(same_bits(values[1], Array{2.0, 2.0, 2.0})) << values[1];
}

TEST_F(Gradient, WithRespectToAValueInBetween) {
  const V square = x * x;
  const V f = square * y;
  const Value wrt[] = {square, x, f};
  const auto d = gradient(b, f, wrt);
  g.results = {{d[0], ""}, {d[1], ""}, {d[2], ""}};
  EXPECT_EQ(at(g, 3, 5), (std::vector<double>{5, 30, 1}));
}

TEST_F(Gradient, OfAGradient) {
  // f = x^3 y: f_x = 3 x^2 y, f_xx = 6 x y, f_xxx = 6 y, f_xy = 3 x^2.
  const V f = x * x * x * y;
  const Value first = gradient(b, f, std::array<Value, 1>{x})[0];
  const auto second = gradient(b, first, std::array<Value, 2>{x, y});
  const Value third = gradient(b, second[0], std::array<Value, 1>{x})[0];
  g.results = {{first, ""}, {second[0], ""}, {second[1], ""}, {third, ""}};
  ir::verify(g);
  EXPECT_EQ(at(g, 2, 5), (std::vector<double>{60, 60, 12, 30}));
}

TEST_F(Gradient, SecondOrderThroughADot) {
  // f = sum (w . v)^2 / 2: the Hessian times u is v (v . u); forward mode as reverse mode twice.
  Graph h;
  Builder hb(h);
  const V w{&hb, hb.input("w", {DType::kF64, {2}})};
  const V v{&hb, hb.input("v", {DType::kF64, {2}})};
  const V u{&hb, hb.input("u", {DType::kF64, {2}})};
  const V wv = ir::dot(w, v, {0}, {0});
  const V dw{&hb, gradient(hb, wv * wv * 0.5, std::array<Value, 1>{w})[0]};
  const Value hu = gradient(hb, ir::dot(dw, u, {0}, {0}), std::array<Value, 1>{w})[0];
  h.results = {{hu, ""}};
  const auto values = evaluate(h, {Array{1.0, 2.0}, Array{3.0, 4.0}, Array{1.0, -1.0}});
  EXPECT_TRUE(same_bits(values[0], Array{-3.0, -4.0})) << values[0];
}

TEST_F(Gradient, TakesASeed) {
  Graph v;
  Builder vb(v);
  const V a{&vb, vb.input("a", {DType::kF64, {2}})};
  const V seed{&vb, vb.input("seed", {DType::kF64, {2}})};
  v.results = {{gradient(vb, a * a, std::array<Value, 1>{a}, seed)[0], ""}};
  const auto values = evaluate(v, {Array{1.0, 2.0}, Array{10.0, 100.0}});
  EXPECT_TRUE(same_bits(values[0], Array{20.0, 400.0})) << values[0];
}

TEST_F(Gradient, IsEmptyWhereNothingFlows) {
  const Value count = b.input("count", {DType::kI32, {}});
  const V stopped = ir::unary("stop_gradient", x);
  const V rounded = ir::cast(ir::cast(y, DType::kI32), DType::kF64);
  const auto d =
      gradient(b, stopped * rounded + ir::cast({&b, count}, DType::kF64), std::array<Value, 4>{x, y, count, Value{}});
  for (Value v : d) EXPECT_FALSE(v);
}

TEST_F(Gradient, MakesNodesOnThePathOnly) {
  V aside = y;
  for (int i = 0; i < 50; ++i) aside = ir::unary("tanh", aside);
  const V f = x * aside;
  const std::size_t before = g.arena->size();
  gradient(b, f, std::array<Value, 1>{x});
  EXPECT_LE(g.arena->size() - before, 4u);  // the seed, the product, and what its rule makes for y
}

// An op of this test: any operands, a result of the first one's type.
ir::OpDef plain_op(std::string_view name, int arity) {
  ir::OpDef def{};
  def.name = name;
  def.arity = arity;
  def.infer = [](const ir::InferContext& c) { return std::vector<Type>{c.operands[0]}; };
  return def;
}

std::string message_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const ModelError& e) {
    return e.what();
  }
  return "no error";
}

TEST_F(Gradient, NamesTheOpThatHasNoRule) {
  const ir::OpDef mystery = plain_op("mystery", 1);
  b.where = {{"model.cpp", 42}};
  const Value m = b.make(mystery, {x});
  b.where = {{"model.cpp", 43}};
  const V f = V{&b, m} * y;
  EXPECT_EQ(message_of([&] { gradient(b, f, std::array<Value, 1>{x}); }),
            "model.cpp:42: mystery: is not differentiable, but the loss depends on its operand; wrap the operand in "
            "stop_gradient() where no gradient should flow");
  EXPECT_NO_THROW(gradient(b, f, std::array<Value, 1>{y}));  // it is not on the path from y
}

TEST_F(Gradient, RefusesFusions) {
  auto body = std::make_shared<Graph>("body");
  const ir::OpDef fused = plain_op("fusion", 1);
  b.where = {{"model.cpp", 7}};
  const Value v = b.make(fused, {x}, {}, {body});
  EXPECT_EQ(message_of([&] { gradient(b, v, std::array<Value, 1>{x}); }),
            "model.cpp:7: fusion: fused nodes have no gradient rule; run gradient before fuse");
}

TEST_F(Gradient, RefusesALossThatIsNoFloatScalar) {
  b.where = {{"model.cpp", 5}};
  const Value batch = b.input("batch", {DType::kF32, {32, 1}});
  const Value count = b.input("count", {DType::kI32, {}});
  EXPECT_EQ(message_of([&] { gradient(b, batch, std::array<Value, 1>{x}); }),
            "model.cpp:5: gradient: the loss is f32[32,1], a gradient needs a scalar; reduce it with mean() or sum()");
  EXPECT_EQ(message_of([&] { gradient(b, count, std::array<Value, 1>{x}); }),
            "model.cpp:5: gradient: the loss is i32[], a gradient needs a float scalar; cast it to a float");
  EXPECT_EQ(message_of([&] { gradient(b, batch, std::array<Value, 1>{x}, x); }),
            "model.cpp:5: gradient: the seed is f64[], the loss is f32[32,1]; they must have the same type");
}

TEST_F(Gradient, CarriesTheForwardLocations) {
  b.where = {{"model.cpp", 10}};
  const V product = x * y;
  b.where = {{"model.cpp", 11}};
  const V f = ir::unary("tanh", product);
  b.where = {{"elsewhere.cpp", 1}};
  const Value dx = gradient(b, f, std::array<Value, 1>{x})[0];
  EXPECT_EQ(g.where(dx.node), (std::vector<Location>{{"model.cpp", 10}}));
  const Value outer = dx.node->operands[0] == y.v ? dx.node->operands[1] : dx.node->operands[0];
  EXPECT_EQ(g.where(outer.node), (std::vector<Location>{{"model.cpp", 11}}));
  EXPECT_EQ(b.where, (std::vector<Location>{{"elsewhere.cpp", 1}}));
}

TEST_F(Gradient, IsTheSameEveryTime) {
  const auto text = [] {
    Graph h;
    Builder hb(h);
    const V a{&hb, hb.input("a", kScalar)};
    V f = a;
    for (int i = 1; i < 20; ++i) f = f * a + ir::unary("exp", a * static_cast<double>(i));
    h.results = {{gradient(hb, f, std::array<Value, 1>{a})[0], ""}};
    return ir::print(h);
  };
  EXPECT_EQ(text(), text());
}

TEST_F(Gradient, OfADeepGraph) {
  constexpr int kDepth = 100'000;
  V f = x;
  for (int i = 0; i < kDepth; ++i) f = i % 2 ? f + y : f - y;
  const Graph d = with_gradients(g, f);
  EXPECT_EQ(at(d, 1, 1), (std::vector<double>{1, 0}));
}

TEST(GradientPass, AddsAResultPerStateAndInput) {
  Graph g;
  Builder b(g);
  const V x{&b, b.input("x", kScalar)};
  b.input("labels", {DType::kI32, {4}});
  b.input("unused", {DType::kF64, {2}});
  const V w{&b, b.state("w", kScalar, nullptr)};
  b.state("frozen", kScalar, nullptr, false);
  g.results = {{b.input("not_scalar", {DType::kF64, {3}}), "first"}, {x * w, "loss"}, {x + w, "other"}};
  const Graph d = gradient_pass(g, {});
  ir::verify(d);
  std::vector<std::string> names;
  for (const auto& r : d.results) names.push_back(r.name);
  EXPECT_EQ(names, (std::vector<std::string>{"first", "loss", "other", "dw", "dx", "dunused", "dnot_scalar"}));
  for (std::size_t i = 3; i < d.results.size(); ++i) EXPECT_EQ(d.results[i].value.type().dtype, DType::kF64);

  Graph none;
  Builder nb(none);
  none.results = {{nb.input("x", {DType::kF64, {3}}), ""}};
  EXPECT_THROW(gradient_pass(none, {}), ModelError);
}

TEST(BackwardPass, IsMarked) {
  ir::Graph graph;
  ir::Builder b(graph);
  const ir::V x{&b, b.input("x", {DType::kF32, {}})};
  const ir::V loss = x * x;
  const ir::Value wrt[] = {x};
  const ir::V d{&b, gradient(b, loss, wrt)[0]};
  const ir::V step = d * d;
  EXPECT_FALSE(graph.is_backward(loss.v.node));
  EXPECT_TRUE(graph.is_backward(d.v.node));
  EXPECT_FALSE(graph.is_backward(step.v.node));
}

}  // namespace
}  // namespace gcompile::passes
