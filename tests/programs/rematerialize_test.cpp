// A memory budget (JitOptions::memory_budget): less is kept for the backward pass, and every bit is what it was.
#include <gtest/gtest.h>

#include <vector>

#include "gcompile/codegen/check/compare.h"
#include "gcompile/codegen/compile.h"
#include "gcompile/frontend/gcompile.h"
#include "gcompile/passes/pipeline.h"
#include "tests/support/mid_size_graphs.h"

namespace gcompile {
namespace {

constexpr std::int64_t kWidth = 64, kRows = 96, kLayers = 5;

Array filled(const Shape& shape, int seed) {
  Array a(DType::kF32, shape);
  int i = seed;
  for (float& f : a.mutable_data<float>()) f = 0.02F * static_cast<float>((i += 37) % 23 - 11);
  return a;
}

struct Trained {
  std::vector<Array> results = {};
  std::int64_t peak = 0;
  std::string program = {};
};

// Two steps of a deep network with gelu, by hand: the loss of both and the weights.
Trained trained(std::int64_t budget, const char* target, int threads) {
  std::vector<Parameter> w;
  for (int l = 0; l < kLayers; ++l) w.emplace_back("w" + std::to_string(l), filled({kWidth, kWidth}, l));
  auto step = jit(
      [&](Tensor x) {
        Tensor h = x;
        for (const Parameter& p : w) h = gelu(matmul(h, p));
        const Tensor loss = mean(square(h));
        for (const Parameter& p : w) p.set(p - 0.1F * grad(loss, p));
        return loss;
      },
      {.target = target, .threads = threads, .cache = "off", .memory_budget = budget});
  const Array x = filled({kRows, kWidth}, 5);
  Trained t;
  for (int i = 0; i < 2; ++i) t.results.push_back(step(x));
  for (const Parameter& p : w) t.results.push_back(p.value());
  t.peak = step.compiled().peak_bytes();
  t.program = step.compiled().dump("program");
  return t;
}

void expect_equal_bits(const Trained& a, const Trained& b) {
  ASSERT_EQ(a.results.size(), b.results.size());
  for (std::size_t i = 0; i < a.results.size(); ++i) {
    const auto x = a.results[i].data<float>(), y = b.results[i].data<float>();
    EXPECT_TRUE(std::equal(x.begin(), x.end(), y.begin(), y.end())) << i;
  }
}

TEST(Rematerialize, TakesLessMemoryAndKeepsTheBits) {
  const Trained all = trained(-1, "x86-64-v3", 1);
  const std::int64_t budget = all.peak * 4 / 5;
  const Trained less = trained(budget, "x86-64-v3", 1), least = trained(0, "x86-64-v3", 1);
  EXPECT_LE(less.peak, budget);
  EXPECT_LE(least.peak, less.peak);
  expect_equal_bits(all, less);
  expect_equal_bits(all, least);
  expect_equal_bits(all, trained(0, "x86-64-v3", 3));
}

TEST(Rematerialize, IsDeterministic) {
  EXPECT_EQ(trained(0, "x86-64-v3", 1).program, trained(0, "x86-64-v3", 1).program);
}

TEST(Rematerialize, ABudgetThatIsMetChangesNothing) {
  const Trained all = trained(-1, "x86-64-v3", 1);
  EXPECT_EQ(trained(all.peak, "x86-64-v3", 1).program, all.program);
}

// All programs there are, with no memory allowed at all: whatever is made again for it.
TEST(Rematerialize, KeepsTheBitsOfAnyProgram) {
  const Target target = codegen::default_target();
  std::vector<testing::NamedGraph> graphs = testing::whole_program_graphs(Dim("N"));
  for (testing::NamedGraph& g : testing::mid_size_graphs(Dim("N"))) graphs.push_back(std::move(g));
  int smaller = 0;
  for (const auto& [name, graph] : graphs) {
    SCOPED_TRACE(name);
    const passes::PipelineOptions verify{.verify_each = true, .after_pass = nullptr};
    codegen::Compiled all(passes::run_pipeline(graph, {target}, verify), target),
        least(passes::run_pipeline(graph, {target, 0}, verify), target);
    const codegen::Call call = codegen::sample_call(graph, {{"N", 256}}, 5);
    EXPECT_LE(least.program().peak_bytes(call.dims), all.program().peak_bytes(call.dims));
    smaller += least.program().peak_bytes(call.dims) < all.program().peak_bytes(call.dims);
    EXPECT_EQ(codegen::compare_bits(least.run(call), all.run(call)).worst, "");
  }
  EXPECT_GT(smaller, 0);
}

}  // namespace
}  // namespace gcompile
