#include "gcompile/runtime/data/loader.h"

#include "gcompile/base/error.h"
#include "gcompile/runtime/data/loader_pass.h"

namespace gcompile::data {

BatchIterator::BatchIterator(std::shared_ptr<LoaderCore> core) : core_(std::move(core)), pass_(core_->take()) {
  advance();
}

BatchIterator::BatchIterator(BatchIterator&& other) noexcept
    : core_(std::move(other.core_)), pass_(std::move(other.pass_)), batch_(std::exchange(other.batch_, nullptr)),
      index_(other.index_) {}

BatchIterator& BatchIterator::operator=(BatchIterator&& other) noexcept {
  if (this == &other) return *this;
  finish();
  core_ = std::move(other.core_);
  pass_ = std::move(other.pass_);
  batch_ = std::exchange(other.batch_, nullptr);
  index_ = other.index_;
  return *this;
}

BatchIterator::~BatchIterator() { finish(); }

void BatchIterator::advance() {
  batch_ = nullptr;  // the end, should what follows throw
  batch_ = pass_->next();
  ++index_;
}

void BatchIterator::finish() noexcept {
  if (pass_) core_->give_back(std::move(pass_));
}

DataLoader::DataLoader(std::shared_ptr<const Dataset> dataset, const LoaderOptions& options,
                       const std::source_location& where)
    : core_(std::make_shared<LoaderCore>(std::move(dataset), options, Location::from(where))) {}

DataLoader::DataLoader(const DataLoader& other) : core_(std::make_shared<LoaderCore>(*other.core_)) {}

DataLoader& DataLoader::operator=(const DataLoader& other) {
  if (this != &other) core_ = std::make_shared<LoaderCore>(*other.core_);
  return *this;
}

std::int64_t DataLoader::size() const { return core_->batches(); }
const Dataset& DataLoader::dataset() const { return core_->dataset(); }
const LoaderOptions& DataLoader::options() const { return core_->options(); }
std::int64_t DataLoader::epoch() const { return core_->epoch(); }

void DataLoader::seek(std::int64_t epoch) {
  if (epoch < 0) throw CallError("data loader: seek to epoch " + std::to_string(epoch) + ", expected 0 or more");
  core_->epoch() = epoch;
}

}  // namespace gcompile::data
