// compile: Graph -> Executable, through the pipeline of passes/pipeline.h and LLVM. No LLVM header is included here.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gcompile/codegen/object_cache.h"
#include "gcompile/ir/graph.h"
#include "gcompile/ir/program.h"
#include "gcompile/ir/target.h"
#include "gcompile/runtime/executable.h"

namespace gcompile::codegen {

// The machine this process runs on.
Target host_target();
// "host", "x86-64", "x86-64-v3", "x86-64-v4"; Error that lists the known ones otherwise.
Target target_named(const std::string& name);
std::vector<std::string> target_names();
// The target when none is asked for: GCOMPILE_TARGET (for debugging) or the host.
Target default_target();
// Whether this machine can execute code for the target; `why` (may be null) gets the reason when not.
bool runs_here(const Target& target, std::string* why);

// What is added to the code for those who watch it run.
struct CodeOptions {
  bool profile = false;     // it tells runtime::LaunchClock of every launch
  bool debug_info = false;  // line tables of the user's lines; GDB is told of it when it is linked
  int threads = 1;          // that make it: a large program becomes an archive of objects
  bool quick = false;       // made in half the time, for code that runs once: other instructions, the same bits
};

struct CompileOptions {
  Target target = default_target();
  bool verify_each = false;  // verify after every pass (always on in debug builds)
  // Calls that meet a NaN update nothing and throw NumericError that says where it came from (pass check-nan).
  bool check_nan = false;
  // Every launch is measured: Executable::profile(). Not kept in the compile cache. Also when GCOMPILE_PROFILE is set.
  bool profile = false;
  // GDB knows the kernels and the user's lines. Also when GCOMPILE_DEBUG_INFO is set.
  bool debug_info = false;
  int threads = 0;  // that make machine code of a large program; 0: all cores
  // Bytes that temporaries should take at most, for the typical extent of symbols: what is cheap to make again is then
  // not kept (pass rematerialize). -1: no budget. A budget that cannot be met is no error: --explain says what was met.
  std::int64_t memory_budget = -1;
  // Called after every pass with its name and the text of the IR: --dump-after, GCOMPILE_DUMP.
  std::function<void(const std::string& pass, const std::string& text)> after_pass = nullptr;

  // The compile cache: a folder, or "off", or, when empty, what GCOMPILE_CACHE says or the user's own cache folder (see
  // cache_folder). It is left aside where somebody looks at the passes: verify_each, after_pass, GCOMPILE_DUMP.
  std::string cache = "";
  std::int64_t cache_bytes = kDefaultCacheBytes;  // beyond which what was not used for longest is removed
  CacheObserver cache_observer = nullptr;
};

// The whole way, or the finished code from the cache. Throws ModelError for a graph that cannot be compiled (naming op
// and line).
std::shared_ptr<runtime::Executable> compile(const ir::Graph& graph, const CompileOptions& options = {});

// The last part alone: LLVM's view of a program.
runtime::NativeCode jit(const ir::Program& program, const Target& target, const CodeOptions& options = {});
// And the last part of that: an object of emit_object becomes code of this process. Throws InternalError for another.
runtime::NativeCode link(std::string_view object, const Target& target, const CodeOptions& options = {});
// Textual LLVM IR, after its passes.
std::string emit_llvm(const ir::Program& program, const Target& target, const CodeOptions& options = {});
// With the kernels' names and the user's lines as comments.
std::string emit_assembly(const ir::Program& program, const Target& target);
// The bytes of an ELF object; of an ar archive of such objects when several threads made it.
std::string emit_object(const ir::Program& program, const Target& target, const CodeOptions& options = {});
// What Executable::start_profile wants to know of a program.
std::vector<runtime::ProfiledLaunch> profiled_launches(const ir::Program& program, const Target& target);
// Seconds that code generation takes for every kernel of the program alone.
std::vector<double> kernel_seconds(const ir::Program& program, const Target& target);

}  // namespace gcompile::codegen
