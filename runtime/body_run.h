// Which run of a body made a NaN, for the report of one that came up in a loop, a branch or a call.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "gcompile/base/array.h"
#include "gcompile/ir/graph.h"

namespace gcompile::runtime {

using Symbols = std::map<std::string, std::int64_t>;

// What the symbols of a graph are for these inputs, and its states as they are.
Symbols symbols_of(const ir::Graph& graph, const std::vector<Array>& inputs);

// Whether a float among the elements is one.
bool has_nan(const Array& a);

struct BodyRun {
  const ir::Graph* body;
  std::vector<Array> inputs;
  std::string name;  // "step 3 of the scan"; of a loop over sequences the number is that of their elements
};

// The run that made the NaN in the results of a node with bodies, none of whose operands has one. In a loop that is the
// last step that was given none, up to the first that returned one for good: every later step got it by the carries.
BodyRun guilty_run(const ir::Node& node, const std::vector<Array>& operands, const Symbols& symbols);

}  // namespace gcompile::runtime
