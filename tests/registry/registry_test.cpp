// The registry-driven tests: one test per op, named registry.<op>, made from the table. A new op is tested by being in
// the table. For every sample: text comes back; the interpreter agrees with every pass; compiled code agrees with the
// interpreter on every target that runs here, with a symbolic and with constant extents; the gradient agrees with
// central differences in double, and so does the gradient of the gradient.
#include <gtest/gtest.h>

#include <algorithm>

#include "gcompile/base/error.h"
#include "gcompile/codegen/check/check.h"
#include "gcompile/codegen/check/gradient_check.h"
#include "gcompile/codegen/compile.h"
#include "gcompile/ir/build.h"
#include "gcompile/ir/parse.h"
#include "gcompile/ir/print.h"
#include "gcompile/passes/gradient.h"
#include "tests/registry/samples.h"

namespace gcompile::registry {
namespace {

using ir::OpDef;
using ir::V;

// The named targets that run here; a graph with fma in it needs one that has the instruction.
std::vector<Target> runnable_targets(bool with_fma) {
  std::vector<Target> targets;
  for (const std::string& name : codegen::target_names()) {
    if (name == "host") continue;
    const Target target = codegen::target_named(name);
    if (codegen::runs_here(target, nullptr) && (target.has_fma || !with_fma)) targets.push_back(target);
  }
  return targets;
}

void check_text(const Sample& s) {
  const std::string text = ir::print(s.graph);
  EXPECT_EQ(ir::print(ir::parse_graph(text, "sample.gir")), text) << s.name;
}

void check_compiler(const ir::Graph& graph, const std::string& name, bool gradient, bool with_fma) {
  codegen::CheckOptions options;
  options.targets = runnable_targets(with_fma);
  options.sizes = graph.symbols().empty() ? std::vector<codegen::DimValues>{{}}
                                          : std::vector<codegen::DimValues>{{{"N", 1}}, {{"N", 5}}, {{"N", 33}}};
  options.seed = 7;
  options.gradient = gradient;
  const auto report = codegen::check(graph, options);
  EXPECT_TRUE(report.ok()) << name << ": " << report.guilty << ": " << report.message << "\n" << ir::print(graph);
}

// The sum of the squares of all first derivatives, as a new loss.
ir::Graph gradient_as_loss(const Sample& s) {
  ir::Graph g = s.graph;
  ir::Builder b(g);
  b.where = {{"sample.cpp", 3}};
  std::vector<ir::Value> inputs;
  for (const auto& i : g.inputs)
    if (is_float(i.value.type().dtype)) inputs.push_back(i.value);
  ir::Value loss;
  for (const ir::Value d : passes::gradient(b, g.results[0].value, inputs)) {
    if (!d) continue;
    const V v{&b, d};
    std::vector<std::int64_t> axes;
    for (int a = 0; a < v.type().rank(); ++a) axes.push_back(a);
    const V square = axes.empty() ? v * v : ir::reduce("reduce_sum", v * v, axes);
    loss = loss ? (V{&b, loss} + square).v : square.v;
  }
  g.results.clear();
  if (loss) g.results.push_back({loss, "loss"});
  return g;
}

void check_second_order(const Sample& s) {
  const ir::Graph g = gradient_as_loss(s);
  if (g.results.empty()) return;
  const codegen::DimValues dims = g.symbols().empty() ? codegen::DimValues{} : codegen::DimValues{{"N", 5}};
  for (const auto& d : codegen::check_gradient(g, codegen::sample_call(g, dims, 11)))
    EXPECT_TRUE(d.ok()) << s.name << ", second order, " << d.name << ": " << d.analytic << " against " << d.numeric;
}

void check_kernel_only(const OpDef& op) {
  // No graph may contain it; its record must still refuse what it does not take.
  EXPECT_TRUE(op.is(ir::kElementwise));
  EXPECT_FALSE(op.signature.empty());
  std::vector<Type> wrong(static_cast<std::size_t>(op.arity), Type{DType::kF64, {}});
  const ir::Attrs none;
  EXPECT_THROW(op.infer(ir::InferContext{op, wrong, none, {}}), ModelError);
}

class OpTest : public testing::Test {
 public:
  explicit OpTest(const OpDef& op) : op_(op) {}
  void TestBody() override {
    EXPECT_FALSE(op_.doc.empty());
    EXPECT_FALSE(op_.signature.empty());
    if (op_.is(ir::kKernelOnly)) return check_kernel_only(op_);
    if (op_.name == "fusion") return;  // made by fuse: every other test runs through it
    const auto samples = samples_of(op_);
    EXPECT_FALSE(samples.empty());
    for (const Sample& s : samples) {
      SCOPED_TRACE(s.name);
      ir::verify(s.graph);
      check_text(s);
      check_compiler(s.graph, s.name, s.loss, op_.name == "fma");
      if (s.loss) check_second_order(s);
    }
  }

 private:
  const OpDef& op_;
};

const bool kRegistered = [] {
  for (const OpDef& op : ir::all_ops())
    testing::RegisterTest("registry", std::string(op.name).c_str(), nullptr, nullptr, __FILE__, __LINE__,
                          [&op]() -> testing::Test* { return new OpTest(op); });
  return true;
}();

}  // namespace
}  // namespace gcompile::registry
