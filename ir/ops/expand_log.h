// Parts of log that pow uses too.
#pragma once

#include "gcompile/ir/ops/expand_tools.h"

namespace gcompile::ir::expand {

// x = 2^k m with m in [sqrt(1/2), sqrt(2)): k as an i32. Of 0, infinity and what is negative the parts mean nothing.
struct Split {
  S k, m;
};
Split split_f32(S x);      // of a positive normal f32
Split split_any_f32(S x);  // of a positive f32, subnormal ones included
Split split_f64(S x);      // of a positive f64

// log(1 + f) of an f64 for 1 + f in [sqrt(1/2), sqrt(2)), to about 2^-37 (coarse) or 2^-57.
S log_near_one_f64(S f, bool coarse);

}  // namespace gcompile::ir::expand
