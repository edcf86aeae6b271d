#include "gcompile/passes/simplify.h"

#include <algorithm>

#include "gcompile/passes/simplify_rules.h"

namespace gcompile::passes {
namespace {

using ir::Value;

constexpr int kRulesPerNode = 32;  // in one round; no chain of rules in the table is near as long
constexpr int kRounds = 8;         // over the graph: nodes that a replacement makes inside are seen in the next round

const RuleSet& all_rules() {
  static const RuleSet rules({arithmetic_rules(), logic_rules(), view_rules(), structured_rules()});
  return rules;
}

Value simplified(Value v, ir::Builder& b) {
  for (int i = 0; i < kRulesPerNode; ++i) {
    Value next = all_rules().apply(*v.node, b);
    if (!next) next = hoist_broadcast(*v.node, b);
    if (!next) break;
    v = next;
  }
  return v;
}

ir::Graph one_round(const ir::Graph& graph) {
  return ir::rewrite(
      graph,
      [](const ir::Node& node, const std::vector<Value>& operands, ir::Builder& b) -> std::optional<ir::Replacement> {
        if (operands.empty() || node.types.size() != 1 || !node.bodies.empty()) return std::nullopt;
        const bool kept = operands == node.operands;
        const Value before = kept ? node.result() : b.make(*node.op, operands, node.attrs);
        const Value after = simplified(before, b);
        if (kept && after == before) return std::nullopt;
        return ir::Replacement{after};
      });
}

bool same_values(const ir::Graph& a, const ir::Graph& b) {
  const auto same = [](const auto& x, const auto& y) { return x.value == y.value; };
  return std::equal(a.results.begin(), a.results.end(), b.results.begin(), b.results.end(), same) &&
         std::equal(a.updates.begin(), a.updates.end(), b.updates.begin(), b.updates.end(), same);
}

}  // namespace

ir::Graph simplify(const ir::Graph& graph, const PassContext&) {
  ir::Graph now = graph;
  for (int round = 0; round < kRounds; ++round) {
    ir::Graph next = one_round(now);
    if (same_values(now, next)) break;
    now = std::move(next);
  }
  return now;
}

}  // namespace gcompile::passes
