// Views that are the memory of what they view, from some element on: other shapes of it, and rows of its leading axis.
// A scan reads such a sequence where it lies.
#pragma once

#include "gcompile/ir/graph.h"

namespace gcompile::passes {

struct ContiguousView {
  ir::Value source;  // not such a view itself
  Dim offset = 0;    // of the view's first element in it
};
ContiguousView contiguous_view(ir::Value v);

}  // namespace gcompile::passes
