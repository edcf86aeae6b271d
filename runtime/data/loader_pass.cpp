#include "gcompile/runtime/data/loader_pass.h"

#include <algorithm>
#include <numeric>
#include <system_error>

#include "gcompile/base/error.h"
#include "gcompile/runtime/random.h"

namespace gcompile::data {
namespace {

// To hand a batch from thread to thread takes about as long as to copy this much (10 us).
constexpr std::int64_t kHandOverBytes = 128 * 1024;

int workers_for(const Dataset& dataset, const LoaderOptions& options, std::int64_t samples, std::int64_t batches) {
  const std::int64_t bytes = dataset.bytes_in_memory() * std::min(options.batch_size, samples);
  if (bytes > 0 && bytes <= kHandOverBytes) return 0;
  return static_cast<int>(std::min<std::int64_t>(options.num_workers, batches));
}

}  // namespace

LoaderPass::LoaderPass(const Dataset& dataset, const LoaderOptions& options, std::int64_t samples, std::int64_t batches)
    : dataset_(dataset), options_(options), samples_(samples), batches_(batches),
      worker_count_(workers_for(dataset, options, samples, batches)),
      ragged_(!options.drop_last && samples % options.batch_size != 0), order_(static_cast<std::size_t>(samples)),
      // Two slots for each worker, and the one that the consumer looks at.
      ring_(static_cast<std::size_t>(std::min<std::int64_t>(batches, 2 * worker_count_ + 1))) {}

void LoaderPass::start(std::int64_t epoch) {
  std::iota(order_.begin(), order_.end(), 0);
  if (options_.shuffle)
    shuffle(order_, fold_in(random_key(options_.seed, "data.loader"), static_cast<std::uint64_t>(epoch)));
  for (Slot& slot : ring_) reset(slot);
  reset(last_slot_);
  given_ = claimed_ = 0;
  free_until_ = static_cast<std::int64_t>(ring_.size());
  stopping_ = false;
  workers_.reserve(static_cast<std::size_t>(worker_count_));
  try {
    for (int i = 0; i < worker_count_; ++i) workers_.emplace_back(&LoaderPass::work, this);
  } catch (const std::system_error&) {
    // No more threads to be had: fewer workers, or none, give the same batches.
  }
}

const Batch* LoaderPass::next() {
  if (given_ > 0) release(slot_of(given_ - 1).batch);
  if (given_ == batches_) {
    stop();
    return nullptr;
  }
  Slot& slot = slot_of(given_);
  if (workers_.empty()) {
    assemble(given_, slot);
  } else {
    std::unique_lock lock(mutex_);
    if (given_ > 0) {
      ++free_until_;
      released_.notify_one();
    }
    completed_.wait(lock, [&] { return slot.holds == given_; });
    if (slot.error) std::rethrow_exception(std::exchange(slot.error, nullptr));
  }
  ++given_;
  return &slot.batch;
}

void LoaderPass::reset(Slot& slot) {
  release(slot.batch);
  slot.holds = -1;
  slot.error = nullptr;
}

void LoaderPass::release(Batch& batch) {
  if (batch.inputs.shared()) batch.inputs = Array();
  if (batch.labels.shared()) batch.labels = Array();
}

void LoaderPass::assemble(std::int64_t batch, Slot& slot) const {
  const std::int64_t begin = batch * options_.batch_size;
  const std::int64_t count = std::min(options_.batch_size, samples_ - begin);
  dataset_.gather(std::span(order_).subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(count)),
                  slot.batch);
}

void LoaderPass::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    released_.wait(lock, [&] { return stopping_ || claimed_ == batches_ || claimed_ < free_until_; });
    if (stopping_ || claimed_ == batches_) return;
    const std::int64_t batch = claimed_++;
    Slot& slot = slot_of(batch);
    lock.unlock();
    std::exception_ptr error;
    try {
      assemble(batch, slot);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    slot.error = std::move(error);
    slot.holds = batch;
    completed_.notify_one();
  }
}

void LoaderPass::stop() noexcept {
  if (workers_.empty()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  released_.notify_all();
  for (std::thread& worker : workers_) worker.join();
  workers_.clear();
}

LoaderCore::LoaderCore(std::shared_ptr<const Dataset> dataset, const LoaderOptions& options, const Location& where)
    : dataset_(std::move(dataset)), options_(options) {
  const auto require = [&](bool holds, const std::string& message) {
    if (!holds) throw CallError(where, "data loader: " + message);
  };
  require(dataset_ != nullptr, "no data set (a null pointer)");
  require(options.batch_size > 0, "batch_size must be at least 1, got " + std::to_string(options.batch_size));
  require(options.num_workers >= 0 && options.num_workers <= 256,
          "num_workers must be 0 to 256, got " + std::to_string(options.num_workers));
  samples_ = dataset_->size();
  require(samples_ > 0, "the data set is empty (its size() is " + std::to_string(samples_) + ")");
  batches_ = samples_ / options.batch_size;
  if (!options.drop_last && samples_ % options.batch_size != 0) ++batches_;
  require(batches_ > 0, "drop_last leaves no batch: " + std::to_string(samples_) + " samples, batch_size " +
                            std::to_string(options.batch_size));
}

LoaderCore::LoaderCore(const LoaderCore& other)
    : dataset_(other.dataset_), options_(other.options_), samples_(other.samples_), batches_(other.batches_),
      epoch_(other.epoch_.load()) {}

std::unique_ptr<LoaderPass> LoaderCore::take() {
  std::unique_ptr<LoaderPass> pass;
  {
    const std::lock_guard lock(mutex_);
    pass = std::move(idle_);
  }
  if (!pass) pass = std::make_unique<LoaderPass>(*dataset_, options_, samples_, batches_);
  pass->start(epoch_.fetch_add(1));
  return pass;
}

void LoaderCore::give_back(std::unique_ptr<LoaderPass> pass) noexcept {
  pass->stop();
  const std::lock_guard lock(mutex_);
  idle_ = std::move(pass);
}

}  // namespace gcompile::data
