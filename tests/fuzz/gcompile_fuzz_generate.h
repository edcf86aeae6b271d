// Random well-typed graphs over the whole op table. Every node is evaluated as it is made, and one whose values leave
// the reasonable range, or of which nothing certain could be said after rounding, is mostly thrown away: so that what
// is compared is worth comparing.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "gcompile/codegen/check/call.h"
#include "gcompile/runtime/random.h"

namespace gcompile::fuzz {

struct Sample {
  ir::Graph graph;
  std::vector<codegen::DimValues> sizes;  // of its symbols
  std::uint64_t data_seed = 0;            // of inputs and states
  bool network = false;                   // a training step rather than random ops
  std::map<std::string, int> transforms;  // what was done how often to pieces of it
};

// A function of (seed, index); `with_fma` is for targets that have it.
Sample generate(std::uint64_t seed, std::uint64_t index, bool with_fma);

// The two kinds.
Sample random_ops(RandomStream& random, bool with_fma);
Sample random_network(RandomStream& random);

// A number in low .. high, both included.
inline std::int64_t between(RandomStream& random, std::int64_t low, std::int64_t high) {
  return low + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(high - low + 1)));
}
inline bool chance(RandomStream& random, int percent) { return between(random, 1, 100) <= percent; }
template <class List>
const auto& pick(RandomStream& random, const List& list) {
  return list[random.below(list.size())];
}

}  // namespace gcompile::fuzz
