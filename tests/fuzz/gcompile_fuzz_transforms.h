// Transforms and control flow at random: a piece of the graph that is there becomes the body of a loop, a branch or a
// call, is done to a batch, or is differentiated. What comes out are ordinary values, which the next piece may hold: so
// gradients of scans, scans of batches, and so on come about.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "gcompile/ir/graph.h"
#include "gcompile/runtime/random.h"

namespace gcompile::fuzz {

struct Transformed {
  std::string_view name;  // of what was done
  ir::Value value;
  ir::Value twin = {};  // another way to the same bits, if there is one
};
// A new value made of those of the pool; nothing when the choice does not fit. `like` gives a value of a type.
std::optional<Transformed> transformed(RandomStream& random, ir::Builder& b, const std::vector<ir::Value>& pool,
                                       const std::function<ir::Value(const Type&)>& like);
// Of all there are.
std::span<const std::string_view> transform_names();

}  // namespace gcompile::fuzz
