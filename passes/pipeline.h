// The standard pipeline: Graph -> Program, and single passes by name.
#pragma once

#include <functional>
#include <string>
#include <variant>

#include "gcompile/passes/pass.h"

namespace gcompile::passes {

// What a pass is given and gives: the IR at some level.
using Stage = std::variant<ir::Graph, ir::KernelModule, ir::Program>;

std::string print(const Stage& stage);
void verify(const Stage& stage);
// "graph", "kernel" or "program".
std::string_view level(const Stage& stage);

// The names of the passes of the standard pipeline, in order; one may stand there twice.
std::span<const std::string_view> standard_pipeline();

// Runs one pass. Throws Error when the pass does not take IR of this level.
Stage run_pass(const Pass& pass, const Stage& stage, const PassContext& context);

struct PipelineOptions {
  bool verify_each = false;
  bool check_nan = false;  // run check-nan first, and say in the program which result is the status
  // Called after every pass with its name, the stage, and the seconds it took.
  std::function<void(const Pass&, const Stage&, double)> after_pass;
};
// Runs the standard passes from the stage's level on, up to a program.
ir::Program run_pipeline(Stage stage, const PassContext& context, const PipelineOptions& options = {});

}  // namespace gcompile::passes
