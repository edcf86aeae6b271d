#include "gcompile/ir/requirement.h"

#include <algorithm>
#include <unordered_set>

#include "gcompile/base/error.h"
#include "gcompile/ir/op.h"
#include "gcompile/ir/print.h"
#include "gcompile/ir/simplify_dim.h"

namespace gcompile::ir {
namespace {

class Collector {
 public:
  explicit Collector(const Graph& graph) : found_(graph.requirements) {
    for (const auto& [symbol, bounds] : graph.bounds) ranges_[symbol] = {bounds.min, bounds.max};
    for (const std::string& s : graph.symbols()) ranges_.emplace(s, Interval{DimBounds{}.min, DimBounds{}.max});
  }

  void visit(const Graph& graph) {
    for (const Node* n : graph.topological()) {
      if (n->op->needs)
        for (const Need& need : n->op->needs(*n)) add(graph, *n, need.extent, need.least, [&] { return need.what; });
      for (const Type& t : n->types)
        for (const Dim& d : t.dims) add(graph, *n, d, 0, [&] { return "it makes " + t.str(); });
      for (const auto& body : n->bodies) visit(*body);
    }
  }

  std::vector<Requirement> take() { return std::move(found_); }
  bool holds(const Dim& extent, std::int64_t least) const { return bounds_of(extent, ranges_).min >= least; }

 private:
  template <class What>
  void add(const Graph& graph, const Node& n, const Dim& extent, std::int64_t least, What what) {
    if (extent.is_constant() || (least <= 0 && extent.as_symbol())) return;
    if (holds(extent, least)) return;
    if (!known_.insert(extent.str() + " >= " + std::to_string(least)).second) return;
    const bool said = std::any_of(found_.begin(), found_.end(),
                                  [&](const Requirement& r) { return r.extent == extent && r.least >= least; });
    if (!said) found_.push_back({extent, least, std::string(n.op->name) + ": " + what(), graph.first_location(&n)});
  }

  Ranges ranges_;
  std::vector<Requirement> found_;
  std::unordered_set<std::string> known_;
};

}  // namespace

std::vector<Requirement> requirements_of(const Graph& graph) {
  Collector c(graph);
  c.visit(graph);
  return c.take();
}

void settle_requirements(Graph& graph) {
  const Collector known(graph);
  std::erase_if(graph.requirements, [&](const Requirement& r) { return known.holds(r.extent, r.least); });
  graph.requirements = requirements_of(graph);
  for (const Requirement& r : graph.requirements) {
    const std::set<std::string> symbols = r.extent.symbols();
    if (symbols.size() != 1) continue;
    const auto step = r.extent.coefficient_of(*symbols.begin());
    if (!step || !step->is_constant() || step->constant() < 1) continue;
    DimBounds& bounds = graph.bounds[*symbols.begin()];
    const Dim least = ceildiv(Dim(r.least) - Dim(r.extent.constant()), step->constant());
    bounds.min = std::min(std::max(bounds.min, least.constant()), bounds.max);
  }
}

void check_requirements(const std::vector<Requirement>& requirements, const std::map<std::string, std::int64_t>& dims,
                        const std::function<std::string(const std::string&)>& source) {
  for (const Requirement& r : requirements) {
    const std::int64_t extent = r.extent.evaluate(dims);
    if (extent >= r.least) continue;
    std::string values;
    for (const std::string& s : r.extent.symbols())
      values += (values.empty() ? "" : ", ") + s + " is " + std::to_string(dims.at(s)) + (source ? source(s) : "");
    throw CallError(r.where, r.what + "; " + values + ", " + r.extent.str() + " must be at least " +
                                 std::to_string(r.least) + ", not " + std::to_string(extent));
  }
}

std::string print_requirements(const std::vector<Requirement>& requirements) {
  std::string out;
  for (const Requirement& r : requirements)
    out += "  require " + r.extent.str() + " at least " + std::to_string(r.least) + " " + quote(r.what) +
           print_locations({r.where}) + "\n";
  return out;
}

}  // namespace gcompile::ir
