// The checks themselves: that they see what is wrong, allow what rounding explains, and say so where nothing is
// certain.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <memory>

#include "gcompile/codegen/check/check.h"
#include "gcompile/codegen/check/gradient_check.h"
#include "gcompile/codegen/compile.h"
#include "gcompile/ir/parse.h"
#include "gcompile/ir/print.h"
#include "gcompile/passes/pipeline.h"
#include "tests/support/guarded_arena.h"

namespace gcompile::codegen {
namespace {

BoundedOutcome evaluated(const std::string& body, const std::vector<Array>& inputs) {
  Call call;
  call.inputs = inputs;
  return interpret_with_bounds(ir::parse_graph(body), call);
}

Outcome moved(const Outcome& outcome, double by) {
  Outcome o = outcome;
  o.results[0].set(0, o.results[0].at(0) + by);
  return o;
}

TEST(Compare, SeesOneBit) {
  Outcome a;
  a.results = {Array{1.0f, 2.0f}};
  Outcome b = a;
  EXPECT_TRUE(compare_bits(a, b).ok());
  b.results[0].set(1, std::nextafter(2.0f, 3.0f));
  EXPECT_EQ(compare_bits(a, b).worst, "result 0[1] is 2.00000024, expected 2");
  b.results = {Array{1.0f, -0.0f}};
  a.results = {Array{1.0f, 0.0f}};
  EXPECT_FALSE(compare_bits(a, b).ok());
  a.results = b.results = {Array{1.0f, NAN}};
  EXPECT_TRUE(compare_bits(a, b).ok());
  b.results = {Array{1.0f}};
  EXPECT_EQ(compare_bits(a, b).worst, "result 0 is f32[1], expected f32[2]");
  b = a;
  b.states["w"] = Array(1.0f);
  EXPECT_FALSE(compare_bits(a, b).ok());
  EXPECT_FALSE(compare_bits(b, a).ok());
}

TEST(ErrorBounds, AllowsRoundingAndNoMore) {
  const BoundedOutcome e = evaluated("graph @g(%x: f32[1]) { %0 = exp(%x) : f32[1] return %0 }", {Array{1.0f}});
  EXPECT_TRUE(compare_within(e, moved(e.values, 2e-7)).ok());
  EXPECT_FALSE(compare_within(e, moved(e.values, 1e-4)).ok());
  EXPECT_FALSE(compare_within(e, moved(e.values, NAN)).ok());
}

// (1e6 + x) - 1e6 has lost what exp may be off by; the same error of exp alone would be too large.
TEST(ErrorBounds, GrowWithCancellation) {
  const BoundedOutcome e =
      evaluated("graph @g(%x: f32[1], %y: f32[1]) { %0 = exp(%x) : f32[1] %1 = sub(%0, %y) : f32[1] return %1 }",
                {Array{10.0f}, Array{static_cast<float>(std::exp(10.0))}});
  EXPECT_GT(e.errors.results[0].at(0), 1e-3);
  EXPECT_LT(e.errors.results[0].at(0), 1);
}

// The cosine of a large value that may be off by several turns is anything in -1 .. 1, whatever its corners say.
TEST(ErrorBounds, KnowThatACosineSwings) {
  const BoundedOutcome e =
      evaluated("graph @g(%x: f32[1]) { %0 = expm1(%x) : f32[1] %1 = cos(%0) : f32[1] return %1 }", {Array{18.0f}});
  EXPECT_GE(e.errors.results[0].at(0), 2);
  EXPECT_LE(e.errors.results[0].at(0), 2.01);
}

TEST(ErrorBounds, WhatCouldGoEitherWayIsUncertain) {
  const std::string text = "graph @g(%x: f32[3], %y: f32[3]) { %0 = exp(%x) : f32[3] %1 = lt(%0, %y) : bool[3] "
                           "%2 = cast(%0) {dtype = i32} : i32[3] return %1, %2 }";
  const BoundedOutcome e = evaluated(text, {Array{0.0f, 0.0f, 0.0f}, Array{0.5f, 1.0f, 1.5f}});
  EXPECT_EQ(e.errors.results[0].at(0), 0);
  EXPECT_TRUE(std::isinf(e.errors.results[0].at(1)));
  EXPECT_EQ(e.errors.results[0].at(2), 0);
  EXPECT_TRUE(std::isinf(e.errors.results[1].at(0)));
  EXPECT_EQ(compare_within(e, e.values).uncertain, 0);
  Outcome other = e.values;
  other.results[0].set(1, 1);
  EXPECT_EQ(compare_within(e, other).uncertain, 1);
  other.results[0].set(2, 0);
  EXPECT_FALSE(compare_within(e, other).ok());
}

TEST(ErrorBounds, IntegersAreExact) {
  const BoundedOutcome e = evaluated("graph @g(%x: i32[2]) { %0 = mul(%x, %x) : i32[2] return %0 }", {Array{3, 4}});
  EXPECT_FALSE(compare_within(e, moved(e.values, 1)).ok());
}

TEST(GradientCheck, AgreesWithDifferencesAndSeesWhenTheyDiffer) {
  const auto check = [](const std::string& inside) {
    const ir::Graph g = ir::parse_graph("graph @g(%x: f32[3]) { " + inside + " return %2 }");
    Call call;
    call.inputs = {Array{0.5f, -1.5f, 2.0f}};
    const auto list = check_gradient(g, call);
    EXPECT_EQ(list.size(), 1u);
    return list[0];
  };
  const std::string end = " %1 = mul(%0, %x) : f32[3] %2 = reduce_sum(%1) {axes = [0]} : f32[]";
  const GradientCheck right = check("%0 = tanh(%x) : f32[3]" + end);
  EXPECT_TRUE(right.ok());
  EXPECT_TRUE(std::isfinite(right.allowed));
  // What stop_gradient hides from the rules differences still see.
  EXPECT_FALSE(check("%0 = stop_gradient(%x) : f32[3]" + end).ok());
}

TEST(Check, SaysWhatItCompared) {
  const ir::Graph g = ir::parse_graph(
      "graph @g(%x: f32[N,3]) { %0 = tanh(%x) : f32[N,3] %1 = reduce_sum(%0) {axes = [0, 1]} : f32[] return %1 }");
  CheckOptions options;
  options.targets = {default_target()};
  options.sizes = {{{"N", 4}}, {{"N", 19}}};
  options.unshared = true;
  const CheckReport report = check(g, options);
  EXPECT_TRUE(report.ok()) << report.message;
  std::string all;
  for (const auto& line : report.lines) all += line.what + "\n";
  for (const char* what :
       {"N = 4: interpreter, after simplify\n", "N = 19: compiled for", "N = 19: kernels printed",
        "N = 4: compiled for these extents", "N = 19: nothing in place or shared", "N = 19: gradient by x"})
    EXPECT_NE(all.find(what), std::string::npos) << what << " in\n" << all;
}

// States that change places need memory besides their own, which is asked of `allocate`.
TEST(Check, GivesProgramsTheMemoryThatIsSaid) {
  const ir::Graph g = ir::parse_graph(
      "graph @g() { state @a: f32[40] state @b: f32[40] %0 = neg(@a) : f32[40] return update @a = @b update @b = %0 }");
  CheckOptions options;
  options.targets = {default_target()};
  options.sizes = {{}};
  std::vector<std::int64_t> asked;
  options.allocate = [&](std::int64_t bytes) {
    asked.push_back(bytes);
    return std::shared_ptr<std::byte>(new std::byte[static_cast<std::size_t>(bytes)],
                                      std::default_delete<std::byte[]>());
  };
  const CheckReport report = check(g, options);
  EXPECT_TRUE(report.ok()) << report.message;
  ASSERT_FALSE(asked.empty());
  EXPECT_GE(asked[0], 160);
}

// With `quick` LLVM does less, and the code is another; its bits are not.
TEST(Compiled, QuickCodeHasTheSameBits) {
  const ir::Graph g = ir::parse_graph(
      "graph @g(%x: f32[N,7], %w: f32[7,5]) { %0 = dot(%x, %w) {lhs_contract = [1], rhs_contract = [0]} : f32[N,5] "
      "%1 = exp(%0) : f32[N,5] %2 = reduce_sum(%1) {axes = [0]} : f32[5] return %1, %2 }");
  const Target target = default_target();
  const ir::Program program = passes::run_pipeline(g, {target});
  EXPECT_NE(emit_object(program, target), emit_object(program, target, {.quick = true}));
  Compiled full(program, target), quick(program, target, 1, true);
  for (const std::int64_t n : {1, 16, 37}) {
    const Call call = sample_call(g, {{"N", n}}, 3);
    EXPECT_EQ(compare_bits(full.run(call), quick.run(call)).worst, "") << n;
  }
}

// Elements that a mask leaves out may lie where no memory is. LLVM's selector for quick code read some of them.
TEST(Compiled, QuickCodeReadsNothingThatIsMaskedOff) {
  const ir::Graph g = ir::parse_graph(
      "graph @g(%x: f32[N,4]) { %0 = abs(%x) : f32[N,4] %1 = concat(%0, %x, %0) {axis = 0} : f32[3*N,4] return %1 }");
  for (const std::string& name : target_names()) {
    CheckOptions options;
    options.targets = {target_named(name)};
    if (!runs_here(options.targets[0], nullptr)) continue;
    options.sizes = {{{"N", 2}}, {{"N", 16}}};
    options.quick = true;
    options.threads = options.kernel_text = false;
    options.allocate = [](std::int64_t bytes) { return gcompile::testing::before_a_guard(bytes); };
    EXPECT_EXIT(std::_Exit(check(g, options).ok() ? 0 : 1), ::testing::ExitedWithCode(0), "") << name;
  }
}

// A graph that a pass cannot take is a failure that names the pass, not an exception.
TEST(Check, NamesTheStageThatThrows) {
  ir::Graph g = ir::parse_graph("graph @g(%x: f32[4]) { %0 = fma(%x, %x, %x) : f32[4] return %0 }");
  CheckOptions options;
  options.targets = {target_named("x86-64")};
  options.sizes = {{}};
  const CheckReport report = check(g, options);
  EXPECT_EQ(report.guilty, "lower");
  EXPECT_NE(report.message.find("has no such instruction"), std::string::npos) << report.message;
}

TEST(WithoutSharing, GivesEveryTemporaryASlotOfItsOwn) {
  ir::Program p;
  const Type t{DType::kF32, {8}};
  p.module.buffers = {
      {"w", t, ir::BufferRole::kState}, {"a", t, ir::BufferRole::kTemp}, {"b", t, ir::BufferRole::kTemp}};
  p.module.buffers[2].alias = 0;
  p.module.updates = {{"w", "b"}};
  p.slots = {{{32}}};
  p.placements = {{-1}, {0}, {-1}};
  const ir::Program apart = without_sharing(p);
  EXPECT_EQ(apart.slots.size(), 2u);
  EXPECT_EQ(apart.module.buffers[2].alias, -1);
  EXPECT_NE(apart.placements[1].slot, apart.placements[2].slot);
  ASSERT_EQ(apart.copies.size(), 1u);
  EXPECT_EQ(apart.copies[0].from, 2);
}

}  // namespace
}  // namespace gcompile::codegen
