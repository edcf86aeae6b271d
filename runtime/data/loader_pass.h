// One epoch of a DataLoader: its order of samples, the ring of batches that are assembled ahead, and the threads that
// do so. Internal to the loader.
#pragma once

#include <atomic>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "gcompile/base/location.h"
#include "gcompile/runtime/data/loader.h"

namespace gcompile::data {

// Batch b lives in slot b % ring size (a smaller last one in a slot of its own, so that no buffer changes its size).
// Workers claim batches in order and fill a slot once the consumer has released the batch that was in it before; so at
// most a ring's length is assembled ahead. A pass is used again for later epochs, with its buffers.
class LoaderPass {
 public:
  LoaderPass(const Dataset& dataset, const LoaderOptions& options, std::int64_t samples, std::int64_t batches);
  LoaderPass(const LoaderPass&) = delete;
  LoaderPass& operator=(const LoaderPass&) = delete;
  ~LoaderPass() { stop(); }

  // Begins the epoch: makes the order, starts the workers.
  void start(std::int64_t epoch);
  // The next batch, null at the end; valid until the next call. Rethrows what the data set threw for it.
  const Batch* next();
  // Ends the workers, waiting for the batches they are at.
  void stop() noexcept;

 private:
  struct Slot {
    Batch batch;
    std::int64_t holds = -1;  // the batch that is complete in here
    std::exception_ptr error;
  };

  Slot& slot_of(std::int64_t batch) {
    const bool last = ragged_ && batch == batches_ - 1;
    return last ? last_slot_ : ring_[static_cast<std::size_t>(batch) % ring_.size()];
  }
  void assemble(std::int64_t batch, Slot& slot) const;
  // Lets go of buffers that the user keeps a copy of. Done by the consumer's thread, which made the copies.
  static void release(Batch& batch);
  static void reset(Slot& slot);
  void work();

  const Dataset& dataset_;
  const LoaderOptions& options_;
  const std::int64_t samples_, batches_;
  const int worker_count_;
  const bool ragged_;
  std::vector<std::int64_t> order_;
  std::vector<Slot> ring_;
  Slot last_slot_;
  std::int64_t given_ = 0;  // batches given to the consumer

  std::vector<std::thread> workers_;
  std::mutex mutex_;  // guards what follows, and Slot::holds and error
  std::condition_variable released_, completed_;
  std::int64_t claimed_ = 0, free_until_ = 0;  // batches that workers took; the first one without a free slot
  bool stopping_ = false;
};

// The data set, the options, the count of epochs, and a pass that is idle.
class LoaderCore {
 public:
  LoaderCore(std::shared_ptr<const Dataset> dataset, const LoaderOptions& options, const Location& where);
  LoaderCore(const LoaderCore& other);

  const Dataset& dataset() const { return *dataset_; }
  const LoaderOptions& options() const { return options_; }
  std::int64_t batches() const { return batches_; }
  std::atomic<std::int64_t>& epoch() { return epoch_; }

  // A pass at the start of the next epoch; give_back ends it and keeps its buffers for another.
  std::unique_ptr<LoaderPass> take();
  void give_back(std::unique_ptr<LoaderPass> pass) noexcept;

 private:
  std::shared_ptr<const Dataset> dataset_;
  LoaderOptions options_;
  std::int64_t samples_ = 0, batches_ = 0;
  std::atomic<std::int64_t> epoch_{0};
  std::mutex mutex_;
  std::unique_ptr<LoaderPass> idle_;
};

}  // namespace gcompile::data
