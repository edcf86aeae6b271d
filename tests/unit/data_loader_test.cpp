#include "gcompile/runtime/data/loader.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <set>
#include <stdexcept>
#include <thread>

#include "gcompile/base/error.h"
#include "temp_dir.h"

namespace gcompile::data {
namespace {

using gcompile::testing::message_of;

static_assert(std::input_iterator<BatchIterator> && std::input_iterator<IndexedBatchIterator>);
static_assert(std::sentinel_for<std::default_sentinel_t, BatchIterator>);
static_assert(std::sentinel_for<std::default_sentinel_t, IndexedBatchIterator>);

Table counting_table(std::int64_t rows, std::int64_t columns = 8) {
  Array inputs(DType::kF32, {rows, columns}), labels(DType::kF32, {rows, 1});
  for (std::int64_t i = 0; i < inputs.size(); ++i) inputs.set(i, static_cast<double>(i));
  for (std::int64_t i = 0; i < rows; ++i) labels.set(i, static_cast<double>(i));
  return {inputs, labels};
}

// A user's data set; how get behaves can be chosen. It is not "in memory", so workers are really started.
class Squares : public Dataset {
 public:
  explicit Squares(std::int64_t size) : size_(size) {}
  Example get(std::int64_t index) const override {
    ++calls;
    if (slow) std::this_thread::sleep_for(std::chrono::microseconds(index % 7 * 100));
    if (index == fails_at) throw std::runtime_error("broken image");
    const auto x = static_cast<float>(index);
    if (index == odd_shape_at) return {Array{x, x, x}, Array(x * x)};
    return {Array{x, -x}, Array(x * x)};
  }
  std::int64_t size() const override { return size_; }

  std::int64_t fails_at = -1, odd_shape_at = -1;
  bool slow = false;
  mutable std::atomic<int> calls{0};

 private:
  std::int64_t size_;
};

// A table that does not say that it is in memory.
class Forwarding : public Dataset {
 public:
  explicit Forwarding(Table table) : table_(std::move(table)) {}
  Example get(std::int64_t index) const override { return table_.get(index); }
  std::int64_t size() const override { return table_.size(); }
  void gather(std::span<const std::int64_t> indices, Batch& batch) const override { table_.gather(indices, batch); }

