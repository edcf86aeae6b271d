#include "gcompile/passes/merge_scans.h"

#include <algorithm>
#include <map>

#include "gcompile/ir/control.h"
#include "gcompile/ir/print.h"

namespace gcompile::passes {
namespace {

using ir::Graph;
using ir::Node;
using ir::Value;

// The body as far as it makes the first `results` of its results.
std::string text_of(const Graph& body, std::size_t results) {
  Graph part = body;
  part.name = "body";
  part.results.resize(results);
  for (auto& r : part.results) r.name.clear();
  ir::PrintOptions options;
  options.locations = false;
  return ir::print(part, options);
}

bool same_nodes(const Graph& a, const Graph& b, std::size_t results) {
  const auto same = [](const auto& x, const auto& y) { return x.value == y.value; };
  return std::equal(a.inputs.begin(), a.inputs.end(), b.inputs.begin(), b.inputs.end(), same) &&
         std::equal(a.results.begin(), a.results.begin() + static_cast<std::ptrdiff_t>(results), b.results.begin(),
                    same);
}

// Whether the larger one makes all that the other one does, and in the first places.
bool continues(const Node& larger, const Node& n) {
  return larger.op == n.op && larger.operands == n.operands && larger.attrs == n.attrs &&
         larger.types.size() >= n.types.size() &&
         (same_nodes(larger.body(), n.body(), n.types.size()) ||
          text_of(larger.body(), n.types.size()) == text_of(n.body(), n.types.size()));
}

}  // namespace

Graph merge_scans(const Graph& graph, const PassContext&) {
  std::vector<const Node*> scans;
  for (const Node* n : graph.topological())
    if (ir::control_parts(*n).kind == ir::ControlParts::Kind::kLoop) scans.push_back(n);
  if (scans.empty()) return graph;
  std::map<const Node*, const Node*> stands_for;  // the largest of those that take the same steps
  for (const Node* n : scans) {
    const Node* best = n;
    for (const Node* other : scans)
      if (other->types.size() > best->types.size() && continues(*other, *n)) best = other;
    for (const Node* other : scans)  // of equal ones the first
      if (other->id < best->id && other->types.size() == best->types.size() && continues(*other, *best)) best = other;
    stands_for[n] = best;
  }
  std::map<const Node*, Value> made;
  return ir::rewrite(
      graph, [&](const Node& n, const std::vector<Value>& operands, ir::Builder& b) -> std::optional<ir::Replacement> {
        const auto it = stands_for.find(&n);
        if (it == stands_for.end()) return std::nullopt;
        const Node& whole = *it->second;
        Value& scan = made[&whole];
        if (!scan) scan = b.make(*whole.op, operands, whole.attrs, whole.bodies);
        ir::Replacement values;
        for (int r = 0; r < static_cast<int>(n.types.size()); ++r) values.push_back({scan.node, r});
        return values;
      });
}

}  // namespace gcompile::passes
