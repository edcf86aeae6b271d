// The planned peak is exact: programs run in an arena of that size that ends where no page is, and not in one that is
// 64 bytes smaller. An arena begins at a multiple of 64 bytes, so what is beyond the plan by less than its last 64
// bytes' rest is not seen.
#include <gtest/gtest.h>

#include "gcompile/codegen/check/compare.h"
#include "gcompile/codegen/compile.h"
#include "gcompile/passes/pipeline.h"
#include "tests/support/guarded_arena.h"
#include "tests/support/mid_size_graphs.h"

namespace gcompile {
namespace {

using codegen::Call;
using codegen::Compiled;
using testing::NamedGraph;

std::vector<NamedGraph> graphs() {
  std::vector<NamedGraph> list = testing::whole_program_graphs(Dim("N"));
  for (NamedGraph& g : testing::mid_size_graphs(Dim("N"))) list.push_back(std::move(g));
  return list;
}

Compiled compiled(const ir::Graph& graph, int threads, std::int64_t missing) {
  const Target target = codegen::default_target();
  Compiled code(passes::run_pipeline(graph, {target}), target, threads);
  code.set_allocator([missing](std::int64_t bytes) { return testing::before_a_guard(bytes, missing); });
  return code;
}

TEST(MemoryPlan, ProgramsFitTheirPeak) {
  int with_arena = 0;
  for (const auto& [name, graph] : graphs())
    for (const int threads : {1, 3}) {
      SCOPED_TRACE(name + ", " + std::to_string(threads) + " threads");
      Compiled code = compiled(graph, threads, 0), usual(code.program(), codegen::default_target());
      for (const std::int64_t n : {1, 16, 21, 64}) {
        const Call call = codegen::sample_call(graph, {{"N", n}}, 5);
        with_arena += code.program().peak_bytes(call.dims, threads) > 0;
        EXPECT_EQ(codegen::compare_bits(code.run(call), usual.run(call)).worst, "");
      }
    }
  EXPECT_GT(with_arena, 8);
}

TEST(MemoryPlanDeath, NoProgramFitsLess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  for (const auto& [name, graph] : graphs())
    for (const int threads : {1, 3}) {
      SCOPED_TRACE(name + ", " + std::to_string(threads) + " threads");
      const Call call = codegen::sample_call(graph, {{"N", 64}}, 5);
      const ir::Program program = passes::run_pipeline(graph, {codegen::default_target()});
      if (program.peak_bytes(call.dims, threads) == 0) continue;
      EXPECT_DEATH(compiled(graph, threads, 64).run(call), "");
    }
}

}  // namespace
}  // namespace gcompile