 private:
  Table table_;
};

// The labels of an epoch, which tell the order.
std::vector<double> epoch_of(const DataLoader& loader) {
  std::vector<double> seen;
  for (auto [inputs, labels] : loader)
    for (std::int64_t i = 0; i < labels.size(); ++i) seen.push_back(labels.at(i));
  return seen;
}

TEST(DataLoader, CoversEachSampleOnceWithARaggedTail) {
  const DataLoader loader(counting_table(759), {.batch_size = 32});
  EXPECT_EQ(loader.size(), 24);
  std::set<double> seen;
  std::int64_t next = 0;
  for (auto [i, inputs, labels] : loader.enumerate()) {
    EXPECT_EQ(i, next++);
    const std::int64_t rows = i < 23 ? 32 : 23;
    EXPECT_EQ(inputs.shape(), (Shape{rows, 8}));
    EXPECT_EQ(labels.shape(), (Shape{rows, 1}));
    for (std::int64_t r = 0; r < rows; ++r) {
      EXPECT_EQ(inputs.at(8 * r), 8 * labels.at(r));
      EXPECT_EQ(inputs.at(8 * r + 7), 8 * labels.at(r) + 7);
      seen.insert(labels.at(r));
    }
  }
  EXPECT_EQ(next, 24);
  EXPECT_EQ(seen.size(), 759u);
}

TEST(DataLoader, DropLastAndExactAndOneBatch) {
  EXPECT_EQ(epoch_of(DataLoader(counting_table(70), {.batch_size = 32, .drop_last = true})).size(), 64u);
  EXPECT_EQ(epoch_of(DataLoader(counting_table(64), {.batch_size = 32})).size(), 64u);
  const DataLoader one(counting_table(5), {.batch_size = INT64_MAX});
  EXPECT_EQ(one.size(), 1);
  EXPECT_EQ(epoch_of(one).size(), 5u);
  EXPECT_EQ(epoch_of(DataLoader(counting_table(3), {.batch_size = 1})).size(), 3u);
}

TEST(DataLoader, WithoutShufflingTheOrderIsTheTables) {
  const DataLoader loader(counting_table(100), {.batch_size = 7, .shuffle = false});
  for (int epoch = 0; epoch < 2; ++epoch) {
    const std::vector<double> seen = epoch_of(loader);
    for (std::size_t i = 0; i < seen.size(); ++i) ASSERT_EQ(seen[i], static_cast<double>(i));
  }
}

TEST(DataLoader, EpochsDifferAndAreAFunctionOfSeedAndEpoch) {
  DataLoader loader(counting_table(100), {.seed = 5});
  const auto first = epoch_of(loader), second = epoch_of(loader);
  EXPECT_NE(first, second);
  EXPECT_EQ(loader.epoch(), 2);
  loader.seek(1);
  EXPECT_EQ(epoch_of(loader), second);
  EXPECT_EQ(epoch_of(DataLoader(counting_table(100), {.seed = 5})), first);
  EXPECT_NE(epoch_of(DataLoader(counting_table(100), {.seed = 6})), first);
  EXPECT_EQ(epoch_of(DataLoader(counting_table(100), {.batch_size = 9, .seed = 5})), first);
  EXPECT_THROW(loader.seek(-1), CallError);
}

TEST(DataLoader, AnAbandonedEpochCountsAsOne) {
  const DataLoader a(counting_table(100)), b(counting_table(100));
  for (auto [inputs, labels] : a) break;
  epoch_of(b);
  EXPECT_EQ(epoch_of(a), epoch_of(b));
}

TEST(DataLoader, SameBitsForAnyNumberOfWorkers) {
  Squares dataset(203);
  dataset.slow = true;
  std::vector<std::vector<Batch>> runs;
  for (int workers : {0, 1, 2, 5}) {
    const DataLoader loader(dataset, {.batch_size = 10, .num_workers = workers});
    std::vector<Batch>& batches = runs.emplace_back();
    for (int epoch = 0; epoch < 2; ++epoch)
      for (const Batch& batch : loader) batches.push_back(batch);  // kept: the loader must not write into these
  }
  ASSERT_EQ(runs[0].size(), 42u);
  EXPECT_EQ(runs[0][20].inputs.shape(), (Shape{3, 2}));
  EXPECT_EQ(runs[0][20].labels.shape(), (Shape{3}));
  for (std::size_t run = 1; run < runs.size(); ++run)
    for (std::size_t b = 0; b < 42; ++b) {
      ASSERT_TRUE(same_bits(runs[run][b].inputs, runs[0][b].inputs)) << run << " " << b;
      ASSERT_TRUE(same_bits(runs[run][b].labels, runs[0][b].labels)) << run << " " << b;
    }
}

TEST(DataLoader, BuffersAreUsedAgainAndKeptOnesAreLeft) {
  for (int workers : {0, 2}) {
    const DataLoader loader(Forwarding(counting_table(2000)), {.batch_size = 30, .num_workers = workers});
    std::set<const void*> addresses;
    for (int epoch = 0; epoch < 3; ++epoch)
      for (auto [inputs, labels] : loader) addresses.insert(std::as_const(inputs).raw());
    // 0 workers: the batch and the tail; 2 workers: 5 slots and the tail.
    EXPECT_LE(addresses.size(), workers ? 6u : 2u) << workers;

    std::vector<Batch> kept;
    for (const Batch& batch : loader) kept.push_back(batch);
    std::set<double> seen;
    for (const Batch& batch : kept)
      for (std::int64_t i = 0; i < batch.labels.size(); ++i) seen.insert(batch.labels.at(i));
    EXPECT_EQ(seen.size(), 2000u);
  }
}

TEST(DataLoader, WorkersRunAheadByTheRingOnly) {
  Squares dataset(1000);
  const DataLoader loader(dataset, {.batch_size = 1, .num_workers = 2});
  for (auto [inputs, labels] : loader) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (dataset.calls < 5 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    EXPECT_EQ(dataset.calls, 5);  // two slots for each worker, and the one in use
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_EQ(dataset.calls, 5);
    break;
  }
  EXPECT_EQ(dataset.calls, 5);
}

TEST(DataLoader, LeavingEarlyEndsTheWorkers) {
  Squares dataset(500);
  dataset.slow = true;
  const DataLoader loader(dataset, {.batch_size = 5, .num_workers = 3});
  for (int leave = 0; leave < 8; ++leave)
    for (auto [i, inputs, labels] : loader.enumerate())
      if (i == leave) break;
  const int calls = dataset.calls;
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(dataset.calls, calls);
  EXPECT_EQ(epoch_of(loader).size(), 500u);
}

TEST(DataLoader, ErrorsOfTheDataSetNameTheIndex) {
  for (int workers : {0, 1, 3}) {
    Squares dataset(100);
    dataset.fails_at = 57;
    const DataLoader loader(dataset, {.batch_size = 10, .shuffle = false, .num_workers = workers});
    std::int64_t batches = 0;
    try {
      for (auto [inputs, labels] : loader) ++batches;
      FAIL();
    } catch (const DataError& e) {
      EXPECT_STREQ(e.what(), "data set: get(57) of 100: broken image");
      EXPECT_THROW(std::rethrow_if_nested(e), std::runtime_error);
    }
    EXPECT_EQ(batches, 5);  // all batches before it arrived
    dataset.fails_at = -1;  // and the loader can be used again
    EXPECT_EQ(epoch_of(loader).size(), 100u);
  }
}

TEST(DataLoader, ErrorInTheFirstBatch) {
  for (int workers : {0, 2}) {
    Squares dataset(100);
    dataset.fails_at = 3;
    const DataLoader loader(dataset, {.shuffle = false, .num_workers = workers});
    EXPECT_NE(message_of<DataError>([&] { epoch_of(loader); }).find("get(3)"), std::string::npos);
  }
}

TEST(DataLoader, MixedShapesNameTheIndex) {
  for (int workers : {0, 2}) {
    Squares dataset(40);
    dataset.odd_shape_at = 25;
    const DataLoader loader(dataset, {.batch_size = 10, .shuffle = false, .num_workers = workers});
    EXPECT_EQ(
        message_of<DataError>([&] { epoch_of(loader); }),
        "data set: the input of sample 25 is f32[3], that of sample 20 in the same batch is f32[2]; all must have "
        "one dtype and shape");
  }
}

TEST(DataLoader, OptionsThatCannotBe) {
  const Table table = counting_table(10);
  const auto text = [&](const LoaderOptions& options) {
    return message_of<CallError>([&] { DataLoader(table, options); });
  };
  EXPECT_NE(text({.batch_size = 0}).find("batch_size must be at least 1, got 0"), std::string::npos);
  EXPECT_NE(text({.batch_size = -4}).find("data_loader_test.cpp:"), std::string::npos);
  EXPECT_NE(text({.num_workers = -1}).find("num_workers"), std::string::npos);
  EXPECT_NE(text({.num_workers = 257}).find("num_workers"), std::string::npos);
  EXPECT_NE(text({.batch_size = 11, .drop_last = true}).find("drop_last leaves no batch"), std::string::npos);
  EXPECT_NE(message_of<CallError>([] { DataLoader(counting_table(0)); }).find("empty"), std::string::npos);
  EXPECT_THROW(DataLoader(std::shared_ptr<const Dataset>()), CallError);
}

TEST(DataLoader, OwnsSharesOrRefersToItsDataSet) {
  auto shared = std::make_shared<Squares>(10);
  const std::weak_ptr<Squares> alive = shared;
  {
    const DataLoader loader(shared);
    shared.reset();
    EXPECT_EQ(epoch_of(loader).size(), 10u);
  }
  EXPECT_TRUE(alive.expired());

  auto table = std::make_unique<Table>(counting_table(10));
  const DataLoader of_table(*table);
  table.reset();
  EXPECT_EQ(epoch_of(of_table).size(), 10u);

  const Squares squares(10);
  const DataLoader referring(squares);
  EXPECT_EQ(&referring.dataset(), &squares);
  EXPECT_EQ(epoch_of(referring).size(), 10u);
  EXPECT_EQ(squares.calls, 10);
}

TEST(DataLoader, TemporariesAreSafe) {
  std::int64_t rows = 0;
  for (auto [i, inputs, labels] : DataLoader(Forwarding(counting_table(50)), {.batch_size = 8}).enumerate())
    rows += inputs.shape()[0];
  for (auto [inputs, labels] : DataLoader(Forwarding(counting_table(50)), {.batch_size = 8})) rows += inputs.shape()[0];
  EXPECT_EQ(rows, 100);
}

TEST(DataLoader, CopiesCountOnTheirOwn) {
  DataLoader loader(counting_table(50));
  epoch_of(loader);
  DataLoader copy = loader;
  EXPECT_EQ(copy.epoch(), 1);
  const auto second = epoch_of(loader);
  EXPECT_EQ(epoch_of(copy), second);
  copy = DataLoader(counting_table(20));
  EXPECT_EQ(epoch_of(copy).size(), 20u);
}

TEST(DataLoader, PassesMayBeNestedAndConcurrent) {
  const DataLoader loader(Forwarding(counting_table(64)), {.batch_size = 16, .num_workers = 1});
  std::int64_t rows = 0;
  for (auto [outer, a] : loader)
    for (auto [inner, b] : loader) rows += outer.shape()[0] * inner.shape()[0];
  EXPECT_EQ(rows, 64 * 64);
  EXPECT_EQ(loader.epoch(), 5);

  std::vector<std::thread> threads;
  std::atomic<std::int64_t> samples{0};
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int epoch = 0; epoch < 5; ++epoch)
        for (auto [inputs, labels] : loader) samples += labels.size();
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(samples, 4 * 5 * 64);
}

}  // namespace
}  // namespace gcompile::data
