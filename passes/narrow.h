// What of a node with bodies is needed when only some of its results are: the part of dce that looks inside.
#pragma once

#include <vector>

#include "gcompile/ir/graph.h"

namespace gcompile::passes {

// Positions that stay, ascending.
struct Needs {
  std::vector<std::size_t> results, operands;
};
// For these results of the node. A carry that others are made of stays too.
Needs needs_of(const ir::Node& node, const std::vector<std::size_t>& results);
// The node with what it needs and no more.
const ir::Node* narrowed(const ir::Node& node, const std::vector<ir::Value>& operands, const Needs& needs,
                         ir::Builder& b);

}  // namespace gcompile::passes
