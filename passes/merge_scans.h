// merge-scans: scans over the same operands that take the same steps become one, which returns what all of them did.
// The gradient of a scan makes the forward scan once more, to keep the carries of its steps.
#pragma once

#include "gcompile/passes/pass.h"

namespace gcompile::passes {

ir::Graph merge_scans(const ir::Graph& graph, const PassContext& context);

}  // namespace gcompile::passes
