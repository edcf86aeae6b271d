// simplify-index: known forms, and equality with the expression it came from wherever the symbols are within range.
#include <gtest/gtest.h>

#include <random>

#include "gcompile/passes/simplify_index.h"

namespace gcompile::passes {
namespace {

const Ranges kRanges{{"i", {0, 6}}, {"j", {0, 3}}, {"k", {0, 11}}, {"lane", {0, 15}}, {"N", {1, 40}}};

Dim sym(const char* name) { return Dim(name); }
std::string simplified(const Dim& d) { return simplify(d, kRanges).str(); }

TEST(SimplifyIndex, DropsDivisionsOfWhatIsInRange) {
  EXPECT_EQ(simplified(floordiv(sym("lane"), 16)), "0");
  EXPECT_EQ(simplified(mod(sym("j"), 4)), "j");
  EXPECT_EQ(simplified(mod(sym("k"), 11)), "mod(k, 11)");
  EXPECT_EQ(simplified(floordiv(Dim(4) * sym("i") + sym("j"), 4)), "i");
  EXPECT_EQ(simplified(mod(Dim(4) * sym("i") + sym("j"), 4)), "j");
  EXPECT_EQ(simplified(floordiv(sym("lane") + 16, 16)), "1");
  EXPECT_EQ(simplified(mod(sym("lane") - 16, 16)), "lane");
}

TEST(SimplifyIndex, TakesLowDigitsOutOfADivision) {
  EXPECT_EQ(simplified(floordiv(Dim(4) * sym("N") + sym("j"), 8)), "floordiv(N, 2)");
  EXPECT_EQ(simplified(mod(Dim(4) * sym("N") + sym("j"), 8)), "j + 4*mod(N, 2)");
  EXPECT_EQ(simplified(floordiv(Dim(4) * sym("i") + sym("j"), 32)), "0");
}

TEST(SimplifyIndex, MergesNestedDivisions) {
  EXPECT_EQ(simplified(floordiv(floordiv(sym("N"), 3), 4)), "floordiv(N, 12)");
  EXPECT_EQ(simplified(mod(mod(sym("N"), 12), 4)), "mod(N, 4)");
  // The argument needs its own simplification before the outer division can go.
  EXPECT_EQ(simplified(floordiv(Dim(8) * floordiv(Dim(4) * sym("i") + sym("j"), 4) + sym("i"), 8)), "i");
}

TEST(SimplifyIndex, RejoinsQuotientAndRemainder) {
  const Dim flat = sym("N") + 2;
  EXPECT_EQ(simplified(Dim(5) * floordiv(flat, 5) + mod(flat, 5)), "N + 2");
  EXPECT_EQ(simplified(Dim(15) * floordiv(flat, 5) * sym("i") + Dim(3) * mod(flat, 5) * sym("i") + 1),
            "3*N*i + 6*i + 1");
  EXPECT_EQ(simplified(Dim(4) * floordiv(sym("N"), 5) + mod(sym("N"), 5)), "4*floordiv(N, 5) + mod(N, 5)");
}

TEST(SimplifyIndex, LeavesTheUnknownAlone) {
  const Dim d = floordiv(sym("$0") + sym("j"), 4);
  EXPECT_EQ(simplify(d, kRanges), d);
  EXPECT_EQ(bounds_of(sym("$0") * sym("i"), kRanges), kAnyInteger);
  EXPECT_EQ(bounds_of(sym("$0") - sym("$1"), kRanges), kAnyInteger);
}

TEST(SimplifyIndex, BoundsOfSumsAndProducts) {
  EXPECT_EQ(bounds_of(Dim(3) * sym("i") - sym("j") + 2, kRanges), (Interval{-1, 20}));
  EXPECT_EQ(bounds_of(Dim(-2) * sym("i") * sym("j"), kRanges), (Interval{-36, 0}));
  EXPECT_EQ(bounds_of(floordiv(sym("lane") - 1, 4), kRanges), (Interval{-1, 3}));
  const Ranges wide{{"a", {0, std::int64_t{1} << 62}}, {"b", {-4, 4}}};
  EXPECT_EQ(bounds_of(Dim("a") * Dim("b"), wide), kAnyInteger);
}

class RandomIndex {
 public:
  explicit RandomIndex(unsigned seed) : random_(seed) {}

