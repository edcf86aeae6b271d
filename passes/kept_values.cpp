#include "gcompile/passes/kept_values.h"

#include <algorithm>
#include <set>

#include "gcompile/ir/op.h"
#include "gcompile/passes/estimate.h"

namespace gcompile::passes {

using ir::Node;
using ir::Value;

const KeptValues::Kept* KeptValues::find(const Node* node) const {
  for (const Kept& k : temporaries)
    if (k.node == node) return &k;
  return nullptr;
}

int KeptValues::peak() const {
  return live.empty() ? -1 : static_cast<int>(std::max_element(live.begin(), live.end()) - live.begin());
}

std::map<std::string, std::int64_t> typical_extents(const ir::Graph& graph) {
  std::map<std::string, std::int64_t> extents;
  for (const std::string& s : graph.symbols()) extents[s] = typical_extent(graph.bounds, s);
  return extents;
}

KeptValues kept_values(const ir::Graph& graph, const PassContext& context) {
  const Fused fused = fuse_and_tell(graph, context);
  KeptValues kept;
  std::unordered_map<const Node*, int> launch_of;  // of a fusion
  for (const Node* n : fused.graph.topological())
    if (!n->op->is(ir::kLeaf)) launch_of.emplace(n, static_cast<int>(launch_of.size()));
  kept.live.resize(launch_of.size());
  for (const Fused::Part& part : fused.parts) {
    const int launch = launch_of.at(part.fusion.node);
    const bool nest = part.fusion.node->attrs.get<std::string>("kind") == "nest";
    for (const Node* n : part.nodes) {
      kept.launches[n].push_back(launch);
      if (n->op->is(ir::kFolding) || n->op->is(ir::kContraction)) kept.in_nest[n] = nest;
    }
  }
  for (auto& [node, launches] : kept.launches) std::sort(launches.begin(), launches.end());

  const auto extents = typical_extents(graph);
  std::set<std::pair<const Node*, int>> stays;  // outputs of fusions that are no temporaries
  for (const auto& r : fused.graph.results) stays.insert({r.value.node, r.value.index});
  for (const auto& u : fused.graph.updates) stays.insert({u.value.node, u.value.index});
  std::map<std::pair<int, int>, std::size_t> index;  // (launch, output)
  for (const Fused::Part& part : fused.parts)
    for (std::size_t i = 0; i < part.outputs.size(); ++i) {
      if (stays.count({part.fusion.node, static_cast<int>(i)})) continue;
      const Type& type = part.outputs[i].type();
      const int launch = launch_of.at(part.fusion.node);
      index[{launch, static_cast<int>(i)}] = kept.temporaries.size();
      kept.temporaries.push_back({part.outputs[i].node,
                                  type.size().evaluate(extents) * static_cast<std::int64_t>(size_of(type.dtype)),
                                  launch,
                                  launch,
                                  {}});
    }
  for (const auto& [fusion, launch] : launch_of)
    for (const Value& v : fusion->operands) {
      const auto from = launch_of.find(v.node);
      if (from == launch_of.end()) continue;
      const auto it = index.find({from->second, v.index});
      if (it == index.end()) continue;
      KeptValues::Kept& k = kept.temporaries[it->second];
      k.readers.push_back(launch);
      k.last = std::max(k.last, launch);
    }
  for (KeptValues::Kept& k : kept.temporaries) {
    std::sort(k.readers.begin(), k.readers.end());
    for (int l = k.first; l <= k.last; ++l) kept.live[static_cast<std::size_t>(l)] += k.bytes;
  }
  return kept;
}

}  // namespace gcompile::passes
