// DataLoader: batches of a data set, epoch after epoch, in a new order each time.
//
// The order of epoch e is a function of (seed, e) alone (threefry and Fisher-Yates, see random.h), and a batch has the
// same bits for any number of workers. Each pass over the loader is the next epoch:
//
//   for (auto [inputs, labels] : loader) ...                     // Arrays [n, ...], n = batch_size, or less at the end
//   for (auto [i, inputs, labels] : loader.enumerate()) ...      // and the number of the batch
//
// Leaving a loop early ends its workers. Batches are written into buffers that are used again as soon as the loop has
// let go of them; one that the user keeps a copy of is left to the user.
#pragma once

#include <concepts>
#include <cstdint>
#include <iterator>
#include <memory>
#include <source_location>
#include <type_traits>
#include <utility>

#include "gcompile/runtime/data/dataset.h"

namespace gcompile::data {

struct LoaderOptions {
  std::int64_t batch_size = 32;  // > 0
  bool shuffle = true;
  bool drop_last = false;  // leave out a last batch that is smaller
  // Threads that assemble batches ahead; 0: the loop's own thread assembles them. It also does where a batch is no more
  // than 128 KiB of data in memory (of a Table), whatever is asked for here: that takes less time than handing it over.
  int num_workers = 2;
  std::uint64_t seed = 0;
};

// A batch and its number in the epoch, from 0.
struct IndexedBatch {
  std::int64_t index;
  Array inputs;
  Array labels;
};

class LoaderCore;  // what a loader and the passes over it share
class LoaderPass;  // one epoch under way

// Input iterators over one epoch (movable, not copyable). They throw DataError where the data set does.
class BatchIterator {
 public:
  using iterator_concept = std::input_iterator_tag;
  using value_type = Batch;
  using difference_type = std::ptrdiff_t;

  explicit BatchIterator(std::shared_ptr<LoaderCore> core);
  BatchIterator(BatchIterator&&) noexcept;
  BatchIterator& operator=(BatchIterator&&) noexcept;
  ~BatchIterator();

  const Batch& operator*() const { return *batch_; }
  BatchIterator& operator++() {
    advance();
    return *this;
  }
  void operator++(int) { advance(); }
  friend bool operator==(const BatchIterator& it, std::default_sentinel_t) { return it.batch_ == nullptr; }
  // The number of the batch in the epoch, from 0.
  std::int64_t index() const { return index_; }

 private:
  void advance();
  void finish() noexcept;

  std::shared_ptr<LoaderCore> core_;
  std::unique_ptr<LoaderPass> pass_;
  const Batch* batch_ = nullptr;  // null at the end
  std::int64_t index_ = -1;
};

class IndexedBatchIterator : public BatchIterator {
 public:
  using value_type = IndexedBatch;

  using BatchIterator::BatchIterator;
  IndexedBatch operator*() const {
    const Batch& batch = BatchIterator::operator*();
    return {index(), batch.inputs, batch.labels};
  }
  IndexedBatchIterator& operator++() {
    BatchIterator::operator++();
    return *this;
  }
  void operator++(int) { BatchIterator::operator++(); }
};

class DataLoader {
 public:
  // Of a Table, or of a temporary of a user's type, the loader keeps a value of its own. Of any other data set given by
  // name it keeps a reference: the data set must outlive the loader. size() of the data set is read here, once.
  // Throws CallError for batch_size <= 0, num_workers < 0 or > 256, an empty data set, and drop_last where no batch
  // would be left.
  template <class D>
    requires std::derived_from<std::remove_cvref_t<D>, Dataset>
  explicit DataLoader(D&& dataset, const LoaderOptions& options = {},
                      const std::source_location& where = std::source_location::current())
      : DataLoader(hold(std::forward<D>(dataset)), options, where) {}
  // Shares the data set.
  explicit DataLoader(std::shared_ptr<const Dataset> dataset, const LoaderOptions& options = {},
                      const std::source_location& where = std::source_location::current());
  // A copy counts its epochs on its own, from where this one is.
  DataLoader(const DataLoader& other);
  DataLoader& operator=(const DataLoader& other);
  DataLoader(DataLoader&&) noexcept = default;
  DataLoader& operator=(DataLoader&&) noexcept = default;
  ~DataLoader() = default;

  // Begins the next epoch. Passes may be nested, or run in several threads: each is an epoch of its own.
  BatchIterator begin() const { return BatchIterator(core_); }
  std::default_sentinel_t end() const { return {}; }

  class Enumerated {
   public:
    IndexedBatchIterator begin() const { return IndexedBatchIterator(core_); }
    std::default_sentinel_t end() const { return {}; }

   private:
    friend DataLoader;
    explicit Enumerated(std::shared_ptr<LoaderCore> core) : core_(std::move(core)) {}
    std::shared_ptr<LoaderCore> core_;
  };
  // The same with numbers of batches. Safe on a temporary loader: what it returns shares all that it needs.
  Enumerated enumerate() const { return Enumerated(core_); }

  // Number of batches of an epoch.
  std::int64_t size() const;
  const Dataset& dataset() const;
  const LoaderOptions& options() const;
  // The number of the epoch that the next pass will be, from 0; seek sets it (>= 0), for resuming.
  std::int64_t epoch() const;
  void seek(std::int64_t epoch);

 private:
  template <class D>
  static std::shared_ptr<const Dataset> hold(D&& dataset) {
    using Type = std::remove_cvref_t<D>;
    if constexpr (std::is_same_v<Type, Table> || !std::is_lvalue_reference_v<D>)
      return std::make_shared<const Type>(std::forward<D>(dataset));
    else
      return {std::shared_ptr<const Dataset>(), &dataset};  // refers to it, owns nothing
  }

  std::shared_ptr<LoaderCore> core_;
};

}  // namespace gcompile::data
