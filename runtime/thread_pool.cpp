#include "gcompile/runtime/thread_pool.h"

#include <sched.h>

#include <algorithm>
#include <system_error>

namespace gcompile::runtime {
namespace {

// A fork-join of spinning threads takes less than half a microsecond, waking a parked one tens of them.
constexpr int kSpins = 4000;
constexpr int kYields = 50;

void pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

// Whether this thread is running a chunk: a loop inside a chunk has no threads of its own.
thread_local bool in_chunk = false;

constexpr std::uint64_t kIndexMask = 0xffffffffu;

// The number of the job after this one; it wraps around as its half of the ticket does.
std::uint64_t next(std::uint64_t job) { return (job + 1) & 0xffffffffu; }

}  // namespace

ThreadPool& ThreadPool::shared() {
  static ThreadPool pool;
  return pool;
}

int ThreadPool::hardware_threads() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  if (sched_getaffinity(0, sizeof cores, &cores) == 0) return std::max(CPU_COUNT(&cores), 1);
  return std::max(static_cast<int>(std::thread::hardware_concurrency()), 1);
}

ThreadPool::~ThreadPool() {
  stop_.store(true, std::memory_order_release);
  wake_.fetch_add(1, std::memory_order_release);
  wake_.notify_all();
  for (std::thread& t : workers_) t.join();
}

void ThreadPool::start_workers(int count) {
  while (static_cast<int>(workers_.size()) < count) {
    try {
      workers_.emplace_back([this, index = static_cast<int>(workers_.size())] { work(index); });
    } catch (const std::system_error&) {
      return;
    }
  }
}

bool ThreadPool::claim(std::uint64_t job, std::int64_t& index) {
  std::uint64_t t = ticket_.load(std::memory_order_acquire);
  while (t >> kIndexBits == job) {
    index = static_cast<std::int64_t>(t & kIndexMask);
    if (index >= chunks_.load(std::memory_order_acquire)) return false;
    // Succeeds only while the job is the same one, whose fields do not change.
    if (ticket_.compare_exchange_weak(t, t + 1, std::memory_order_acq_rel)) return true;
  }
  return false;
}

void ThreadPool::run(int threads, std::int64_t chunks, Chunk chunk, void* context) {
  const auto alone = [&] {
    for (std::int64_t i = 0; i < chunks; ++i) chunk(context, i, 0);
  };
  threads = static_cast<int>(std::min<std::int64_t>({threads, chunks, kMostThreads}));
  if (threads <= 1 || in_chunk || chunks > static_cast<std::int64_t>(kIndexMask)) return alone();
  const std::unique_lock<std::mutex> lock(busy_, std::try_to_lock);
  if (!lock) return alone();
  start_workers(threads - 1);

  // First a job that has no chunks: nobody can claim any while its fields are written.
  const std::uint64_t closed = next(ticket_.load(std::memory_order_relaxed) >> kIndexBits), job = next(closed);
  ticket_.exchange((closed << kIndexBits) | kIndexMask, std::memory_order_acq_rel);
  chunk_.store(chunk, std::memory_order_release);
  context_.store(context, std::memory_order_release);
  chunks_.store(chunks, std::memory_order_release);
  width_.store(threads - 1, std::memory_order_release);
  done_.store(0, std::memory_order_release);
  ticket_.store(job << kIndexBits, std::memory_order_seq_cst);
  wake_.fetch_add(1, std::memory_order_seq_cst);
  if (parked_.load(std::memory_order_seq_cst) > 0) wake_.notify_all();

  in_chunk = true;
  std::int64_t mine = 0, index = 0;
  for (; claim(job, index); ++mine) chunk(context, index, 0);
  in_chunk = false;
  done_.fetch_add(mine, std::memory_order_acq_rel);
  for (int spins = 0; done_.load(std::memory_order_acquire) != chunks; ++spins)
    if (spins < kSpins)
      pause();
    else
      std::this_thread::yield();
}

void ThreadPool::work(int index) {
  in_chunk = true;
  std::uint32_t seen = 0;
  while (true) {
    for (int spins = 0; wake_.load(std::memory_order_acquire) == seen; ++spins) {
      if (spins < kSpins) {
        pause();
      } else if (spins < kSpins + kYields) {
        std::this_thread::yield();
      } else {
        parked_.fetch_add(1, std::memory_order_seq_cst);
        wake_.wait(seen, std::memory_order_seq_cst);
        parked_.fetch_sub(1, std::memory_order_seq_cst);
      }
    }
    seen = wake_.load(std::memory_order_acquire);
    if (stop_.load(std::memory_order_acquire)) return;
    const std::uint64_t job = ticket_.load(std::memory_order_acquire) >> kIndexBits;
    std::int64_t chunk_index = 0;
    // The width may be a later job's: then nothing can be claimed of this one.
    if (index >= width_.load(std::memory_order_acquire)) continue;
    while (claim(job, chunk_index)) {
      chunk_.load(std::memory_order_relaxed)(context_.load(std::memory_order_relaxed), chunk_index, index + 1);
      done_.fetch_add(1, std::memory_order_acq_rel);
    }
  }
}

}  // namespace gcompile::runtime
