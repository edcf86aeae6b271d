// gcompile-fuzz: random graphs; the interpreter against every pass (bit for bit, contraction within bounds) and against
// compiled code, in one of the ways of gcompile_fuzz_variants.h (codegen/check), within the memory planned for it. It
// runs in a process of its own. The first failure is run again alone, made small and printed with its seed: exit
// code 1.
#include <boost/program_options.hpp>
#include <chrono>
#include <iostream>

#include "gcompile/base/error.h"
#include "gcompile/codegen/check/check.h"
#include "gcompile/codegen/compile.h"
#include "gcompile/ir/parse.h"
#include "gcompile/ir/print.h"
#include "gcompile_fuzz_generate.h"
#include "gcompile_fuzz_processes.h"
#include "gcompile_fuzz_shrink.h"
#include "gcompile_fuzz_statistics.h"
#include "gcompile_fuzz_variants.h"

namespace gcompile::fuzz {
namespace {

namespace po = boost::program_options;

constexpr unsigned kSeconds = 300;  // of one graph

// The failure in words, empty when there is none. A graph must also come back from its text.
std::string failure(const ir::Graph& graph, const codegen::CheckOptions& options, Statistics* statistics) {
  try {
    const std::string text = ir::print(graph);
    if (ir::print(ir::parse_graph(text)) != text) return "print: the text of the graph changes when it is parsed";
  } catch (const std::exception& e) {
    return std::string("parse: ") + e.what();
  }
  const codegen::CheckReport report = codegen::check(graph, options);
  if (statistics) statistics->count(report);
  return report.ok() ? "" : report.guilty + ": " + report.message;
}

// The same in a process of its own, which says more of one that dies.
std::string failure_alone(const ir::Graph& graph, codegen::CheckOptions options) {
  std::string text = in_process([&] { return failure(graph, options, nullptr); });
  if (!text.starts_with("crash") || !options.allocate) return text;
  options.allocate = nullptr;
  const std::string unguarded = in_process([&] { return failure(graph, options, nullptr); });
  return unguarded.starts_with("crash") ? text : "memory: the program reaches beyond the memory planned for it";
}

std::string kind(const std::string& text) { return text.substr(0, text.find(':')); }

void report_failure(const Sample& s, const codegen::CheckOptions& options, const std::string& text, int budget) {
  std::cout << "FAILED " << text << "\nmaking it small ..." << std::endl;
  const ir::Graph small = shrink(
      s.graph, [&](const ir::Graph& g) { return kind(failure_alone(g, options)) == kind(text); }, budget);
  std::cout << ir::print(small) << "// " << failure_alone(small, options) << "\n// called with data of seed "
            << s.data_seed;
  for (const auto& dims : s.sizes)
    for (const auto& [name, value] : dims) std::cout << ", " << name << " = " << value;
  std::cout << '\n';
}

// Says what is wrong with one graph, which failed among others.
void tell(const Choice& choice, int budget) {
  const auto make = [&] { return generate(choice.seed, choice.index, choice.target.has_fma); };
  const std::string made = in_process([&]() -> std::string {
    try {
      make();
    } catch (const std::exception& e) {
      return e.what();
    }
    return "";
  });
  if (!made.empty()) {
    std::cout << "FAILED generator: " << made << '\n';
  } else {
    const Sample s = make();
    const Variants v = variants_of(s, choice);
    const std::string text = failure_alone(s.graph, v.options);
    if (text.empty())
      std::cout << "FAILED, but not alone: begin with an earlier --first\n";
    else
      report_failure(s, v.options, text, budget);
    std::cout << "variants:";
    for (const std::string& name : v.names) std::cout << ' ' << name << ',';
    std::cout << '\n';
  }
  std::cout << "again with: gcompile-fuzz --seed " << choice.seed << " --first " << choice.index << " --graphs 1"
            << std::endl;
}

int run(const po::variables_map& vars) {
  const auto seed = vars["seed"].as<std::uint64_t>();
  const auto graphs = vars["graphs"].as<std::uint64_t>(), first = vars["first"].as<std::uint64_t>();
  const Target target =
      vars.count("target") ? codegen::target_named(vars["target"].as<std::string>()) : codegen::default_target();
  const auto missing = vars["missing"].as<std::int64_t>();
  Statistics statistics(target);
  const auto begin = std::chrono::steady_clock::now();
  const auto one = [&](std::uint64_t index) {
    const Sample s = generate(seed, index, target.has_fma);
    const Variants v = variants_of(s, {seed, index, target, missing});
    statistics.count(s, v);
    if (vars.count("print")) std::cout << ir::print(s.graph) << std::flush;
    return failure(s.graph, v.options, &statistics).empty();
  };
  const auto failed = each_in_process(first, first + graphs, kSeconds, one, [&] {
    if (vars.count("stats")) statistics.print();
    const std::vector<std::string> never = statistics.missing();
    if (!vars.count("complete") || never.empty()) return true;
    std::cout << "FAILED: never met:";
    for (const std::string& name : never) std::cout << ' ' << name << ',';
    std::cout << '\n';
    return false;
  });
  if (failed && *failed < first + graphs) tell({seed, *failed, target, missing}, vars["shrink"].as<int>());
  if (failed) return 1;
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
  add("stats", "print how often every op, transform and variant was met");
  add("complete", "fail when one of these was never met");
  add("print", "print every graph");
  add("missing", po::value<std::int64_t>()->default_value(0),
      "give programs so many bytes less than they need, to see it noticed");
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
