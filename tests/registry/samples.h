// Sample graphs of an op, made from its record: what the registry-driven tests feed through the whole compiler. An
// elementwise op needs nothing here; a structured op has its operands and attributes in the table of samples.cpp.
#pragma once

#include <string>
#include <vector>

#include "gcompile/ir/graph.h"
#include "gcompile/ir/op.h"

namespace gcompile::registry {

struct Sample {
  std::string name;   // "exp f32 [N,5]"
  ir::Graph graph;    // its inputs feed the op; a float result is also summed up, weighted, to a loss that comes first
  bool loss = false;  // whether there is one
};

// At least one for every dtype that the record admits, with a symbolic leading axis N where the op allows one.
std::vector<Sample> samples_of(const ir::OpDef& op);

}  // namespace gcompile::registry
