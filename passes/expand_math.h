// expand-math: replaces every op of a kernel whose record has an expansion (exp, tanh, pow, ...) by what the expansion
// builds from simpler ops, again and again until only primitives are left that code generation knows. The same
// polynomials thus run on every target, and no math library is needed. An expansion that gives nothing back (a dtype it
// does not cover) leaves the op as it is. Literals, index values and pure ops that a block, or one around it, has
// already computed are reused. Locations are kept: what an op expands to carries the op's.
#pragma once

#include "gcompile/passes/pass.h"

namespace gcompile::passes {

ir::KernelModule expand_math(const ir::KernelModule& module, const PassContext& context);

// How many instructions an elementwise op of this dtype becomes on the target.
int expanded_size(const ir::OpDef& op, DType dtype, const Target& target);
// The same of a node, divisions and square roots counted by the cycles that they keep their unit: for choices between
// making a value again and keeping it. Negative for what is not elementwise.
double element_cost(const ir::Node& node, const Target& target);

}  // namespace gcompile::passes
