// Primitives that are no matrix product and no elementwise chain: windows, convolutions with strides, sorting,
// indexing, random numbers. One thread, f32; each is checked on a smaller input against the interpreter before it is
// timed.
#include <cmath>

#include "gcompile/ir/interpreter.h"
#include "gcompile/ir/parse.h"
#include "verify.h"

namespace gcompile::bench {
namespace {

using Function = Tensor (*)(Tensor a, Tensor b);
struct Case {
  std::string name;
  std::vector<Shape> small, large;  // of the operands a and b
  Function function;
  bool indices = false;  // b are places in a
};

Tensor gradient_of(const Tensor& y, const Tensor& x) { return grad(sum(square(y)), x); }
const PoolOptions kOverlapping{.strides = {2}, .padding = 1};
const ConvOptions kSame{.padding = 1}, kStrided{.strides = {2}, .padding = 1};

const Shape kImages({32, 32, 28, 28}), kFewImages({2, 3, 9, 9}), kWeight({32, 32, 3, 3}), kSmallWeight({2, 3, 3, 3});
const Shape kOne({1});

const std::vector<Case> kCases = {
    {"max_pool/2x2", {kFewImages, kOne}, {kImages, kOne}, [](Tensor a, Tensor) { return max_pool2d(a, {2}); }},
    {"max_pool/2x2/gradient",
     {kFewImages, kOne},
     {kImages, kOne},
     [](Tensor a, Tensor) { return gradient_of(max_pool2d(a, {2}), a); }},
    {"max_pool/3x3_s2_p1",
     {kFewImages, kOne},
     {kImages, kOne},
     [](Tensor a, Tensor) { return max_pool2d(a, {3}, kOverlapping); }},
    {"max_pool/3x3_s2_p1/gradient",
     {kFewImages, kOne},
     {kImages, kOne},
     [](Tensor a, Tensor) { return gradient_of(max_pool2d(a, {3}, kOverlapping), a); }},
    {"conv/3x3_p1",
     {kFewImages, kSmallWeight},
     {kImages, kWeight},
     [](Tensor a, Tensor b) { return conv2d(a, b, kSame); }},
    {"conv/3x3_s2_p1",
     {kFewImages, kSmallWeight},
     {kImages, kWeight},
     [](Tensor a, Tensor b) { return conv2d(a, b, kStrided); }},
    {"conv/3x3_s2_p1/gradient_x",
     {kFewImages, kSmallWeight},
     {kImages, kWeight},
     [](Tensor a, Tensor b) { return gradient_of(conv2d(a, b, kStrided), a); }},
    {"conv/3x3_s2_p1/gradient_w",
     {kFewImages, kSmallWeight},
     {kImages, kWeight},
     [](Tensor a, Tensor b) { return gradient_of(conv2d(a, b, kStrided), b); }},
    {"sort/1000x1000", {Shape({3, 300}), kOne}, {Shape({1000, 1000}), kOne}, [](Tensor a, Tensor) { return sort(a); }},
    {"argsort/1000000", {Shape({300}), kOne}, {Shape({1000000}), kOne}, [](Tensor a, Tensor) { return argsort(a); }},
    {"top_k/1000x1000/10",
     {Shape({3, 300}), kOne},
     {Shape({1000, 1000}), kOne},
     [](Tensor a, Tensor) { return top_k(a, 10).values; }},
    {"cumsum/1000x1000/rows",
     {Shape({3, 40}), kOne},
     {Shape({1000, 1000}), kOne},
     [](Tensor a, Tensor) { return cumsum(a); }},
    {"take/1000000",
     {Shape({300}), Shape({300})},
     {Shape({1000000}), Shape({1000000})},
     [](Tensor a, Tensor b) { return take(a, b); },
     true},
    {"scatter_add/1000000",
     {Shape({300}), Shape({300})},
     {Shape({1000000}), Shape({1000000})},
     [](Tensor a, Tensor b) { return scatter_add(zeros(a.shape()), b, a); },
     true},
    {"normal/1000000",
     {Shape({300}), kOne},
     {Shape({1000000}), kOne},
     [](Tensor a, Tensor) { return random::normal(random::key(1), a.shape()); }},
    {"dropout/1000000",
     {Shape({300}), kOne},
     {Shape({1000000}), kOne},
     [](Tensor a, Tensor) { return dropout(a, 0.5, random::key(1)); }},
};

Array operand(const Shape& shape, bool is_index, std::int64_t places, unsigned seed) {
  const Array x = random_matrix(1, shape.size(), 1, seed).reshaped(shape);
  if (!is_index) return x;
  Array i(DType::kI32, shape);
  for (std::int64_t k = 0; k < shape.size(); ++k)
    i.set(k, std::floor((x.at(k) * 0.5 + 0.5) * static_cast<double>(places - 1)));
  return i;
}

TensorSpec spec_of(const Array& a) { return {Type::of(a.dtype(), a.shape())}; }

void run(benchmark::State& state, const Case& c) {
  guarded(state, [&] {
    const auto operands = [&](const std::vector<Shape>& shapes) {
      return std::array{operand(shapes[0], false, 0, 1), operand(shapes[1], c.indices, shapes[0].size(), 2)};
    };
    const auto compiled = [&](const std::array<Array, 2>& given) {
      return compile(c.function, {spec_of(given[0]), spec_of(given[1])}, {.threads = 1});
    };
    const auto few = operands(c.small);
    auto small = compiled(few);
    const Array y = small(few[0], few[1]);
    const Array wanted = ir::interpret(ir::parse_graph(small.compiled().dump("graph")), {few[0], few[1]}).results[0];
    for (std::int64_t i = 0; i < y.size(); ++i) require_near(c.name, y.at(i), wanted.at(i), 1e-3);
    const auto given = operands(c.large);
    auto function = compiled(given);
    Array result;
    const auto call = [&] { result = function(given[0], given[1]); };
    call();
    const double seconds = timed(state, call);
    report_estimate(state, function.compiled(), seconds);
  });
}

const bool kRegistered = [] {
  for (const Case& c : kCases)
    benchmark::RegisterBenchmark(("primitive/" + c.name).c_str(), [&c](benchmark::State& s) {
      run(s, c);
    })->Unit(benchmark::kMicrosecond);
  return true;
}();

}  // namespace
}  // namespace gcompile::bench
