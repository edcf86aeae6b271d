// The op recurrence, for the gradient rules that are made of it.
#pragma once

#include "gcompile/ir/build.h"

namespace gcompile::ir {

// h[k] = a[k] h[k - 1] + b[k] along the axis, or with a[k - 1] when delayed; h[-1] = 0. In reverse, k + 1 is before k.
V recurrence(V a, V b, std::int64_t axis, bool reverse, bool delayed);

}  // namespace gcompile::ir
