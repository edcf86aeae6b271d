#include "gcompile/passes/pipeline.h"

#include <chrono>

#include "gcompile/base/error.h"
#include "gcompile/ir/inline.h"
#include "gcompile/ir/op.h"
#include "gcompile/ir/print.h"
#include "gcompile/passes/check_nan.h"
#include "gcompile/passes/contract.h"
#include "gcompile/passes/cse.h"
#include "gcompile/passes/dce.h"
#include "gcompile/passes/expand_math.h"
#include "gcompile/passes/fold.h"
#include "gcompile/passes/fuse.h"
#include "gcompile/passes/gradient.h"
#include "gcompile/passes/inline.h"
#include "gcompile/passes/layout.h"
#include "gcompile/passes/lower.h"
#include "gcompile/passes/merge_scans.h"
#include "gcompile/passes/parallelize.h"
#include "gcompile/passes/plan_memory.h"
#include "gcompile/passes/rematerialize.h"
#include "gcompile/passes/schedule.h"
#include "gcompile/passes/simplify.h"
#include "gcompile/passes/simplify_index.h"
#include "gcompile/passes/tile.h"
#include "gcompile/passes/widen.h"

namespace gcompile::passes {
namespace {

// The one table of passes.
const Pass kPasses[] = {
    {"gradient", "adds d<name> of the first scalar result for every trainable state and float input", gradient_pass,
     false},
    {"check-nan", "adds a result that says where a NaN was met; updates happen only if there was none", check_nan,
     false},
    {"merge-scans", "scans that take the same steps become one", merge_scans, true, true},
    {"inline", "calls become what they call", inline_calls, true, true},
    {"widen", "16-bit floats are computed in f32 and rounded after every operation", widen, true, true},
    {"simplify", "algebraic rules that keep every bit", static_cast<GraphPass>(simplify), true, true},
    {"fold", "evaluates what depends on constants alone", fold, true, true},
    {"cse", "merges equal nodes, uniting their locations", cse, true, true},
    {"contract", "a * b + c becomes fma(a, b, c) where the target has it", contract, true, true},
    {"dce", "drops states and results that nothing needs", dce, true},
    {"layout", "in which order the axes of a state lie in memory", layout, true},
    {"rematerialize", "under a memory budget: computes long-lived cheap values again where they are read",
     rematerialize, true},
    {"fuse", "groups nodes into kernels: an anchored nest, or loops", fuse, true},
    {"lower", "fusions become kernels", lower, true},
    {"simplify-index", "index expressions with the ranges of their variables", simplify_index, true},
    {"tile", "contracts become loops over tiles of accumulators in registers", tile, true},
    {"expand-math", "exp, log, tanh, ... become polynomials", expand_math, true},
    {"schedule", "which loops are unrolled and what lives in registers", schedule, true},
    {"parallelize", "loops that threads may share become kernels of their own", parallelize, true},
    {"plan-memory", "places temporaries; updates in place where legal", plan_memory, true},
};

// Folding leaves selects between constants and the like behind, so simplify runs again after it.
constexpr std::string_view kStandard[] = {
    "merge-scans", "inline",      "widen",    "simplify",      "fold",        "simplify", "cse",
    "contract",    "dce",         "layout",   "rematerialize", "fuse",        "lower",    "simplify-index",
    "tile",        "expand-math", "schedule", "parallelize",   "plan-memory",
};

// On bodies, innermost first, then on the graph.
ir::Graph run_inside_first(GraphPass run, const ir::Graph& graph, const PassContext& context) {
  if (!has_control(graph)) return run(graph, context);
  const auto on_body = [&](const ir::Graph& body) { return run_inside_first(run, body, context); };
  return run(ir::with_bodies(graph, on_body), context);
}

}  // namespace

std::span<const std::string_view> standard_pipeline() { return kStandard; }

std::span<const Pass> all_passes() { return kPasses; }

const Pass* find_pass(std::string_view name) {
  for (const Pass& p : kPasses)
    if (p.name == name) return &p;
  return nullptr;
}

std::string print(const Stage& stage) {
  return std::visit([](const auto& ir_text) { return ir::print(ir_text); }, stage);
}

void verify(const Stage& stage) {
  if (const auto* g = std::get_if<ir::Graph>(&stage)) ir::verify(*g);
  if (const auto* m = std::get_if<ir::KernelModule>(&stage)) ir::verify(*m);
  if (const auto* p = std::get_if<ir::Program>(&stage)) ir::verify(p->module);
}

std::string_view level(const Stage& stage) {
  constexpr std::string_view kNames[] = {"graph", "kernel", "program"};
  return kNames[stage.index()];
}

Stage run_pass(const Pass& pass, const Stage& stage, const PassContext& context) {
  const auto refuse = [&](std::string_view wanted) -> Stage {
    throw Error("pass " + std::string(pass.name) + " takes a " + std::string(wanted) + ", here is a " +
                std::string(level(stage)));
  };
  const auto* graph = std::get_if<ir::Graph>(&stage);
  const auto* module = std::get_if<ir::KernelModule>(&stage);
  switch (pass.run.index()) {
    case 0:
      if (!graph) return refuse("graph");
      return Stage(pass.in_bodies ? run_inside_first(std::get<0>(pass.run), *graph, context)
                                  : std::get<0>(pass.run)(*graph, context));
    case 1: return graph ? Stage(std::get<1>(pass.run)(*graph, context)) : refuse("graph");
    case 2: return module ? Stage(std::get<2>(pass.run)(*module, context)) : refuse("kernel");
    default: return module ? Stage(std::get<3>(pass.run)(*module, context)) : refuse("kernel");
  }
}

ir::Program run_pipeline(Stage stage, const PassContext& context, const PipelineOptions& options) {
  const auto run = [&](const Pass& pass) {
    const auto begin = std::chrono::steady_clock::now();
    stage = run_pass(pass, stage, context);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    if (options.verify_each) verify(stage);
    if (options.after_pass) options.after_pass(pass, stage, seconds.count());
  };
  bool has_status = false;
  if (options.check_nan) {
    if (!std::holds_alternative<ir::Graph>(stage))
      throw Error("checks for NaN are made in a graph, here is a " + std::string(level(stage)));
    const std::size_t results = std::get<ir::Graph>(stage).results.size();
    run(*find_pass("check-nan"));
    has_status = std::get<ir::Graph>(stage).results.size() > results;
  }
  for (const std::string_view name : kStandard) {
    const Pass& pass = *find_pass(name);
    const bool takes_graph = pass.run.index() <= 1;
    if (takes_graph != std::holds_alternative<ir::Graph>(stage)) continue;
    if (std::holds_alternative<ir::Program>(stage)) break;
    run(pass);
  }
  auto program = std::get<ir::Program>(std::move(stage));
  for (std::size_t i = 0; has_status && i < program.module.buffers.size(); ++i)
    if (program.module.buffers[i].role == ir::BufferRole::kResult) program.status = static_cast<int>(i);  // the last
  return program;
}

}  // namespace gcompile::passes
