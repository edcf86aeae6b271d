// In which steps a kernel makes the values of a row (row_groups.h), so that it goes over the row few times. A sweep is
// one loop along the row: it stores values and adds up reductions of things made of them, each value read there while
// it is in a register. What is needed of the whole row, or elsewhere than at the element at hand, was made by a step
// before.
#pragma once

#include <unordered_set>
#include <vector>

#include "gcompile/ir/graph.h"
#include "gcompile/ir/target.h"
#include "gcompile/passes/fuser.h"

namespace gcompile::passes {

using NodeSet = std::unordered_set<const ir::Node*>;

struct RowStep {
  enum class Kind {
    kScalar,  // one element of the row, made once
    kSweep,   // values along the row and reductions of the row, in one loop
    kAlone    // any other value, in loops of its own
  };
  Kind kind;
  Dim extent = 0;  // of a sweep
  Nodes values;    // in order
};

// The steps for the placed values of nodes in order; rows have `rows` leading axes.
std::vector<RowStep> row_steps(const Nodes& nodes, const NodeSet& placed, int rows, const Target& target);

// Of the values of a sweep those that no later step reads: they need no memory.
NodeSet read_in_sweep_alone(const Nodes& nodes, const NodeSet& placed, const std::vector<RowStep>& steps, int rows);

// Placed values, not among the kept ones, that are as cheap to make again as to load: of one vector in memory, by one
// or two instructions.
NodeSet remade_in_rows(const Nodes& nodes, const NodeSet& placed, const NodeSet& kept, int rows, const Target& target);

}  // namespace gcompile::passes
