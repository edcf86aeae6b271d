// What other programs computed (tests/reference/README.md), as data: cases with their inputs and results, and a run of
// the same functions in the DSL against them, in f64 and in f32.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "gcompile/gcompile.h"

namespace gcompile::reference {

using In = std::span<const Tensor>;
using Function = std::function<std::vector<Tensor>(In)>;
// The functions of one file, by the names of its cases.
using Functions = std::map<std::string, Function>;

// Fails for a case without a function, a function without a case, and a result that differs by more
// than the dtype's tolerance, relative to 1 + |value|, times the case's own factor.
void expect_as_recorded(const std::string& path, const Functions& functions);

// y, the gradient of its sum by each operand, and the gradient of the sum of these; zeros where nothing depends.
Function with_derivatives(const std::function<Tensor(In)>& f);

}  // namespace gcompile::reference
