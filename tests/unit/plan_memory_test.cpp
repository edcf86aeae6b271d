// plan-memory: which updates are made in place, and how temporaries share the arena.
#include "gcompile/passes/plan_memory.h"

#include <gtest/gtest.h>

#include "gcompile/passes/kernel_builder.h"

namespace gcompile::passes {
namespace {

using ir::BufferRole;
using ir::KernelModule;

ir::Buffer buffer(const std::string& name, BufferRole role, std::vector<Dim> dims = {4}) {
  ir::Buffer b;
  b.name = name;
  b.type = {DType::kF32, std::move(dims)};
  b.role = role;
  return b;
}

// States w and v with the temporaries that become their new values.
KernelModule two_states() {
  KernelModule m;
  m.buffers = {buffer("w", BufferRole::kState), buffer("v", BufferRole::kState), buffer("new_w", BufferRole::kTemp),
               buffer("new_v", BufferRole::kTemp)};
  m.updates = {{"w", "new_w"}, {"v", "new_v"}};
  return m;
}

// to[i] = from[from_index] + 1 for all i, as one statement.
void copy_loop(KernelBuilder& b, const std::string& from, const std::string& to, const ir::Index& from_index) {
  b.loop("i", 4, ir::LoopKind::kSerial, [&] {
    const int x = b.load(from, DType::kF32, from_index);
    b.store(to, {Dim("i")}, b.op("add", {x, b.literal(DType::kF32, 1)}));
  });
}

ir::Kernel& kernel(KernelModule& m) {
  ir::Kernel& k = m.kernels.emplace_back();
  k.name = "k" + std::to_string(m.kernels.size() - 1);
  return k;
}

TEST(PlanMemory, AnElementThatIsReadAndThenWrittenIsUpdatedInPlace) {
  KernelModule m = two_states();
  {
    KernelBuilder b(kernel(m));
    copy_loop(b, "w", "new_w", {Dim("i")});
  }
  EXPECT_TRUE(may_update_in_place(m, "w", "new_w"));
}

TEST(PlanMemory, AnotherElementOfTheOldValueForbidsIt) {
  KernelModule m = two_states();
  {
    KernelBuilder b(kernel(m));
    copy_loop(b, "w", "new_w", {Dim(3) - Dim("i")});
  }
  EXPECT_FALSE(may_update_in_place(m, "w", "new_w"));
}

TEST(PlanMemory, ALaterReadOfTheOldValueForbidsIt) {
  KernelModule m = two_states();
  {
    KernelBuilder b(kernel(m));
    copy_loop(b, "w", "new_w", {Dim("i")});
    b.loop("j", 4, ir::LoopKind::kSerial, [&] { b.store("new_v", {Dim("j")}, b.load("w", DType::kF32, {Dim("j")})); });
  }
  EXPECT_FALSE(may_update_in_place(m, "w", "new_w"));
  EXPECT_TRUE(may_update_in_place(m, "v", "new_v"));
}

TEST(PlanMemory, AReadInALaterKernelForbidsIt) {
  KernelModule m = two_states();
  {
    KernelBuilder b(kernel(m));
    copy_loop(b, "w", "new_w", {Dim("i")});
  }
  {
    KernelBuilder b(kernel(m));
    copy_loop(b, "w", "new_v", {Dim("i")});
  }
  EXPECT_FALSE(may_update_in_place(m, "w", "new_w"));
}

TEST(PlanMemory, ASwapUsesOneTemporary) {
  KernelModule m = two_states();
  {
    KernelBuilder b(kernel(m));
    copy_loop(b, "v", "new_w", {Dim("i")});
  }
  {
    KernelBuilder b(kernel(m));
    copy_loop(b, "w", "new_v", {Dim("i")});
  }
  const ir::Program p = plan_memory(m, {});
  // new_w must not overwrite w before the second kernel reads it; new_v may overwrite v, which nothing reads any more.
  EXPECT_EQ(p.module.buffer("new_w").alias, -1);
  EXPECT_EQ(p.module.buffer("new_v").alias, p.module.find_buffer("v"));
  ASSERT_EQ(p.copies.size(), 1u);
  EXPECT_EQ(p.copies[0].state, p.module.find_buffer("w"));
  EXPECT_EQ(p.peak_bytes({}), 16);
}

TEST(PlanMemory, LifetimesShareSlots) {
  KernelModule m;
  m.buffers = {buffer("x", BufferRole::kInput, {Dim("N")}), buffer("out", BufferRole::kResult, {Dim("N")}),
               buffer("a", BufferRole::kTemp, {Dim("N")}), buffer("b", BufferRole::kTemp, {Dim("N")}),
               buffer("c", BufferRole::kTemp, {Dim("N")})};
  const char* chain[] = {"x", "a", "b", "c", "out"};
  for (int i = 0; i < 4; ++i) {
    KernelBuilder b(kernel(m));
    copy_loop(b, chain[i], chain[i + 1], {Dim("i")});
  }
  const ir::Program p = plan_memory(m, {});
  EXPECT_EQ(p.slots.size(), 2u);  // a and c are never alive together
  EXPECT_EQ(p.placements[2].slot, p.placements[4].slot);
  EXPECT_NE(p.placements[2].slot, p.placements[3].slot);
  EXPECT_EQ(p.peak_bytes({{"N", 100}}), 448 + 400);  // 400 bytes rounded up to 64, then 400
}

}  // namespace
}  // namespace gcompile::passes
