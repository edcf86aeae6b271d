// Estimates: what they follow from, not how well they fit a machine, which benchmarks report.
#include "gcompile/passes/estimate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gcompile/codegen/compile.h"
#include "gcompile/ir/parse.h"
#include "gcompile/passes/alternatives.h"
#include "gcompile/passes/pipeline.h"

namespace gcompile::passes {
namespace {

using ::testing::HasSubstr;

Target v4() { return codegen::target_named("x86-64-v4"); }

ir::Program program_of(const std::string& graph, const Target& target) {
  return run_pipeline(ir::parse_graph(graph), {target});
}

double nanoseconds(const ir::Program& program, const DimValues& dims, const Target& target) {
  double sum = 0;
  for (const Estimate& e : estimate(program, dims, target)) sum += e.nanoseconds();
  return sum;
}

const char kAdd[] = R"(graph @add(%x: f32[N], %y: f32[N]) {
  dim N in 1 .. 1000000000
  %0 = add(%x, %y) : f32[N]
  return %0
})";

std::string product_of(int n) {
  const std::string m = "f32[" + std::to_string(n) + "," + std::to_string(n) + "]";
  return "graph @product(%x: " + m + ", %y: " + m +
         ") {\n  %0 = dot(%x, %y) {lhs_batch = [], lhs_contract = [1], rhs_batch = [], rhs_contract = [0]} : " + m +
         "\n  return %0\n}";
}

TEST(Estimate, ProductsTakeWhatTheUnitsNeed) {
  const Target t = v4();
  for (const int n : {64, 256}) {
    const double fma = static_cast<double>(n) * n * n / 16 / t.rates.products / t.rates.ghz;
    const double all = nanoseconds(program_of(product_of(n), t), {}, t);
    EXPECT_GE(all, fma);
    EXPECT_LE(all, 1.3 * fma) << n;
  }
}

TEST(Estimate, StreamsTakeWhatTheCacheThatHoldsThemGives) {
  const Target t = v4();
  const ir::Program program = program_of(kAdd, t);
  const auto bytes_a_cycle = [&](std::int64_t n) {
    const Estimate e = estimate(program, {{"N", n}}, t).at(0);
    EXPECT_GT(e.memory, e.compute) << n;
    return 12.0 * static_cast<double>(n) / (e.memory * t.rates.ghz);
  };
  EXPECT_NEAR(bytes_a_cycle(t.l2_bytes / 24), t.rates.l2, 1e-3 * t.rates.l2);
  EXPECT_NEAR(bytes_a_cycle(t.rates.l3_bytes / 24), t.rates.l3, 1e-3 * t.rates.l3);
  EXPECT_NEAR(bytes_a_cycle(t.rates.l3_bytes), t.rates.dram, 1e-3 * t.rates.dram);
  EXPECT_EQ(estimate(program, {{"N", t.l1_bytes / 24}}, t).at(0).memory, 0);
}

TEST(Estimate, FollowsTheExtentsAndTheTarget) {
  const ir::Program program = program_of(kAdd, v4());
  EXPECT_LT(nanoseconds(program, {{"N", 100}}, v4()), nanoseconds(program, {{"N", 1000}}, v4()));
  EXPECT_EQ(nanoseconds(program, {}, v4()), nanoseconds(program, {{"N", kTypicalExtent}}, v4()));
  EXPECT_EQ(typical_extent(program.module.bounds, "N"), kTypicalExtent);
  Target slow = v4();
  slow.rates.ghz /= 2;
  EXPECT_DOUBLE_EQ(nanoseconds(program, {}, slow), 2 * nanoseconds(program, {}, v4()));
  EXPECT_GT(estimated_call(program, {}, v4()), nanoseconds(program, {}, v4()));
}

// One chain of dependent additions waits for each; independent ones do not.
TEST(Estimate, ChainsOfACarriedValueTakeTheirLatency) {
  const auto loop = [](const std::string& next) {
    return ir::parse_kernel_module("kernels @main {\n  input x: f32[1000]\n  result r: f32[]\n  kernel @k0 {\n"
                                   "    %0 = literal 0 : f32\n"
                                   "    %1 = for t in 0 .. 1000 (%2 = %0) : (f32) {\n"
                                   "      %3 = load x[t] : f32\n      %4 = add(" +
                                   next + ", %3) : f32\n      yield %4\n    }\n    store r[] = %1\n  }\n}\n");
  };
  const Target t = v4();
  const double chained = estimate(loop("%2"), {}, t).at(0).compute, free = estimate(loop("%3"), {}, t).at(0).compute;
  EXPECT_GE(chained * t.rates.ghz, 1000 * t.rates.latency);
  EXPECT_LE(free, chained / 2);
}

TEST(Estimate, ThreadsShareWhatIsLargeEnough) {
  const Target t = v4();
  const ir::Program program = program_of(product_of(512), t);
  const double one = estimated_call(program, {}, t, 1), two = estimated_call(program, {}, t, 2);
  EXPECT_LT(two, 0.6 * one);
  EXPECT_GT(two, 0.5 * one);
  const ir::Program small = program_of(product_of(16), t);
  EXPECT_EQ(estimated_call(small, {}, t, 1), estimated_call(small, {}, t, 2));
}

TEST(Estimate, EveryTargetHasRates) {
  for (const std::string& name : codegen::target_names()) {
    const Rates r = codegen::target_named(name).rates;
    EXPECT_GT(r.ghz, 0.5) << name;
    EXPECT_LE(r.products, r.operations) << name;
    EXPECT_GT(r.l2, r.l3) << name;
    EXPECT_GT(r.l3, r.dram) << name;
  }
}

TEST(Alternatives, ShapesOfTilesAreShownOnceBestFirst) {
  const std::string text = tile_sizes({{4, 2, 300}, {8, 3, 100}, {8, 3, 100}, {6, 4, 200}, {1, 1, 900}}, v4());
  EXPECT_THAT(text, HasSubstr("8 x 3 " + time_of(100, v4()) + ", 6 x 4 " + time_of(200, v4()) + ", 4 x 2 "));
  EXPECT_EQ(text.find("1 x 1"), std::string::npos);
}

TEST(Estimate, DurationsHaveThreeDigits) {
  EXPECT_EQ(duration(0), "0.00 ns");
  EXPECT_EQ(duration(3.456), "3.46 ns");
  EXPECT_EQ(duration(812.3), "812 ns");
  EXPECT_EQ(duration(999.9), "1.00 us");
  EXPECT_EQ(duration(12345678), "12.3 ms");
}

}  // namespace
}  // namespace gcompile::passes
