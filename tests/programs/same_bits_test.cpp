// The same bits of programs that are several kernels, for what must not matter: the number of threads, constant or
// symbolic extents, updates in place or not, AVX-512 or AVX2. The baseline, which has no fma, is within the bounds.
#include <gtest/gtest.h>

#include "gcompile/codegen/check/compare.h"
#include "gcompile/codegen/compile.h"
#include "gcompile/passes/pipeline.h"
#include "tests/support/mid_size_graphs.h"

namespace gcompile {
namespace {

using codegen::Call;
using codegen::Compiled;
using codegen::Outcome;

constexpr std::int64_t kRows[] = {1, 33, 128};

Compiled compiled(const ir::Graph& graph, const Target& target, int threads = 1) {
  return Compiled(passes::run_pipeline(graph, {target}), target, threads);
}

// Calls f(name, graph, call, what one thread gives for the symbolic graph on this machine).
template <class F>
void each_call(const F& f) {
  for (const auto& [name, graph] : testing::mid_size_graphs(Dim("N"))) {
    Compiled code = compiled(graph, codegen::default_target());
    for (const std::int64_t n : kRows) {
      SCOPED_TRACE(name + ", N = " + std::to_string(n));
      const Call call = codegen::sample_call(graph, {{"N", n}}, 3);
      f(name, graph, call, code.run(call));
    }
  }
}

void expect_same(const Outcome& a, const Outcome& b, const std::string& what) {
  EXPECT_EQ(codegen::compare_bits(a, b).worst, "") << what;
}

TEST(SameBits, ForAnyNumberOfThreads) {
  for (const int threads : {2, 3, 4})
    each_call([&](const std::string&, const ir::Graph& graph, const Call& call, const Outcome& one) {
      expect_same(compiled(graph, codegen::default_target(), threads).run(call), one, std::to_string(threads));
    });
}

TEST(SameBits, ForConstantExtents) {
  each_call([&](const std::string& name, const ir::Graph&, const Call& call, const Outcome& symbolic) {
    for (const auto& [other, graph] : testing::mid_size_graphs(Dim(call.dims.at("N"))))
      if (other == name)
        for (const int threads : {1, 3})
          expect_same(compiled(graph, codegen::default_target(), threads).run(call), symbolic, "constant");
  });
}

TEST(SameBits, WhateverTheOrderOfAxes) {
  const Target target = codegen::default_target();
  int turned = 0;
  each_call([&](const std::string&, const ir::Graph& graph, const Call& call, const Outcome& chosen) {
    ir::Graph as_it_is = graph;
    for (auto& s : as_it_is.states) {
      s.storage = std::make_shared<StateStorage>(s.name, call.states.at(s.name), s.trainable);
      s.storage->pin_order({});
    }
    expect_same(compiled(as_it_is, target).run(call), chosen, "pinned");
    for (const auto& b : passes::run_pipeline(graph, {target}).module.buffers) turned += !b.order.empty();
  });
  EXPECT_GT(turned, 0);
}

TEST(SameBits, WithNothingShared) {
  const Target target = codegen::default_target();
  each_call([&](const std::string&, const ir::Graph& graph, const Call& call, const Outcome& shared) {
    for (const int threads : {1, 3}) {
      Compiled apart(codegen::without_sharing(passes::run_pipeline(graph, {target})), target, threads);
      expect_same(apart.run(call), shared, std::to_string(threads) + " threads");
    }
  });
}

TEST(SameBits, OnAvx512AndAvx2) {
  const Target wide = codegen::target_named("x86-64-v4"), narrow = codegen::target_named("x86-64-v3");
  if (!codegen::runs_here(wide, nullptr)) GTEST_SKIP() << "no AVX-512 here";
  each_call([&](const std::string&, const ir::Graph& graph, const Call& call, const Outcome&) {
    const Outcome by_wide = compiled(graph, wide).run(call);
    for (const int threads : {1, 3}) expect_same(compiled(graph, narrow, threads).run(call), by_wide, "AVX2");
  });
}

TEST(SameBits, NearlyOnTheBaseline) {
  each_call([&](const std::string&, const ir::Graph& graph, const Call& call, const Outcome&) {
    const Outcome outcome = compiled(graph, codegen::target_named("x86-64")).run(call);
    const auto d = codegen::compare_within(codegen::interpret_with_bounds(graph, call), outcome);
    EXPECT_TRUE(d.ok()) << d.worst;
  });
}

}  // namespace
}  // namespace gcompile
