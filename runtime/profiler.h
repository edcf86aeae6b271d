// Profiler: the clock beside the launches of one executable. Code that was compiled with a profile tells it when it
// begins and after every launch; a look at the clock and a few additions, nothing is allocated.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "gcompile/ir/cost.h"
#include "gcompile/runtime/parallel.h"
#include "gcompile/runtime/profile.h"

namespace gcompile::runtime {

struct ProfiledLaunch {
  std::string kernel;
  std::vector<Location> lines;
  ir::Cost cost;
  // Seconds that it should take for values of the symbols; may be empty.
  std::function<double(const std::map<std::string, std::int64_t>& dims)> estimate = nullptr;
};

class Profiler final : private LaunchClock {
 public:
  static constexpr std::size_t kMostEvents = 1 << 16;  // 1.5 MB

  Profiler(std::string program, std::vector<ProfiledLaunch> launches);
  Profiler(const Profiler&) = delete;
  Profiler& operator=(const Profiler&) = delete;

  // What the code calls.
  LaunchClock* clock() { return this; }
  // The extents of the calls to come, from which follows what a launch computes.
  void bind(const std::map<std::string, std::int64_t>& dims);
  // Forgets all calls so far.
  void reset();
  Profile profile() const;

 private:
  struct Row {
    double flops = 0, bytes = 0, estimate = 0;  // of a call
    std::int64_t calls = 0, nanoseconds = 0;
    double all_flops = 0, all_bytes = 0, all_estimates = 0;
  };
  struct Event {
    std::int64_t begin, nanoseconds;
    int row;
  };

  static void on_tick(LaunchClock* self, std::int64_t done);

  std::string program_;
  std::vector<ProfiledLaunch> launches_;
  std::vector<Row> rows_;
  std::vector<Event> events_;  // a ring
  std::size_t event_count_ = 0;
  std::int64_t calls_ = 0;
  std::int64_t start_, last_;  // nanoseconds of the clock: where events are counted from; the last tick
};

}  // namespace gcompile::runtime
