// The walk of passes/batch: what is batched, what stays as it is, and what is refused.
#include "gcompile/passes/batch.h"

#include <gtest/gtest.h>

#include "gcompile/base/error.h"
#include "gcompile/ir/build.h"
#include "gcompile/ir/interpreter.h"
#include "gcompile/ir/op.h"
#include "gcompile/passes/gradient.h"

namespace gcompile::passes {
namespace {

using ir::V;
using ir::Value;
using Pairs = std::vector<std::pair<Value, Value>>;

struct Fixture {
  ir::Graph graph{"g"};
  ir::Builder b{graph};
  V x{&b, b.input("x", {DType::kF32, {4}})}, w{&b, b.input("w", {DType::kF32, {4}})},
      xs{&b, b.input("xs", {DType::kF32, {Dim("B"), 4}})};

  std::vector<Value> batched(std::vector<Value> results) {
    const Pairs leaves{{x, xs}};
    return batch(b, results, leaves, Dim("B"));
  }
};

TEST(Batch, WhatDependsOnNoPlaceholderIsShared) {
  Fixture f;
  f.b.where = {{"model.cpp", 7}};
  const V shared = ir::unary("exp", f.w);
  const V y = f.x * shared;
  f.b.where = {{"caller.cpp", 1}};
  const std::vector<Value> out = f.batched({y, shared});
  ASSERT_EQ(out.size(), 2u);
  EXPECT_EQ(out[0].node->op->name, "mul");
  EXPECT_EQ(out[0].node->operands[0], f.xs.v);
  ASSERT_EQ(out[0].node->operands[1].node->op->name, "broadcast");
  EXPECT_EQ(out[0].node->operands[1].node->operands[0], shared.v);
  EXPECT_EQ(out[1].node->op->name, "broadcast");
  EXPECT_EQ(out[1].type().str(), "f32[B,4]");
  EXPECT_EQ(f.graph.where(out[0].node), (std::vector<Location>{{"model.cpp", 7}}));
  EXPECT_EQ(f.b.where, (std::vector<Location>{{"caller.cpp", 1}}));
}

TEST(Batch, StopsAtPlaceholdersInBetween) {
  Fixture f;
  const V y = ir::unary("exp", f.x), z = y + f.x;
  const Pairs leaves{{y, f.xs}};
  const std::vector<Value> results{z};
  const std::vector<Value> out = batch(f.b, results, leaves, Dim("B"));
  EXPECT_EQ(out[0].node->operands[0], f.xs.v);
  EXPECT_EQ(out[0].node->operands[1].node->op->name, "broadcast");  // of x, which is not batched
}

TEST(Batch, DeepGraphsAreWalkedWithoutRecursion) {
  Fixture f;
  V y = f.x;
  for (int i = 0; i < 200000; ++i) y = -y;
  const std::vector<Value> out = f.batched({y});
  EXPECT_EQ(out[0].type().str(), "f32[B,4]");
}

// The derivative of a sum over the batch is, at every element, the derivative there: batching after differentiating
// and differentiating after batching are the same numbers.
TEST(Batch, CommutesWithTheGradient) {
  Fixture f;
  const V y = ir::reduce("reduce_sum", ir::unary("sin", f.x) * f.w, {0});
  const std::vector<Value> wrt{f.x};
  const std::vector<Value> rows = f.batched({gradient(f.b, y, wrt)[0]});
  const V total = ir::reduce("reduce_sum", {&f.b, f.batched({y})[0]}, {0});
  const std::vector<Value> wrt_batch{f.xs};
  f.graph.results = {{rows[0], "rows"}, {gradient(f.b, total, wrt_batch)[0], "of the batch"}};
  const Array one{1.0f, 2.0f, 3.0f, 4.0f}, w{0.5f, -1.0f, 2.0f, 0.25f};
  const auto out = ir::interpret(f.graph, {one, w, Array{{0.1f, 0.2f, 0.3f, 0.4f}, {1.0f, 2.0f, 3.0f, 4.0f}}}).results;
  for (std::int64_t i = 0; i < 8; ++i) EXPECT_EQ(out[0].at(i), out[1].at(i));
  EXPECT_NE(out[0].at(0), out[0].at(4));
}

TEST(Batch, RefusesAnOpWithoutARuleAtItsLine) {
  Fixture f;
  ir::OpDef unknown = ir::op("exp");
  unknown.name = "mystery";
  unknown.batch = nullptr;
  f.b.where = {{"model.cpp", 9}};
  const Value y = f.b.make(unknown, {f.x});
  try {
    f.batched({y});
    FAIL();
  } catch (const ModelError& e) {
    EXPECT_STREQ(e.what(),
                 "model.cpp:9: mystery: cannot be done to every element of a batch: the op has no batching rule");
  }
}

TEST(Batch, RefusesABatchOfAnotherShape) {
  Fixture f;
  const Pairs leaves{{f.x, f.w}};
  const std::vector<Value> results{f.x};
  try {
    batch(f.b, results, leaves, Dim("B"));
    FAIL();
  } catch (const ModelError& e) {
    EXPECT_STREQ(e.what(), "batch: the batch of a f32[4] is f32[4]; it must be f32[B,4]");
  }
}

}  // namespace
}  // namespace gcompile::passes
