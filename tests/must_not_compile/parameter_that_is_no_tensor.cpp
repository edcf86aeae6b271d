// expect: every parameter of a traced function must be a gc::Tensor
#include <gcompile/gcompile.h>

namespace gc = gcompile;

auto f = gc::jit([](gc::Tensor x, float factor) { return x * factor; });
