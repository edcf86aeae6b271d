// Whether a nest that is legal is wanted, and why or why not: a function of structure and the Target, never of the
// extent of the batch, so that a static and a symbolic batch give the same code.
#pragma once

#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "gcompile/ir/target.h"
#include "gcompile/passes/axes.h"
#include "gcompile/passes/fuse.h"
#include "gcompile/passes/fuser.h"

namespace gcompile::passes {

std::pair<std::string, bool> worth_a_nest(const Nodes& computed, const std::vector<ir::Value>& outputs,
                                          const NestPlan& plan, const AxisClasses& classes, int anchor,
                                          const Target& target);

// Bytes of the values that a single kernel would keep in its frame: for one sample, or for all without a plan.
std::int64_t frame_bytes(const std::unordered_set<const ir::Node*>& placed, const NestPlan* plan,
                         const AxisClasses* classes, int anchor_class);

}  // namespace gcompile::passes
