// expect: use gc::where(condition, a, b), gc::maximum or gc::minimum
#include <gcompile/gcompile.h>

namespace gc = gcompile;

bool f(gc::Tensor a, gc::Tensor b) { return a > 0 && b > 0; }
