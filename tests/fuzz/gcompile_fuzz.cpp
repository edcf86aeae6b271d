// gcompile-fuzz: random graphs; the interpreter against every pass (bit for bit, contraction within bounds) and against
// compiled code, with symbolic and constant extents, and through the text of kernels (codegen/check); and compiled code
// within the memory planned for it. The first failure is made small and printed with its seed: exit code 1.
#include <algorithm>
#include <boost/program_options.hpp>
#include <chrono>
#include <iostream>
#include <map>

#include "gcompile/base/error.h"
#include "gcompile/codegen/check/check.h"
#include "gcompile/codegen/compile.h"
#include "gcompile/ir/op.h"
#include "gcompile/ir/parse.h"
#include "gcompile/ir/print.h"
#include "gcompile_fuzz_generate.h"
#include "gcompile_fuzz_memory.h"
#include "gcompile_fuzz_shrink.h"

namespace gcompile::fuzz {
namespace {

namespace po = boost::program_options;

struct Statistics {
  std::map<std::string, std::int64_t> ops;
  std::vector<std::size_t> nodes;
  std::int64_t networks = 0, symbolic = 0, updates = 0, comparisons = 0;

  void count(const Sample& s) {
    const auto topological = s.graph.topological();
    for (const ir::Node* n : topological) ++ops[std::string(n->op->name)];
    nodes.push_back(topological.size());
    networks += s.network;
    symbolic += !s.graph.symbols().empty();
    updates += !s.graph.updates.empty();
  }

  void print() const {
    for (const ir::OpDef& op : ir::all_ops()) {
      if (op.is(ir::kKernelOnly) || op.name == "fusion") continue;
      const auto it = ops.find(std::string(op.name));
      std::cout << "op " << op.name << ": " << (it == ops.end() ? 0 : it->second) << '\n';
    }
    std::vector<std::size_t> sorted = nodes;
    std::sort(sorted.begin(), sorted.end());
    std::cout << "graphs: " << nodes.size() << ", of these training steps " << networks << ", with a symbolic extent "
              << symbolic << ", with updates " << updates << '\n'
              << "nodes: median " << (sorted.empty() ? 0 : sorted[sorted.size() / 2]) << ", most "
              << (sorted.empty() ? 0 : sorted.back()) << '\n'
              << "comparisons: " << comparisons << '\n';
  }
};

codegen::CheckOptions options_for(const Sample& s, std::uint64_t index, const Target& target) {
  codegen::CheckOptions options;
  options.targets = {target};
  // Little unrolling compiles fast, and takes other ways through schedule and code generation.
  constexpr int kUnrollLimits[] = {8, 64, 0};
  if (const int limit = kUnrollLimits[index % 3]; limit != 0) options.targets[0].unroll_limit = limit;
  // Random graphs are small: some are compiled as large ones are, in tiles, with states that lie in memory as products
  // want them and panels that are copied because caches are slow.
  if (index % 5 >= 3) {
    options.targets[0].tile_elements = 1;
    options.targets[0].l1_bytes = options.targets[0].l2_bytes = 64;
    options.targets[0].rates.l3 = options.targets[0].rates.dram = index % 5 == 3 ? 0.01 : 100;
  }
  options.sizes = s.sizes;
  options.seed = s.data_seed;
  options.stop_at_failure = true;
  // Compiling is what takes the time: the second compilations are done for some.
  options.kernel_text = index % 4 == 0;
  options.threads = index % 4 == 1;
  options.constant_extents = index % 2;
  options.gradient = s.network && index % 2 == 0;
  options.memory_budget = index % 5 == 2 ? 0 : -1;
  return options;
}

// The failure in words, empty when there is none. A graph must also come back from its text.
std::string failure(const ir::Graph& graph, const codegen::CheckOptions& options, Statistics* statistics) {
  try {
    const std::string text = ir::print(graph);
    if (ir::print(ir::parse_graph(text)) != text) return "print: the text of the graph changes when it is parsed";
  } catch (const std::exception& e) {
    return std::string("parse: ") + e.what();
  }
  const codegen::CheckReport report = codegen::check(graph, options);
  if (statistics) statistics->comparisons += static_cast<std::int64_t>(report.lines.size());
  return report.ok() ? memory_failure(graph, options) : report.guilty + ": " + report.message;
}

std::string kind(const std::string& text) { return text.substr(0, text.find(':')); }

void report_failure(const Sample& s, const codegen::CheckOptions& options, const std::string& text, int budget) {
  std::cout << "FAILED " << text << "\nmaking it small ..." << std::endl;
  const ir::Graph small = shrink(
      s.graph, [&](const ir::Graph& g) { return kind(failure(g, options, nullptr)) == kind(text); }, budget);
  std::cout << ir::print(small) << "// " << failure(small, options, nullptr) << "\n// called with data of seed "
            << s.data_seed;
  for (const auto& dims : s.sizes)
    for (const auto& [name, value] : dims) std::cout << ", " << name << " = " << value;
  std::cout << '\n';
}

int run(const po::variables_map& vars) {
  const auto seed = vars["seed"].as<std::uint64_t>();
  const auto graphs = vars["graphs"].as<std::uint64_t>(), first = vars["first"].as<std::uint64_t>();
  const Target target =
      vars.count("target") ? codegen::target_named(vars["target"].as<std::string>()) : codegen::default_target();
  Statistics statistics;
  const auto begin = std::chrono::steady_clock::now();
  for (std::uint64_t index = first; index < first + graphs; ++index) {
    const Sample s = generate(seed, index, target.has_fma);
    statistics.count(s);
    if (vars.count("print")) std::cout << ir::print(s.graph);
    const codegen::CheckOptions options = options_for(s, index, target);
    const std::string text = failure(s.graph, options, &statistics);
    if (text.empty()) continue;
    report_failure(s, options, text, vars["shrink"].as<int>());
    std::cout << "again with: gcompile-fuzz --seed " << seed << " --first " << index << " --graphs 1\n";
    return 1;
  }
  if (vars.count("stats")) statistics.print();
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  std::cout << graphs << " graphs, seed " << seed << ", all agree (" << static_cast<int>(seconds.count() * 10) / 10.0
            << " s)\n";
  return 0;
}

}  // namespace
}  // namespace gcompile::fuzz

int main(int argc, char** argv) {
  namespace po = boost::program_options;
  po::options_description options("gcompile-fuzz: random graphs, interpreter against passes and compiled code");
  auto add = options.add_options();
  add("graphs", po::value<std::uint64_t>()->default_value(200), "how many");
  add("seed", po::value<std::uint64_t>()->default_value(1), "of everything");
  add("first", po::value<std::uint64_t>()->default_value(0), "index of the first graph");
  add("target", po::value<std::string>(), "compile for it; it must run here");
  add("shrink", po::value<int>()->default_value(600), "attempts to make a failure small");
  add("stats", "print how often every op was met");
  add("print", "print every graph");
  add("help", "this text");
  try {
    po::variables_map vars;
    po::store(po::parse_command_line(argc, argv, options), vars);
    po::notify(vars);
    if (vars.count("help")) {
      std::cout << options;
      return 0;
    }
    return gcompile::fuzz::run(vars);
  } catch (const po::error& e) {
    std::cerr << "gcompile-fuzz: " << e.what() << '\n';
    return 2;
  } catch (const std::exception& e) {
    std::cerr << "gcompile-fuzz: " << e.what() << '\n';
    return 3;
  }
}
