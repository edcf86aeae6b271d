#include "gcompile/runtime/parallel.h"

#include <algorithm>

#include "gcompile/runtime/thread_pool.h"

namespace gcompile::runtime {
namespace {

constexpr std::int64_t kChunksPerThread = 4;  // so that a thread that is late takes fewer

struct Loop {
  ParallelBody body;
  void* const* buffers;
  const std::int64_t* dims;
  std::int64_t extent, chunks;
};

void run_chunk(void* context, std::int64_t index, int worker) {
  const Loop& l = *static_cast<const Loop*>(context);
  l.body(l.buffers, l.dims, l.extent * index / l.chunks, l.extent * (index + 1) / l.chunks, worker);
}

void run_on_pool(const Parallel* self, ParallelBody body, void* const* buffers, const std::int64_t* dims,
                 std::int64_t extent) {
  Loop loop{body, buffers, dims, extent, std::min(extent, self->threads * kChunksPerThread)};
  ThreadPool::shared().run(static_cast<int>(self->threads), loop.chunks, run_chunk, &loop);
}

}  // namespace

Parallel parallel_on_pool(int threads) { return {run_on_pool, std::clamp(threads, 1, ThreadPool::kMostThreads)}; }

const Parallel* serial() {
  static const Parallel one{run_on_pool, 1};
  return &one;
}

}  // namespace gcompile::runtime
