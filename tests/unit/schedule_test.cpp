// schedule: unrolling within a budget, and scratch that stays in registers only where that is possible.
#include "gcompile/passes/schedule.h"

#include <gtest/gtest.h>

#include "gcompile/passes/kernel_builder.h"

namespace gcompile::passes {
namespace {

using ir::LoopKind;
using ir::Scratch;

// A loop of `extent` wished-unrolled iterations that fill register scratch, and one that reads it.
ir::KernelModule wishes(std::int64_t extent) {
  ir::KernelModule m;
  ir::Kernel& k = m.kernels.emplace_back();
  k.name = "k0";
  k.scratch.push_back({"v", DType::kF32, {extent, ir::kLanes}, Scratch::Kind::kRegister});
  KernelBuilder b(k);
  for (const char* var : {"i", "j"})
    b.loop(var, extent, LoopKind::kUnroll, [&] {
      b.store("v", {Dim(var), Dim(ir::kLaneSymbol)}, b.load("x", DType::kF32, {Dim(ir::kLaneSymbol)}));
    });
  return m;
}

TEST(Schedule, SmallBodiesStayUnrolledAndInRegisters) {
  PassContext context;
  context.target.unroll_limit = 200;
  const auto m = schedule(wishes(10), context);
  EXPECT_EQ(m.kernels[0].body[0].loop, LoopKind::kUnroll);
  EXPECT_EQ(m.kernels[0].scratch[0].kind, Scratch::Kind::kRegister);
  EXPECT_EQ(unrolled_size(m.kernels[0].body), 2 * 10 * 4);
}

TEST(Schedule, LargeBodiesAreRolledAndTheirScratchIsMemory) {
  PassContext context;
  context.target.unroll_limit = 200;
  const auto m = schedule(wishes(100), context);
  EXPECT_LE(unrolled_size(m.kernels[0].body), 200);
  EXPECT_EQ(m.kernels[0].scratch[0].kind, Scratch::Kind::kStack);
  ASSERT_EQ(m.kernels[0].reasons.size(), 1u);
}

TEST(Schedule, SymbolicLoopsAreNeverUnrolled) {
  ir::KernelModule m;
  ir::Kernel& k = m.kernels.emplace_back();
  KernelBuilder b(k);
  b.loop("i", Dim("N"), LoopKind::kUnroll, [&] { b.store("x", {Dim("i")}, b.literal(DType::kF32, 0)); });
  EXPECT_EQ(schedule(m, {}).kernels[0].body[0].loop, LoopKind::kSerial);
}

}  // namespace
}  // namespace gcompile::passes
