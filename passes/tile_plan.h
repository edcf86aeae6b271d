// How one contract is tiled: which axis the lanes run over, which one the rows of a tile, how many rows and vectors of
// accumulators a tile has, and whether panels of the lane operand are copied first. A function of strides, extents and
// the Target; see tile.h for what is made of it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "gcompile/ir/kernel.h"
#include "gcompile/ir/target.h"

namespace gcompile::passes {

struct TilePlan {
  int lane_axis = -1;              // index into the contract's axes; -1: no lanes
  int row_axis = -1;               // -1: none
  bool lanes_left = false;         // the operand that is loaded by lanes is the left one
  bool pack = false;               // copies panels of it
  bool copies_on_the_way = false;  // the first tile of rows stores what it loads; else a loop of its own comes first
  bool transpose = false;  // by transposing blocks: its memory is contiguous along the (only) reduction axis; without
                           // `pack` the products take the columns of a block as they are made
  int rows = 1, vectors = 1;
  std::vector<ir::Access> prefetch = {};  // what the epilogue loads of large memories, a row at a time
  std::string reason;
  std::vector<std::string> alternatives = {};  // what else was looked at, with estimates: a line for each decision
};

// The extents of a memory by name.
using ExtentsOf = std::function<std::vector<Dim>(const std::string&)>;

TilePlan plan_tile(const ir::Instr& contract, const ExtentsOf& extents, const Target& target);

// The step of an access's offset in memory with a variable; nothing when it is not linear in it.
std::optional<Dim> step_of(const ir::Access& access, const ExtentsOf& extents, const std::string& var);

}  // namespace gcompile::passes
