// Runs passes one by one on a model, with what one wants to see of them on stderr: the IR after a pass or
// "(unchanged)", its time, and verification.
#pragma once

#include <ostream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gcompile/passes/pipeline.h"

namespace gcompile::tool {

struct RunnerOptions {
  std::set<std::string> dump_after;  // names of passes, or "all"
  bool verify_each = false;
};

class PassRunner {
 public:
  PassRunner(passes::Stage stage, passes::PassContext context, RunnerOptions options, std::ostream& log)
      : stage_(std::move(stage)), context_(std::move(context)), options_(std::move(options)), log_(&log) {}

  // Throws what the pass throws; Error when it does not take this level; InternalError that begins with the pass's name
  // when the result does not verify.
  void run(const passes::Pass& pass);
  // The standard passes from the stage's level on, up to the level "kernel" or "program".
  void run_to(std::string_view level);

  const passes::Stage& stage() const { return stage_; }
  // Notes a step that is not a pass (code generation) in the table of times.
  void note(const std::string& name, double seconds) { times_.emplace_back(name, seconds); }
  void print_times(std::ostream& out) const;

 private:
  passes::Stage stage_;
  passes::PassContext context_;
  RunnerOptions options_;
  std::ostream* log_;
  std::vector<std::pair<std::string, double>> times_;
};

// The pass of that name; UsageError that lists the names otherwise.
const passes::Pass& pass_named(const std::string& name);

}  // namespace gcompile::tool
