// FunctionCache: a traced function and what was compiled of it, one variant per (dtypes, ranks, static extents) of the
// arguments. Where the batch is a symbol there are two at most: a batch of one has a program of its own, the symbolic
// one specialized, in which lanes run along the features; it computes the same bits. The variant used last is compared
// first, extent by extent; a call that fits it neither hashes nor allocates. Results are written into slots that are
// used again as soon as no copy of theirs is left.
// Internal to jit, compile, TrainStep and predict.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gcompile/frontend/argument.h"
#include "gcompile/frontend/tensor.h"
#include "gcompile/runtime/executable.h"

namespace gcompile {

// What a compiled function looks for while it runs. NaN: a call whose results or new states would have a NaN that it
// computed, or was given, updates nothing and throws NumericError: which op made it, on which line, from operands of
// which ranges. Results keep their bits; the step may be slower.
enum class Check { None, NaN };

struct JitOptions {
  std::string name = "";      // of the function, in dumps and profiles; "main", "train_step", ... unless given
  std::string target = "";    // "x86-64-v3", ...; empty: this machine
  bool verify_each = false;   // check the compiler's work after every pass
  int threads = 0;            // that a call may use, at most 256; 0: all cores. The bits do not depend on it
  Check check = Check::None;  // of the values that a call computes
  std::string cache = "";     // folder of compiled functions, "off"; empty: GCOMPILE_CACHE or the user's cache folder
  bool profile = false;       // measure every kernel: compiled().profile(); such a function is not kept in the cache
  bool debug_info = false;    // gdb knows the function's kernels and your lines
  // Bytes that temporaries should take, for a batch of 256 where its size is not known: values that are cheap to
  // compute again are then not kept for the backward pass. The bits stay. -1: no budget; one that cannot be met is no
  // error.
  std::int64_t memory_budget = -1;

  JitOptions named(const char* default_name) const {
    JitOptions named = *this;
    if (named.name.empty()) named.name = default_name;
    return named;
  }
  friend bool operator==(const JitOptions&, const JitOptions&) = default;
};

// A look at one compiled variant.
class Program {
 public:
  Program(std::shared_ptr<runtime::Executable> executable, std::map<std::string, std::int64_t> dims)
      : executable_(std::move(executable)), dims_(std::move(dims)) {}

  // Exact bytes of temporaries that a call needs; symbolic extents as in the last call, or as given.
  std::int64_t peak_bytes() const { return executable_->peak_bytes(dims_); }
  std::int64_t peak_bytes(const std::map<std::string, std::int64_t>& dims) const {
    return executable_->peak_bytes(dims);
  }
  // Seconds that a call should take on the target; 0 for a program that was loaded from the compile cache.
  double estimated_seconds() const {
    return executable_->estimate ? executable_->estimate(dims_, executable_->threads()) : 0;
  }
  // Whether it was loaded from the compile cache.
  bool from_cache() const { return executable_->from_cache; }
  // The text of a stage: "graph", "kernel", "program", "llvm" or "asm".
  std::string dump(const std::string& stage) const;
  // What every kernel took in all calls so far, or since reset_profile; print(profile) is a table, chrome_trace a file
  // for a viewer. Error unless compiled with `.profile = true`.
  runtime::Profile profile() const { return executable_->profile(); }
  void reset_profile() { executable_->reset_profile(); }

 private:
  std::shared_ptr<runtime::Executable> executable_;
  std::map<std::string, std::int64_t> dims_;
};

namespace detail {

class FunctionCache {
 public:
  using Body = std::function<std::vector<Tensor>(std::span<const Tensor>)>;
  enum class Batch { kStatic, kSymbolic, kSymbolicNonempty };  // the leading extent of the arguments (all share one)

  FunctionCache(Body body, std::size_t result_count, const JitOptions& options, Batch batch = Batch::kStatic,
                std::vector<std::string> names = {});
  // With declared parameters: compiled at once, for these only.
  FunctionCache(Body body, std::size_t result_count, const JitOptions& options, const std::vector<TensorSpec>& specs,
                Where where);

  // Calls are exclusive, from the beginning until what `use` returns has been made of the results.
  template <class Use>
  auto call(std::span<const Argument* const> arguments, const Use& use) {
    const Busy busy(*this, arguments);
    return use(run(arguments));
  }

  // The variant for these arguments, compiled if need be, not run; without arguments the one used last.
  Program compiled(std::span<const Argument* const> arguments);
  Program compiled() const;
  std::size_t variant_count() const { return variants_.size(); }

 private:
  static constexpr std::size_t kSlots = 4;  // results of that many calls can be held before new ones are allocated

  struct Variant {
    std::vector<Type> types;    // as compiled
    bool any_batch = false;     // for every extent of the batch but 1
    std::vector<Shape> shapes;  // of the last call
    bool has_run = false;       // with them
    std::shared_ptr<runtime::Executable> executable;
    std::vector<std::vector<Array>> slots;
    std::size_t next_slot = 0;
  };
  struct Busy {
    Busy(FunctionCache& c, std::span<const Argument* const> arguments) : cache(c) { cache.enter(arguments); }
    Busy(const Busy&) = delete;
    Busy& operator=(const Busy&) = delete;
    ~Busy() { cache.busy_.store(false, std::memory_order_release); }
    FunctionCache& cache;
  };

  void enter(std::span<const Argument* const> arguments);
  std::span<const Array> run(std::span<const Argument* const> arguments);
  static bool is_as_before(const Variant& variant, std::span<const Argument* const> arguments);
  static bool fits(const Variant& variant, std::span<const Argument* const> arguments);
  Variant& find(std::span<const Argument* const> arguments);
  // `one`: for a batch of one.
  Variant& compile(const std::vector<TensorSpec>& specs, std::span<const Where> where, bool one = false);
  std::vector<Array>& free_slot(Variant& variant) const;
  Program program(const Variant& variant) const;

  Body body_;
  std::size_t result_count_;
  JitOptions options_;
  Batch batch_ = Batch::kStatic;
  std::vector<std::string> names_;
  bool declared_ = false;
  std::vector<std::unique_ptr<Variant>> variants_;
  Variant* last_ = nullptr;
  std::atomic<bool> busy_{false};
};

}  // namespace detail
}  // namespace gcompile
