// Networks of no particular shape: a training step of each is one launch, or the kernels say why it is not; and it
// computes what the interpreter does, for batches of 1, 23, 32 and 1000.
#include <gtest/gtest.h>

#include <algorithm>

#include "gcompile/codegen/check/compare.h"
#include "gcompile/codegen/compile.h"
#include "gcompile/passes/pipeline.h"
#include "tests/support/network.h"

namespace gcompile {
namespace {

using testing::Network;
using Activation = Network::Activation;
using Head = Network::Head;

// inputs, hidden, outputs, activation, head, momentum, adam
const Network kNetworks[] = {
    {1, {1}, 1, Activation::kSigmoid, Head::kBinaryCrossEntropy, 0, false},
    {2, {3}, 2, Activation::kTanh, Head::kSoftmaxCrossEntropy, 0, true},
    {3, {5, 7}, 1, Activation::kRelu, Head::kMeanSquaredError, 0.9, false},
    {9, {40}, 1, Activation::kSigmoid, Head::kBinaryCrossEntropy, 0, false},
    {13, {11}, 5, Activation::kRelu, Head::kSoftmaxCrossEntropy, 0, true},
    {17, {2, 19}, 3, Activation::kTanh, Head::kMeanSquaredError, 0, false},
    {23, {10, 10, 10}, 4, Activation::kRelu, Head::kSoftmaxCrossEntropy, 0.5, false},
    {31, {8}, 8, Activation::kSigmoid, Head::kSoftmaxCrossEntropy, 0, false},
    {37, {6}, 29, Activation::kTanh, Head::kSoftmaxCrossEntropy, 0, true},
    {40, {33}, 1, Activation::kRelu, Head::kBinaryCrossEntropy, 0.9, false},
};

ir::Program program_of(const Network& net, const Dim& batch, const Target& target) {
  return passes::run_pipeline(training_graph(net, batch), {target});
}

TEST(Generality, StepsAreOneLaunchOrSayWhyNot) {
  int one = 0;
  for (const Network& net : kNetworks) {
    const ir::Program program = program_of(net, Dim("N"), codegen::default_target());
    one += program.launches.size() == 1;
    if (program.launches.size() == 1) continue;
    for (const ir::Kernel& k : program.module.kernels)
      EXPECT_TRUE(std::any_of(k.reasons.begin(), k.reasons.end(),
                              [](const std::string& r) { return r.find("no nest: ") != std::string::npos; }))
          << net.str() << ": " << k.name;
  }
  EXPECT_GE(one, 8) << "of 10 networks";
}

bool is_nest(const ir::Program& program) {
  const auto& reasons = program.module.kernels.at(0).reasons;
  return std::any_of(reasons.begin(), reasons.end(),
                     [](const std::string& r) { return r.find("anchored nest over") != std::string::npos; });
}

bool has_reason(const ir::Program& program, const std::string& text) {
  const auto& reasons = program.module.kernels.at(0).reasons;
  return std::any_of(reasons.begin(), reasons.end(),
                     [&](const std::string& r) { return r.find(text) != std::string::npos; });
}

TEST(Generality, TheBatchDoesNotDecide) {
  for (const Network& net : kNetworks) {
    const bool symbolic = is_nest(program_of(net, Dim("N"), codegen::default_target()));
    EXPECT_EQ(has_reason(program_of(net, Dim(1), codegen::default_target()), "one sample, lanes along the features"),
              symbolic)
        << net.str();
    for (const std::int64_t rows : {1, 23, 32, 1000})
      EXPECT_EQ(is_nest(program_of(net, Dim(rows), codegen::default_target())), symbolic)
          << net.str() << ", " << rows << " rows";
  }
}

TEST(Generality, OneSampleHasTheBitsThatTheNestGivesIt) {
  for (const char* target : {"host", "x86-64-v3"}) {
    const Target t = codegen::target_named(target);
    if (!codegen::runs_here(t, nullptr)) continue;
    for (const Network& net : kNetworks) {
      const ir::Graph graph = training_graph(net, Dim("N"));
      codegen::Compiled any(program_of(net, Dim("N"), t), t), one(program_of(net, Dim(1), t), t);
      for (const std::uint64_t seed : {3, 4, 5}) {
        const codegen::Call call = codegen::sample_call(graph, {{"N", 1}}, seed);
        EXPECT_EQ(codegen::compare_bits(any.run(call), one.run(call)).worst, "") << net.str() << ", " << target;
      }
    }
  }
}

TEST(Generality, ConstantExtentsOfStepsWithTilesChangeNoBit) {
  // Small enough for one kernel when all is constant; else tiles, and a nest over the narrow rows of the loss.
  const Network nets[] = {{20, {16}, 5, Activation::kRelu, Head::kSoftmaxCrossEntropy, 0, false},
                          {16, {16, 17}, 10, Activation::kTanh, Head::kSoftmaxCrossEntropy, 0.9, false}};
  const Target t = codegen::default_target();
  for (const Network& net : nets) {
    const ir::Graph graph = training_graph(net, Dim("N"));
    codegen::Compiled any(program_of(net, Dim("N"), t), t);
    for (const std::int64_t rows : {1, 4, 7}) {
      const ir::Program program = program_of(net, Dim(rows), t);
      EXPECT_EQ(program.launches.size(), 1u) << net.str();
      codegen::Compiled constant(program, t);
      const codegen::Call call = codegen::sample_call(graph, {{"N", rows}}, 3);
      EXPECT_EQ(codegen::compare_bits(any.run(call), constant.run(call)).worst, "") << net.str() << ", " << rows;
    }
  }
}

TEST(Generality, StepsComputeWhatTheInterpreterDoes) {
  for (const Network& net : kNetworks) {
    const ir::Graph graph = training_graph(net, Dim("N"));
    codegen::Compiled code(program_of(net, Dim("N"), codegen::default_target()), codegen::default_target());
    for (const std::int64_t rows : {1, 23, 32, 1000}) {
      const codegen::Call call = codegen::sample_call(graph, {{"N", rows}}, 7);
      const auto d = codegen::compare_within(codegen::interpret_with_bounds(graph, call), code.run(call));
      EXPECT_TRUE(d.ok()) << net.str() << ", " << rows << " rows: " << d.worst;
    }
  }
}

}  // namespace
}  // namespace gcompile
