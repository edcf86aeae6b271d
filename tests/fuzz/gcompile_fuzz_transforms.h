// Transforms and control flow at random: a piece of the graph that is there becomes the body of a loop, a branch or a
// call, is done to a batch, or is differentiated. What comes out are ordinary values, which the next piece may hold: so
// gradients of scans, scans of batches, and so on come about.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "gcompile/ir/graph.h"
#include "gcompile/runtime/random.h"

namespace gcompile::fuzz {

// A new value made of those of the pool; nothing when the choice does not fit. `like` gives a value of a type.
std::optional<ir::Value> transformed(RandomStream& random, ir::Builder& b, const std::vector<ir::Value>& pool,
                                     const std::function<ir::Value(const Type&)>& like);

}  // namespace gcompile::fuzz
