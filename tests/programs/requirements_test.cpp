// What a function needs of symbolic extents is refused at the call, before anything is read or changed, with the line
// that needs it and what the symbols are.
#include <gtest/gtest.h>

#include "gcompile/gcompile.h"
#include "gcompile/ir/interpreter.h"
#include "gcompile/ir/kernel.h"
#include "gcompile/ir/parse.h"
#include "gcompile/ir/print.h"
#include "gcompile/passes/specialize.h"

namespace gcompile {
namespace {

const Dim kN{"N"}, kM{"M"};

template <class F>
void expect_refused(const F& f, const std::string& text) {
  try {
    f();
    FAIL() << "expected: " << text;
  } catch (const CallError& e) {
    EXPECT_NE(std::string(e.what()).find(text), std::string::npos) << e.what();
    EXPECT_TRUE(std::string(e.what()).starts_with("requirements_test.cpp:")) << e.what();
  }
}

Array vector(std::int64_t n, float first = 0) {
  Array a(DType::kF32, {n});
  for (std::int64_t i = 0; i < n; ++i) a.set(i, static_cast<double>(first) + static_cast<double>(i));
  return a;
}

TEST(Requirements, ASliceStaysInsideOfItsAxis) {
  auto first = compile([](Tensor x) { return x.slice(0, 0, 5); }, {f32(kN)});
  EXPECT_EQ(first(vector(5)).at(4), 4);
  EXPECT_EQ(first(vector(9)).size(), 5);
  expect_refused([&] { first(vector(3)); },
                 "slice: elements 0 to 5 of axis 0, which has N; N is 3 from argument x0 (requirements_test.cpp:");
  expect_refused([&] { first(vector(0)); }, "N - 5 must be at least 0, not -5");
  auto rest = compile([](Tensor x) { return sum(x.slice(0, 2)); }, {f32(kN)});
  EXPECT_EQ(rest(vector(2)).item(), 0);
  expect_refused([&] { rest(vector(1)); }, "slice: elements 2 to N of axis 0");
  auto parts = compile([](Tensor x) { return split(x, {Dim(2), kN - Dim(2)})[1]; }, {f32(kN)});
  EXPECT_EQ(parts(vector(3)).at(0), 2);
  expect_refused([&] { parts(vector(1)); }, "N is 1");
}

TEST(Requirements, NothingIsChangedByACallThatIsRefused) {
  State s{"s", Array{1.0f, 2.0f}};
  auto f = compile(
      [&](Tensor x) {
        s.set(x.slice(0, 0, 2));
        return sum(x);
      },
      {f32(kN)});
  expect_refused([&] { f(vector(1)); }, "slice: elements 0 to 2");
  EXPECT_TRUE(same_bits(s.value(), Array{1.0f, 2.0f}));
  f(vector(2, 7));
  EXPECT_TRUE(same_bits(s.value(), Array{7.0f, 8.0f}));
}

struct FirstFour : nn::Module {
  nn::Linear l{this, "l", 3, 2};
  Tensor forward(Tensor x) const { return l(x.slice(0, 0, 4)); }
};

TEST(Requirements, AlsoWhereTheBatchIsSymbolicByItself) {
  FirstFour model;
  EXPECT_EQ(predict(model, Array(DType::kF32, {6, 3})).shape(), Shape({4, 2}));
  expect_refused([&] { predict(model, Array(DType::kF32, {2, 3})); }, "slice: elements 0 to 4 of axis 0");
  expect_refused([&] { predict(model, Array(DType::kF32, {1, 3})); }, "slice: elements 0 to 4 of axis 0");
}

TEST(Requirements, IndicesNeedAnElement) {
  auto taken = compile([](Tensor x, Tensor i) { return take(x, i); }, {f32(kN), i32(kM)});
  EXPECT_EQ(taken(vector(0), Array(DType::kI32, {0})).size(), 0);
  EXPECT_EQ(taken(vector(1), Array(DType::kI32, {3})).size(), 3);
  expect_refused([&] { taken(vector(0), Array(DType::kI32, {2})); }, "axis 0 of f32[N] must have elements");
  auto added = compile([](Tensor x, Tensor i, Tensor u) { return scatter_add(x, i, u); }, {f32(kN), i32(kM), f32(kM)});
  expect_refused([&] { added(vector(0), Array(DType::kI32, {100}), vector(100)); }, "must have elements");
  auto gradient = compile([](Tensor x, Tensor i) { return grad(sum(take(x, i)), x); }, {f32(kN, 3), i32(kM)});
  expect_refused([&] { gradient(Array(DType::kF32, {0, 3}), Array(DType::kI32, {5000})); }, "must have elements");
}

TEST(Requirements, NoExtentIsNegative) {
  auto fewer = compile([](Tensor x) { return sum(x) + sum(ones({kN - Dim(2)})); }, {f32(kN)});
  EXPECT_EQ(fewer(vector(2)).item(), 1);
  expect_refused([&] { fewer(vector(1)); }, "it makes f32[N - 2]; N is 1");
  auto difference =
      compile([](Tensor x, Tensor y) { return sum(x) + sum(y) + sum(ones({kN - kM})); }, {f32(kN), f32(kM)});
  EXPECT_EQ(difference(vector(2), vector(1)).item(), 2);
  expect_refused([&] { difference(vector(1), vector(3)); }, "M is 3 from argument x1");
  auto window = compile([](Tensor x, Tensor w) { return conv1d(x, w); }, {f32(1, 1, kN), f32(1, 1, kM)});
  EXPECT_EQ(window(Array(DType::kF32, {1, 1, 3}), Array(DType::kF32, {1, 1, 3})).size(), 1);
  expect_refused([&] { window(Array(DType::kF32, {1, 1, 2}), Array(DType::kF32, {1, 1, 3})); }, "a window of M");
  auto largest = compile([](Tensor x, Tensor y) { return top_k(concat({x, y}), 3).values; }, {f32(kN), f32(kM)});
  EXPECT_EQ(largest(vector(2), vector(1)).size(), 3);
  auto counted = compile([](Tensor x) { return sum(x) + sum(cast(arange(kN, DType::kU8), DType::kF32)); }, {f32(kN)});
  EXPECT_EQ(counted(vector(256)).item(), 2 * 255 * 128);
  expect_refused([&] { counted(vector(257)); }, "iota: it counts to N - 1, and u8 holds integers up to 255");
  expect_refused([&] { largest(vector(1), vector(1)); }, "the first 3 of axis 0 of f32[M + N]");
}

// By what the axis has, not by each symbol of it.
TEST(Requirements, MaximaAndMeansNeedElements) {
  auto rest = compile([](Tensor x) { return max(x.slice(0, 1)); }, {f32(kN)});
  EXPECT_EQ(rest(vector(2)).item(), 1);
  expect_refused([&] { rest(vector(1)); }, "max: axis 0 of f32[N - 1] must have elements; N is 1");
  auto both = compile(
      [](Tensor x, Tensor y) {
        return outputs(max(concat({x, y})), mean(concat({x, y})));
      },
      {f32(kN), f32(kM)});
  EXPECT_EQ(both(vector(2), vector(0))[0].item(), 1);
  expect_refused([&] { both(vector(0), vector(0)); }, "must have elements");
  auto place = compile([](Tensor x) { return argmax(x.slice(0, 1), 0); }, {f32(kN)});
  expect_refused([&] { place(vector(1)); }, "argmax: axis 0 of f32[N - 1] must have elements");
}

TEST(Requirements, TheInterpreterRefusesTheSame) {
  const ir::Graph g =
      ir::parse_graph("graph @main(%x: f32[N]) {\n"
                      "  %0 = slice(%x) {starts = [0], steps = [1], stops = (5)} : f32[5] loc(\"a.gir\":3)\n"
                      "  return %0\n"
                      "}\n");
  EXPECT_THROW(ir::interpret(g, {vector(3)}), CallError);
  EXPECT_EQ(ir::interpret(g, {vector(5)}).results[0].size(), 5);
}

// Through the text of graphs and of kernels, and for extents that are known when it is compiled.
TEST(Requirements, TextsKeepThem) {
  auto f = compile([](Tensor x, Tensor y) { return x.slice(0, 0, 5) + sum(y.slice(0, 2)); }, {f32(kN), f32(kM)});
  for (const char* stage : {"graph", "kernel"}) {
    const std::string text = f.compiled().dump(stage);
    EXPECT_NE(text.find("  require N - 5 at least 0 \"slice: elements 0 to 5 of axis 0, which has N\" loc("),
              std::string::npos)
        << text;
    const std::string again =
        stage == std::string("graph") ? ir::print(ir::parse_graph(text)) : ir::print(ir::parse_kernel_module(text));
    EXPECT_EQ(again, text);
  }
  const ir::Graph g = ir::parse_graph(f.compiled().dump("graph"));
  EXPECT_EQ(passes::specialize(g, {{"N", 5}}).requirements.size(), 1U);
  EXPECT_THROW(passes::specialize(g, {{"N", 4}}), CallError);
}

}  // namespace
}  // namespace gcompile
