#include "pass_runner.h"

#include <chrono>
#include <cstdio>

#include "gcompile/base/error.h"
#include "options.h"

namespace gcompile::tool {

void PassRunner::run(const passes::Pass& pass) {
  const std::string name(pass.name);
  const bool dump = options_.dump_after.count("all") || options_.dump_after.count(name);
  const std::string before = dump ? passes::print(stage_) : "";
  const auto begin = std::chrono::steady_clock::now();
  stage_ = passes::run_pass(pass, stage_, context_);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  times_.emplace_back(name, seconds.count());
  if (dump) {
    const std::string after = passes::print(stage_);
    *log_ << "// after " << name << " (" << passes::level(stage_) << ")"
          << (after == before ? ": (unchanged)\n" : "\n");
    if (after != before) *log_ << after;
  }
  if (!options_.verify_each) return;
  try {
    passes::verify(stage_);
  } catch (const InternalError& e) {
    throw InternalError("after pass " + name + ": " + e.what());
  }
}

void PassRunner::run_to(std::string_view level) {
  for (const std::string_view name : passes::standard_pipeline()) {
    const passes::Pass& pass = *passes::find_pass(name);
    const bool from_graph = pass.run.index() <= 1, to_program = pass.run.index() == 3;
    if (to_program && level != "program") continue;
    if (from_graph == std::holds_alternative<ir::Graph>(stage_)) run(pass);
  }
}

void PassRunner::print_times(std::ostream& out) const {
  double total = 0;
  const auto line = [&](const std::string& name, double seconds) {
    char text[96];
    std::snprintf(text, sizeof text, "%-16s %9.3f ms\n", name.c_str(), seconds * 1e3);
    out << "// time: " << text;
  };
  for (const auto& [name, seconds] : times_) {
    line(name, seconds);
    total += seconds;
  }
  line("total", total);
}

const passes::Pass& pass_named(const std::string& name) {
  if (const passes::Pass* pass = passes::find_pass(name)) return *pass;
  std::string known;
  for (const passes::Pass& p : passes::all_passes()) known += (known.empty() ? "" : ", ") + std::string(p.name);
  throw UsageError("no pass is called \"" + name + "\"; there are " + known);
}

}  // namespace gcompile::tool
