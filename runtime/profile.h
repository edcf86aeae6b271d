// Profile: what the launches of a compiled program took, as a table and as a trace for chrome://tracing and Perfetto.
#pragma once

#include <cstdint>
#include <ostream>
#include <span>
#include <string>
#include <vector>

#include "gcompile/base/location.h"

namespace gcompile::runtime {

// Times are wall-clock seconds between two looks at the clock, which itself takes some 20 ns of each.
struct Profile {
  struct Row {  // a launch of the program, or the copies of states after the last one
    std::string kernel;
    std::vector<Location> lines;  // of the user's program
    std::int64_t calls = 0;
    double seconds = 0;    // of all calls
    double median = 0;     // of the calls that are kept as events
    double flops = 0;      // operations on floats, counted over the text of the kernel; of all calls
    double bytes = 0;      // of the buffers' elements that it reads and writes; of all calls
    double estimated = 0;  // seconds that the calls should have taken (passes/estimate.h); 0: not estimated

    double gflops() const { return seconds > 0 ? flops / seconds * 1e-9 : 0; }  // a second
    // Measured over estimated: above 1 it took longer than it should. 0 when it was not estimated.
    double estimate_ratio() const {
      return estimated > 0 && calls > 0 ? median * static_cast<double>(calls) / estimated : 0;
    }
    double gigabytes() const { return seconds > 0 ? bytes / seconds * 1e-9 : 0; }  // a second
  };
  struct Event {
    int row;
    double begin, seconds;  // begin: since the first profiler of the process was made
  };

  std::string program;        // its name
  std::int64_t calls = 0;     // of the program
  double seconds = 0;         // of all rows
  std::vector<Row> rows;      // in order of launch
  std::vector<Event> events;  // of the last calls, in order of time; not more than Profiler::kMostEvents
};

// A line per row, those that took most first.
std::string print(const Profile& profile);
// The events of some programs in the Trace Event Format (JSON).
std::string chrome_trace(std::span<const Profile> profiles);

}  // namespace gcompile::runtime
