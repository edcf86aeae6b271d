#include "gcompile_fuzz_statistics.h"

#include <algorithm>
#include <iostream>

#include "gcompile/ir/op.h"
#include "gcompile_fuzz_transforms.h"

namespace gcompile::fuzz {
namespace {

// Ops that no graph of a user has, and why.
const std::map<std::string, std::string> kNeverDrawn = {
    {"fusion", "the pass fuse alone makes it: every graph has some behind that"},
};

// Ends of a line's description, that say what was compared.
const char* const kComparisons[] = {
    "interpreter, after",
    "compiled for",
    "kernels printed and parsed",
    "nothing in place or shared",
    "compiled for these extents",
    "three threads",
    "gradient by",
};
const char* const kTargets = "against";  // another one: not every machine has one

std::string kind_of(const std::string& what) {
  std::string best = what.find(kTargets) == std::string::npos ? "" : kTargets;
  for (const std::string kind : kComparisons)
    if (what.find(kind) != std::string::npos && kind.size() > best.size()) best = kind;
  return best;
}

void print_counts(const std::string& title, const std::map<std::string, std::int64_t>& counts) {
  std::string line = title + ":";
  for (const auto& [name, count] : counts) {
    const std::string item = " " + name + " " + std::to_string(count);
    if (line.size() + item.size() > 118) {
      std::cout << line << '\n';
      line = " ";
    }
    line += item + ",";
  }
  line.back() = '\n';
  std::cout << line;
}

}  // namespace

Statistics::Statistics(const Target& target) {
  for (const ir::OpDef& op : ir::all_ops()) {
    const bool drawn = !op.is(ir::kKernelOnly) && !kNeverDrawn.count(std::string(op.name));
    if (drawn && (op.name != "fma" || target.has_fma)) ops_[std::string(op.name)] = 0;
  }
  for (const std::string_view name : transform_names()) transforms_[std::string(name)] = 0;
  for (const char* kind : kComparisons) comparisons_[kind] = 0;
}

void Statistics::count_ops(const ir::Graph& graph) {
  for (const ir::Node* n : graph.topological()) {
    ++ops_[std::string(n->op->name)];
    for (const auto& body : n->bodies) count_ops(*body);
  }
}

void Statistics::count(const Sample& s, const Variants& v) {
  count_ops(s.graph);
  for (const auto& [name, times] : s.transforms) transforms_[name] += times;
  for (const std::string& name : v.names) ++variants_[name];
  nodes_.push_back(s.graph.topological().size());
  networks_ += s.network;
  symbolic_ += !s.graph.symbols().empty();
  updates_ += !s.graph.updates.empty();
}

void Statistics::count(const codegen::CheckReport& report) {
  for (const auto& line : report.lines) ++comparisons_[kind_of(line.what)];
}

std::vector<std::string> Statistics::missing() const {
  std::vector<std::string> names;
  const auto look = [&](const Counts& counts, const std::string& what) {
    for (const auto& [name, count] : counts)
      if (count == 0) names.push_back(what + name);
  };
  look(ops_, "op ");
  look(transforms_, "transform ");
  look(comparisons_, "comparison ");
  return names;
}

void Statistics::print() const {
  print_counts("ops", ops_);
  print_counts("transforms", transforms_);
  print_counts("variants", variants_);
  print_counts("comparisons", comparisons_);
  std::vector<std::size_t> sorted = nodes_;
  std::sort(sorted.begin(), sorted.end());
  std::int64_t all = 0;
  for (const auto& [name, count] : comparisons_) all += count;
  std::cout << "graphs: " << sorted.size() << ", of these training steps " << networks_ << ", with a symbolic extent "
            << symbolic_ << ", with updates " << updates_ << '\n'
            << "nodes: median " << (sorted.empty() ? 0 : sorted[sorted.size() / 2]) << ", most "
            << (sorted.empty() ? 0 : sorted.back()) << '\n'
            << "comparisons: " << all << " in all" << std::endl;
}

}  // namespace gcompile::fuzz
