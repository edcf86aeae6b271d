// ThreadPool: every chunk runs once, whoever asks for how many threads, how often, and from where.
#include "gcompile/runtime/thread_pool.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <thread>

namespace gcompile::runtime {
namespace {

struct Counts {
  explicit Counts(std::int64_t n) : runs(static_cast<std::size_t>(n)) {}
  std::vector<std::atomic<int>> runs;
  static void chunk(void* context, std::int64_t i, int) {
    static_cast<Counts*>(context)->runs[static_cast<std::size_t>(i)].fetch_add(1);
  }
  bool once() const {
    for (const auto& r : runs)
      if (r.load() != 1) return false;
    return true;
  }
};

TEST(ThreadPool, EveryChunkRunsOnce) {
  ThreadPool pool;
  for (const int threads : {0, 1, 2, 3, 4, 10'000})
    for (const std::int64_t chunks : {0, 1, 2, 3, 7, 64, 1000}) {
      Counts counts(chunks);
      pool.run(threads, chunks, Counts::chunk, &counts);
      EXPECT_TRUE(counts.once()) << threads << " threads, " << chunks << " chunks";
    }
}

// Jobs of changing size, so fast one after the other that workers are late for most of them.
TEST(ThreadPool, LateWorkersTakeNothingOfTheNextJob) {
  ThreadPool pool;
  for (int round = 0; round < 20'000; ++round) {
    Counts counts(2 + round % 5);
    pool.run(2 + round % 3, 2 + round % 5, Counts::chunk, &counts);
    ASSERT_TRUE(counts.once()) << "round " << round;
  }
}

TEST(ThreadPool, ParkedWorkersWakeUp) {
  ThreadPool pool;
  for (int round = 0; round < 5; ++round) {
    Counts counts(100);
    pool.run(3, 100, Counts::chunk, &counts);
    EXPECT_TRUE(counts.once());
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

TEST(ThreadPool, SeveralCallersAndLoopsInsideChunksDoNotWaitForEachOther) {
  ThreadPool pool;
  struct Nested {
    ThreadPool& pool;
    std::atomic<int> inner{0};
  } nested{pool};
  const auto outer = [](void* context, std::int64_t, int) {
    auto& n = *static_cast<Nested*>(context);
    n.pool.run(
        4, 10, [](void* c, std::int64_t, int) { static_cast<Nested*>(c)->inner.fetch_add(1); }, &n);
  };
  std::vector<std::thread> callers;
  for (int t = 0; t < 3; ++t)
    callers.emplace_back([&] {
      for (int round = 0; round < 50; ++round) pool.run(4, 8, outer, &nested);
    });
  for (std::thread& t : callers) t.join();
  EXPECT_EQ(nested.inner.load(), 3 * 50 * 8 * 10);
}

TEST(ThreadPool, KnowsAtLeastOneCore) { EXPECT_GE(ThreadPool::hardware_threads(), 1); }

}  // namespace
}  // namespace gcompile::runtime
