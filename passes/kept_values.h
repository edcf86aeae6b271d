// Which values of a graph wait in memory between the launches of its kernels, and for how long: what `fuse` makes of
// the graph, looked at from the graph.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "gcompile/ir/graph.h"
#include "gcompile/passes/fuse.h"
#include "gcompile/passes/pass.h"

namespace gcompile::passes {

struct KeptValues {
  struct Kept {
    const ir::Node* node;
    std::int64_t bytes;
    int first, last;           // launches: the one that stores it, the last that reads it
    std::vector<int> readers;  // launches, ascending
  };
  std::vector<Kept> temporaries;                                   // neither results nor new values of states
  std::vector<std::int64_t> live;                                  // bytes of them, for each launch
  std::unordered_map<const ir::Node*, std::vector<int>> launches;  // that compute a node; a view may have several
  std::unordered_map<const ir::Node*, bool> in_nest;  // of nodes that sum: what decides about the order of the sum

  const Kept* find(const ir::Node* node) const;
  int peak() const;  // the first launch with the most bytes; -1 without launches
};

// Symbols are taken for typical extents.
KeptValues kept_values(const ir::Graph& graph, const PassContext& context);
std::map<std::string, std::int64_t> typical_extents(const ir::Graph& graph);

}  // namespace gcompile::passes
