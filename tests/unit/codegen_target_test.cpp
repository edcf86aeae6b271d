// The table of targets, the choice by environment, what is emitted for a target, and the same bits on all of them.
#include <cmath>
#include <cstdlib>

#include "codegen_program.h"
#include "gcompile/base/error.h"
#include "gcompile/codegen/host.h"

namespace gcompile::codegen::testing {
namespace {

TEST(CodegenTarget, NamedTargetsAreTheSameOnEveryMachine) {
  EXPECT_FALSE(target_named("x86-64").has_fma);
  EXPECT_EQ(target_named("x86-64").vector_bytes, 16);
  EXPECT_TRUE(target_named("x86-64-v3").has_fma);
  EXPECT_EQ(target_named("x86-64-v3").vector_bytes, 32);
  EXPECT_EQ(target_named("x86-64-v3").vector_registers, 16);
  EXPECT_EQ(target_named("x86-64-v4").vector_bytes, 64);
  EXPECT_EQ(target_named("x86-64-v4").vector_registers, 32);
  EXPECT_TRUE(target_named("x86-64-v4").features.empty());
  EXPECT_TRUE(runs_here(target_named("x86-64"), nullptr));
  EXPECT_TRUE(runs_here(host_target(), nullptr));
}

TEST(CodegenTarget, AnUnknownNameListsTheKnownOnes) {
  try {
    target_named("vax");
    FAIL();
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "unknown target \"vax\"; known are host, x86-64, x86-64-v3, x86-64-v4");
  }
}

TEST(CodegenTarget, TheEnvironmentChoosesTheDefault) {
  ASSERT_EQ(setenv("GCOMPILE_TARGET", "x86-64-v3", 1), 0);
  EXPECT_EQ(default_target().name, "x86-64-v3");
  ASSERT_EQ(setenv("GCOMPILE_TARGET", "vax", 1), 0);
  EXPECT_THROW(default_target(), Error);
  unsetenv("GCOMPILE_TARGET");
  EXPECT_EQ(default_target().name, "host");
}

TEST(CodegenTarget, CodeForAnotherTripleIsRefusedWithTheReason) {
  Target t = target_named("x86-64");
  t.triple = "aarch64-unknown-linux-gnu";
  std::string why;
  EXPECT_FALSE(runs_here(t, &why));
  EXPECT_EQ(why, "it is for aarch64-unknown-linux-gnu");
  TestProgram p;
  EXPECT_THROW(jit(p.program(), t), Error);
}

// A polynomial, a reduction and a masked tail: as long as a target has fma the bits do not depend on it.
Array some_arithmetic(const Target& target) {
  TestProgram p;
  p.symbol("N");
  p.buffer("x", DType::kF32, {Dim("N"), 3});
  p.buffer("out", DType::kF32, {4});
  p.scratch("columns", DType::kF32, {3, 16}, ir::Scratch::Kind::kRegister);
  p.scratch("acc", DType::kF32, {4, 16});
  for (int k = 0; k < 4; ++k) p.store("acc", {Dim(k), kLane}, p.literal(DType::kF32, 0));
  p.loop("t", ceildiv(Dim("N"), 16), ir::LoopKind::kSerial, [&](const Dim& t) {
    const int mask = p.op("lt", {p.index(t * Dim(16) + kLane), p.index(Dim("N"))}, DType::kBool);
    p.load_transposed("columns", "x", t * Dim(16), 0, 3, mask);
    const int a = p.load("columns", {Dim(0), kLane}), b = p.load("columns", {Dim(1), kLane}),
              c = p.load("columns", {Dim(2), kLane});
    const int terms[] = {p.op("fma", {a, b, c}, DType::kF32),
                         p.op("div", {a, p.op("add", {b, c}, DType::kF32)}, DType::kF32),
                         p.op("sqrt", {p.op("abs", {a}, DType::kF32)}, DType::kF32), p.op("max", {a, b}, DType::kF32)};
    for (int k = 0; k < 4; ++k) {
      const int e = p.op("select", {mask, terms[k], p.literal(DType::kF32, 0)}, DType::kF32);
      p.store("acc", {Dim(k), kLane}, p.op("add", {p.load("acc", {Dim(k), kLane}), e}, DType::kF32));
    }
  });
  p.lane_reduce("out", "acc", "add", 4);
  const std::int64_t n = 77;
  Array x(DType::kF32, {n, 3}), out(DType::kF32, {4});
  for (std::int64_t k = 0; k < x.size(); ++k) x.set(k, std::sin(static_cast<double>(k) * 0.7) + 1.5);
  p.run(target, {x.raw(), out.raw()}, {n});
  return out;
}

TEST(CodegenTarget, TheSameBitsOnAllTargetsWithFma) {
  const Array expected = some_arithmetic(host_target());
  EXPECT_TRUE(std::isfinite(expected.at(0)) && expected.at(0) != 0);
  for (const std::string& name : targets_here())
    if (target_named(name).has_fma) {
      EXPECT_TRUE(same_bits(some_arithmetic(target_named(name)), expected)) << name;
    }
}

TestProgram doubled() {
  TestProgram p;
  p.buffer("x", DType::kF32, {16});
  const int x = p.load("x", {kLane});
  p.store("x", {kLane}, p.op("add", {x, x}, DType::kF32));
  return p;
}

TEST(CodegenTarget, TextAndObjectForEveryTargetWhetherItRunsHereOrNot) {
  for (const std::string& name : target_names()) {
    TestProgram p = doubled();
    ir::Program& program = p.program();
    program.module.kernels[0].locations = {{"/somewhere/model.cpp", 14}};
    const std::string llvm = emit_llvm(program, target_named(name));
    EXPECT_NE(llvm.find("define i32 @gc_entry(ptr %buffers, ptr %dims, ptr %parallel)"), std::string::npos) << llvm;
    EXPECT_NE(llvm.find("define internal void @main.k.model.cpp_14("), std::string::npos) << llvm;
    EXPECT_NE(llvm.find("!{!\"model.cpp:14\"}"), std::string::npos) << llvm;
    EXPECT_NE(llvm.find("fadd <16 x float>"), std::string::npos) << llvm;
    EXPECT_EQ(emit_object(program, target_named(name)).substr(1, 3), "ELF");
  }
  TestProgram p = doubled();
  EXPECT_NE(emit_assembly(p.program(), target_named("x86-64-v4")).find("%zmm"), std::string::npos);
  const std::string narrow = emit_assembly(p.program(), target_named("x86-64-v3"));
  EXPECT_NE(narrow.find("%ymm"), std::string::npos);
  EXPECT_EQ(narrow.find("%zmm"), std::string::npos);
}

// What the processor's name implies is left out, and nothing else.
TEST(CodegenTarget, TheHostsNameAndWhatIsBeyondItSayAllThatItHas) {
  Target all = host_target();
  for (const std::string& feature : host().enabled) all.features += (all.features.empty() ? "+" : ",+") + feature;
  TestProgram p = doubled();
  EXPECT_EQ(emit_object(p.program(), host_target()).size(), emit_object(p.program(), all).size());
  EXPECT_EQ(emit_assembly(p.program(), host_target()), emit_assembly(p.program(), all));
  EXPECT_FALSE(host().enabled.empty());
  const std::string given = "," + host().features;
  for (const std::string& feature : host().enabled)
    EXPECT_EQ(given.find(",-" + feature), std::string::npos) << feature << " in " << given;
}

// More values alive at once than there are registers: spills of 64 bytes use aligned moves of an aligned stack.
TEST(CodegenTarget, SpillsAreAligned) {
  TestProgram p;
  p.buffer("x", DType::kF32, {60, 16});
  std::vector<int> alive;
  for (int k = 0; k < 60; ++k) alive.push_back(p.op("sqrt", {p.load("x", {Dim(k), kLane})}, DType::kF32));
  for (int k = 0; k < 60; ++k)
    p.store("x", {Dim(59 - k), kLane}, p.op("neg", {alive[static_cast<std::size_t>(k)]}, DType::kF32));
  const std::string text = emit_assembly(p.program(), target_named("x86-64-v4"));
  EXPECT_NE(text.find("andq\t$-64, %rsp"), std::string::npos);
  EXPECT_NE(text.find("64-byte Spill"), std::string::npos);
  for (std::size_t at = text.find("64-byte Spill"); at != std::string::npos; at = text.find("64-byte Spill", at + 1)) {
    const std::size_t line = text.rfind('\n', at);
    EXPECT_NE(text.substr(line, at - line).find("vmovap"), std::string::npos) << text.substr(line, at - line);
  }
}

}  // namespace
}  // namespace gcompile::codegen::testing
