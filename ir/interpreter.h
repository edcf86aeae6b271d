// The interpreter: the reference semantics of graphs. Every node is evaluated by its record's eval or element function,
// in double, and rounded to its declared dtype; i32 wraps. It shares no formula with lowering and is what compiled
// code, passes and gradients are checked against.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "gcompile/ir/graph.h"

namespace gcompile::ir {

struct Evaluation {
  std::vector<Array> results;     // in the order of graph.results
  std::vector<Array> new_states;  // all states in the order of graph.states, updated or as they were
};

// `inputs` in the order of graph.inputs; `states` in the order of graph.states, or empty to take what their storages
// hold. Symbols are bound from the shapes of inputs and states. Throws CallError for wrong dtypes, ranks, extents or
// symbols that disagree.
Evaluation interpret(const Graph& graph, const std::vector<Array>& inputs, const std::vector<Array>& states = {});

// The same for values of the symbols that are known: also for graphs whose inputs do not name them all.
Evaluation interpret(const Graph& graph, const std::vector<Array>& inputs, const std::vector<Array>& states,
                     std::map<std::string, std::int64_t> dims);

// One node alone, from the values of its operands.
std::vector<Array> evaluate(const Node& node, const std::vector<Array>& operands,
                            const std::map<std::string, std::int64_t>& dims);

}  // namespace gcompile::ir
