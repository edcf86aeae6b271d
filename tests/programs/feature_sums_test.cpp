// The order of sums along the features of a sample, as docs/numerics.md states it, against a loop that adds so: in a
// nest over samples and in the program for one.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "gcompile/codegen/check/call.h"
#include "gcompile/codegen/compile.h"
#include "gcompile/ir/parse.h"
#include "gcompile/passes/pipeline.h"

namespace gcompile {
namespace {

using codegen::Call;
using codegen::Compiled;
using codegen::Outcome;

// Term k in partial sum k mod `partials`, then these pairwise.
template <class F>
float sum_of(int terms, int partials, F&& add) {
  std::vector<float> sums(static_cast<std::size_t>(partials), 0.0f);
  for (int k = 0; k < terms; ++k) {
    float& sum = sums[static_cast<std::size_t>(k % partials)];
    sum = add(k, sum);
  }
  if (partials == 4) return (sums[0] + sums[1]) + (sums[2] + sums[3]);
  return partials == 2 ? sums[0] + sums[1] : sums[0];
}

// y[n, j] = the dot of a row with column j of w; s[n] = the sum of the row. The sum over the samples makes it a nest.
ir::Graph graph_of(int features, const std::string& batch) {
  const std::string k = std::to_string(features), row = "f32[" + batch + "," + k + "]", out = "f32[" + batch + ",3]";
  return ir::parse_graph(
      "graph @main(%x: " + row + ") {\n  state @w: f32[" + k +
      ",3]\n  %0 = dot(%x, @w) {lhs_batch = " + "[], lhs_contract = [1], rhs_batch = [], rhs_contract = [0]} : " + out +
      "\n  %1 = reduce_sum(%x) {axes = [1]} : f32[" + batch +
      "]\n  %2 = reduce_sum(%0) {axes = [0]} : f32[3]\n  return %0, %1, %2\n}\n");
}

Outcome run(int features, const std::string& batch, const Call& call, const Target& target) {
  const ir::Graph graph = graph_of(features, batch);
  const ir::Program program = passes::run_pipeline(graph, {target});
  EXPECT_NE(program.module.kernels.at(0).reasons.at(0).find(batch == "1" ? "one sample" : "anchored nest"),
            std::string::npos);
  return Compiled(program, target).run(call);
}

void expect_bits(float expected, double actual, const std::string& what) {
  const float value = static_cast<float>(actual);
  EXPECT_EQ(std::memcmp(&expected, &value, sizeof value), 0) << what << ": " << expected << " and " << value;
}

void check(int features, int of_products, int of_elements, int rows, const std::string& batch) {
  const Target target = codegen::default_target();
  const Call call = codegen::sample_call(graph_of(features, "N"), {{"N", rows}}, 7);
  const Outcome got = run(features, batch, call, target);
  const Array &x = call.inputs[0], &w = call.states.at("w");
  for (int n = 0; n < rows; ++n) {
    const std::string where = std::to_string(features) + " features, row " + std::to_string(n) + " of " + batch;
    const auto element = [&](int k) { return static_cast<float>(x.at(n * features + k)); };
    for (int j = 0; j < 3; ++j) {
      const auto add = [&](int k, float sum) {
        const float v = static_cast<float>(w.at(k * 3 + j));
        return target.has_fma ? std::fmaf(element(k), v, sum) : sum + element(k) * v;
      };
      expect_bits(sum_of(features, of_products, add), got.results[0].at(n * 3 + j), "dot, " + where);
    }
    expect_bits(sum_of(features, of_elements, [&](int k, float sum) { return sum + element(k); }), got.results[1].at(n),
                "sum, " + where);
  }
}

TEST(FeatureSums, AreAddedInPartsThatTheirNumberDecides) {
  struct {
    int features, of_products, of_elements;
  } const cases[] = {{3, 1, 1}, {4, 1, 2}, {7, 1, 2}, {8, 1, 4}, {15, 1, 4}, {16, 4, 4}, {31, 4, 4}, {67, 4, 4}};
  for (const auto& c : cases) {
    check(c.features, c.of_products, c.of_elements, 5, "N");
    check(c.features, c.of_products, c.of_elements, 1, "N");
    check(c.features, c.of_products, c.of_elements, 1, "1");
  }
}

}  // namespace
}  // namespace gcompile
