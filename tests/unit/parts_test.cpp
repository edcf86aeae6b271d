// Large programs are cut into parts that threads compile side by side: what comes out is the same.
#include "gcompile/codegen/parts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gcompile/base/error.h"
#include "gcompile/codegen/check/call.h"
#include "gcompile/codegen/compile.h"
#include "gcompile/passes/pipeline.h"
#include "tests/support/graphs.h"
#include "tests/unit/temp_dir.h"

namespace gcompile::codegen {
namespace {

using ::testing::ElementsAre;

std::vector<Part> parts_of(const ir::Program& program, int threads) {
  return codegen::parts_of(program, separate_kernels(program), threads);
}

ir::Program with_kernels(const std::vector<int>& instructions) {
  ir::Program program;
  for (const int n : instructions) {
    ir::Kernel k;
    k.name = "k" + std::to_string(program.module.kernels.size());
    k.body.assign(static_cast<std::size_t>(n), {ir::Opcode::kLoad});
    program.module.kernels.push_back(k);
  }
  return program;
}

// A network that is large enough for several parts.
ir::Graph deep_graph() {
  Trace trace("deep");
  const Tensor x = trace.input("x", {DType::kF32, {Dim("N"), 40}}, Where::current());
  Tensor h = x;
  std::vector<Parameter> weights;
  for (int layer = 0; layer < 3; ++layer) {
    const std::string name = "w" + std::to_string(layer);
    weights.emplace_back(name, sample(Type::of(DType::kF32, {40, 40}), {}, 1, name));
    h = tanh(matmul(h, weights.back())) + x;
  }
  const Tensor loss = mean(square(h));
  const std::vector<Tensor> d = grad(loss, weights);
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i].set(weights[i] - 0.1 * d[i]);
  const std::vector<Tensor> results{loss};
  return trace.finish(results, Where::current());
}

TEST(Parts, SmallProgramsAreOne) {
  const auto parts = parts_of(with_kernels({300, 300, 300}), 8);
  ASSERT_EQ(parts.size(), 1u);
  EXPECT_TRUE(parts[0].entry);
  EXPECT_THAT(parts[0].kernels, ElementsAre(0, 1, 2));
  EXPECT_EQ(parts_of(with_kernels({5000, 5000}), 1).size(), 1u);
  EXPECT_EQ(parts_of(ir::Program{}, 8).size(), 1u);
}

TEST(Parts, ShareTheWork) {
  const auto parts = parts_of(with_kernels({300, 900, 300, 500, 0}), 2);
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_TRUE(parts[0].entry);
  EXPECT_FALSE(parts[1].entry);
  EXPECT_THAT(parts[0].kernels, ElementsAre(1, 4));
  EXPECT_THAT(parts[1].kernels, ElementsAre(0, 2, 3));
}

TEST(Parts, AreNoMoreThanKernels) {
  const auto parts = parts_of(with_kernels({9000, 20}), 16);
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_THAT(parts[0].kernels, ElementsAre(0));
}

// The same bits from one object and from an archive of them, which is the same each time.
TEST(Parts, ComputeTheSame) {
  const ir::Graph graph = deep_graph();
  const Target target = default_target();
  const ir::Program program = passes::run_pipeline(graph, {target});
  {  // which kernels are alike, and so how many parts there are, depends on the target
    const Target wide = target_named("x86-64-v4");
    const ir::Program large = passes::run_pipeline(graph, {wide});
    ASSERT_GT(parts_of(large, 3).size(), 1u);
    EXPECT_EQ(emit_object(large, wide).substr(1, 3), "ELF");
    const std::string archive = emit_object(large, wide, {.threads = 3});
    EXPECT_EQ(archive.substr(0, 7), "!<arch>");
    EXPECT_EQ(archive, emit_object(large, wide, {.threads = 3}));
  }

  const Call call = sample_call(graph, {{"N", 21}}, 7);
  std::vector<Array> outcomes[2];
  for (const int threads : {1, 3}) {
    runtime::Executable executable(program, jit(program, target, {.threads = threads}));
    executable.set_threads(2);
    std::vector<const Array*> arguments;
    for (const Array& a : call.inputs) arguments.push_back(&a);
    std::vector<Array>& values = outcomes[threads > 1];
    values.resize(1);
    executable.run(arguments, values);
    for (const auto& s : graph.states) {
      values.push_back(s.storage->value());
      s.storage->assign(call.states.at(s.name));
    }
  }
  ASSERT_EQ(outcomes[0].size(), outcomes[1].size());
  for (std::size_t i = 0; i < outcomes[0].size(); ++i) EXPECT_TRUE(same_bits(outcomes[0][i], outcomes[1][i])) << i;
}

TEST(Parts, AreKeptInTheCache) {
  const testing::TempDir dir;
  CompileOptions options;
  options.cache = dir.path();
  options.threads = 3;
  const ir::Graph graph = deep_graph();
  EXPECT_FALSE(compile(graph, options)->from_cache);
  EXPECT_TRUE(compile(graph, options)->from_cache);
}

TEST(Parts, ABrokenArchiveIsRefused) {
  const Target target = default_target();
  EXPECT_THROW(link("!<arch>\nnonsense", target), InternalError);
  EXPECT_THROW(link("!<arch>\n", target), InternalError);
}

}  // namespace
}  // namespace gcompile::codegen
