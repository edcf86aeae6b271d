// The command without a name: text in, passes, text (or an object) of some level out.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <numeric>

#include "commands.h"
#include "explain.h"
#include "gcompile/codegen/compile.h"
#include "gcompile/ir/dot.h"
#include "gcompile/ir/print.h"
#include "gcompile/runtime/file_io.h"
#include "model.h"
#include "options.h"
#include "pass_runner.h"

namespace gcompile::tool {
namespace {

constexpr const char* kUsageText =
    "Usage: gcompile [model.gir | -] [--emit=LEVEL | --passes=a,b,c] ...\n"
    "       gcompile run [model.gir | -] --input x=x.npy ...\n"
    "       gcompile check [model.gir | -] ...\n"
    "       gcompile list ops|passes|targets\n"
    "\n"
    "Reads a graph or kernels (told apart by the first word) from the file or stdin, and prints it at the level asked\n"
    "for. `gcompile COMMAND --help` tells of a command's options. Exit codes: 0 ok, 1 bad input, 2 usage, 3 internal\n"
    "error.\n";

// A level that can be asked for, and the level of IR that it is printed from ("" for whatever there is).
struct Level {
  std::string_view name, from;
};
constexpr std::array<Level, 7> kLevels{{{"graph", "graph"},
                                        {"dot", "graph"},
                                        {"kernel", "kernel"},
                                        {"program", "program"},
                                        {"llvm", "program"},
                                        {"asm", "program"},
                                        {"obj", "program"}}};

const Level& level_named(const std::string& name) {
  const auto it = std::find_if(kLevels.begin(), kLevels.end(), [&](const Level& l) { return l.name == name; });
  if (it != kLevels.end()) return *it;
  std::string known;
  for (const Level& l : kLevels) known += (known.empty() ? "" : ", ") + std::string(l.name);
  throw UsageError("--emit=" + name + ": the levels are " + known);
}

std::string text_of(const passes::Stage& stage, std::string_view level, const Target& target) {
  if (level == "dot") return ir::print_dot(std::get<ir::Graph>(stage));
  const auto* program = std::get_if<ir::Program>(&stage);
  if (level == "llvm") return codegen::emit_llvm(*program, target);
  if (level == "asm") return codegen::emit_assembly(*program, target);
  if (level == "obj") return codegen::emit_object(*program, target);
  return passes::print(stage);
}

// The kernels that take most of code generation, each compiled once more alone.
void print_slowest_kernels(const ir::Program& program, const Target& target, std::ostream& out) {
  constexpr std::size_t kMost = 5;
  const std::vector<double> seconds = codegen::kernel_seconds(program, target);
  std::vector<std::size_t> order(seconds.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return seconds[a] > seconds[b]; });
  order.resize(std::min(order.size(), kMost));
  for (const std::size_t k : order) {
    const ir::Kernel& kernel = program.module.kernels[k];
    char text[32];
    std::snprintf(text, sizeof text, "%9.3f ms", seconds[k] * 1e3);
    const std::string name = "kernel " + kernel.name;
    out << "// time: " << name << std::string(name.size() < 17 ? 17 - name.size() : 1, ' ') << text
        << ir::print_locations(kernel.locations) << '\n';
  }
}

po::options_description emit_options() {
  po::options_description options = common_options();
  auto add = options.add_options();
  add("emit", po::value<std::string>()->value_name("LEVEL"), "graph (default), dot, kernel, program, llvm, asm or obj");
  add("passes", po::value<std::string>()->value_name("a,b,c"), "exactly these passes, in this order");
  add("dump-after", po::value<std::vector<std::string>>()->value_name("PASS|all"),
      "print the IR after a pass (stderr)");
  add("time-passes", "print what every pass takes, and with --emit=asm or obj the slowest kernels (stderr)");
  add("explain", "print why values were fused and updates made in place, and estimates (stderr)");
  add("verify-each", "verify the IR after every pass");
  add("output,o", po::value<std::string>()->value_name("FILE"), "write there, not to stdout");
  add("version", "print the version");
  return options;
}

RunnerOptions runner_options(const po::variables_map& vars) {
  RunnerOptions options;
  options.verify_each = vars.count("verify-each") != 0;
  if (!vars.count("dump-after")) return options;
  for (const std::string& list : vars["dump-after"].as<std::vector<std::string>>())
    for (const std::string& name : split_commas(list)) {
      if (name != "all") pass_named(name);
      options.dump_after.insert(name);
    }
  return options;
}

// The level to print: what --emit says; with --passes, or for kernels as input, the level that was reached.
std::string_view wanted_level(const po::variables_map& vars, const passes::Stage& stage, bool fixed) {
  if (!vars.count("emit")) return passes::level(stage);
  const Level& level = level_named(vars["emit"].as<std::string>());
  if (fixed && level.from != passes::level(stage))
    throw UsageError("--emit=" + std::string(level.name) + " needs a " + std::string(level.from) +
                     ", the passes of --passes end at a " + std::string(passes::level(stage)));
  if (level.from == "graph" && passes::level(stage) != "graph")
    throw UsageError("--emit=" + std::string(level.name) + ": the input is a " + std::string(passes::level(stage)) +
                     ", which no pass makes a graph again");
  return level.name;
}

}  // namespace

int emit_command(const std::vector<std::string>& words) {
  const po::variables_map vars = parse(words, emit_options(), kUsageText);
  if (vars.count("help")) return kOk;
  const bool fixed = vars.count("passes") != 0;
  if (vars.count("emit")) level_named(vars["emit"].as<std::string>());
  const Target target = target_of(vars);
  const RunnerOptions options = runner_options(vars);
  std::vector<const passes::Pass*> list;
  if (fixed)
    for (const std::string& name : split_commas(vars["passes"].as<std::string>()))
      if (!name.empty()) list.push_back(&pass_named(name));

  PassRunner runner(read_model(vars, dims_of(vars)), {target, memory_budget_of(vars)}, options, std::cerr);
  for (const passes::Pass* pass : list) runner.run(*pass);
  const std::string_view level = wanted_level(vars, runner.stage(), fixed);
  const std::string_view from = level_named(std::string(level)).from;
  if (!fixed && from != passes::level(runner.stage())) runner.run_to(from);

  const auto begin = std::chrono::steady_clock::now();
  const std::string text = text_of(runner.stage(), level, target);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  if (level == "llvm" || level == "asm" || level == "obj") runner.note("code generation", seconds.count());
  if (vars.count("time-passes")) {
    runner.print_times(std::cerr);
    if (level == "asm" || level == "obj")
      print_slowest_kernels(std::get<ir::Program>(runner.stage()), target, std::cerr);
  }
  if (vars.count("explain")) {
    if (!fixed) runner.run_to("program");
    explain(runner.stage(), target, std::cerr);
  }
  if (vars.count("output"))
    runtime::write_file_atomically(vars["output"].as<std::string>(), std::array<std::string_view, 1>{text});
  else
    std::cout << text;
  return kOk;
}

}  // namespace gcompile::tool
