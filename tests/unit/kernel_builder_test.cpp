// KernelBuilder: types, reuse within scopes, loops.
#include "gcompile/passes/kernel_builder.h"

#include <gtest/gtest.h>

#include "gcompile/base/error.h"

namespace gcompile::passes {
namespace {

using ir::LoopKind;
using ir::Opcode;
using ir::VType;

constexpr VType kScalar{DType::kF32, false}, kVector{DType::kF32, true};

struct KernelBuilderTest : ::testing::Test {
  ir::Kernel kernel;
  KernelBuilder b{kernel};
  int lanes() { return b.load("x", DType::kF32, {Dim(ir::kLaneSymbol)}); }
};

TEST_F(KernelBuilderTest, InfersTypes) {
  const int scalar = b.load("x", DType::kF32, {Dim("i")});
  const int vector = lanes();
  EXPECT_EQ(b.type(scalar), kScalar);
  EXPECT_EQ(b.type(vector), kVector);
  EXPECT_EQ(b.type(b.op("add", {scalar, vector})), kVector);
  EXPECT_EQ(b.type(b.op("lt", {scalar, scalar})), (VType{DType::kBool, false}));
  EXPECT_EQ(b.type(b.op("lt", {scalar, vector})), (VType{DType::kBool, true}));
  EXPECT_EQ(b.type(b.cast(vector, DType::kI32)), (VType{DType::kI32, true}));
  EXPECT_EQ(b.cast(vector, DType::kF32), vector);
  EXPECT_EQ(b.type(b.index(Dim("i") * 4)), (VType{DType::kI32, false}));
  const int index = b.index(Dim("i") + Dim(ir::kLaneSymbol));
  EXPECT_EQ(b.type(index), (VType{DType::kI32, true}));
  EXPECT_EQ(b.type(b.load("x", DType::kF64, {Dim("$0")}, {index})), (VType{DType::kF64, true}));
  const int mask = b.op("lt", {index, b.literal(DType::kI32, 7)});
  EXPECT_EQ(b.type(b.load("x", DType::kF32, {Dim(0)}, {}, mask)), kVector);
  EXPECT_EQ(b.both(-1, mask), mask);
  EXPECT_EQ(b.both(mask, -1), mask);
  EXPECT_EQ(b.type(b.both(mask, b.op("eq", {index, index}))), (VType{DType::kBool, true}));
}

TEST_F(KernelBuilderTest, RefusesOperandsThatDoNotFit) {
  const int f = b.literal(DType::kF32, 1), i = b.literal(DType::kI32, 1);
  EXPECT_THROW(b.op("add", {f, i}), Error);
  EXPECT_THROW(b.op("add", {f}), InternalError);
}

TEST_F(KernelBuilderTest, ReusesWhatTheBlockAndThoseAroundItHave) {
  const int one = b.literal(DType::kF32, 1);
  EXPECT_EQ(b.literal(DType::kF32, 1), one);
  EXPECT_NE(b.literal(DType::kF64, 1), one);
  EXPECT_NE(b.literal(DType::kF32, 0), b.literal(DType::kF32, -0.0));
  EXPECT_EQ(b.index(Dim("N") + 1), b.index(Dim(1) + Dim("N")));
  const int sum = b.op("add", {one, one});
  int inner = -1;
  b.loop("i", 4, LoopKind::kSerial, [&] {
    EXPECT_EQ(b.op("add", {one, one}), sum);
    inner = b.literal(DType::kF32, 2);
  });
  EXPECT_NE(b.literal(DType::kF32, 2), inner) << "a value of a loop's body is not visible after it";
  EXPECT_NE(lanes(), lanes()) << "a load may see another content";
}

TEST_F(KernelBuilderTest, CarriesValuesThroughLoops) {
  const int zero = b.literal(DType::kF32, 0);
  const auto after = b.loop("i", Dim("N"), LoopKind::kUnroll, {zero, zero},
                            [&](std::span<const int> carried) {
                              return std::vector<int>{b.op("add", {carried[0], lanes()}), carried[1]};
                            },
                            {kVector, kScalar});
  EXPECT_EQ(b.type(after[0]), kVector);
  EXPECT_EQ(b.type(after[1]), kScalar);
  const ir::Instr& loop = kernel.body.back();
  EXPECT_EQ(loop.opcode, Opcode::kFor);
  EXPECT_EQ(loop.body.size(), 2u);
  EXPECT_EQ(loop.results, after);
  EXPECT_EQ(loop.yields[1], loop.arguments[1]);
  const auto widens = [&](std::span<const int>) { return std::vector<int>{lanes()}; };
  EXPECT_THROW(b.loop("j", 2, LoopKind::kSerial, {zero}, widens), InternalError);
  const auto loses = [&](std::span<const int>) { return std::vector<int>{}; };
  EXPECT_THROW(b.loop("j", 2, LoopKind::kSerial, {zero}, loses), InternalError);
}

TEST_F(KernelBuilderTest, NamesLoopVariables) {
  EXPECT_EQ(b.fresh_var("i"), "i");
  b.loop("j", 2, LoopKind::kSerial, [] {});
  EXPECT_EQ(b.fresh_var("j"), "j2");
  EXPECT_EQ(b.fresh_var("j"), "j3");
}

TEST_F(KernelBuilderTest, RecordsLocations) {
  const Location at{"model.cpp", 3};
  b.where = b.location(at);
  EXPECT_EQ(b.location(at), b.where);
  EXPECT_EQ(b.location({}), -1);
  lanes();
  b.store("y", {Dim(0)}, 0);
  EXPECT_EQ(kernel.locations, (std::vector<Location>{at}));
  for (const ir::Instr& i : kernel.body) EXPECT_EQ(i.where, 0);
}

TEST_F(KernelBuilderTest, ContinuesAKernel) {
  const int v = lanes();
  b.loop("i", 2, LoopKind::kSerial, [&] { b.literal(DType::kI32, 5); });
  KernelBuilder more(kernel);
  EXPECT_EQ(more.type(v), kVector);
  EXPECT_EQ(more.op("neg", {v}), 2);
  EXPECT_EQ(kernel.values, 3);
  EXPECT_EQ(more.fresh_var("i"), "i2");
}

}  // namespace
}  // namespace gcompile::passes
