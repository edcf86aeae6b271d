#include "gcompile/runtime/profiler.h"

#include <algorithm>
#include <chrono>

namespace gcompile::runtime {
namespace {

std::int64_t now() {
  const auto time = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time).count();
}

// All profilers count from here, so that a trace of several programs shows what ran when.
std::int64_t origin() {
  static const std::int64_t first = now();
  return first;
}

double seconds(std::int64_t nanoseconds) { return static_cast<double>(nanoseconds) * 1e-9; }

double median(std::vector<double>& times) {
  if (times.empty()) return 0;
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  return *middle;
}

}  // namespace

Profiler::Profiler(std::string program, std::vector<ProfiledLaunch> launches)
    : LaunchClock{&Profiler::on_tick}, program_(std::move(program)), launches_(std::move(launches)),
      rows_(launches_.size()), events_(kMostEvents), start_(origin()), last_(start_) {}

void Profiler::on_tick(LaunchClock* self, std::int64_t done) {
  Profiler& p = *static_cast<Profiler*>(self);
  const std::int64_t time = now();
  if (done == 0) {
    ++p.calls_;
  } else {
    Row& row = p.rows_[static_cast<std::size_t>(done - 1)];
    ++row.calls;
    row.nanoseconds += time - p.last_;
    row.all_flops += row.flops;
    row.all_bytes += row.bytes;
    row.all_estimates += row.estimate;
    p.events_[p.event_count_++ % kMostEvents] = {p.last_ - p.start_, time - p.last_, static_cast<int>(done - 1)};
  }
  p.last_ = now();
}

void Profiler::bind(const std::map<std::string, std::int64_t>& dims) {
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    rows_[i].flops = static_cast<double>(launches_[i].cost.flops.evaluate(dims));
    rows_[i].bytes = launches_[i].cost.bytes(dims);
    if (launches_[i].estimate) rows_[i].estimate = launches_[i].estimate(dims);
  }
}

void Profiler::reset() {
  for (Row& row : rows_) row = {.flops = row.flops, .bytes = row.bytes, .estimate = row.estimate};
  event_count_ = 0;
  calls_ = 0;
}

Profile Profiler::profile() const {
  Profile profile;
  profile.program = program_;
  profile.calls = calls_;
  const std::size_t kept = std::min(event_count_, kMostEvents);
  std::vector<std::vector<double>> times(rows_.size());
  for (std::size_t i = event_count_ - kept; i < event_count_; ++i) {
    const Event& e = events_[i % kMostEvents];
    profile.events.push_back({e.row, seconds(e.begin), seconds(e.nanoseconds)});
    times[static_cast<std::size_t>(e.row)].push_back(seconds(e.nanoseconds));
  }
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const Row& row = rows_[i];
    profile.rows.push_back({launches_[i].kernel, launches_[i].lines, row.calls, seconds(row.nanoseconds),
                            median(times[i]), row.all_flops, row.all_bytes, row.all_estimates});
    profile.seconds += seconds(row.nanoseconds);
  }
  return profile;
}

}  // namespace gcompile::runtime