  Dim make(int depth) {
    if (depth == 0 || pick(5) == 0)
      return pick(3) == 0 ? Dim(pick(9) - 4) : Dim(names_[static_cast<std::size_t>(pick(5))]);
    switch (pick(5)) {
      case 0: return make(depth - 1) + make(depth - 1);
      case 1: return make(depth - 1) + Dim(divisors_[static_cast<std::size_t>(pick(6))]) * make(depth - 1);
      case 2: return Dim(pick(7) - 3) * make(depth - 1);
      case 3: return floordiv(make(depth - 1), divisors_[static_cast<std::size_t>(pick(6))]);
      default: return mod(make(depth - 1), divisors_[static_cast<std::size_t>(pick(6))]);
    }
  }
  std::map<std::string, std::int64_t> point() {
    std::map<std::string, std::int64_t> values;
    for (const auto& [name, range] : kRanges)
      values[name] = std::uniform_int_distribution<std::int64_t>(range.min, range.max)(random_);
    return values;
  }

 private:
  int pick(int n) { return std::uniform_int_distribution<int>(0, n - 1)(random_); }
  std::mt19937 random_;
  std::vector<std::string> names_{"i", "j", "k", "lane", "N"};
  std::vector<std::int64_t> divisors_{2, 3, 4, 8, 12, 16};
};

TEST(SimplifyIndex, EqualsWhatItCameFromOnRandomExpressions) {
  int shorter = 0;
  for (unsigned seed = 0; seed < 4000; ++seed) {
    RandomIndex random(seed);
    const Dim d = random.make(4);
    const Dim s = simplify(d, kRanges);
    const Interval bounds = bounds_of(d, kRanges);
    shorter += s != d;
    for (int i = 0; i < 40; ++i) {
      const auto point = random.point();
      ASSERT_EQ(s.evaluate(point), d.evaluate(point)) << d.str() << " became " << s.str() << ", seed " << seed;
      ASSERT_LE(bounds.min, d.evaluate(point)) << d.str();
      ASSERT_GE(bounds.max, d.evaluate(point)) << d.str();
    }
  }
  EXPECT_GT(shorter, 400);  // the test would prove nothing if nothing were rewritten
}

TEST(SimplifyIndex, ThePassKnowsLoopsAndBounds) {
  ir::KernelModule module;
  module.bounds["M"] = {1, 3};
  module.buffers.push_back({"x", {DType::kF32, {Dim("N")}}, ir::BufferRole::kInput});
  ir::Kernel kernel;
  ir::Instr load{ir::Opcode::kLoad};
  load.memory = "x";
  load.index = {floordiv(Dim(4) * Dim("t") + Dim("u"), 4) + floordiv(Dim("M"), 4) + mod(Dim("t"), 8)};
  ir::Instr inner{ir::Opcode::kFor};
  inner.var = "u";
  inner.extent = 4;
  inner.body = {load};
  ir::Instr outer{ir::Opcode::kFor};
  outer.var = "t";
  outer.extent = ceildiv(Dim("N"), 16);
  outer.body = {inner};
  kernel.body = {outer};
  // After the loops their variables are unknown again.
  kernel.body.push_back(load);
  module.kernels = {kernel};

  const ir::KernelModule out = simplify_index(module, {});
  EXPECT_EQ(out.kernels[0].body[0].body[0].body[0].index[0].str(), "mod(t, 8) + t");
  EXPECT_EQ(out.kernels[0].body[1].index[0].str(), "floordiv(u, 4) + mod(t, 8) + t");
}

}  // namespace
}  // namespace gcompile::passes
