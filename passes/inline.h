// inline: calls (checkpoint, custom_vjp) become what they call. Gradients have been taken by now.
#pragma once

#include "gcompile/passes/pass.h"

namespace gcompile::passes {

ir::Graph inline_calls(const ir::Graph& graph, const PassContext& context);

}  // namespace gcompile::passes
