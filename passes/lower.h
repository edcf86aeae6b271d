// lower: Graph (after fuse) -> KernelModule, one kernel per fusion.
//   A "loops" body becomes one loop nest per placed value, in order: lanes run over the last axis (or over the
//   row-major offset where all operands are laid out alike), sums over the last axis keep 16 partial sums, lane l those
//   of the elements l mod 16 in ascending order, then a fixed tree. A "nest" body becomes uniform values, one loop over
//   tiles of 16 samples with the carried values and the partial sums of the reduced ones (the same order of sums), then
//   what depends on the sums, the updates last.
// Loops over features are wished unrolled and values of a tile wished in registers; schedule decides.
#pragma once

#include "gcompile/passes/element.h"
#include "gcompile/passes/pass.h"

namespace gcompile::passes {

// Throws ModelError for what has no lowering yet, naming op and line.
ir::KernelModule lower(const ir::Graph& graph, const PassContext& context);

// A result of a body and the buffer of the module it goes to.
struct Output {
  ir::Value value;
  std::string buffer;
};

// Body lowerings, in lower_loops.cpp and lower_nest.cpp. Inputs of the body are placed already.
void lower_loops(BodyLowering& c, const ir::Graph& body, const std::vector<Output>& outputs);
void lower_nest(BodyLowering& c, const ir::Graph& body, const std::vector<std::int64_t>& anchor,
                const std::vector<Output>& outputs);

// Writes all elements of a value to memory: a buffer of its shape, or scratch in row-major order (`linear`).
void emit_value(BodyLowering& c, ir::Value v, const std::string& memory, bool linear);

}  // namespace gcompile::passes
