// What --explain says of the alternatives to a decision: lines of text with estimates, made of the same figures as the
// decision, or with the rates of the Target where it follows from structure alone. Nothing is decided here.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "gcompile/ir/target.h"

namespace gcompile::passes {

// So many operations of a register as time: "1.23 us".
std::string time_of(double operations, const Target& target);

// The three cheapest shapes of tiles; costs in operations of a register.
struct TileSize {
  int rows, vectors;
  double cost;
};
std::string tile_sizes(std::vector<TileSize> tried, const Target& target);

// Reading an operand by lanes, with and without panels of it. In bytes, but for `products`, operations of a register.
struct PanelWork {
  double products;
  double operand, reads, panel;  // its size, what all tiles read of it, and the size of a panel
  double element;
  bool neighbours;  // lanes are, in memory
};
std::string packing(const PanelWork& work, const std::string& operand, const Target& target);

// The products of dots by matrices of rows x columns with so many samples, in a nest and in tiles.
using Matrices = std::vector<std::pair<double, double>>;
std::string nest_or_tiles(const Matrices& matrices, const std::string& anchor, double samples, const Target& target);

}  // namespace gcompile::passes
