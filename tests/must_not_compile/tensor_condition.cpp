// expect: a gcompile::Tensor has no value while its function is traced, so it cannot be a condition
#include <gcompile/gcompile.h>

namespace gc = gcompile;

auto f = gc::jit([](gc::Tensor x) {
  if (x > 0) return x;
  return -x;
});
