// Siblings: kernels that go over the same memory in the same way, next to each other in the order of launches, become
// one whose loop reads it once.
//   - Values of one shape that are made element by element: the moments and the weight of an optimizer's step, several
//     functions of one array. One may be made of another, which is then still in a register.
//   - Reductions of one shape over the same axes: a sum and a maximum, the gradients of a gain and a bias.
// What one loop of the first kind makes and nothing else reads is no output of it any more: it gets no memory.
// Groups by rows and kernels of products are left as they are.
#pragma once

#include <vector>

#include "gcompile/passes/row_groups.h"

namespace gcompile::passes {

// `groups` in the order of launches; `outputs` are read after the last.
std::vector<Group> join_siblings(std::vector<Group> groups, const std::vector<ir::Value>& outputs,
                                 const Target& target);

}  // namespace gcompile::passes
