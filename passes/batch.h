// batch: what a part of a graph does to one element, done to every element of a batch at once: one walk over the
// batching rules of the op records. What it makes are ordinary nodes, so it can be differentiated and batched again.
// The batch axis is the leading one of every batched value.
#pragma once

#include <span>
#include <utility>
#include <vector>

#include "gcompile/ir/graph.h"

namespace gcompile::passes {

// The results for a batch of `size` elements, each with the leading axis, as new nodes of the builder's graph.
// `batched_leaves` pairs values that the results are made from (placeholders, or values in between) with what stands in
// their place, which has the leading axis. What does not depend on a placeholder is shared by all elements and stays as
// it is; a result that does not is repeated. Every node made carries the locations of the node that it batches. The
// walk does not recurse: the depth of the graph does not matter.
//
// Throws ModelError: at the node's line, when an op on the way has no batching rule; when a batched value has not the
// placeholder's type with a leading axis of that size.
std::vector<ir::Value> batch(ir::Builder& b, std::span<const ir::Value> results,
                             std::span<const std::pair<ir::Value, ir::Value>> batched_leaves, const Dim& size);

}  // namespace gcompile::passes
