// expect: the types of this function's parameters must be written out
#include <gcompile/gcompile.h>

namespace gc = gcompile;

auto f = gc::grad([](auto x) { return x * x; });
