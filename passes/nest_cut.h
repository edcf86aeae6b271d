// How the work of an anchored nest is cut. A small nest is one loop over vectors of 16 samples, with its sums in
// registers. A larger one goes over strips of vectors, so many that their values stay in the L1 cache; in a strip,
// layer by layer, each *stage* is a loop over the vectors, short enough for a core to overlap its iterations, and so is
// each block of sums. The order in which samples are added is the same either way: so are the bits.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "gcompile/ir/graph.h"
#include "gcompile/ir/target.h"

namespace gcompile::passes {

// What a nest makes for every sample and has memory for, in order, and the sums over samples.
struct NestWork {
  std::vector<const ir::Node*> carried, sums;
  std::function<bool(const ir::Node*)> placed;            // has memory: it is loaded where it is read
  std::function<std::int64_t(const ir::Node*)> elements;  // for one sample, or of a sum
  std::int64_t input_columns = 0;                         // of row-major inputs, which are transposed
  bool abreast = false;                                   // several vectors may be made side by side
};

struct NestCut {
  std::vector<std::vector<const ir::Node*>> stages;
  std::int64_t vectors = 0;  // of a strip; 0: no strips, one loop with its sums in registers
  std::int64_t abreast = 1;  // vectors that an iteration of that loop makes side by side
  std::string reason;
};

NestCut cut_nest(const NestWork& work, const Target& target);

// The rows and columns of a block of at most `limit` sums out of rows x columns: of all such, one that reads least.
struct SumBlock {
  std::int64_t rows, columns;
};
SumBlock choose_block(std::int64_t rows, std::int64_t columns, std::int64_t limit);

}  // namespace gcompile::passes
