// check-nan knows what every op does with a NaN: one in any operand is seen, by the interpreter and by compiled code,
// unless the op may leave it out, and then if and only if a result has it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "gcompile/base/error.h"
#include "gcompile/codegen/check/call.h"
#include "gcompile/codegen/compile.h"
#include "gcompile/passes/check_nan.h"
#include "gcompile/passes/pipeline.h"
#include "samples.h"

namespace gcompile::registry {
namespace {

bool has_nan(const Array& a) {
  bool found = false;
  for (std::int64_t i = 0; is_float(a.dtype()) && i < a.size(); ++i) found |= std::isnan(a.at(i));
  return found;
}

// Some samples have an input that only says what N is.
bool is_read(const ir::Graph& graph, ir::Value v) {
  const auto nodes = graph.topological();
  return std::any_of(nodes.begin(), nodes.end(), [&](const ir::Node* n) {
    return std::find(n->operands.begin(), n->operands.end(), v) != n->operands.end();
  });
}

TEST(CheckNanOfEveryOp, ANanInAnOperandIsSeen) {
  int seen = 0;
  for (const ir::OpDef& op : ir::all_ops()) {
    if (op.is(ir::kLeaf) || op.is(ir::kKernelOnly)) continue;
    if (op.name == "fma" && !codegen::default_target().has_fma) continue;  // a target that refuses it
    for (const Sample& sample : samples_of(op)) {
      const codegen::Call call = codegen::sample_call(sample.graph, {{"N", 3}}, 1);
      const ir::Graph checked = passes::check_nan(sample.graph, {});
      std::unique_ptr<codegen::Compiled> code;
      for (std::size_t i = 0; i < call.inputs.size(); ++i) {
        if (!is_float(call.inputs[i].dtype()) || call.inputs[i].size() == 0) continue;
        if (!is_read(sample.graph, sample.graph.inputs[i].value)) continue;
        codegen::Call bad = call;
        bad.inputs[i].set(bad.inputs[i].size() - 1, std::numeric_limits<double>::quiet_NaN());
        bool expected = op.on_nan != ir::OnNan::kDropped;
        for (const Array& r : codegen::interpret(sample.graph, bad).results) expected |= has_nan(r);
        const std::string what = sample.name + ", operand " + std::to_string(i);
        const bool looks = checked.results.size() > sample.graph.results.size();  // not where no NaN matters
        EXPECT_EQ(looks && codegen::interpret(checked, bad).results.back().item() != 0, expected) << what;
        seen += expected;
        if (!code)
          code = std::make_unique<codegen::Compiled>(
              passes::run_pipeline(sample.graph, {codegen::default_target()},
                                   {.verify_each = true, .check_nan = true, .after_pass = nullptr}),
              codegen::default_target());
        bool thrown = false;
        try {
          code->run(bad);
        } catch (const NumericError&) {
          thrown = true;
        }
        EXPECT_EQ(thrown, expected) << what << ", compiled";
      }
    }
  }
  EXPECT_GT(seen, 60);
}

}  // namespace
}  // namespace gcompile::registry
