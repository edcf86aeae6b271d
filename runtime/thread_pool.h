// ThreadPool: the threads that share the chunks of one loop of compiled code. Chunks are claimed from a counter, by the
// caller too, which waits only for chunks that others have claimed: a worker that the system has taken its core from
// never holds anybody up before it has claimed something. Waiting spins for a while, then yields; idle workers then
// park, so that a program that computes nothing costs nothing. What a chunk is does not depend on who runs it, nor on
// how many threads there are: so neither do the bits.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace gcompile::runtime {

class ThreadPool {
 public:
  // Runs chunk `index` of a loop, on the thread of this number among those of the call (0: the caller's); must not
  // throw.
  using Chunk = void (*)(void* context, std::int64_t index, int worker);

  // The one that compiled programs share. Its threads start when first asked for, and end with the process.
  static ThreadPool& shared();
  // Cores that this process may run on, at least 1.
  static int hardware_threads();
  // The most threads a call may ask for.
  static constexpr int kMostThreads = 256;

  ThreadPool() = default;
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool();

  // Runs the chunks 0 .. chunks - 1, each once, on up to `threads` threads with the caller's among them; returns when
  // all are done. While another thread's loop has the pool, or inside a chunk, the caller runs all chunks itself.
  // Starts no more threads than it can: where the system gives none, fewer work.
  void run(int threads, std::int64_t chunks, Chunk chunk, void* context);

 private:
  void work(int index);
  bool claim(std::uint64_t job, std::int64_t& index);
  void start_workers(int count);

  // The job at hand, in one word: its number, and the next chunk that nobody has claimed. Whoever claims one compares
  // both, so that a worker that is late for a job takes nothing of the next one.
  static constexpr int kIndexBits = 32;
  std::atomic<std::uint64_t> ticket_{0};
  std::atomic<Chunk> chunk_{nullptr};
  std::atomic<void*> context_{nullptr};
  std::atomic<std::int64_t> chunks_{0};
  std::atomic<int> width_{0};  // workers that take part
  std::atomic<std::int64_t> done_{0};
  std::atomic<std::uint32_t> wake_{0};  // changes with every job: what workers wait for
  std::atomic<int> parked_{0};
  std::atomic<bool> stop_{false};
  std::mutex busy_;  // one loop at a time
  std::vector<std::thread> workers_;
};

}  // namespace gcompile::runtime
