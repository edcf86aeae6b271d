// expand-math: only primitives are left, in every scope; locations, masks and carried values survive.
#include "gcompile/passes/expand_math.h"

#include <gtest/gtest.h>

#include "gcompile/base/error.h"
#include "gcompile/passes/kernel_builder.h"

namespace gcompile::passes {
namespace {

using ir::Instr;
using ir::Opcode;

bool is_primitive(const ir::OpDef& op) {
  const auto* lowering = std::get_if<ir::ElementLowering>(&op.lower);
  return lowering && !lowering->expand;
}

void for_each(const ir::Block& block, const std::function<void(const Instr&)>& f) {
  for (const Instr& i : block) {
    f(i);
    for_each(i.body, f);
  }
}

ir::KernelModule expanded(const ir::Kernel& kernel, bool has_fma = true) {
  ir::KernelModule module;
  module.buffers = {{"x", {DType::kF32, {Dim("N")}}, ir::BufferRole::kInput},
                    {"y", {DType::kF32, {Dim("N")}}, ir::BufferRole::kResult}};
  module.kernels = {kernel};
  ir::verify(module);
  PassContext context;
  context.target.has_fma = has_fma;
  ir::KernelModule out = expand_math(module, context);
  ir::verify(out);
  return out;
}

TEST(ExpandMath, LeavesOnlyPrimitives) {
  int expanded_ops = 0;
  for (const ir::OpDef& op : ir::all_ops()) {
    const auto* lowering = std::get_if<ir::ElementLowering>(&op.lower);
    if (!lowering || !lowering->expand) continue;
    for (bool has_fma : {false, true}) {
      ir::Kernel kernel;
      kernel.name = "k";
      KernelBuilder b(kernel);
      std::vector<int> operands;
      try {
        for (int i = 0; i < op.arity; ++i)
          operands.push_back(b.load("x", DType::kF32, {Dim(16 * i) + Dim(ir::kLaneSymbol)}));
        b.store("y", {Dim(ir::kLaneSymbol)}, b.cast(b.op(op, operands), DType::kF32));
      } catch (const Error&) {
        continue;  // not an op on floats
      }
      const ir::KernelModule out = expanded(kernel, has_fma);
      ++expanded_ops;
      for_each(out.kernels[0].body, [&](const Instr& i) {
        if (i.opcode != Opcode::kOp) return;
        EXPECT_TRUE(is_primitive(*i.op)) << op.name << " leaves " << i.op->name;
        EXPECT_TRUE(has_fma || i.op->name != "fma") << op.name;
      });
    }
  }
  EXPECT_GE(expanded_ops, 10);
}

TEST(ExpandMath, WorksInsideLoopsAndKeepsTheRest) {
  ir::Kernel kernel;
  kernel.name = "k";
  kernel.locations = {{"model.cpp", 3}, {"model.cpp", 4}};
  KernelBuilder b(kernel);
  const int zero = b.literal(DType::kF32, 0);
  const int n = b.index(Dim("N"));
  const auto sum = b.loop("i", ceildiv(Dim("N"), 16), ir::LoopKind::kSerial, {zero},
                          [&](std::span<const int> carried) {
                            b.where = 0;
                            const Dim at = Dim("i") * 16 + Dim(ir::kLaneSymbol);
                            const int mask = b.op("lt", {b.index(at), n});
                            const int x = b.load("x", DType::kF32, {at}, {}, mask);
                            b.where = 1;
                            const int e = b.op("exp", {x});
                            b.store("y", {at}, e, mask);
                            return std::vector<int>{b.op("add", {carried[0], e})};
                          },
                          {{DType::kF32, true}});
  ASSERT_EQ(sum.size(), 1u);
  const ir::Kernel out = expanded(kernel).kernels[0];
  EXPECT_EQ(out.locations, kernel.locations);
  ASSERT_EQ(out.body.size(), kernel.body.size());
  const Instr& loop = out.body.back();
  ASSERT_EQ(loop.opcode, Opcode::kFor);
  EXPECT_EQ(loop.types, kernel.body.back().types);
  EXPECT_EQ(loop.var, "i");
  EXPECT_GT(loop.body.size(), kernel.body.back().body.size() + 5);
  for_each(loop.body, [](const Instr& i) {
    if (i.opcode != Opcode::kOp) return;
    EXPECT_NE(i.op->name, "exp");
    EXPECT_TRUE(i.where == 0 || i.where == 1);
  });
  int loads = 0, stores = 0;
  std::map<std::pair<DType, double>, int> literals;
  for (const Instr& i : loop.body) {
    if (i.opcode == Opcode::kLoad) loads += i.mask >= 0;
    if (i.opcode == Opcode::kStore) stores += i.mask >= 0;
    if (i.opcode == Opcode::kLiteral) ++literals[std::pair(i.type.dtype, i.literal)];
  }
  for (const auto& [literal, count] : literals) EXPECT_EQ(count, 1) << literal.second << " is made twice";
  EXPECT_EQ(loads, 1);
  EXPECT_EQ(stores, 1);
}

}  // namespace
}  // namespace gcompile::passes
