// What a pass is: a named function between IR levels that can be run alone. The one table of them is in pipeline.cpp.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "gcompile/ir/graph.h"
#include "gcompile/ir/kernel.h"
#include "gcompile/ir/program.h"
#include "gcompile/ir/target.h"

namespace gcompile::passes {

struct PassContext {
  Target target;
  std::int64_t memory_budget = -1;  // bytes of temporaries that `rematerialize` aims at; -1: no budget
};

using GraphPass = ir::Graph (*)(const ir::Graph&, const PassContext&);
using LowerPass = ir::KernelModule (*)(const ir::Graph&, const PassContext&);
using KernelPass = ir::KernelModule (*)(const ir::KernelModule&, const PassContext&);
using PlanPass = ir::Program (*)(const ir::KernelModule&, const PassContext&);

struct Pass {
  std::string_view name;  // "plan-memory"
  std::string_view doc;   // one line
  std::variant<GraphPass, LowerPass, KernelPass, PlanPass> run;
  bool standard;           // part of the default pipeline
  bool in_bodies = false;  // is run on the bodies of loops and branches too
};

// All passes in pipeline order; those that are not standard (gradient, check-nan) come first.
std::span<const Pass> all_passes();
const Pass* find_pass(std::string_view name);

}  // namespace gcompile::passes
