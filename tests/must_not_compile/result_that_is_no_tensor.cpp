// expect: a traced function returns a gc::Tensor, gc::outputs(a, b, ...), a std::pair of Tensors, or nothing
#include <gcompile/gcompile.h>

namespace gc = gcompile;

auto f = gc::jit([](gc::Tensor x) { return 2.0f; });
