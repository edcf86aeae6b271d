// What compiled code calls for a parallel kernel. Generated code knows the layout of Parallel: codegen/llvm_emit.cpp.
#pragma once

#include <cstdint>

namespace gcompile::runtime {

// Iterations begin .. end - 1 of a parallel kernel, by the worker of this number (0: the caller's thread).
using ParallelBody = void (*)(void* const* buffers, const std::int64_t* dims, std::int64_t begin, std::int64_t end,
                              std::int64_t worker);

struct Parallel {
  void (*run)(const Parallel* self, ParallelBody body, void* const* buffers, const std::int64_t* dims,
              std::int64_t extent);
  std::int64_t threads;  // 1: everything is serial, and `run` is not called
};

// On ThreadPool::shared(). Chunks of iterations are claimed; what an iteration does depends on nobody else.
Parallel parallel_on_pool(int threads);
// For one thread.
const Parallel* serial();

}  // namespace gcompile::runtime
