#include "gcompile/passes/rematerialize.h"

#include <algorithm>
#include <unordered_set>

#include "gcompile/ir/op.h"
#include "gcompile/passes/lower.h"
#include "gcompile/passes/parallelize.h"
#include "gcompile/passes/plan_memory.h"
#include "gcompile/passes/remake.h"
#include "gcompile/passes/simplify_index.h"
#include "gcompile/passes/tile.h"

namespace gcompile::passes {
namespace {

using ir::Graph;
using ir::Node;
using ir::Value;

std::int64_t peak_bytes(const KeptValues& kept) {
  return kept.live.empty() ? 0 : kept.live[static_cast<std::size_t>(kept.peak())];
}

// Bytes beyond a goal, over all launches. The goal is near the peak, whatever the budget: so a smaller budget takes the
// same steps first.
std::int64_t excess(const KeptValues& kept, std::int64_t goal) {
  std::int64_t sum = 0;
  for (const std::int64_t bytes : kept.live) sum += std::max<std::int64_t>(bytes - goal, 0);
  return sum;
}

// Whether every node that sums is made as before: in a nest sums have another order.
bool keeps_orders(const KeptValues& before, const KeptValues& after,
                  const std::unordered_map<const Node*, const Node*>& now) {
  return std::all_of(before.in_nest.begin(), before.in_nest.end(), [&](const auto& entry) {
    const auto it = after.in_nest.find(now.at(entry.first));
    return it != after.in_nest.end() && it->second == entry.second;
  });
}

// The largest temporaries at the launch with most bytes.
std::string largest(const KeptValues& kept) {
  std::vector<const KeptValues::Kept*> there;
  for (const KeptValues::Kept& k : kept.temporaries)
    if (k.first <= kept.peak() && kept.peak() <= k.last) there.push_back(&k);
  std::stable_sort(there.begin(), there.end(), [](const auto* a, const auto* b) { return a->bytes > b->bytes; });
  std::string text;
  for (std::size_t i = 0; i < std::min<std::size_t>(there.size(), 3); ++i)
    text += (i == 0 ? "" : ", ") + std::string(there[i]->node->op->name) + " " + there[i]->node->types[0].str();
  return text;
}

}  // namespace

std::int64_t planned_bytes(const Graph& graph, const PassContext& context) {
  const ir::KernelModule lowered = simplify_index(lower(fuse(graph, context), context), context);
  const ir::KernelModule kernels = parallelize(tile(lowered, context), context);
  return plan_memory(kernels, context).peak_bytes(typical_extents(graph));
}

Graph rematerialize(const Graph& graph, const PassContext& context) {
  const std::int64_t budget = context.memory_budget;
  if (budget < 0) return graph;
  if (has_control(graph)) {
    ir::Graph same = graph;
    same.reasons.push_back("rematerialize: not with control flow; use checkpoint");
    return same;
  }
  const std::int64_t before = planned_bytes(graph, context);
  std::int64_t reached = before, goal = budget;
  int values = 0;
  double operations = 0;
  Graph now = graph;
  KeptValues kept = kept_values(now, context);
  std::unordered_set<const Node*> banned;
  while (reached > budget) {
    const auto choice = best_remake(now, kept, context.target, banned);
    if (!choice) break;
    std::unordered_map<const Node*, const Node*> stands_for;
    Graph next = remade(now, kept, *choice, stands_for);
    KeptValues then = kept_values(next, context);
    const std::int64_t near_peak = std::max(goal, peak_bytes(kept) / 8 * 7);
    if (excess(then, near_peak) >= excess(kept, near_peak) || !keeps_orders(kept, then, stands_for)) {
      banned.insert(choice->value->node);
      continue;
    }
    ++values;
    operations += choice->operations;
    now = std::move(next);
    kept = std::move(then);
    std::unordered_set<const Node*> still;
    for (const Node* n : banned) still.insert(stands_for.at(n));
    banned = std::move(still);
    // Slots are as large as the largest of their tenants, so a plan may take more than what is alive at once.
    if (peak_bytes(kept) > goal) continue;
    reached = planned_bytes(now, context);
    if (reached > budget) goal = std::max<std::int64_t>(goal - (reached - budget), 0);
  }
  if (values > 0) reached = planned_bytes(now, context);
  if (reached > before || (reached == before && values > 0)) {  // nothing gained: nothing done
    now = graph;
    reached = before;
    values = 0;
  }
  std::string reason = "rematerialize: temporaries of " + std::to_string(reached) + " bytes";
  if (values > 0)
    reason += " in place of " + std::to_string(before) + ", " + std::to_string(values) +
              (values == 1 ? " value is" : " values are") + " computed again by " +
              std::to_string(static_cast<std::int64_t>(operations)) + " operations";
  if (reached > budget)
    reason += "; the budget of " + std::to_string(budget) +
              " cannot be met: nothing that is cheap to make again is left at the peak, which keeps " +
              largest(kept_values(now, context));
  else
    reason += ", within the budget of " + std::to_string(budget);
  now.reasons.push_back(std::move(reason));
  return now;
}

}  // namespace gcompile::passes
