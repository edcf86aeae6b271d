// --explain: why the compiler did what it did, with the user's lines.
#pragma once

#include <ostream>

#include "gcompile/passes/pipeline.h"

namespace gcompile::tool {

// What is known at the stage's level: reasons of fusions, of kernels and their schedules, of updates and temporaries,
// and how long finished kernels should take on the target.
void explain(const passes::Stage& stage, const Target& target, std::ostream& out);

}  // namespace gcompile::tool
