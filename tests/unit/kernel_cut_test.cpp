// Where a kernel is cut in two functions, and that what they compute together is what one would.
#include "gcompile/codegen/kernel_cut.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gcompile/codegen/check/call.h"
#include "gcompile/codegen/compile.h"
#include "gcompile/codegen/parts.h"
#include "gcompile/passes/kernel_builder.h"
#include "gcompile/passes/pipeline.h"
#include "tests/support/network.h"

namespace gcompile::codegen {
namespace {

using ir::LoopKind;
using passes::KernelBuilder;
using ::testing::ElementsAre;
using Kind = ir::Scratch::Kind;

const Dim kLane{ir::kLaneSymbol};

// for s { for v { fill `a` } for w { read it } }: two loops alike in a loop over strips.
struct Strips {
  Kind kind = Kind::kStack;
  bool scalar = false, vector = false, carried = false;  // what else the second loop has from before, or leaves

  ir::Kernel kernel() const {
    ir::Kernel k;
    k.name = "k";
    k.scratch.push_back({"a", DType::kF32, {16, ir::kLanes}, kind});
    k.scratch.push_back({"own", DType::kF32, {ir::kLanes}, Kind::kStack});
    KernelBuilder b(k);
    const int third = b.literal(DType::kF32, 3);
    const int x = b.load("x", DType::kF32, {Dim(0)});
    const int lanes = b.load("x", DType::kF32, {kLane});
    const int zero = b.literal(DType::kF32, 0);
    b.loop("s", Dim("N"), LoopKind::kSerial, {zero}, [&](std::span<const int> sum) {
      b.loop("v", 2, LoopKind::kSerial, [&] {
        for (int n = 0; n < 16; ++n) b.store("a", {Dim(n), kLane}, b.load("x", DType::kF32, {Dim(n) + kLane}));
      });
      int last = sum[0];
      const std::vector<int> after = b.loop("w", 2, LoopKind::kSerial, {zero}, [&](std::span<const int> c) {
        int y = b.op("mul", {third, b.load("a", DType::kF32, {Dim(0), kLane})});
        if (scalar) y = b.op("mul", {y, x});
        if (vector) y = b.op("mul", {y, lanes});
        b.store("own", {kLane}, y);
        for (int n = 0; n < 16; ++n)
          b.store("y", {Dim(n) + Dim("s") + kLane}, b.load("a", DType::kF32, {Dim(n), kLane}));
        return std::vector<int>{c[0]};
      });
      if (carried) last = after[0];
      return std::vector<int>{last};
    });
    return k;
  }
};

TEST(KernelCut, IsBetweenLoopsOfAStrip) {
  const ir::Kernel k = Strips{.scalar = true}.kernel();
  const auto cut = cut_of(k);
  ASSERT_TRUE(cut);
  const ir::Instr& strips = k.body.back();
  EXPECT_EQ(cut->block, &strips.body);
  EXPECT_EQ(strips.body[cut->begin].var, "w");
  EXPECT_THAT(cut->variables, ElementsAre("s"));
  ASSERT_EQ(cut->values.size(), 1u);
  EXPECT_EQ(cut->values[0]->memory, "x");
  EXPECT_EQ(cut->literals.size(), 2u);
  ASSERT_EQ(cut->shared.size(), 1u);
  EXPECT_EQ(cut->shared[0]->name, "a");
}

TEST(KernelCut, IsNotWhereMoreThanScalarsAndMemoryWouldCross) {
  EXPECT_TRUE(cut_of(Strips{}.kernel()));
  EXPECT_FALSE(cut_of(Strips{.vector = true}.kernel()));
  EXPECT_FALSE(cut_of(Strips{.carried = true}.kernel()));
  EXPECT_FALSE(cut_of(Strips{.kind = Kind::kRegister}.kernel()));
}

TEST(KernelCut, IsNotWhereOneHalfWouldBeNearlyAll) {
  ir::Kernel k = Strips{}.kernel();
  const ir::Instr store = k.body.back().body[0].body[1];
  ir::Block& first = k.body.back().body[0].body;
  first.insert(first.end(), 200, store);
  EXPECT_FALSE(cut_of(k));
}

// A step of a small network: one kernel, one object on one thread and two parts on two; the same bits.
TEST(KernelCut, ComputesTheSame) {
  for (const bool adam : {false, true}) {
    testing::Network net;
    net.hidden = {6, 4};
    net.adam = adam;
    const ir::Graph graph = testing::training_graph(net, Dim("N"));
    const Target target = default_target();
    const ir::Program program = passes::run_pipeline(graph, {target});
    const Target wide = target_named("x86-64-v4");
    const ir::Program on_wide = passes::run_pipeline(graph, {wide});
    ASSERT_EQ(on_wide.module.kernels.size(), 1u);
    const SharedKernels shared = separate_kernels(on_wide);
    const Cuts cuts = cuts_of(on_wide, shared, 2);
    ASSERT_TRUE(cuts[0]);
    const std::vector<Part> parts = parts_of(on_wide, shared, 2, cuts);
    ASSERT_EQ(parts.size(), 2u);
    EXPECT_THAT(parts[0].kernels.size() + parts[1].kernels.size(), 1u);
    EXPECT_THAT(parts[0].behind.size() + parts[1].behind.size(), 1u);
    EXPECT_FALSE(cuts_of(on_wide, shared, 1)[0]);
    EXPECT_EQ(emit_object(on_wide, wide, {.debug_info = true, .threads = 2}).substr(1, 3), "ELF");  // not cut

    for (const std::int64_t n : {1, 23, 700}) {
      const Call call = sample_call(graph, {{"N", n}}, 7);
      std::vector<Array> outcomes[2];
      for (const int threads : {1, 2}) {
        runtime::Executable executable(program, jit(program, target, {.threads = threads}));
        std::vector<const Array*> arguments;
        for (const Array& a : call.inputs) arguments.push_back(&a);
        std::vector<Array>& values = outcomes[threads > 1];
        values.resize(1);
        for (const auto& s : graph.states) s.storage->assign(call.states.at(s.name));
        executable.run(arguments, values);
        for (const auto& s : graph.states) values.push_back(s.storage->value());
      }
      for (std::size_t i = 0; i < outcomes[0].size(); ++i)
        EXPECT_TRUE(same_bits(outcomes[0][i], outcomes[1][i])) << i << " of " << n << " rows";
    }
  }
}

}  // namespace
}  // namespace gcompile::codegen
