#include "gcompile_fuzz_memory.h"

#include <sys/wait.h>
#include <unistd.h>

#include "gcompile/passes/pipeline.h"
#include "tests/support/guarded_arena.h"

namespace gcompile::fuzz {

std::string memory_failure(const ir::Graph& graph, const codegen::CheckOptions& options) {
  const Target& target = options.targets.at(0);
  codegen::Compiled code(passes::run_pipeline(graph, {target}), target);
  code.set_allocator([](std::int64_t bytes) { return testing::before_a_guard(bytes); });
  for (const codegen::DimValues& dims : options.sizes) {
    const codegen::Call call = codegen::sample_call(graph, dims, options.seed);
    const pid_t child = ::fork();
    if (child < 0) return "memory: no process for it";
    if (child == 0) {
      code.run(call);
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
      return "memory: the program needs more than its plan of " + std::to_string(code.program().peak_bytes(dims)) +
             " bytes";
  }
  return "";
}

}  // namespace gcompile::fuzz
