// GCOMPILE_DUMP=DIR: every program that uses the library writes every stage of all that it compiles to files in DIR,
// "0000-step-00-graph.gir", "0000-step-04-cse.gir", ..., "0000-step-13-llvm.ll": the number of the compilation in this
// process, the graph's name, the number of the stage and its name. For debugging only.
#pragma once

#include <string>

namespace gcompile::codegen {

// The dump of one compilation. It never disturbs that: a folder that cannot be written is one warning on stderr.
class Dump {
 public:
  // `folder` empty: nothing is written. The folder is made when it is missing.
  Dump(const std::string& folder, const std::string& graph_name);
  // As GCOMPILE_DUMP says.
  static Dump from_environment(const std::string& graph_name);

  bool active() const { return !prefix_.empty(); }
  // Writes one stage. `level`: "graph", "kernel", "program", "llvm" or "asm" (decides the file's suffix).
  void write(const std::string& stage, const std::string& level, const std::string& text);

 private:
  std::string prefix_;  // folder, number and name; empty: nothing is written
  int stage_ = 0;
};

}  // namespace gcompile::codegen
