// parallelize: what is split off for threads and what is not; and that their number changes no bit.
#include "gcompile/passes/parallelize.h"

#include <gtest/gtest.h>

#include "gcompile/base/error.h"
#include "gcompile/codegen/check/compare.h"
#include "gcompile/codegen/compile.h"
#include "gcompile/ir/parse.h"
#include "gcompile/ir/print.h"
#include "gcompile/passes/pipeline.h"

namespace gcompile {
namespace {

Target eager() {
  Target t = codegen::default_target();
  t.serial_cutoff = 0;
  return t;
}

std::vector<bool> parallel_kernels(const std::string& body) {
  const ir::KernelModule m = passes::parallelize(ir::parse_kernel_module(body), {eager()});
  ir::verify(m);
  EXPECT_EQ(ir::print(ir::parse_kernel_module(ir::print(m))), ir::print(m));
  std::vector<bool> parallel;
  for (const ir::Kernel& k : m.kernels) parallel.push_back(k.is_parallel());
  return parallel;
}

using Flags = std::vector<bool>;

TEST(Parallelize, LoopsBecomeKernelsThatMakeTheirScalarsAgain) {
  EXPECT_EQ(parallel_kernels(R"(kernels @m {
  input x: f32[N]
  result a: f32[N]
  result b: f32[2]
  result c: f32[N]
  kernel @k {
    %0 = load x[0] : f32
    %1 = exp(%0) : f32
    for i in 0 .. N { %2 = load x[i] : f32  %3 = mul(%2, %1) : f32  store a[i] = %3 }
    store b[0] = %1
    store b[1] = %1
    for j in 0 .. N { %4 = load x[j] : f32  %5 = sub(%4, %1) : f32  store c[j] = %5 }
  }
})"),
            (Flags{true, false, true}));
}

TEST(Parallelize, WhatIterationsShareForbidsIt) {
  // Sums kept in the frame; a value that the loop carries; a buffer that the loop reads and writes; one that every
  // iteration writes whole and others read.
  EXPECT_EQ(parallel_kernels(R"(kernels @m {
  input x: f32[N]
  result a: f32[1]
  kernel @k {
    scratch s: f32[1] stack
    %0 = literal 0 : f32
    store s[0] = %0
    for i in 0 .. N { %1 = load x[i] : f32  %2 = load s[0] : f32  %3 = add(%1, %2) : f32  store s[0] = %3 }
    %4 = load s[0] : f32
    store a[0] = %4
  }
})"),
            Flags{false});
  EXPECT_EQ(parallel_kernels(R"(kernels @m {
  input x: f32[N]
  result a: f32[1]
  kernel @k {
    %0 = literal 0 : f32
    %5 = for i in 0 .. N (%1 = %0) : (f32) { %2 = load x[i] : f32  %3 = add(%1, %2) : f32  yield %3 }
    store a[0] = %5
  }
})"),
            Flags{false});
  EXPECT_EQ(parallel_kernels(R"(kernels @m {
  input x: f32[N]
  temp t: f32[N]
  result a: f32[N]
  kernel @k {
    for i in 0 .. N { %1 = load x[i] : f32  store t[i] = %1  %2 = load t[0] : f32  store a[i] = %2 }
  }
})"),
            Flags{false});
  EXPECT_EQ(parallel_kernels(R"(kernels @m {
  input x: f32[N]
  temp t: f32[1]
  result a: f32[N]
  result b: f32[1]
  kernel @k {
    for i in 0 .. N { %1 = load x[i] : f32  store t[0] = %1  %2 = load t[0] : f32  store a[i] = %2 }
    %3 = load t[0] : f32
    store b[0] = %3
  }
})"),
            Flags{false});
}

TEST(Parallelize, ScratchThatKeepsSomethingForbidsIt) {
  EXPECT_EQ(parallel_kernels(R"(kernels @m {
  input x: f32[N]
  result a: f32[N]
  kernel @k {
    scratch s: f32[1] stack
    for i in 0 .. N { %1 = load s[0] : f32  %2 = load x[i] : f32  store a[i] = %1  store s[0] = %2 }
  }
})"),
            Flags{false});
  EXPECT_EQ(parallel_kernels(R"(kernels @m {
  input x: f32[N]
  result a: f32[N]
  kernel @k {
    scratch s: f32[1] stack
    for i in 0 .. N { %2 = load x[i] : f32  store s[0] = %2  %1 = load s[0] : f32  store a[i] = %1 }
  }
})"),
            Flags{true});
}

// Products with panels, rows of softmax, column sums, elementwise chains; sizes at which threads get nothing, little,
// unequal parts.
TEST(Parallelize, TheNumberOfThreadsChangesNoBit) {
  const ir::Graph graph = ir::parse_graph(R"(graph @g(%x: f32[N,72], %y: f32[N,200]) {
  dim N in 1 .. 4096
  state @w: f32[200,72]
  %0 = dot(%x, @w) {lhs_batch = [], lhs_contract = [1], rhs_batch = [], rhs_contract = [1]} : f32[N,200]
  %1 = tanh(%0) : f32[N,200]
  %2 = sub(%1, %y) : f32[N,200]
  %3 = dot(%2, %x) {lhs_batch = [], lhs_contract = [0], rhs_batch = [], rhs_contract = [0]} : f32[200,72]
  %4 = sub(@w, %3) : f32[200,72]
  %5 = reduce_max(%2) {axes = [1]} : f32[N]
  %6 = reduce_sum(%2) {axes = [0]} : f32[200]
  return %5, %6
  update @w = %4
})");
  ir::Program program = passes::run_pipeline(graph, {eager()});
  std::size_t parallel = 0, own = 0;
  for (const ir::Kernel& k : program.module.kernels) parallel += k.is_parallel();
  for (const ir::Buffer& b : program.module.buffers) own += b.per_worker;
  EXPECT_GE(parallel, 4u) << ir::print(program);
  for (const std::int64_t n : {1, 2, 7, 64, 131}) {
    const codegen::Call call = codegen::sample_call(graph, {{"N", n}}, 11);
    const codegen::Outcome expected = codegen::Compiled(program, eager(), 1).run(call);
    for (const int threads : {2, 3, 4, 16}) {
      codegen::Compiled compiled(program, eager(), threads);
      for (int again = 0; again < 3; ++again) {
        const codegen::Difference d = codegen::compare_bits(expected, compiled.run(call));
        EXPECT_TRUE(d.ok()) << "N = " << n << ", " << threads << " threads: " << d.worst;
      }
    }
  }
  EXPECT_EQ(program.peak_bytes({{"N", 64}}, 3) > program.peak_bytes({{"N", 64}}, 1), own > 0);
}

TEST(Parallelize, SmallConstantLoopsStaySerial) {
  Target t = codegen::default_target();
  const ir::KernelModule m = passes::parallelize(ir::parse_kernel_module(R"(kernels @m {
  input x: f32[100]
  result a: f32[100]
  kernel @k {
    for i in 0 .. 100 { %1 = load x[i] : f32  store a[i] = %1 }
  }
})"),
                                                 {t});
  EXPECT_FALSE(m.kernels[0].is_parallel());
}

}  // namespace
}  // namespace gcompile
