// lower: Graph (after fuse) -> KernelModule, one kernel per fusion.
//   A "loops" body becomes one loop nest per placed value, in order: lanes run over the last axis (or over the
//   row-major offset where all operands are laid out alike), sums over the last axis keep 16 partial sums, lane l those
//   of the elements l mod 16 in ascending order, then a fixed tree. A value that is a dot, or what is made of one dot
//   by elementwise ops and views, becomes a contract (ir/kernel.h), for `tile` to schedule. A "nest" body becomes
//   uniform values, one loop over tiles of 16 samples with the carried values and the partial sums of the reduced ones
//   (the same order of sums), then what depends on the sums, the updates last.
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

// The same for a scatter_add: zeros, then the updates, one after the other. lower_scatter.cpp.
void emit_scatter(BodyLowering& c, const ir::Node& node, const std::string& memory, bool linear);

// Runs `body` over the lanes of one axis of the given extent: full vectors and a masked tail. Lanes are on inside.
void over_lanes(BodyLowering& c, const Dim& extent, const std::function<void(const Dim&)>& body);

// The same as a contract with the value's expression as epilogue, when there is exactly one dot in it, not placed,
// whose operands are affine views of memory; returns false and does nothing otherwise. `more` are
// values that ride on it (places.h): the epilogue stores them too.
bool emit_contract(BodyLowering& c, ir::Value v, const std::string& memory, bool linear,
                   const std::vector<Output>& more = {});

// The index under which an element of a value of this type is stored by emit_value.
ir::Index stored_at(const ir::Index& index, const Type& type, bool linear);

}  // namespace gcompile::passes
