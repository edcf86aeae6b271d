// Running error analysis beside the interpreter: every element of every value of a graph, and how far compiled code may
// be from it, by the rule in each op's record (ir/ops/errors.h).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "gcompile/ir/graph.h"

namespace gcompile::codegen {

struct Bounded {
  Array value;  // as the interpreter has it
  Array error;  // f64, of the same shape
};

// Values of all nodes for the values of inputs and states (in the graph's order) and symbols.
ir::ValueMap<Bounded> evaluate_with_bounds(const ir::Graph& graph, const std::vector<Array>& inputs,
                                           const std::vector<Array>& states,
                                           const std::map<std::string, std::int64_t>& dims);

// All results of a node, and the one of a node without bodies, from its operands.
std::vector<Bounded> evaluate_all_with_bounds(const ir::Node& node, const std::vector<const Bounded*>& operands,
                                              const std::map<std::string, std::int64_t>& dims);
Bounded evaluate_with_bounds(const ir::Node& node, const std::vector<const Bounded*>& operands,
                             const std::map<std::string, std::int64_t>& dims);

}  // namespace gcompile::codegen
