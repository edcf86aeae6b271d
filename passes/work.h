// What a kernel does, counted over its text: how often each instruction is executed is a polynomial in the symbols of
// the module. A loop inside whose extent depends on a variable counts for the constant part of it; lanes that a mask
// switches off count like the others.
#pragma once

#include <functional>

#include "gcompile/ir/cost.h"
#include "gcompile/ir/kernel.h"

namespace gcompile::passes {

// The sum of `each` over all instructions that a statement executes, itself and those inside it; `for` counts nothing.
Dim total_of(const ir::Instr& statement, const std::function<std::int64_t(const ir::Instr&)>& each);

// Instructions that a loop executes, about.
Dim work_of(const ir::Instr& loop);

// Operations on floats (an fma is two, other functions than + - * / sqrt min max none), and what is read and written of
// every buffer. Contracts have to be tiled and functions expanded.
ir::Cost cost_of(const ir::Kernel& kernel, const ir::KernelModule& module);

}  // namespace gcompile::passes
