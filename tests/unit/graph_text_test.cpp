// Graphs as text: what is printed, that every op comes back, and what the verifier says of wrong ones. What the parser
// refuses is in graph_parse_errors_test.cpp.
#include <gtest/gtest.h>

#include <bit>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>

#include "gcompile/base/error.h"
#include "gcompile/ir/build.h"
#include "gcompile/ir/dot.h"
#include "gcompile/ir/kernel.h"
#include "gcompile/ir/op.h"
#include "gcompile/ir/parse.h"
#include "gcompile/ir/print.h"

namespace gcompile::ir {
namespace {

using Ints = std::vector<std::int64_t>;
using Dims = std::vector<Dim>;

const Dim N("N");

void expect_round_trip(const Graph& g) {
  const std::string text = print(g);
  Graph again;
  ASSERT_NO_THROW(again = parse_graph(text)) << text;
  EXPECT_EQ(print(again), text);
  const PrintOptions bare{.locations = false};
  EXPECT_EQ(print(parse_graph(print(g, bare))), print(g, bare));
  // Attributes come back with their types: the graphs are equal, not only their texts.
  const auto a = g.topological(), b = again.topological();
  ASSERT_EQ(a.size(), b.size());
  std::vector<const Node*> x, y;
  const auto is_plain = [](const Node* n) { return n->op->name != "input" && n->op->name != "state"; };
  std::copy_if(a.begin(), a.end(), std::back_inserter(x), is_plain);
  std::copy_if(b.begin(), b.end(), std::back_inserter(y), is_plain);
  ASSERT_EQ(x.size(), y.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    EXPECT_EQ(x[i]->op, y[i]->op);
    EXPECT_EQ(x[i]->attrs, y[i]->attrs) << text;
    EXPECT_EQ(x[i]->types, y[i]->types);
  }
}

// y = sigmoid(x w^T) and an update of w, with locations.
Graph linear() {
  Graph g;
  Builder b(g);
  g.bounds["N"] = {1, 1048576};
  b.where = {{"/home/somebody/model.cpp", 3}};
  const Value x = b.input("x", {DType::kF32, {N, 8}});
  b.where = {{"model.cpp", 9}};
  const Value w = b.state("linear1.weight", {DType::kF32, {6, 8}}, nullptr);
  b.state("scale", {DType::kF32, {}}, nullptr, false);
  b.where = {{"src/model.cpp", 14}, {"train.cpp", 5}};
  const V y = dot({&b, x}, {&b, w}, {1}, {1});
  b.where = {};
  const V s = unary("sigmoid", y);
  const V two = {&b, splat(b, w.type(), 0.1)};
  g.results = {{s.v, "y"}, {y.v, ""}};
  g.updates = {{0, (V{&b, w} - two).v}};
  return g;
}

TEST(GraphText, PrintsWhatIsDocumented) {
  EXPECT_EQ(print(linear()), R"(graph @main(%x: f32[N,8] loc("model.cpp":3)) {
  dim N in 1 .. 1048576
  state @linear1.weight: f32[6,8] loc("model.cpp":9)
  state @scale: f32[] frozen loc("model.cpp":9)
  %0 = dot(%x, @linear1.weight) {lhs_contract = [1], rhs_contract = [1]} : f32[N,6] loc("model.cpp":14, "train.cpp":5)
  %1 = sigmoid(%0) : f32[N,6]
  %2 = constant f32[] 0.1
  %3 = broadcast(%2) {dims = (6, 8)} : f32[6,8]
  %4 = sub(@linear1.weight, %3) : f32[6,8]
  return %1 as "y", %0
  update @linear1.weight = %4
}
)");
  expect_round_trip(linear());
}

TEST(GraphText, LocationsMayBeLeftOut) {
  EXPECT_EQ(print(linear(), {.locations = false}).find("loc("), std::string::npos);
}

TEST(GraphText, NodesWithoutLocationGetThatOfTheText) {
  const Graph g = parse_graph("graph @g(%x: f32[]) {\n  %0 = neg(%x) : f32[]\n  %1 = neg(%0) : f32[] loc(\"m.cpp\":7)\n"
                              "  return %1\n}",
                              "some/where.gir");
  const auto nodes = g.topological();
  ASSERT_EQ(nodes.size(), 3u);
  EXPECT_EQ(g.where(nodes[0]), (std::vector<Location>{{"some/where.gir", 1}}));
  EXPECT_EQ(g.where(nodes[1]), (std::vector<Location>{{"some/where.gir", 2}}));
  EXPECT_EQ(g.where(nodes[2]), (std::vector<Location>{{"m.cpp", 7}}));
}

TEST(GraphText, HandWrittenTextMayNameValuesAndHoldComments) {
  const Graph g = parse_graph(R"(// RUN: gcompile %s
# a comment of the other kind
graph @g(%x: f32[N], %"a b": f32[N]) {  // and at the end
  %sum = add(%x, %"a b") : f32[N]
  %twice = add(%sum, %sum) : f32[N]
  return %twice
})");
  EXPECT_EQ(print(g), "graph @g(%x: f32[N], %\"a b\": f32[N]) {\n  %0 = add(%x, %\"a b\") : f32[N]\n"
                      "  %1 = add(%0, %0) : f32[N]\n  return %1\n}\n");
}

TEST(GraphText, LocationsAreStable) {
  Graph g;
  Builder b(g);
  b.where = {{"a/m.cpp", 3}, {"b/m.cpp", 3}, {"odd/", 4}, {"no_line.cpp", 0}, {"", 7}, {"q\"\n.cpp", 1}};
  g.results = {{b.input("x", {DType::kF32, {}}), ""}};
  EXPECT_EQ(print(g), "graph @main(%x: f32[] loc(\"m.cpp\":3, \"odd/\":4, \"no_line.cpp\", \"q\\\"\\n.cpp\":1)) {\n"
                      "  return %x\n}\n");
  expect_round_trip(g);
}

TEST(GraphText, LargeCoefficientsComeBack) {
  Graph g;
  Builder b(g);
  b.input("x", {DType::kF32, {N}});
  g.results = {{dim_value(b, DType::kF64, Dim(std::numeric_limits<std::int64_t>::max()) * N), ""}};
  expect_round_trip(g);
}

TEST(GraphText, NumbersSurviveToTheBit) {
  Graph g;
  Builder b(g);
  using F = std::numeric_limits<float>;
  using D = std::numeric_limits<double>;
  std::vector<float> f = {0.1f,
                          -0.0f,
                          1e10f,
                          F::max(),
                          F::min(),
                          F::denorm_min(),
                          F::infinity(),
                          -F::infinity(),
                          F::quiet_NaN(),
                          std::bit_cast<float>(0xffc00000u),
                          std::bit_cast<float>(0x7fc00123u),
                          16777217.0f};
  std::uint32_t bits = 12345;
  for (int i = 0; i < 2000; ++i) {
    bits = bits * 1664525u + 1013904223u;
    const auto x = std::bit_cast<float>(bits);
    if (x == x) f.push_back(x);
  }
  const std::vector<double> d = {0.1,    -0.0, D::max(), D::min(), D::denorm_min(), -D::infinity(), D::quiet_NaN(),
                                 1.0 / 3};
  const Value vf = b.constant(Array(f)), vd = b.constant(Array(d)),
              vi = b.constant(Array{std::int32_t{-2147483647 - 1}, std::int32_t{2147483647}}),
              vb = b.constant(Array{true, false});
  g.results = {{vf, ""}, {vd, ""}, {vi, ""}, {vb, ""}};
  expect_round_trip(g);  // which compares attributes by bits
}

TEST(GraphText, ArraysOfAllShapes) {
  Graph g;
  Builder b(g);
  const Array arrays[] = {Array{{1.0f, 2.0f}, {3.0f, 4.0f}},
                          Array::full(DType::kF32, {10, 10}, 0.5),
                          Array(DType::kF64, {0}),
                          Array(DType::kI32, {5, 0, 3}),
                          Array(DType::kBool, {3, 0}),
                          Array::full(DType::kI32, {2, 1, 2}, -7),
                          Array(2.5),
                          Array{std::numeric_limits<std::int64_t>::min(), std::int64_t{9007199254740993},
                                std::numeric_limits<std::int64_t>::max()},
                          Array(std::uint32_t{4294967295u}),
                          Array::full(DType::kU8, {6}, 255)};
  for (const Array& a : arrays) g.results.push_back({b.constant(a), ""});
  const std::string text = print(g);
  EXPECT_NE(text.find("%0 = constant f32[2,2] [[1, 2], [3, 4]]\n"), std::string::npos) << text;
  EXPECT_NE(text.find("%1 = constant f32[10,10] splat 0.5\n"), std::string::npos) << text;
  EXPECT_NE(text.find("%5 = constant i32[2,1,2] [[[-7, -7]], [[-7, -7]]]\n"), std::string::npos) << text;
  EXPECT_NE(text.find("%7 = constant i64[3] [-9223372036854775808, 9007199254740993, 9223372036854775807]\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("%8 = constant u32[] 4294967295\n"), std::string::npos) << text;
  EXPECT_NE(text.find("%9 = constant u8[6] splat 255\n"), std::string::npos) << text;
  expect_round_trip(g);
}

// One node of every op that is not elementwise; the elementwise ones are made from the table.
std::map<std::string, std::function<Value(Builder&)>> samples() {
  const auto f = [](Builder& b, const Dims& dims) { return b.input("a", {DType::kF32, dims}); };
  std::map<std::string, std::function<Value(Builder&)>> s;
  s["input"] = [=](Builder& b) { return f(b, {N}); };
  s["state"] = [](Builder& b) { return b.state("s", {DType::kI32, {3}}, nullptr); };
  s["constant"] = [](Builder& b) { return b.constant(Array{1.0, 2.0}); };
  s["iota"] = [=](Builder& b) {
    f(b, {N});
    return b.make("iota", {}, {{"dtype", DType::kI32}, {"dims", Dims{N, 3}}, {"axis", std::int64_t{1}}});
  };
  s["dim"] = [=](Builder& b) {
    f(b, {N});
    return dim_value(b, DType::kF32, Dim(2) * N * N + ceildiv(N, 16) - Dim(3));
  };
  s["cast"] = [=](Builder& b) { return cast({&b, f(b, {N})}, DType::kI32).v; };
  s["reshape"] = [=](Builder& b) { return reshape({&b, f(b, {N, 4, 8})}, {N, 32}).v; };
  s["transpose"] = [=](Builder& b) { return transpose({&b, f(b, {N, 4, 8})}, {2, 0, 1}).v; };
  s["broadcast"] = [=](Builder& b) { return broadcast({&b, f(b, {4})}, {2, 4, 3}, {1}).v; };
  s["slice"] = [=](Builder& b) {
    return b.make("slice", {f(b, {N, 8})}, {{"starts", Ints{0, 1}}, {"stops", Dims{N, 7}}, {"steps", Ints{1, 2}}});
  };
  s["reverse"] = [=](Builder& b) { return b.make("reverse", {f(b, {N, 8})}, {{"axes", Ints{1}}}); };
  s["concat"] = [=](Builder& b) { return b.make("concat", {f(b, {N, 2}), f(b, {N, 3})}, {{"axis", std::int64_t{1}}}); };
  s["pad"] = [=](Builder& b) {
    return b.make("pad", {f(b, {N, 2}), b.scalar(DType::kF32, 0)}, {{"low", Ints{0, 1}}, {"high", Ints{2, 0}}});
  };
  for (const char* op : {"reduce_sum", "reduce_max", "reduce_min", "reduce_prod"})
    s[op] = [=](Builder& b) { return reduce(op, {&b, f(b, {N, 4})}, {0}).v; };
  for (const char* op : {"argmax", "argmin"})
    s[op] = [=](Builder& b) { return b.make(op, {f(b, {N, 4})}, {{"axis", std::int64_t{1}}}); };
  s["dot"] = [=](Builder& b) { return dot({&b, f(b, {5, N, 4})}, {&b, f(b, {5, 4, 3})}, {2}, {1}, {0}, {0}).v; };
  s["gather"] = [=](Builder& b) {
    return b.make("gather", {f(b, {7, 4}), b.input("i", {DType::kI32, {N}})}, {{"axis", std::int64_t{0}}});
  };
  s["scatter_add"] = [=](Builder& b) {
    return b.make("scatter_add", {f(b, {N, 4}), b.input("i", {DType::kI32, {N}})},
                  {{"axis", std::int64_t{0}}, {"dims", std::vector<Dim>{7, 4}}});
  };
  s["rng_bits"] = [=](Builder& b) {
    const Type key{DType::kU32, {N, 2}};
    return b.make("rng_bits", {b.input("key", key), b.input("first", key)},
                  {{"dims", Dims{N, 3}}, {"word", std::int64_t{1}}});
  };
  s["fusion"] = [=](Builder& b) {
    auto body = std::make_shared<Graph>("body");
    Builder inner(*body);
    inner.where = {{"model.cpp", 4}};
    const V x{&inner, inner.input("t", {DType::kF32, {N, 4}})};
    const V y = x * x;
    body->results = {{y.v, ""}, {reduce("reduce_sum", y, {0, 1}).v, ""}};
    return b.make("fusion", {f(b, {N, 4})},
                  {{"kind", std::string("nest")}, {"anchor", Ints{0}}, {"reason", std::string("a \"reason\"\n2")}},
                  body);
  };
  return s;
}

Value elementwise(Builder& b, const OpDef& op) {
  const DType dtype = op.dtypes.empty() ? DType::kF32 : op.dtypes[0];
  std::vector<Value> operands;
  for (int k = 0; k < op.arity; ++k)
    operands.push_back(b.input("a", {op.name == "select" && k == 0 ? DType::kBool : dtype, {N, 2}}));
  return b.make(op, operands);
}

TEST(GraphText, EveryOpComesBack) {
  const auto made = samples();
  for (const OpDef& op : all_ops()) {
    SCOPED_TRACE(std::string(op.name));
    if (op.is(kKernelOnly)) continue;
    Graph g;
    Builder b(g);
    b.where = {{"model.cpp", 14}};
    const auto sample = made.find(std::string(op.name));
    ASSERT_TRUE(sample != made.end() || op.is(kElementwise)) << "samples() has no entry for it";
    const Value v = sample != made.end() ? sample->second(b) : elementwise(b, op);
    ASSERT_EQ(v.node->op, &op);
    for (std::size_t i = 0; i < v.node->types.size(); ++i) g.results.push_back({{v.node, static_cast<int>(i)}, ""});
    ASSERT_NO_THROW(verify(g));
    expect_round_trip(g);
    EXPECT_NE(print_dot(g).find("model.cpp"), std::string::npos);
  }
}

TEST(GraphText, DeepGraphsNeedNoDeepStack) {
  Graph g;
  Builder b(g);
  V x{&b, b.input("x", {DType::kF32, {}})};
  for (int i = 0; i < 50000; ++i) x = -x;
  g.results = {{x.v, ""}};
  const std::string text = print(g);
  EXPECT_EQ(print(parse_graph(text)), text);
  EXPECT_NO_THROW(verify(g));
}

// The fuzzer mutates these: it would find little if they were refused at the start.
TEST(Texts, CorpusAndExamplesAreAccepted) {
  int graphs = 0, modules = 0;
  for (const char* folder : {"/tests/fuzz/corpus", "/examples/gir"})
    for (const auto& entry : std::filesystem::directory_iterator(std::string(GCOMPILE_TEST_SOURCE_DIR) + folder)) {
      SCOPED_TRACE(entry.path());
      std::ifstream in(entry.path(), std::ios::binary);
      const std::string text{std::istreambuf_iterator<char>(in), {}};
      if (entry.path().extension() == ".gir") {
        ++graphs;
        std::string once;
        ASSERT_NO_THROW(once = print(parse_graph(text)));
        EXPECT_EQ(print(parse_graph(once)), once);
      } else if (entry.path().extension() == ".kir") {
        ++modules;
        std::string once;
        ASSERT_NO_THROW(once = print(parse_kernel_module(text)));
        EXPECT_EQ(print(parse_kernel_module(once)), once);
      }
    }
  EXPECT_GE(graphs, 3);
  EXPECT_GE(modules, 1);
}

// --- verify ---------------------------------------------------------------------------------------------------------

std::string refusal(const Graph& g) {
  try {
    verify(g);
  } catch (const InternalError& e) {
    return e.what();
  }
  return "";
}

TEST(GraphVerify, AcceptsWhatBuilderMakes) { EXPECT_EQ(refusal(linear()), ""); }

TEST(GraphVerify, WrongTypeNamesBothAndPrintsTheGraph) {
  Graph g;
  Builder b(g);
  b.where = {{"m.cpp", 3}};
  const Value x = b.input("x", {DType::kF32, {4}});
  Node bad = *unary("neg", V{&b, x}).v.node;
  bad.types = {{DType::kF32, {5}}};
  const Node* n = g.arena->add(bad);
  g.add_locations(n, b.where);
  g.results = {{{n, 0}, ""}};
  EXPECT_EQ(refusal(g),
            "m.cpp:3: the graph does not verify: the type of neg is f32[5], inferred again it is f32[4]\n" + print(g));
}

TEST(GraphVerify, FindsBrokenStructure) {
  const auto message = [](const std::function<void(Graph&, Builder&, Value)>& f) {
    Graph g;
    Builder b(g);
    const Value x = b.input("x", {DType::kF32, {4}});
    b.state("w", {DType::kF32, {4}}, nullptr);
    g.results = {{x, ""}};
    f(g, b, x);
    const std::string all = refusal(g);
    const std::string head = "the graph does not verify: ";
    return all.substr(0, head.size()) == head ? all.substr(head.size(), all.find('\n') - head.size()) : all;
  };
  EXPECT_EQ(message([](Graph&, Builder&, Value) {}), "");
  EXPECT_EQ(message([](Graph& g, Builder&, Value) { g.results.push_back({}); }), "a result is empty");
  EXPECT_EQ(message([](Graph& g, Builder&, Value x) {
              g.results.push_back({{x.node, 1}, ""});
            }),
            "a result is result 1 of input, which has 1");
  EXPECT_EQ(message([](Graph& g, Builder&, Value x) { g.updates = {{1, x}}; }), "an update is of state 1 of 1");
  EXPECT_EQ(message([](Graph& g, Builder&, Value x) { g.updates = {{0, x}, {0, x}}; }), "state 'w' is updated twice");
  EXPECT_EQ(message([](Graph& g, Builder& b, Value) {
              g.updates = {{0, b.scalar(DType::kF32, 1)}};
            }),
            "state 'w' is f32[4], its update is f32[]");
  EXPECT_EQ(message([](Graph& g, Builder&, Value) { g.inputs.clear(); }), "input is not declared in the graph");
  EXPECT_EQ(message([](Graph& g, Builder&, Value x) { g.inputs.push_back({x, "y"}); }), "input 'y' is declared twice");
  EXPECT_EQ(message([](Graph& g, Builder&, Value) { g.bounds["N"] = {5, 4}; }), "the bounds of N are 5 .. 4");
  EXPECT_EQ(message([](Graph& g, Builder&, Value) { g.bounds["a b"] = {}; }), "'a b' cannot be the name of a symbol");
  EXPECT_EQ(message([](Graph& g, Builder& b, Value) {
              g.results = {{dim_value(b, DType::kF32, N), ""}};
            }),
            "the symbol N in dim is in no type of an input or a state");
  EXPECT_EQ(message([](Graph& g, Builder& b, Value x) {
              Node n = *unary("neg", V{&b, x}).v.node;
              const Node* later = unary("neg", V{&b, x}).v.node;
              const Node* added = g.arena->add(n);
              const_cast<Node*>(added)->operands = {{added, 0}};
              g.results = {{{added, 0}, ""}};
              (void)later;
            }),
            "an operand of neg is made after it");
}

TEST(GraphVerify, LooksIntoBodies) {
  Graph g;
  Builder b(g);
  auto body = std::make_shared<Graph>("body");
  Builder inner(*body);
  body->results = {{inner.input("t", {DType::kF32, {4}}), ""}};
  const Value f = b.make("fusion", {b.input("x", {DType::kF32, {4}})},
                         {{"kind", std::string("loops")}, {"anchor", Ints{-1}}}, body);
  g.results = {{f, ""}};
  EXPECT_EQ(refusal(g), "");
  body->results[0].value.index = 3;
  EXPECT_NE(refusal(g).find("in the body of fusion: a result is result 3 of input"), std::string::npos) << refusal(g);
}

TEST(Dot, EscapesLabels) {
  Graph g("a \"b\"");
  Builder b(g);
  g.results = {{b.input("x\"y\\", {DType::kF32, {N, 2}}), "out"}};
  b.state("w", {DType::kF32, {}}, nullptr);
  g.updates = {{0, b.scalar(DType::kF32, 1)}};
  const std::string text = print_dot(g);
  EXPECT_NE(text.find("digraph \"a \\\"b\\\"\""), std::string::npos) << text;
  EXPECT_NE(text.find("%x\\\"y\\\\\\lf32[N,2]\\l"), std::string::npos) << text;
  EXPECT_NE(text.find("update @w"), std::string::npos) << text;
}

}  // namespace
}  // namespace gcompile::ir
