// lower: Graph (after fuse) -> KernelModule, one kernel per fusion.
//   A "loops" body becomes one loop nest per placed value, in order: lanes run over the last axis (or over the
//   row-major offset where all operands are laid out alike). A value that is a dot, or what is made of one dot by
//   elementwise ops and views, becomes a contract (ir/kernel.h), for `tile` to schedule. A "rows" body is one loop over
//   the rows, with the loop nests of a row inside. A "nest" body becomes uniform values, one loop over tiles of 16
//   samples with the carried values and the partial sums of the reduced ones, then what depends on the sums, the
//   updates last.
// The order of sums is fixed. Over a last axis: kSums vectors of partial sums, element i in lane i mod 16 of the one
// (i / 16) mod kSums; these are added pairwise, then the lanes by a tree. Over other axes: ascending. In a nest: lane l
// sums the samples l mod 16; the features of a sample have the order of feature_sums.h.
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

// Body lowerings, in lower_loops.cpp, lower_rows.cpp and lower_nest.cpp. Inputs of the body are placed already.
void lower_loops(BodyLowering& c, const ir::Graph& body, const std::vector<Output>& outputs);
void lower_rows(BodyLowering& c, const ir::Graph& body, int rows, const std::vector<Output>& outputs);
void lower_nest(BodyLowering& c, const ir::Graph& body, const std::vector<std::int64_t>& anchor,
                const std::vector<Output>& outputs);

// An axis with fewer elements is not worth lanes.
inline constexpr std::int64_t kFewLanes = 4;

// Where the elements of a value go.
struct Destination {
  std::string memory;
  bool linear = false;  // scratch with one extent, in row-major order; else a buffer of the value's shape
  ir::Index row = {};   // of all elements, only those whose index begins so; scratch then holds no others
  bool padded = false;  // scratch for whole vectors: the lanes behind the last element are nobody's

  // The index into the memory of the element at `index`, which has an entry for each axis of `type`.
  ir::Index at(const ir::Index& index, const Type& type) const;
};

// Writes the elements of a value.
void emit_value(BodyLowering& c, ir::Value v, const Destination& to);

// Reductions. The element at an index of one that folds the last axis; all elements of one that keeps it.
int lane_reduction(BodyLowering& c, ir::Value v, const ir::Index& at);
bool reduces_last_axis(const ir::Node& n);
// The same of several that fold equal extents, in one loop; `also`, if given, is called first for every vector of them,
// lanes on, with the place along the last axis.
std::vector<int> lane_reductions(BodyLowering& c, const std::vector<const ir::Node*>& sums, const ir::Index& at,
                                 const std::function<void(const Dim&)>& also = nullptr);
// Several of the latter have equal extents and axes; `more` are values that ride on them (places.h).
void emit_column_reductions(BodyLowering& c, const std::vector<ir::Value>& sums, const std::vector<Destination>& to,
                            const std::vector<Output>& more = {});
inline constexpr int kSums = 4;

// Runs `body` over the lanes of an axis: whole vectors first, then those that are left, with a mask. Lanes are on
// inside; `body` gets the index of the element.
void over_lanes(BodyLowering& c, const Dim& extent, const std::function<void(const Dim&)>& body);

// The same, lanes over the last axis, where operands are read along another one whose elements lie apart in memory, and
// whose last axis another axis of the value runs along: blocks of them are transposed in registers. False, and nothing
// done, where there is no such operand.
bool emit_transposed(BodyLowering& c, ir::Value v, const Destination& to);

// The same, where rows of constant extents end with a masked vector: as many rows as registers hold are made before the
// first of them is stored. An update in place would else read, after each masked store, what lies beside the lanes that
// it wrote, and a processor lets that wait until the store has reached the cache. False, and nothing done, for others.
bool emit_with_tails(BodyLowering& c, ir::Value v, const Destination& to);

// The same for a sum at indices: zeros, then the updates, one after the other. lower_scatter.cpp.
void emit_scatter(BodyLowering& c, ir::Value v, const Destination& to);

// The same for a value that is made as a whole by loops that its record writes. lower_own.cpp.
void emit_own_loops(BodyLowering& c, ir::Value v, const Destination& to);

// The same as a contract with the value's expression as epilogue, when there is exactly one dot in it, not placed,
// whose operands are affine views of memory; returns false and does nothing otherwise. `more` are
// values that ride on it (places.h): the epilogue stores them too.
bool emit_contract(BodyLowering& c, ir::Value v, const Destination& to, const std::vector<Output>& more = {});

}  // namespace gcompile::passes
