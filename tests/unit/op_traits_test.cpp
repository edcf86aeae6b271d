// What passes ask of an op's record must agree with how the record says it is lowered.
#include <gtest/gtest.h>

#include <algorithm>

#include "gcompile/ir/op.h"

namespace gcompile::ir {
namespace {

TEST(OpTraits, FoldingIsWhatTheLoweringDoes) {
  int scatters = 0;
  for (const OpDef& op : all_ops()) {
    SCOPED_TRACE(std::string(op.name));
    const bool reduces = std::holds_alternative<ReduceLowering>(op.lower);
    const bool scatter = std::holds_alternative<ScatterLowering>(op.lower);
    EXPECT_EQ(reduces, op.is(kReduction));
    if (reduces || scatter) {
      EXPECT_TRUE(op.is(kFolding));
    }
    if (op.is(kElementwise) || op.is(kView) || op.is(kLeaf)) {
      EXPECT_FALSE(op.is(kFolding));
    }
    if (scatter) {
      ++scatters;
      EXPECT_TRUE(op.is(kIndexing));
      const auto& rule = std::get<ScatterLowering>(op.lower);
      EXPECT_TRUE(find_op(rule.combine) && find_op(rule.combine)->is(kElementwise));
      EXPECT_TRUE(rule.identity && rule.element);
    }
    if (const auto* loops = std::get_if<LoopLowering>(&op.lower)) {
      EXPECT_TRUE(loops->emit && op.is(kOwnLoops) && op.is(kFolding));
    }
    const auto* contract = std::get_if<ContractLowering>(&op.lower);
    EXPECT_EQ(contract != nullptr, op.is(kContraction));
    if (contract) {
      EXPECT_TRUE(contract->sums && contract->operands);
    }
    if (op.is(kIndexing)) {
      EXPECT_EQ(op.arity, 2);
    }
    // An i64 is no double: what takes one says what it is on integers.
    const bool takes_i64 = op.dtypes.empty() || std::count(op.dtypes.begin(), op.dtypes.end(), DType::kI64) > 0;
    if (op.element && takes_i64) {
      EXPECT_TRUE(op.integer) << op.name;
    }
  }
  EXPECT_GT(scatters, 0);
}

TEST(OpTraits, EveryRecordSaysWhatChecksAskOfIt) {
  for (const OpDef& op : all_ops()) {
    SCOPED_TRACE(std::string(op.name));
    EXPECT_NE(op.on_nan, OnNan::kByTraits);
    EXPECT_EQ(op.error == nullptr, op.bodies > 0);
    EXPECT_EQ(op.control != nullptr, op.is(kControl) && !op.is(kInlined));
    for (const Trait t : {kSelecting, kComparison, kConversion})
      if (op.is(t)) {
        EXPECT_TRUE(op.is(kElementwise));
      }
    for (const Trait t : {kRowMajor, kRepeating})
      if (op.is(t)) {
        EXPECT_TRUE(op.is(kView) && op.on_nan == OnNan::kShown);
      }
    if (op.is(kSelecting)) {
      EXPECT_EQ(op.arity, 3);
    }
    if (op.is(kComparison)) {
      EXPECT_TRUE(op.arity == 2 && op.element);
    }
  }
}

}  // namespace
}  // namespace gcompile::ir
