// gcompile check: the compiler checks itself on the model, and says what it compared.
#include <algorithm>
#include <iostream>

#include "commands.h"
#include "gcompile/base/error.h"
#include "gcompile/codegen/check/check.h"
#include "gcompile/codegen/compile.h"
#include "gcompile/ir/op.h"
#include "model.h"
#include "options.h"

namespace gcompile::tool {
namespace {

constexpr const char* kUsageText =
    "Usage: gcompile check [model.gir | -] [--dim N=5] [--seed S]\n"
    "\n"
    "Compares the interpreter on the graph, on the graph after every pass, and compiled code on all targets that run\n"
    "here; constant with symbolic extents; the gradient with finite differences. On failure names the guilty pass.\n";

po::options_description check_options() {
  po::options_description options = common_options();
  options.add_options()("seed", po::value<std::uint64_t>()->default_value(0)->value_name("S"), "of inputs and states");
  return options;
}

bool has_fma(const ir::Graph& graph) {
  for (const ir::Node* n : graph.topological())
    if (n->op->name == "fma" ||
        std::any_of(n->bodies.begin(), n->bodies.end(), [](const auto& body) { return has_fma(*body); }))
      return true;
  return false;
}

std::vector<Target> targets_of(const po::variables_map& vars, const ir::Graph& graph) {
  if (vars.count("target")) return {target_of(vars)};
  std::vector<Target> targets{codegen::default_target()};
  for (const std::string& name : codegen::target_names()) {
    const Target t = codegen::target_named(name);
    std::string why;
    if (t.name == targets[0].name) continue;
    const bool runs = codegen::runs_here(t, &why);
    if (runs && !t.has_fma && has_fma(graph)) why = "the graph has fma, which it has not";
    if (why.empty())
      targets.push_back(t);
    else
      std::cout << "not on " << name << ": " << why << '\n';
  }
  return targets;
}

// Symbols that --dim does not give take a few sizes: one, some, and more than two groups of lanes with a tail.
std::vector<passes::DimValues> sizes_of(const ir::Graph& graph, const passes::DimValues& given) {
  std::vector<passes::DimValues> sizes;
  for (const std::int64_t extent : {std::int64_t{1}, std::int64_t{5}, std::int64_t{37}}) {
    passes::DimValues dims = given;
    for (const std::string& symbol : graph.symbols()) {
      const auto it = graph.bounds.find(symbol);
      const ir::DimBounds bounds = it == graph.bounds.end() ? ir::DimBounds{} : it->second;
      dims.emplace(symbol, std::clamp(extent, bounds.min, bounds.max));
    }
    if (std::find(sizes.begin(), sizes.end(), dims) == sizes.end()) sizes.push_back(dims);
  }
  return sizes;
}

}  // namespace

int check_command(const std::vector<std::string>& words) {
  const po::variables_map vars = parse(words, check_options(), kUsageText);
  if (vars.count("help")) return kOk;
  codegen::CheckOptions options;
  options.seed = vars["seed"].as<std::uint64_t>();
  const passes::Stage stage = read_model(vars, {});
  const auto* graph = std::get_if<ir::Graph>(&stage);
  if (!graph) throw UsageError("check takes a graph, here is a kernel");
  options.memory_budget = memory_budget_of(vars);
  options.targets = targets_of(vars, *graph);
  const passes::DimValues dims = dims_of(vars);
  passes::specialize(*graph, dims);  // refuses unknown names and values out of bounds
  options.sizes = sizes_of(*graph, dims);

  const codegen::CheckReport report = codegen::check(*graph, options);
  for (const auto& line : report.lines)
    std::cout << (line.ok ? "ok    " : "WRONG ") << line.what << ": " << line.text << '\n';
  if (report.ok()) {
    std::cout << "all " << report.lines.size() << " comparisons hold\n";
    return kOk;
  }
  std::cout << "the guilty pass: " << report.guilty << '\n';
  return kBadInput;
}

}  // namespace gcompile::tool
