// Executable: one compiled program, bound to its states and its arena. A call checks the arguments, binds the symbolic
// dimensions from their shapes, and runs one native function. In the steady state (same shapes as the call before, or
// shapes that fit the arena) nothing is allocated. Calls are exclusive: a second call while one runs throws.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gcompile/base/array.h"
#include "gcompile/base/location.h"
#include "gcompile/ir/graph.h"
#include "gcompile/ir/program.h"
#include "gcompile/runtime/parallel.h"
#include "gcompile/runtime/profile_report.h"
#include "gcompile/runtime/profiler.h"
#include "gcompile/runtime/trap.h"

namespace gcompile::runtime {

// The entry of the native code. `buffers` holds one pointer per buffer of the program's module, in its order;
// `dims` the values of program.symbols; `parallel` runs parallel kernels. Returns 0, or the code of a trap.
using Native = std::int32_t (*)(void* const* buffers, const std::int64_t* dims, const Parallel* parallel);

struct NativeCode {
  Native entry = nullptr;
  std::shared_ptr<void> owner;  // keeps the code in memory
};

// A dump of some stage of the compilation: stage "graph", "kernel", "program", "llvm", "asm".
using Dump = std::function<std::string(const std::string& stage)>;
// Seconds that a call is estimated to take, for values of the symbols and a number of threads.
using CallEstimate = std::function<double(const std::map<std::string, std::int64_t>& dims, int threads)>;

class Executable {
 public:
  Executable(ir::Program program, NativeCode code, std::vector<Location> input_locations = {});
  Executable(const Executable&) = delete;
  Executable& operator=(const Executable&) = delete;
  ~Executable();

  struct Input {
    std::string name;
    Type type;
    Location where;
  };
  const std::vector<Input>& inputs() const { return inputs_; }
  std::size_t result_count() const { return results_.size(); }
  const Type& result_type(std::size_t i) const;
  // Without kernels and launches when it came from the compile cache.
  const ir::Program& program() const { return program_; }

  // Runs. `results[i]` is reused when its dtype and shape fit and nobody shares it, else replaced. Throws CallError for
  // a wrong number of arguments, dtype, rank or extent, disagreeing symbols, an extent outside its bounds (an empty
  // batch in a training step), a call while another runs; nothing is then read or updated. Throws NumericError when the
  // program checks for NaN (program().status) and met one: no state is changed, the results are what was computed, and
  // the next call is like any other.
  void run(std::span<const Array* const> arguments, std::span<Array> results);
  // The same for a caller that sees to it that calls are exclusive: it saves an atomic exchange, which waits for all
  // stores of the call before. `as_before`: it knows that dtypes and shapes are those of the last call.
  void run_alone(std::span<const Array* const> arguments, std::span<Array> results, bool as_before = false);

  // What stopped the last call that got as far as running.
  const TrapRecord& trap() const { return trap_; }

  // How many threads a call may use, 1 at first: at most ThreadPool::kMostThreads; programs too small for them use one.
  // Results have the same bits whatever it is. Not while a call runs.
  void set_threads(int threads);
  int threads() const { return static_cast<int>(parallel_.threads); }

  // Where the arena comes from, instead of operator new: so many bytes, peak_bytes exactly, at a multiple of 64. Called
  // by calls that need more than those before. Not while a call runs.
  using Allocate = std::function<std::shared_ptr<std::byte>(std::int64_t bytes)>;
  void set_allocator(Allocate allocate);

  // Exact bytes of the arena for concrete extents of the symbols, for the number of threads that is set.
  std::int64_t peak_bytes(const std::map<std::string, std::int64_t>& dims) const {
    return program_.peak_bytes(dims, threads());
  }

  // For code that was compiled with a profile, before it runs: the program's launches, in order, and one more for the
  // copies of states when there are any. `report` (may be empty) takes the profile in the end.
  void start_profile(std::vector<ProfiledLaunch> launches, ProfileReport report = nullptr);
  // What the calls so far, or since reset_profile, took. Error when the code was compiled without a profile. Neither
  // while a call runs.
  Profile profile() const;
  void reset_profile();

  // Where every stage can be printed from (empty when compiled without).
  Dump dump;
  // What a call should take (empty when compiled without, or loaded from the compile cache).
  CallEstimate estimate;
  // Loaded from the compile cache: no pass was run.
  bool from_cache = false;
  // The graph that was compiled, from which a NaN is explained (null: the error says no more than that there was one).
  std::shared_ptr<const ir::Graph> graph;

 private:
  void bind(std::span<const Array* const> arguments);
  void solve(std::span<const Array* const> arguments, std::map<std::string, std::int64_t>& values,
             std::map<std::string, std::size_t>& source) const;
  void check(std::int32_t returned, std::span<const Array* const> arguments);
  [[noreturn]] void refuse(std::size_t argument, const Array& given, const std::string& why) const;

  ir::Program program_;
  NativeCode code_;
  Parallel parallel_ = *serial();
  std::vector<Input> inputs_;
  std::vector<int> results_;          // buffer indices
  std::vector<Shape> result_shapes_;  // for the dims bound now
  std::vector<Shape> bound_;          // the arguments' shapes of the last call
  std::vector<std::int64_t> dims_;    // values of program_.symbols
  std::vector<void*> pointers_;       // one per buffer
  Allocate allocate_;
  std::shared_ptr<std::byte> arena_;
  std::int64_t arena_bytes_ = -1;
  bool is_bound_ = false;
  std::int32_t status_ = 0;  // written by a program that checks for NaN
  TrapRecord trap_;
  std::unique_ptr<Profiler> profiler_;
  ProfileReport report_;
  std::atomic<bool> busy_{false};
};

}  // namespace gcompile::runtime
