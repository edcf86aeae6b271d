// Which values check-nan looks at: those where a NaN would leave the graph or vanish, and no others.
#include "gcompile/passes/check_nan.h"

#include <gtest/gtest.h>

#include "gcompile/ir/op.h"
#include "gcompile/ir/parse.h"

namespace gcompile::passes {
namespace {

// The names of inputs and states, and the ops of other nodes, that are looked at.
std::string looked_at(const std::string& body, const std::string& results) {
  const ir::Graph graph =
      ir::parse_graph("graph @g(%x: f32[N,3], %s: f32[]) { state @w: f32[3] " + body + " return " + results + " }");
  std::string text;
  for (const ir::Value& v : checked_values(graph))
    text += (text.empty() ? "" : " ") +
            (v.node->attrs.has("name") ? v.node->attrs.get<std::string>("name") : std::string(v.node->op->name));
  return text;
}

TEST(CheckedValues, OnlyTheEndOfTheWay) {
  EXPECT_EQ(looked_at("%0 = exp(%x) : f32[N,3] %1 = log(%0) : f32[N,3]", "%1"), "log");
  EXPECT_EQ(looked_at("%0 = exp(%x) : f32[N,3] %1 = reduce_sum(%0) {axes = [0, 1]} : f32[]", "%0, %1"), "reduce_sum");
}

TEST(CheckedValues, WhatAComparisonHides) {
  EXPECT_EQ(looked_at("%0 = exp(%s) : f32[] %1 = gt(%0, %s) : bool[]", "%1"), "exp");
  EXPECT_EQ(looked_at("%0 = exp(%s) : f32[] %1 = gt(%0, %s) : bool[]", "%0, %1"), "exp");
  EXPECT_EQ(looked_at("%0 = cast(%x) {dtype = i32} : i32[N,3]", "%0"), "x");
  EXPECT_EQ(looked_at("%0 = ne(%s, %s) : bool[]", "%0"), "");
  EXPECT_EQ(looked_at("%0 = is_finite(%s) : bool[]", "%0"), "");
}

TEST(CheckedValues, ARelusSelectShowsIt) {
  const std::string zero = "%0 = constant f32[] 0 ";
  EXPECT_EQ(looked_at(zero + "%1 = le(%s, %0) : bool[] %2 = select(%1, %0, %s) : f32[]", "%2"), "select");
  EXPECT_EQ(looked_at(zero + "%1 = gt(%s, %0) : bool[] %2 = select(%1, %s, %0) : f32[]", "%2"), "s select");
  EXPECT_EQ(looked_at(zero + "%1 = lt(%s, %0) : bool[] %2 = log(%s) : f32[] %3 = select(%1, %0, %2) : f32[]", "%3"),
            "select");
}

TEST(CheckedValues, TheSourceOfABroadcast) {
  EXPECT_EQ(looked_at("%0 = broadcast(@w) {axes = [1], dims = (N, 3)} : f32[N,3]", "%0"), "w");
  EXPECT_EQ(looked_at("%0 = constant f32[] 1 %1 = broadcast(%0) {dims = (N)} : f32[N]", "%1"), "");
  EXPECT_EQ(looked_at("%0 = constant f32[] nan %1 = neg(%0) : f32[]", "%1"), "neg");
}

TEST(CheckNan, AGraphOfIntegersStaysAsItIs) {
  const ir::Graph graph = ir::parse_graph("graph @g(%i: i32[3]) { %0 = add(%i, %i) : i32[3] return %0 }");
  EXPECT_EQ(check_nan(graph, {}).results.size(), 1u);
}

TEST(CheckNan, TheStatusTakesANameOfItsOwn) {
  const ir::Graph graph = ir::parse_graph("graph @g(%x: f32[]) { return %x as \"status\" }");
  EXPECT_EQ(check_nan(graph, {}).results[1].name, "status_2");
}

}  // namespace
}  // namespace gcompile::passes
