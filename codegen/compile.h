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

struct CompileOptions {
  Target target = default_target();
  bool verify_each = false;  // verify after every pass (always on in debug builds)
  // Calls that meet a NaN update nothing and throw NumericError that says where it came from (pass check-nan).
  bool check_nan = false;
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
runtime::NativeCode jit(const ir::Program& program, const Target& target);
// And the last part of that: an object of emit_object becomes code of this process. Throws InternalError for another.
runtime::NativeCode link(std::string_view object, const Target& target);
std::string emit_llvm(const ir::Program& program, const Target& target);  // textual LLVM IR, after its passes
std::string emit_assembly(const ir::Program& program, const Target& target);
std::string emit_object(const ir::Program& program, const Target& target);  // the bytes of an ELF object

}  // namespace gcompile::codegen
