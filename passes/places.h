// Which values of a graph (or of a fusion's body) get memory of their own when it is lowered; all others are computed
// where they are read. A value is placed when computing it again would cost more than storing it: it has several
// readers, a reader re-reads it (an operand of a dot, a broadcast), it is a reduction, the expression would grow
// without bound, or a reshape of it can be read only by its place in memory. Otherwise views, constants and index
// values are not placed unless they are outputs.
#pragma once

#include <functional>
#include <unordered_set>
#include <vector>

#include "gcompile/ir/graph.h"

namespace gcompile::passes {

// Nodes whose elements one loop makes at most, which bounds the time LLVM takes.
constexpr std::size_t kMostNodesTogether = 128;
// And one kernel of loops at most: the time that LLVM takes for straight-line code grows faster than the code.
constexpr std::size_t kMostNodesInOne = 512;

std::unordered_set<const ir::Node*> placed_nodes(const std::vector<const ir::Node*>& nodes,
                                                 const std::vector<ir::Value>& outputs);

// The same for values that become loops, where a dot becomes a contract: a dot whose only reader leads by elementwise
// ops and affine views to a placed value is made where that is stored, as is a sum of which it is the only dot; every
// other dot is placed. Operands of dots that are no affine views of memory are placed too.
std::unordered_set<const ir::Node*> placed_for_loops(const std::vector<const ir::Node*>& nodes,
                                                     const std::vector<ir::Value>& outputs);

// Whether a placed value is made, element by element, of stored ones (the value of a contract, or what rides on it) and
// of what is there `before`: then it can be stored in the same epilogue.
bool rides_on(const ir::Node& node, const std::vector<const ir::Node*>& stored,
              const std::unordered_set<const ir::Node*>& placed, const std::function<bool(const ir::Node*)>& before);

// A reshape whose operand's index would take a division by a symbolic extent: it reads the operand's memory by its
// row-major offset.
bool needs_memory(const ir::Node& node);

// Whether an element needs many of the operand: a reduction, the place of an extreme, a sum at indices.
bool folds(const ir::Node& node);

// Whether the element at a row-major offset is made of elements at that offset, of values of that shape or scalars:
// then one loop goes over all of it.
bool is_flat(const ir::Node& node, const std::unordered_set<const ir::Node*>& placed);

// Leaves and views: an element costs an index computation at most.
bool is_cheap(const ir::Node& node);

// A scalar made of scalars: every kernel that reads it makes it once, before its loops; no memory, no kernel of its
// own.
bool is_scalar_expression(const ir::Node& node);

}  // namespace gcompile::passes
