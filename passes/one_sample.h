// one_sample: what becomes of an anchored nest (fuse.h) whose anchor has the extent 1. Lanes that are samples would be
// empty but for one, so the values become loops, whose lanes run along the features; and they keep the bits that the
// nest gives them: sums along features keep their order (feature_sums.h), and one over the only sample is 0 plus its
// value.
#pragma once

#include <cstdint>
#include <vector>

#include "gcompile/ir/graph.h"
#include "gcompile/ir/target.h"

namespace gcompile::passes {

// The body of a nest, of whose inputs `anchor` says the axis that is the anchor (-1: none), as one for loops:
//   reductions and dots of a sample's values get the attribute order = "features" (ir/ops/infer.h); a reduction that
//   folds a single element leaves it, or adds it to 0;
//   dots of which one product is each element become elementwise: the gradient of a weight is made where it is used.
ir::Graph for_one_sample(const ir::Graph& body, const std::vector<std::int64_t>& anchor, const Target& target);

}  // namespace gcompile::passes
