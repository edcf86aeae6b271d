// rematerialize: under a budget (PassContext::memory_budget) values that wait long for their last readers - activations
// that the backward pass asks for - and are elementwise chains of others that wait anyway are computed again in front
// of those readers. Greedily: at the launch where temporaries take the most bytes, the value that frees most for the
// operations it adds, until the plan of all kernels fits the budget or nothing is left that helps. What was reached is
// said in Graph::reasons. The same ops on the same values give the same bits, and no sum changes its order.
// Runs right before `fuse`, when nothing merges equal nodes any more. Without a budget it does nothing.
#pragma once

#include "gcompile/passes/pass.h"

namespace gcompile::passes {

ir::Graph rematerialize(const ir::Graph& graph, const PassContext& context);

// Bytes of temporaries in the plan of the graph's kernels, for typical extents and one thread.
std::int64_t planned_bytes(const ir::Graph& graph, const PassContext& context);

}  // namespace gcompile::passes
