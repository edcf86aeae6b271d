// How a nest is cut into stages, strips and blocks of sums, and that no cut changes a bit of what it computes.
#include <gtest/gtest.h>

#include "gcompile/codegen/check/compare.h"
#include "gcompile/codegen/compile.h"
#include "gcompile/ir/op.h"
#include "gcompile/ir/parse.h"
#include "gcompile/ir/print.h"
#include "gcompile/passes/nest_cut.h"
#include "gcompile/passes/pipeline.h"
#include "tests/support/network.h"

namespace gcompile {
namespace {

using passes::choose_block;

TEST(NestCut, BlocksFitTheirLimitAndReadLittle) {
  for (const std::int64_t limit : {3, 6, 24})
    for (std::int64_t rows = 1; rows < 14; ++rows)
      for (std::int64_t columns = 1; columns < 14; ++columns) {
        const passes::SumBlock b = choose_block(rows, columns, limit);
        EXPECT_LE(b.rows * b.columns, limit);
        EXPECT_LE(b.rows, rows);
        EXPECT_LE(b.columns, columns);
      }
  const passes::SumBlock whole = choose_block(4, 6, 24);
  EXPECT_EQ(whole.rows, 4);
  EXPECT_EQ(whole.columns, 6);
  const passes::SumBlock square = choose_block(48, 48, 24);  // 4 x 6 reads 10 for 24 products, 1 x 24 reads 25
  EXPECT_GE(std::min(square.rows, square.columns), 4);
}

TEST(NestCut, ShortOnesOfLongIterationsGoAbreast) {
  const Target target = codegen::target_named("x86-64-v4");
  const ir::OpDef& op = ir::op("add");
  const ir::Node node{0, &op, {}, {}, {Type{DType::kF32, {}}}};
  const auto cut = [&](std::int64_t elements, bool abreast) {
    passes::NestWork work;
    work.carried = {&node};
    work.placed = [](const ir::Node*) { return true; };
    work.elements = [=](const ir::Node*) { return elements; };
    work.abreast = abreast;
    return passes::cut_nest(work, target);
  };
  EXPECT_EQ(cut(8, true).abreast, 1) << "a core overlaps short iterations by itself";
  EXPECT_EQ(cut(target.reorder_window / 2, true).abreast, 2);
  EXPECT_EQ(cut(target.reorder_window / 2, false).abreast, 1);
  EXPECT_EQ(cut(4 * target.reorder_window, true).abreast, 1) << "strips";
}

testing::Network two_layers() {
  testing::Network net;
  net.inputs = 8;
  net.hidden = {6, 4};
  return net;
}

ir::Program program(const ir::Graph& graph, const Target& target) {
  return passes::run_pipeline(graph, {target}, {.verify_each = true, .after_pass = nullptr});
}

std::string reasons(const ir::Graph& graph, const Target& target) {
  const ir::Program p = program(graph, target);
  EXPECT_EQ(p.module.kernels.size(), 1u);
  std::string all;
  for (const std::string& r : p.module.kernels[0].reasons) all += r + "\n";
  return all;
}

TEST(NestCut, SmallNestsAreOneLoopLargerOnesGoOverStrips) {
  testing::Network line;
  line.inputs = 1;
  line.head = testing::Network::Head::kMeanSquaredError;
  const Target target = codegen::target_named("x86-64-v4");
  EXPECT_NE(reasons(testing::training_graph(line, Dim("N")), target).find("nest: one loop"), std::string::npos);
  const std::string strips = reasons(testing::training_graph(two_layers(), Dim("N")), target);
  EXPECT_NE(strips.find("stages of"), std::string::npos) << strips;
  EXPECT_NE(strips.find("88 sums in blocks of up to 24"), std::string::npos) << strips;
}

// Strips of another length, other stages, other blocks: what is summed is summed in the same order.
TEST(NestCut, NoCutChangesABit) {
  std::vector<Target> targets(5, codegen::default_target());
  targets[1].l1_bytes = 1024;  // strips of two vectors
  targets[2].l1_bytes = 16 * 1024;
  targets[2].reorder_window = 32;       // a stage for nearly every value
  targets[3].reorder_window = 1 << 20;  // one stage
  targets[4].vector_registers = 8;      // small blocks
  for (const auto head : {testing::Network::Head::kBinaryCrossEntropy, testing::Network::Head::kSoftmaxCrossEntropy}) {
    testing::Network net = two_layers();
    net.head = head;
    net.outputs = head == testing::Network::Head::kBinaryCrossEntropy ? 1 : 3;
    const ir::Graph graph = testing::training_graph(net, Dim("N"));
    for (const std::int64_t n : {1, 15, 32, 33, 207, 208, 209, 500}) {
      const codegen::Call call = codegen::sample_call(graph, {{"N", n}}, 3);
      const codegen::Outcome expected = codegen::Compiled(program(graph, targets[0]), targets[0]).run(call);
      for (std::size_t t = 1; t < targets.size(); ++t) {
        const codegen::Outcome found = codegen::Compiled(program(graph, targets[t]), targets[t]).run(call);
        const codegen::Difference d = codegen::compare_bits(expected, found);
        EXPECT_TRUE(d.ok()) << net.str() << ", N = " << n << ", cut " << t << ": " << d.worst;
      }
    }
  }
}

// Lanes beyond the last sample and values of the strip before never reach a sum.
TEST(NestCut, AgreesWithTheInterpreter) {
  const Target target = codegen::default_target();
  for (const std::int64_t width : {1, 5, 17, 30}) {
    testing::Network net = two_layers();
    net.hidden = {width, 3};
    const ir::Graph graph = testing::training_graph(net, Dim("N"));
    codegen::Compiled compiled(program(graph, target), target);
    for (const std::int64_t n : {400, 17, 1}) {  // later calls find the sums of earlier ones in the frame
      const codegen::Call call = codegen::sample_call(graph, {{"N", n}}, 5);
      const codegen::Difference d =
          codegen::compare_within(codegen::interpret_with_bounds(graph, call), compiled.run(call));
      EXPECT_TRUE(d.ok()) << net.str() << ", N = " << n << ": " << d.worst;
    }
  }
}

// Sums over no samples are what they begin with, whether it is known that there are none or found out at a call.
TEST(NestCut, NoSamplesGiveZeros) {
  const Target target = codegen::default_target();
  for (const bool symbolic : {true, false}) {
    const std::string n = symbolic ? "N" : "0";
    const ir::Graph graph =
        ir::parse_graph("graph @g(%x: f32[" + n + ",3,19]) { " + (symbolic ? "dim N in 0 .. 4096 " : "") +
                        "%0 = tanh(%x) : f32[" + n + ",3,19] %1 = reduce_sum(%0) {axes = [0]} : f32[3,19] return %1 }");
    const ir::Program made = program(graph, target);
    EXPECT_NE(ir::print(made.module).find("strips of"), std::string::npos);
    codegen::Compiled compiled(made, target);
    for (const std::int64_t size : {symbolic ? 400 : 0, 0}) {  // the second finds the sums of the first in the frame
      const codegen::DimValues dims = symbolic ? codegen::DimValues{{"N", size}} : codegen::DimValues{};
      const codegen::Call call = codegen::sample_call(graph, dims, 5);
      const codegen::Difference d =
          codegen::compare_within(codegen::interpret_with_bounds(graph, call), compiled.run(call));
      EXPECT_TRUE(d.ok()) << n << " = " << size << ": " << d.worst;
    }
  }
}

}  // namespace
}  // namespace gcompile
