// Running error analysis beside the interpreter: every element of every value of a graph, and how far compiled code may
// be from it. Each op's result may be off by its record's tolerance; what comes in off goes on by evaluating the op at
// the corners of what its operands may be (elementwise ops) or by the standard bounds for sums and products (Higham,
// Accuracy and Stability of Numerical Algorithms, chapters 3 and 4). Where a comparison, a rounding to an integer or an
// index could go either way the bound is infinite: nothing can be said there.
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
