// Makes a graph that fails smaller, as long as it fails.
#pragma once

#include <functional>

#include "gcompile/ir/graph.h"

namespace gcompile::fuzz {

// `fails` is asked about smaller and smaller graphs, `budget` times at most; the smallest that fails is returned. Tried
// are: without a result or an update; with an operand, another input or zeros in place of a node.
ir::Graph shrink(const ir::Graph& graph, const std::function<bool(const ir::Graph&)>& fails, int budget);

}  // namespace gcompile::fuzz
