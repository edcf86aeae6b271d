// What transforms, extents and settings refuse: with the user's line, and in the user's words.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "gcompile/gcompile.h"
#include "gcompile/ir/bind_symbols.h"
#include "temp_dir.h"

namespace gcompile {
namespace {

using testing::message_of;

// The text of the error, which begins with this line.
template <class E = ModelError, class F>
std::string refused(const F& f, Where where = Where::current()) {
  const std::string text = message_of<E>(f), line = Location::from(where).str() + ": ";
  return text.rfind(line, 0) == 0 ? text.substr(line.size()) : "not at " + line + text;
}

template <class F>
void trace(F f) {
  jit(std::move(f), {.cache = "off"})(1.0f);
}

void expect_in(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << text;
}

TEST(TransformErrors, ParametersOfAGradient) {
  const auto square = [](Tensor v) { return v * v; };
  const auto two = [](Tensor v, Tensor g) { return 2 * v * g; };
  const auto four = [](Tensor v, Tensor, Tensor g, Tensor) { return 2 * v * g; };
  const std::string wanted = "it is given 3 (the arguments, the results, the cotangents of the results)";
  EXPECT_EQ(refused([&] { trace([&](Tensor x) { return custom_vjp(square, two)(x); }); }),
            "custom_vjp: the gradient takes 2 arguments, " + wanted);
  EXPECT_EQ(refused([&] { trace([&](Tensor x) { return custom_vjp(square, four)(x); }); }),
            "custom_vjp: the gradient takes 4 arguments, " + wanted);
}

TEST(TransformErrors, ParametersOfALoop) {
  const auto goes_on = [](Tensor v) { return v < 3; };
  const auto next = [](Tensor v) { return v + 1; };
  const auto next2 = [](Tensor v, Tensor w) { return outputs(v + 1, w); };
  EXPECT_EQ(refused([&] { trace([&](Tensor x) {
                            return while_loop(goes_on, next2, {x, x})[0];
                          }); }),
            "while_loop: the condition takes 1 argument, it is given 2 (the carries)");
  EXPECT_EQ(refused([&] { trace([&](Tensor x) { return while_loop(goes_on, next2, x); }); }),
            "while_loop: the body takes 2 arguments, it is given 1 (the carries)");
  EXPECT_EQ(refused([&] { trace([&](Tensor x) { return for_loop(3, next, x); }); }),
            "for_loop: the function takes 1 argument, it is given 2 (the number of the step, then the value)");
  EXPECT_EQ(refused([&] {
              trace([&](Tensor x) {
                return for_loop(
                    -1, [](Tensor, Tensor v) { return v; }, x);
              });
            }),
            "for_loop: the number of steps is -1");
}

TEST(TransformErrors, ArgumentsThatAFunctionHasNot) {
  const auto product = [](Tensor a, Tensor b) { return a * b; };
  EXPECT_EQ(refused([&] { grad(product, 2); }),
            "grad: there is no argument 2: the function takes 2, with the numbers 0 to 1");
  EXPECT_EQ(refused([&] { value_and_grad(product, -1); }),
            "grad: there is no argument -1: the function takes 2, with the numbers 0 to 1");
  EXPECT_EQ(refused([&] { grad([](Tensor a) { return a; }, 1); }),
            "grad: there is no argument 1: the function takes one, which is number 0");
  expect_in(refused([&] { grad([] { return ones({}); }); }), "grad: the function takes no arguments");
  expect_in(refused([&] { trace([](Tensor x) { return grad(x * 2, cast(x, DType::kI32)); }); }),
            "grad: a derivative is by floats, not by i32[]");
}

TEST(TransformErrors, ExtentsThatNoArgumentSays) {
  const Dim m("M"), n("N");
  const auto no_argument = [](const std::string& of) {
    return "the extent M of " + of + " is that of no argument, so a call does not say what it is; ";
  };
  const auto compiled = [&](auto f) { compile(f, {f32(n, 3)}, {.cache = "off"}); };
  const std::string said = "the arguments of this function say N";
  EXPECT_EQ(refused([&] { compiled([&](Tensor) { return zeros({m}); }); }), no_argument("f32[M]") + said);
  EXPECT_EQ(refused([&] { compiled([&](Tensor) { return arange(m); }); }), no_argument("i32[M]") + said);
  EXPECT_EQ(refused([&] { compiled([&](Tensor x) { return x.slice(0, 0, m); }); }), no_argument("f32[M,3]") + said);
  EXPECT_EQ(refused([&] { compiled([&](Tensor x) {
                            return broadcast_to(x, {m, n, 3});
                          }); }),
            no_argument("f32[M,N,3]") + said);
  EXPECT_EQ(refused([&] { compiled([&](Tensor) { return random::normal(random::key(0), {m}); }); }).substr(0, 12),
            "the extent M");
  EXPECT_EQ(refused([&] {
              compiled([&](Tensor x) {
                return for_loop(
                    m, [](Tensor, Tensor v) { return v + 1; }, x);
              });
            }),
            no_argument("i32[M]") + said);
  // In a body, where alone it is.
  EXPECT_EQ(refused([&] {
              compiled([&](Tensor x) {
                return for_loop(
                    2, [&](Tensor, Tensor v) { return v + zeros({m}).sum(); }, x);
              });
            }).substr(0, 12),
            "the extent M");
  EXPECT_EQ(refused([&] { trace([&](Tensor) { return zeros({m}); }); }),
            no_argument("f32[M]") + "no argument of this function has a symbolic extent");
}

TEST(TransformErrors, ExtentsThatDoNotSayTheirSymbols) {
  const Dim n("N"), m("M");
  const auto same = [](Tensor x) { return x + 1; };
  EXPECT_EQ(refused([&] { compile(same, {f32(n * n)}, {.cache = "off"}); }),
            "argument x0 is f32[N*N], and nothing says what N is: an extent of an argument must be N, or a multiple of "
            "it plus what others say");
  EXPECT_EQ(refused([&] { compile(same, {f32(n + m)}, {.cache = "off"}); }).substr(0, 11), "argument x0");
}

TEST(BindSymbols, FromMultiples) {
  const Dim n("N"), m("M");
  auto f = compile([](Tensor x) { return x + 1; }, {f32(2 * n)}, {.cache = "off"});
  EXPECT_EQ(f(Array{1.0f, 2.0f, 3.0f, 4.0f}).at(3), 5);
  EXPECT_EQ(f(Array(DType::kF32, {6})).shape().str(), "[6]");
  expect_in(message_of<CallError>([&] { f(Array(DType::kF32, {5})); }),
            "argument 1 (x0) is f32[5], expected f32[2*N]: axis 0 has 5 elements, expected 4");
  EXPECT_EQ(f(Array(DType::kF32, {8})).shape().str(), "[8]");
  // One after the other: N from the second argument, M from the first.
  auto g = compile(
      [&](Tensor x, Tensor y) {
        return concat({x, y, zeros({m})});
      },
      {f32(n + 3 * m + 1), f32(n)}, {.cache = "off"});
  EXPECT_EQ(g(Array(DType::kF32, {9}), Array(DType::kF32, {2})).shape().str(), "[13]");
  expect_in(message_of<CallError>([&] { g(Array(DType::kF32, {8}), Array(DType::kF32, {2})); }), "expected 6");
  expect_in(message_of<CallError>([&] { g(Array(DType::kF32, {1}), Array(DType::kF32, {3})); }), "M is -1");
}

TEST(BindSymbols, ValuesAreTheExtents) {
  const Dim n("N"), m("M"), k("K");
  const std::vector<Type> types{{DType::kF32, {n * m, 7 - 2 * k}}, {DType::kF32, {3 * n - m, m}}};
  std::vector<std::string> order;
  for (const ir::SymbolSource& s : ir::symbol_sources(types)) order.push_back(s.symbol);
  EXPECT_EQ(order, (std::vector<std::string>{"M", "K", "N"}));
  std::map<std::string, std::int64_t> known;
  ir::bind_symbols(types, std::vector<Shape>{{10, 3}, {1, 5}}, known);
  EXPECT_EQ(known, (std::map<std::string, std::int64_t>{{"K", 2}, {"M", 5}, {"N", 2}}));
  // N*M is no source even where M is known: it may be 0.
  EXPECT_EQ(ir::symbol_sources(std::vector<Type>{{DType::kF32, {n * m, m}}}).size(), 1u);
}

TEST(Dims, OfEveryInteger) {
  const std::vector<float> v(5);
  EXPECT_EQ(Dim(v.size()), Dim(5));
  EXPECT_EQ(Dim(7u) + 1ll, Dim(8));
  EXPECT_EQ((std::vector<Dim>{std::uint8_t{3}, short{-2}, 4l}), (std::vector<Dim>{3, -2, 4}));
  static_assert(!std::is_convertible_v<bool, Dim> && !std::is_convertible_v<double, Dim>);
  auto f = jit([&](Tensor) { return zeros({v.size()}); }, {.cache = "off"});
  EXPECT_EQ(f(1.0f).shape().str(), "[5]");
  EXPECT_EQ(refused([] { const Dim d = std::numeric_limits<std::uint64_t>::max(); }),
            "the extent 18446744073709551615 does not fit in 63 bits");
  EXPECT_EQ(refused([] { floordiv(Dim("N"), 0); }), "floordiv(N, 0): the second number must be positive");
  EXPECT_EQ(refused([] { mod(Dim("N"), -1); }), "mod(N, -1): the second number must be positive");
}

TEST(TransformErrors, SettingsOfOptimizers) {
  const struct Net : nn::Module {
    nn::Linear fc{this, "fc", 2, 1};
    Tensor forward(Tensor x) const { return fc(x); }
  } model;
  const auto step = [&](const auto& optimizer, Where where = Where::current()) {
    return refused([&] { TrainStep(model, nn::MSELoss{}, optimizer, {}, where); }, where);
  };
  const double nan = std::nan("");
  EXPECT_EQ(step(optim::SGD{.nesterov = true}), "SGD: nesterov needs a momentum");
  EXPECT_EQ(step(optim::SGD{.lr = nan}), "SGD: lr is nan, it must be a finite number that is not negative");
  EXPECT_EQ(step(optim::SGD{.lr = -1}), "SGD: lr is -1.000000, it must be a finite number that is not negative");
  EXPECT_EQ(step(optim::Adam{.beta1 = 1}), "Adam: beta1 is 1.000000, it must be in [0, 1)");
  EXPECT_EQ(step(optim::Adam{.beta2 = -0.5}), "Adam: beta2 is -0.500000, it must be in [0, 1)");
  expect_in(step(optim::Adam{.lr = INFINITY}), "Adam: lr is inf");
  TrainStep good(model, nn::MSELoss{}, optim::SGD{.lr = 0});
  expect_in(refused([&] { good.set_learning_rate(nan); }), "set_learning_rate: the rate is nan");
  EXPECT_EQ(good.learning_rate(), 0);
}

TEST(TransformErrors, CallsThatAreNotExclusive) {
  detail::FunctionCache cache([](std::span<const Tensor> in) { return std::vector<Tensor>{in[0]}; }, 1,
                              {.name = "f", .cache = "off"});
  const Where here = Where::current();
  const Argument x(1.0f, here);
  const Argument* const list[] = {&x};
  const auto call = [&] { return cache.call(list, [](std::span<const Array> r) { return r[0]; }); };
  EXPECT_EQ(refused<CallError>([&] { cache.call(list, [&](auto) { return call(); }); }, here).substr(0, 44),
            "'f' is called while another call of it runs:");
  EXPECT_EQ(call().item(), 1);
}

TEST(TransformErrors, NamesAreThoseOfTheFunctionThatWasCalled) {
  const auto text = [](auto f, Where where = Where::current()) {
    return refused([&] { trace([&](Tensor) { return f(); }); }, where);
  };
  const std::string negative = "the extent -2 of [-2] is negative";
  EXPECT_EQ(text([] { return full({-2}, 1); }), "full: " + negative);
  EXPECT_EQ(text([] { return zeros({-2}); }), "zeros: " + negative);
  EXPECT_EQ(text([] { return ones({-2}); }), "ones: " + negative);
  EXPECT_EQ(text([] { return arange(-2); }), "arange: " + negative);
  EXPECT_EQ(text([] { return random::permutation(random::key(0), -2); }), "random::permutation: " + negative);
  EXPECT_EQ(text([] { return random::uniform(random::key(0), {-2}); }), "random::uniform: " + negative);
  expect_in(text([] { return dropout(ones({2}), 0.5, ones({2})); }), "dropout: a key is u32[2]");
  expect_in(text([] { return random::permutation(ones({2}), 3); }), "random::permutation: a key is u32[2]");
  expect_in(text([] { return random::categorical(ones({2}), ones({3})); }), "random::categorical: a key is u32[2]");
  EXPECT_EQ(text([] { return random::fold_in(random::key(0), 2.0); }),
            "random::fold_in: the number that is folded in is 2.000000, and must be an integer: u32 holds the integers "
            "0 .. 4294967295");
  EXPECT_EQ(text([] { return random::fold_in(random::key(0), -1); }),
            "random::fold_in: the number that is folded in is -1, and must be an integer: u32 holds the integers "
            "0 .. 4294967295");
  EXPECT_EQ(
      text([] { return random::randint(random::key(0), {8}, 0.5, 3); }),
      "random::randint: low is 0.500000, and must be an integer: i32 holds the integers -2147483648 .. 2147483647");
}

}  // namespace
}  // namespace gcompile
