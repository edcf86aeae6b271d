// Kernels of values that are stored (places.h), for graphs that are no nest. A value is stored by a kernel of its own,
// with what is computed where it is read; the kernel of a dot, or of sums over rows, also stores what rides on it.
// Values that depend on each other row by row - leading axes at the same index - become one kernel that makes them one
// row at a time when a reduction is among them: softmax, layer normalization, a loss and its gradient. What no other
// kernel reads of a row then stays in the frame.
#pragma once

#include <vector>

#include "gcompile/ir/graph.h"
#include "gcompile/ir/target.h"
#include "gcompile/passes/fuser.h"

namespace gcompile::passes {

struct Group {
  Nodes nodes;                     // what the kernel computes, in order
  Nodes stored;                    // those that get memory
  std::vector<ir::Value> outputs;  // those of them that others read, or that are too large for the frame
  int rows = 0;                    // leading axes that all stored values share; 0: not made by rows
  int siblings = 0;                // other kernels that were joined with it (siblings.h)
};

// The kernels of the nodes, in an order in which they can be launched. `outputs` are read after the last one.
std::vector<Group> grouped(const Nodes& nodes, const std::vector<ir::Value>& outputs, const Target& target);

}  // namespace gcompile::passes
