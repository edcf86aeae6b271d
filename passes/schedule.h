// schedule: which loops are unrolled and which scratch lives in registers. The lowerer wishes every loop over features
// unrolled and every value of a sample in registers; this pass takes wishes back, outermost loops of the largest
// statements first, until the body has at most target.unroll_limit instructions, so that compile time stays bounded.
// Scratch that a rolled loop touches becomes memory. The order of all arithmetic stays, and so do the bits.
#pragma once

#include "gcompile/passes/pass.h"

namespace gcompile::passes {

ir::KernelModule schedule(const ir::KernelModule& module, const PassContext& context);

// Instructions of a block once its `unroll` loops are unrolled.
std::int64_t unrolled_size(const ir::Block& block);
std::int64_t size_of(const ir::Instr& instr);  // of one statement

}  // namespace gcompile::passes
