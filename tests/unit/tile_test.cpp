// Matrix products through contracts: results against the interpreter on every target, and bits that depend neither on
// the tile nor on which extents are symbolic.
#include "gcompile/passes/tile.h"

#include <gtest/gtest.h>

#include "gcompile/base/error.h"
#include "gcompile/codegen/check/compare.h"
#include "gcompile/codegen/compile.h"
#include "gcompile/ir/build.h"
#include "gcompile/ir/print.h"
#include "gcompile/passes/pipeline.h"

namespace gcompile {
namespace {

using codegen::Call;
using codegen::Compiled;
using codegen::DimValues;
using codegen::Outcome;
using ir::Builder;
using ir::Graph;
using ir::V;

struct Product {
  Dim m, k, n;
  bool a_transposed = false, b_transposed = false;
  Dim batch = 0;  // 0: no batch axis
  bool epilogue = false;
  DType dtype = DType::kF32;
};

// relu(a b + bias), or a b alone. As the only kernels: no input leads with an axis that could be an anchor.
Graph graph_of(const Product& p) {
  Graph g("product");
  Builder b(g);
  const bool batched = !p.batch.is(0);
  const auto dims = [&](const Dim& x, const Dim& y, bool transposed) {
    std::vector<Dim> d = transposed ? std::vector<Dim>{y, x} : std::vector<Dim>{x, y};
    if (batched) d.insert(d.begin(), p.batch);
    return d;
  };
  const V x{&b, b.input("x", {p.dtype, dims(p.m, p.k, p.a_transposed)})};
  const V y{&b, b.input("y", {p.dtype, dims(p.k, p.n, p.b_transposed)})};
  const std::int64_t first = batched ? 1 : 0;
  const std::vector<std::int64_t> batch = batched ? std::vector<std::int64_t>{0} : std::vector<std::int64_t>{};
  V z = ir::dot(x, y, {first + (p.a_transposed ? 0 : 1)}, {first + (p.b_transposed ? 1 : 0)}, batch, batch);
  if (p.epilogue) {
    const V bias{&b, b.input("bias", {p.dtype, {p.n}})};
    z = z + ir::broadcast(bias, z.type().dims, {z.type().rank() - 1});
    z = ir::select(ir::compare("gt", z, ir::zeros_like(z)), z, ir::zeros_like(z));
  }
  g.results.push_back({z, "z"});
  return g;
}

ir::Program program_of(const Graph& g, const Target& target) {
  return passes::run_pipeline(g, {target}, {.verify_each = true, .after_pass = nullptr});
}

std::vector<Target> targets_here() {
  std::vector<Target> list;
  for (const std::string& name : codegen::target_names())
    if (codegen::runs_here(codegen::target_named(name), nullptr)) list.push_back(codegen::target_named(name));
  return list;
}

void expect_right(const Graph& g, const DimValues& dims, const Target& target, const std::string& what) {
  const Call call = codegen::sample_call(g, dims, 5);
  Compiled code(program_of(g, target), target);
  const codegen::Difference d = codegen::compare_within(codegen::interpret_with_bounds(g, call), code.run(call));
  EXPECT_TRUE(d.ok()) << what << " for " << target.name << ": " << d.worst;
}

bool has_contract(const ir::Block& block) {
  for (const ir::Instr& i : block)
    if (i.opcode == ir::Opcode::kContract || has_contract(i.body)) return true;
  return false;
}

// The kernels before tile.
ir::KernelModule lowered(const Graph& g, const Target& target) {
  passes::Stage stage = g;
  for (const std::string_view name : passes::standard_pipeline()) {
    if (name == "tile") break;
    stage = passes::run_pass(*passes::find_pass(name), stage, {target});
  }
  return std::get<ir::KernelModule>(stage);
}

const char* layout(bool a, bool b) { return a ? b ? "tt" : "tn" : b ? "nt" : "nn"; }

class Layouts : public ::testing::TestWithParam<std::pair<bool, bool>> {};

TEST_P(Layouts, AreRightForOddSizes) {
  const auto [a, b] = GetParam();
  const std::int64_t sizes[][3] = {{1, 1, 1},     {1, 17, 33}, {5, 5, 5},    {17, 33, 5},   {33, 1, 17},
                                   {64, 64, 64},  {100, 5, 1}, {5, 100, 64}, {33, 64, 100}, {100, 33, 17},
                                   {17, 100, 33}, {3, 7, 2},   {16, 35, 48}, {28, 33, 20},  {29, 18, 20}};
  for (const Target& target : targets_here())
    for (const auto& [m, k, n] : sizes) {
      const Product p{m, k, n, a, b};
      const Graph g = graph_of(p);
      // Where both operands lead with the axis that is summed, that can be an anchor; sums of one product are none.
      EXPECT_TRUE((a && !b) || has_contract(lowered(g, target).kernels.at(0).body) == (k > 1));
      expect_right(g, {}, target,
                   std::to_string(m) + " x " + std::to_string(k) + " x " + std::to_string(n) + " " + layout(a, b));
    }
}

TEST_P(Layouts, HaveTheBitsOfConstantExtentsWhereTheyAreSymbolic) {
  const auto [a, b] = GetParam();
  const std::int64_t sizes[][3] = {{1, 5, 17}, {5, 17, 33}, {17, 33, 64}, {64, 17, 5}, {100, 64, 100}};
  for (const Target& target : targets_here())
    for (int which = 0; which < 4; ++which) {
      // M alone, K alone, N alone, all of them.
      const auto dim = [&](int i, const char* name, std::int64_t n) {
        return which == i || which == 3 ? Dim(name) : Dim(n);
      };
      for (const auto& [m, k, n] : sizes) {
        const Graph symbolic = graph_of({dim(0, "M", m), dim(1, "K", k), dim(2, "N", n), a, b, 0, true});
        const Graph constant = graph_of({m, k, n, a, b, 0, true});
        const Call call = codegen::sample_call(constant, {}, 9);
        Call named = call;
        if (which == 0 || which == 3) named.dims["M"] = m;
        if (which == 1 || which == 3) named.dims["K"] = k;
        if (which == 2 || which == 3) named.dims["N"] = n;
        const Outcome x = Compiled(program_of(constant, target), target).run(call);
        const Outcome y = Compiled(program_of(symbolic, target), target).run(named);
        EXPECT_EQ(codegen::compare_bits(x, y).worst, "")
            << layout(a, b) << ", " << which << ": " << m << " x " << k << " x " << n << " for " << target.name;
      }
    }
}

TEST_P(Layouts, MayHaveABatch) {
  const auto [a, b] = GetParam();
  for (const Target& target : targets_here())
    for (const Dim& batch : {Dim(3), Dim("B")})
      for (const auto& [m, k, n] : std::vector<std::array<std::int64_t, 3>>{{5, 17, 33}, {33, 64, 17}})
        expect_right(graph_of({m, k, n, a, b, batch, true}), batch.is_constant() ? DimValues{} : DimValues{{"B", 4}},
                     target, std::string("a batch of ") + layout(a, b));
}

INSTANTIATE_TEST_SUITE_P(Matmul, Layouts,
                         ::testing::Values(std::pair(false, false), std::pair(false, true), std::pair(true, false),
                                           std::pair(true, true)),
                         [](const auto& p) { return std::string(layout(p.param.first, p.param.second)); });

TEST(Tile, HasTheSameBitsWithWideAndNarrowRegisters) {
  const Target wide = codegen::target_named("x86-64-v4"), narrow = codegen::target_named("x86-64-v3");
  if (!codegen::runs_here(wide, nullptr)) GTEST_SKIP() << "no AVX-512 here";
  for (const auto& [m, k, n] : std::vector<std::array<std::int64_t, 3>>{{5, 17, 33}, {64, 64, 64}, {100, 33, 17}}) {
    const Graph g = graph_of({m, k, n, false, true, 0, true});
    const Call call = codegen::sample_call(g, {}, 9);
    const Outcome x = Compiled(program_of(g, wide), wide).run(call);
    const Outcome y = Compiled(program_of(g, narrow), narrow).run(call);
    EXPECT_EQ(codegen::compare_bits(x, y).worst, "") << m << " x " << k << " x " << n;
  }
}

// Where caches are slow the first tile of rows fills a panel, whole tiles after it read it, and what is left of a
// symbolic number of rows reads memory: there may have been no whole tile.
TEST(Tile, CopiesPanelsOnTheWay) {
  for (Target slow : targets_here()) {
    Target fast = slow;
    fast.l1_bytes = fast.l2_bytes = 1 << 20;
    slow.l1_bytes = slow.l2_bytes = 1024;
    slow.rates.l3 = slow.rates.dram = 0.01;
    for (const bool symbolic : {false, true})
      for (const std::int64_t m : {1, 7, 16, 40, 64, 100}) {
        if (!symbolic && m < 40) continue;  // too few rows to copy for
        const Graph g = graph_of({symbolic ? Dim("M") : Dim(m), 70, 150, false, false, 0, true});
        Call call = codegen::sample_call(g, symbolic ? DimValues{{"M", m}} : DimValues{}, 5);
        const ir::Program program = program_of(g, slow);
        EXPECT_NE(ir::print(program.module).find("temp panel"), std::string::npos);
        EXPECT_EQ(ir::print(program_of(g, fast).module).find("temp panel"), std::string::npos);
        const Outcome copied = Compiled(program, slow).run(call);
        EXPECT_EQ(codegen::compare_bits(Compiled(program_of(g, fast), fast).run(call), copied).worst, "") << m;
        EXPECT_EQ(codegen::compare_bits(Compiled(program, slow, 3).run(call), copied).worst, "") << m;
      }
  }
}

TEST(Tile, TakesOtherDTypes) {
  for (const Target& target : targets_here())
    for (const DType dtype : {DType::kF64, DType::kI32})
      for (const bool b : {false, true}) {
        Product p{17, 33, 37, false, b};
        p.dtype = dtype;
        expect_right(graph_of(p), {}, target, std::string(name(dtype)));
      }
}

TEST(Tile, SumsOverSeveralAxes) {
  Graph g("sums");
  Builder b(g);
  const V x{&b, b.input("x", {DType::kF32, {9, 7, 5, 4}})}, y{&b, b.input("y", {DType::kF32, {4, 7, 40}})};
  g.results.push_back({ir::dot(x, y, {1, 3}, {1, 0}), "z"});
  for (const Target& target : targets_here()) {
    EXPECT_TRUE(has_contract(lowered(g, target).kernels.at(0).body));
    expect_right(g, {}, target, "two contracting axes");
  }
}

// The update of a weight reads the element that it stores: it can be made in place, tile by tile.
TEST(Tile, UpdatesAWeightInPlace) {
  Graph g("update");
  Builder b(g);
  const Dim n("N");
  const V x{&b, b.input("x", {DType::kF32, {n, 70}})}, d{&b, b.input("d", {DType::kF32, {70, n}})};
  const V w{&b, b.state("w", {DType::kF32, {70, 70}}, nullptr)};
  g.updates.push_back({0, w - ir::dot(d, x, {1}, {0}) * 0.1});
  for (const Target& target : targets_here()) {
    const ir::Program program = program_of(g, target);
    EXPECT_TRUE(program.copies.empty());
    expect_right(g, {{"N", 37}}, target, "an update");
  }
}

TEST(Tile, IsRefusedByWhatComesAfterTile) {
  const Target target = codegen::target_named("x86-64-v3");
  const ir::KernelModule m = lowered(graph_of({5, 6, 7}), target);
  for (const char* name : {"expand-math", "schedule", "plan-memory"})
    EXPECT_THROW(passes::run_pass(*passes::find_pass(name), m, {target}), Error) << name;
}

}  // namespace
}  // namespace gcompile
