// One step of rematerialize: which value to make again behind the launch where most bytes wait, and the graph in which
// it is.
#pragma once

#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "gcompile/passes/kept_values.h"

namespace gcompile::passes {

// A value that is made again for its readers behind the peak.
struct Remake {
  const KeptValues::Kept* value = nullptr;
  std::vector<const ir::Node*> chain;  // in order, the value last
  double operations = 0;
  std::int64_t freed = 0;
  double score() const;
};

// The one that frees most bytes for the operations it adds, but those that are banned. Ties go to the value that is
// made first.
std::optional<Remake> best_remake(const ir::Graph& graph, const KeptValues& kept, const Target& target,
                                  const std::unordered_set<const ir::Node*>& banned);

// The graph with that. All nodes are made anew, so that their ids, which are the order of launches, stay in order;
// `now` says which node stands for which.
ir::Graph remade(const ir::Graph& graph, const KeptValues& kept, const Remake& remake,
                 std::unordered_map<const ir::Node*, const ir::Node*>& now);

}  // namespace gcompile::passes
