// gcompile list: what there is: ops, passes, targets. The op reference in docs/ is `gcompile list ops --markdown`.
#include <algorithm>
#include <iostream>

#include "commands.h"
#include "gcompile/base/error.h"
#include "gcompile/codegen/compile.h"
#include "gcompile/ir/op.h"
#include "gcompile/passes/pass.h"
#include "options.h"

namespace gcompile::tool {
namespace {

constexpr const char* kUsageText = "Usage: gcompile list ops|passes|targets [--names | --markdown]\n"
                                   "\n"
                                   "--markdown is for ops: the reference of all ops.\n";

std::string dtypes_of(const ir::OpDef& op) {
  if (op.dtypes.empty()) return "all";
  std::string text;
  for (const DType t : op.dtypes) text += (text.empty() ? "" : " ") + std::string(name(t));
  return text;
}

std::string signature_of(const ir::OpDef& op) {
  if (op.signature.empty() || op.signature.front() == '(') return std::string(op.name) + std::string(op.signature);
  return std::string(op.signature);
}

// A cell of a Markdown table must not contain a bar.
std::string cell(std::string text) {
  for (std::size_t i = 0; (i = text.find('|', i)) != std::string::npos; i += 2) text.insert(i, "\\");
  return text;
}

struct Family {
  const char* title;
  bool (*has)(const ir::OpDef&);
};

// In this order; an op stands in the first family that has it.
constexpr Family kFamilies[] = {
    {"Leaves", [](const ir::OpDef& op) { return op.is(ir::kLeaf); }},
    {"Elementwise", [](const ir::OpDef& op) { return op.is(ir::kElementwise) && !op.is(ir::kKernelOnly); }},
    {"Views", [](const ir::OpDef& op) { return op.is(ir::kView); }},
    {"Reductions", [](const ir::OpDef& op) { return op.is(ir::kReduction); }},
    {"Control flow and calls", [](const ir::OpDef& op) { return op.is(ir::kControl); }},
    {"Structured", [](const ir::OpDef& op) { return !op.is(ir::kKernelOnly); }},
    {"Kernels only", [](const ir::OpDef& op) { return op.is(ir::kKernelOnly); }},
};

const Family& family_of(const ir::OpDef& op) {
  return *std::find_if(std::begin(kFamilies), std::end(kFamilies), [&](const Family& f) { return f.has(op); });
}

void print_markdown() {
  std::cout
      << "# Ops\n\n"
         "Made by `gcompile list ops --markdown` from the op records in `ir/ops/`. dtypes are those of the first\n"
         "operand (of the result, for leaves); an op without a gradient stops it with an error that names the\n"
         "line, unless `stop_gradient` stands before it.\n";
  for (const Family& family : kFamilies) {
    bool first = true;
    for (const ir::OpDef& op : ir::all_ops()) {
      if (&family_of(op) != &family) continue;
      if (first)
        std::cout << "\n## " << family.title << "\n\n| op | dtypes | gradient | what it is |\n|---|---|---|---|\n";
      first = false;
      std::cout << "| `" << cell(signature_of(op)) << "` | " << dtypes_of(op) << " | "
                << (op.differentiable() ? "yes"
                    : op.is(ir::kLeaf)  ? "-"
                                        : "no")
                << " | " << cell(std::string(op.doc)) << " |\n";
    }
  }
}

void print_ops(bool names) {
  for (const ir::OpDef& op : ir::all_ops()) {
    if (names)
      std::cout << op.name << '\n';
    else
      std::cout << signature_of(op) << "\n    " << op.doc << " [" << dtypes_of(op) << ']'
                << (op.differentiable() || op.is(ir::kLeaf) ? "" : " [no gradient]") << '\n';
  }
}

void print_passes(bool names) {
  constexpr const char* kLevels[] = {"graph -> graph", "graph -> kernel", "kernel -> kernel", "kernel -> program"};
  for (const passes::Pass& p : passes::all_passes()) {
    std::cout << p.name;
    if (!names)
      std::cout << std::string(p.name.size() < 16 ? 16 - p.name.size() : 1, ' ') << kLevels[p.run.index()] << ": "
                << p.doc << (p.standard ? "" : " (only when asked for)");
    std::cout << '\n';
  }
}

void print_targets(bool names) {
  for (const std::string& name : codegen::target_names()) {
    std::cout << name;
    if (!names) {
      const Target t = codegen::target_named(name);
      std::string why;
      const bool runs = codegen::runs_here(t, &why);
      std::cout << ": " << t.cpu << ", vectors of " << t.vector_bytes << " bytes, " << t.vector_registers
                << " registers" << (t.has_fma ? ", fma" : "") << (runs ? "; runs here" : "; does not run here: " + why);
    }
    std::cout << '\n';
  }
}

}  // namespace

int list_command(const std::vector<std::string>& words) {
  po::options_description options("Options");
  options.add_options()("names", "only names, one per line")("markdown", "ops as a Markdown reference")("help",
                                                                                                        "this text");
  const po::variables_map vars = parse(words, options, kUsageText);
  if (vars.count("help")) return kOk;
  if (!vars.count("file")) throw UsageError("list: expected ops, passes or targets");
  const std::string what = vars["file"].as<std::string>();
  const bool names = vars.count("names") != 0;
  if (vars.count("markdown")) {
    if (what != "ops" || names) throw UsageError("list: --markdown goes with ops alone");
    print_markdown();
  } else if (what == "ops") {
    print_ops(names);
  } else if (what == "passes") {
    print_passes(names);
  } else if (what == "targets") {
    print_targets(names);
  } else {
    throw UsageError("list " + what + ": expected ops, passes or targets");
  }
  return kOk;
}

}  // namespace gcompile::tool
