// What compiled code calls: for a parallel kernel, and to be profiled. codegen/llvm_emit.cpp knows the layout of
// Parallel.
#pragma once

#include <cstdint>

namespace gcompile::runtime {

// Iterations begin .. end - 1 of a parallel kernel, by the worker of this number (0: the caller's thread).
using ParallelBody = void (*)(void* const* buffers, const std::int64_t* dims, std::int64_t begin, std::int64_t end,
                              std::int64_t worker);

// Told by code that was compiled with a profile: 0 when it begins, k when its first k launches are done.
struct LaunchClock {
  void (*tick)(LaunchClock* self, std::int64_t done);
};

struct Parallel {
  void (*run)(const Parallel* self, ParallelBody body, void* const* buffers, const std::int64_t* dims,
              std::int64_t extent);
  std::int64_t threads;          // 1: everything is serial, and `run` is not called
  LaunchClock* clock = nullptr;  // never null for code that was compiled with a profile, not looked at by other
};

// On ThreadPool::shared(). Chunks of iterations are claimed; what an iteration does depends on nobody else.
Parallel parallel_on_pool(int threads);
// For one thread.
const Parallel* serial();

}  // namespace gcompile::runtime
