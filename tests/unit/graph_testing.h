// What tests of graphs share.
#pragma once

#include <vector>

#include "gcompile/ir/interpreter.h"

namespace gcompile::testing {

// The results of a graph by the interpreter.
inline std::vector<Array> evaluate(const ir::Graph& graph, const std::vector<Array>& inputs) {
  return ir::interpret(graph, inputs).results;
}

}  // namespace gcompile::testing
