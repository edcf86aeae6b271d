// Kernels that differ in names alone share a function.
#include "gcompile/codegen/shared_kernels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gcompile/codegen/compile.h"
#include "gcompile/ir/parse.h"
#include "gcompile/passes/plan_memory.h"

namespace gcompile::codegen {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// z = x + y, w = y + z are alike; v = y - x is not, and u = x + x has one buffer where they have two.
const char kKernels[] = R"(kernels @m {
  input x: f32[16]
  input y: f32[16]
  result z: f32[16]
  result w: f32[16]
  result v: f32[16]
  result u: f32[16]
  kernel @first loc("model.cpp":3) {
    scratch a: f32[16] stack
    %0 = load x[lane] : f32x16 loc("model.cpp":3)
    store a[lane] = %0
    %1 = load a[lane] : f32x16
    %2 = load y[lane] : f32x16
    %3 = add(%1, %2) : f32x16
    store z[lane] = %3
  }
  kernel @second loc("model.cpp":4) {
    reason "another one"
    scratch b: f32[16] stack
    %5 = load y[lane] : f32x16
    store b[lane] = %5
    %6 = load b[lane] : f32x16
    %7 = load z[lane] : f32x16
    %8 = add(%6, %7) : f32x16
    store w[lane] = %8
  }
  kernel @third {
    scratch b: f32[16] stack
    %0 = load y[lane] : f32x16
    store b[lane] = %0
    %1 = load b[lane] : f32x16
    %2 = load x[lane] : f32x16
    %3 = sub(%1, %2) : f32x16
    store v[lane] = %3
  }
  kernel @fourth {
    scratch b: f32[16] stack
    %0 = load x[lane] : f32x16
    store b[lane] = %0
    %1 = load b[lane] : f32x16
    %2 = load x[lane] : f32x16
    %3 = add(%1, %2) : f32x16
    store u[lane] = %3
  }
})";

ir::Program program() { return passes::plan_memory(ir::parse_kernel_module(kKernels), {default_target()}); }

TEST(SharedKernels, ThatDifferInNames) {
  const SharedKernels shared = share_kernels(program());
  EXPECT_THAT(shared.first, ElementsAre(0, 0, 2, 3));
  EXPECT_THAT(shared.tables[0], ElementsAre(0, 1, 2));
  EXPECT_THAT(shared.tables[1], ElementsAre(1, 2, 3));
  EXPECT_THAT(shared.tables[2], IsEmpty());
}

// What the text of a kernel does not show keeps kernels apart.
TEST(SharedKernels, NotWhereTheTextSaysTooLittle) {
  ir::Program p = program();
  for (const std::size_t k : {0, 1}) {
    ir::Instr index{ir::Opcode::kIndex};
    index.index = {Dim("$0")};
    index.operands = {p.module.kernels[k].body[0].results[0]};
    index.results = {p.module.kernels[k].values++};
    index.type = {DType::kI32, false};
    p.module.kernels[k].body.push_back(index);
  }
  EXPECT_THAT(share_kernels(p).first, ElementsAre(0, 1, 2, 3));
}

TEST(SharedKernels, AreOneFunction) {
  const std::string text = emit_assembly(program(), default_target());
  EXPECT_THAT(text, HasSubstr("# kernel first: model.cpp:3; also kernel second: model.cpp:4\nm.first."));
  EXPECT_THAT(text, Not(HasSubstr("m.second")));
  EXPECT_THAT(text, HasSubstr("m.third:"));
  EXPECT_THAT(text, HasSubstr("m.fourth:"));
  EXPECT_THAT(emit_llvm(program(), default_target(), {.debug_info = true}), HasSubstr("@m.second."));
}

TEST(SharedKernels, ComputeWhatEachComputes) {
  for (const bool debug_info : {false, true}) {
    runtime::Executable executable(program(), jit(program(), default_target(), {.debug_info = debug_info}));
    const Array x = Array::full(DType::kF32, {16}, 3), y = Array::full(DType::kF32, {16}, 5);
    const Array* const arguments[] = {&x, &y};
    std::vector<Array> results(4);
    executable.run(arguments, results);
    for (std::int64_t i : {0, 15}) {
      EXPECT_EQ(results[0].at(i), 8);
      EXPECT_EQ(results[1].at(i), 13);
      EXPECT_EQ(results[2].at(i), 2);
      EXPECT_EQ(results[3].at(i), 6);
    }
  }
}

}  // namespace
}  // namespace gcompile::codegen
