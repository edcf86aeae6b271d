// Regions of kernel modules (kernel.h) as text, and whether they make sense. Internal to the text and the verifier.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "gcompile/ir/kernel.h"
#include "gcompile/ir/parse_parts.h"

namespace gcompile::ir {

// " in r0"; empty for -1.
std::string print_region(const KernelModule& module, int region);
std::string print_region(const KernelModule& module, const Region& region);

// After "region".
Region parse_region(PartsParser& parts, const KernelModule& module);
// ["in" name]: -1 when there is none.
int parse_region_name(PartsParser& parts, const KernelModule& module);

// Buffers that are no memory of their own but what steps are given, and must not be written: carries as they come in,
// slices of what is only read.
std::set<std::string> given_buffers(const KernelModule& module);

// What is wrong with the regions, if anything.
std::optional<std::string> region_fault(const KernelModule& module);

}  // namespace gcompile::ir
