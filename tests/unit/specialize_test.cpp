// specialize: symbols of graphs and kernels get their values.
#include <gtest/gtest.h>

#include <map>

#include "gcompile/base/error.h"
#include "gcompile/ir/op.h"
#include "gcompile/ir/parse.h"
#include "gcompile/ir/print.h"
#include "gcompile/passes/specialize.h"

namespace gcompile::passes {
namespace {

constexpr const char* kGraph = R"(graph @g(%x: f32[N,M]) {
  dim N in 1 .. 64
  state @w: f32[M,3]
  %0 = dot(%x, @w) {lhs_contract = [1], rhs_contract = [0]} : f32[N,3]
  %1 = dim {dtype = f32, value = (2*N)} : f32[]
  %2 = broadcast(%1) {dims = (N, 3)} : f32[N,3]
  %3 = add(%0, %2) : f32[N,3]
  %4 = reshape(%3) {dims = (3*N)} : f32[3*N]
  return %4
}
)";

TEST(Specialize, GivesASymbolItsValueEverywhere) {
  const ir::Graph g = specialize(ir::parse_graph(kGraph), {{"N", 5}});
  ir::verify(g);
  const std::string text = ir::print(g);
  EXPECT_EQ(text.find('N'), std::string::npos) << text;
  EXPECT_NE(text.find("f32[5,M]"), std::string::npos);
  EXPECT_NE(text.find("value = (10)"), std::string::npos);
  EXPECT_NE(text.find("f32[15]"), std::string::npos);
  EXPECT_EQ(g.symbols(), std::vector<std::string>{"M"});
}

TEST(Specialize, AllSymbolsGoneIsAStaticGraph) {
  const ir::Graph g = specialize(ir::parse_graph(kGraph), {{"N", 5}, {"M", 2}});
  for (const ir::Node* n : g.topological()) EXPECT_TRUE(n->types[0].is_static()) << n->types[0].str();
}

TEST(Specialize, KnowsWhatTheGradientMade) {
  ir::Graph g("g");
  ir::Builder b(g);
  const ir::Value x = b.input("x", {DType::kF32, {Dim("N")}});
  const ir::Value forward = b.make("exp", {x});
  const int first = static_cast<int>(g.arena->size());
  const ir::Value backward = b.make("neg", {b.make("sqrt", {forward})});
  g.backward.emplace_back(first, static_cast<int>(g.arena->size()));
  const ir::Value after = b.make("tanh", {backward});
  g.results = {{after, ""}};
  const ir::Graph one = specialize(g, {{"N", 1}});
  std::map<std::string, bool> marked;
  for (const ir::Node* n : one.topological()) marked[std::string(n->op->name)] = one.is_backward(n);
  EXPECT_EQ(marked, (std::map<std::string, bool>{
                        {"input", false}, {"exp", false}, {"sqrt", true}, {"neg", true}, {"tanh", false}}));
  EXPECT_EQ(one.backward.size(), 1u);
}

TEST(Specialize, RefusesUnknownNamesAndValuesOutOfBounds) {
  const auto message = [](const DimValues& values) {
    try {
      specialize(ir::parse_graph(kGraph), values);
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  EXPECT_EQ(message({{"K", 1}}), "no dimension is called K; the symbolic ones are M, N");
  EXPECT_EQ(message({{"N", 0}}), "dimension N = 0 is outside of its bounds 1 .. 64");
  EXPECT_EQ(message({{"N", 65}}), "dimension N = 65 is outside of its bounds 1 .. 64");
}

TEST(Specialize, KernelsToo) {
  const ir::KernelModule m = ir::parse_kernel_module(R"(kernels @k {
  dim N in 1 .. 64
  input x: f32[N]
  result y: f32[N]
  kernel @k0 {
    for i in 0 .. N {
      %0 = load x[i] : f32
      store y[N - i - 1] = %0
    }
  }
}
)");
  EXPECT_EQ(symbols_of(m), std::vector<std::string>{"N"});
  const ir::KernelModule fixed = specialize(m, {{"N", 7}});
  ir::verify(fixed);
  const std::string text = ir::print(fixed);
  EXPECT_EQ(text.find('N'), std::string::npos) << text;
  EXPECT_NE(text.find("for i in 0 .. 7"), std::string::npos) << text;
  EXPECT_NE(text.find("store y[-i + 6]"), std::string::npos) << text;
}

}  // namespace
}  // namespace gcompile::passes
