// How long a finished kernel should take: an analytic walk over its text with the rates of the Target, for given values
// of the symbols. It is the larger of two bounds. *Compute* is what the busiest unit of a core needs for the
// instructions of every loop, or the chain of dependent ones where the reorder window holds no more of it. *Memory* is
// what misses the caches: what a loop touches again comes from the smallest cache that holds what it touched between.
// The program is taken to be called again and again, so what fits a cache is found there. Cheap, and the same on every
// machine for the same Target; no decision that changes bits may depend on it. The bounds are those of the roofline
// model (Williams et al., 2009), the reuse distances those of Mattson et al. (1970).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "gcompile/ir/program.h"
#include "gcompile/ir/target.h"

namespace gcompile::passes {

// Symbols without a value, and extents where work is compared, are taken for this one: only speed depends on it.
inline constexpr std::int64_t kTypicalExtent = 256;

// The value that a symbol is taken for: the typical one, or the nearest that its bounds allow.
std::int64_t typical_extent(const std::map<std::string, ir::DimBounds>& bounds, const std::string& symbol);

// Of one launch, in nanoseconds.
struct Estimate {
  double compute = 0, memory = 0, launch = 0;
  double nanoseconds() const { return (compute > memory ? compute : memory) + launch; }
};

using DimValues = std::map<std::string, std::int64_t>;

// One for every kernel of a module, in order. Contracts have to be tiled.
std::vector<Estimate> estimate(const ir::KernelModule& module, const DimValues& dims, const Target& target,
                               int threads = 1);
// One for every launch, and one more for the copies of states where there are any.
std::vector<Estimate> estimate(const ir::Program& program, const DimValues& dims, const Target& target,
                               int threads = 1);
// A call from the user's code.
double estimated_call(const ir::Program& program, const DimValues& dims, const Target& target, int threads = 1);

// "812 ns", "7.64 us", "12.3 ms": three digits.
std::string duration(double nanoseconds);

}  // namespace gcompile::passes
