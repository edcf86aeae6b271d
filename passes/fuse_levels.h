// fuse for graphs with control flow: a loop or a branch is a barrier between kernels. What can be made before the first
// one is a graph of its own for `fuse`, what needs the results of one at most is the next, and so on; bodies are fused
// likewise. Views are made where they are read and cross no barrier.
#pragma once

#include <unordered_set>

#include "gcompile/passes/pass.h"

namespace gcompile::passes {

// Inputs of a graph that are the same for all steps of the loop that it is the body of; they are no samples.
using UniformInputs = std::unordered_set<ir::Value, ir::ValueHash>;

bool has_control(const ir::Graph& graph);
ir::Graph fuse_levels(const ir::Graph& graph, const UniformInputs& uniform, const PassContext& context);

}  // namespace gcompile::passes
