// The anchored nest is a mechanism, not a recognised example: training steps of any small network become one launch
// without a temporary in the arena.
#include <gtest/gtest.h>

#include <sstream>

#include "gcompile/codegen/compile.h"
#include "gcompile/ir/parse.h"
#include "gcompile/ir/print.h"
#include "gcompile/passes/pipeline.h"
#include "tests/support/network.h"

namespace gcompile {
namespace {

using testing::Network;

Network random_network(std::uint64_t index) {
  RandomStream r(random_key(index, "structure"));
  const auto between = [&](std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(r.below(static_cast<std::uint64_t>(high - low + 1)));
  };
  Network net;
  net.inputs = between(2, 12);
  for (std::int64_t depth = between(1, 4); depth > 1; --depth) net.hidden.push_back(between(2, 12));
  net.activation = static_cast<Network::Activation>(between(0, 2));
  net.head = static_cast<Network::Head>(index % 3);
  net.outputs = between(net.head == Network::Head::kSoftmaxCrossEntropy ? 2 : 1, 12);
  return net;
}

int count_lines(const std::string& text, const std::string& first_word) {
  int count = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) count += line.rfind(first_word, 0) == 0;
  return count;
}

std::string program_text(const ir::Graph& graph, const Target& target) {
  return ir::print(passes::run_pipeline(graph, {target}));
}

TEST(Structure, TrainingStepsOfRandomNetworksAreOneLaunch) {
  for (std::uint64_t i = 0; i < 20; ++i) {
    const Network net = random_network(i);
    for (const std::string& target : codegen::target_names()) {
      const std::string text = program_text(training_graph(net, Dim("N")), codegen::target_named(target));
      EXPECT_EQ(count_lines(text, "launch"), 1) << net.str() << "\n" << text;
      EXPECT_EQ(count_lines(text, "slot"), 0) << net.str() << "\n" << text;
    }
  }
}

// What the tool does with the text is what the DSL's graph gives.
TEST(Structure, TextOfTheGraphGivesTheSameProgram) {
  for (std::uint64_t i = 0; i < 6; ++i) {
    const Network net = random_network(i);
    const ir::Graph graph = training_graph(net, Dim("N"));
    const Target target = codegen::default_target();
    EXPECT_EQ(program_text(ir::parse_graph(ir::print(graph)), target), program_text(graph, target)) << net.str();
  }
}

// With the check for NaN too: new values are staged in the kernel, then committed in place.
TEST(Structure, TrainingStepsThatLookForNaNAreOneLaunch) {
  for (std::uint64_t i = 0; i < 9; ++i) {
    Network net = random_network(i);
    net.adam = i % 2 == 1;
    passes::PipelineOptions options;
    options.check_nan = true;
    const std::string text =
        ir::print(passes::run_pipeline(training_graph(net, Dim("N")), {codegen::default_target()}, options));
    EXPECT_EQ(count_lines(text, "launch"), 1) << net.str() << "\n" << text;
    EXPECT_EQ(count_lines(text, "slot"), 0) << net.str() << "\n" << text;
    EXPECT_EQ(count_lines(text, "copy"), 0) << net.str() << "\n" << text;
    EXPECT_EQ(count_lines(text, "status status"), 1) << net.str() << "\n" << text;
  }
}

TEST(Structure, OptimizersWithMomentsStayInTheNest) {
  for (const bool adam : {false, true}) {
    Network net = random_network(1);
    net.momentum = 0.9;
    net.adam = adam;
    const std::string text = program_text(training_graph(net, Dim("N")), codegen::default_target());
    EXPECT_EQ(count_lines(text, "launch"), 1) << text;
    EXPECT_EQ(count_lines(text, "slot"), 0) << text;
  }
}

}  // namespace
}  // namespace gcompile
