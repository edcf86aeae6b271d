// A plot's axis: from the range of the data to round ticks and their texts. Internal to plot.cpp.
#pragma once

#include <cmath>
#include <string>
#include <vector>

namespace gcompile::runtime {

struct Tick {
  double value;
  std::string text;
};

struct Axis {
  double low = 0, high = 1;  // low < high
  bool log = false;
  std::vector<Tick> ticks;  // ascending, in [low, high]

  // Where a value lies: 0 at low, 1 at high.
  double place(double value) const {
    return log ? (std::log(value) - std::log(low)) / (std::log(high) - std::log(low)) : (value - low) / (high - low);
  }
};

// Ticks at multiples of 1, 2 or 5 times a power of ten, about `count` of them. With `widen` the axis ends at ticks,
// else at the data (at least one unit wide around a single value). `whole`: no tick between whole numbers. (P. S.
// Heckbert, "Nice Numbers for Graph Labels", Graphics Gems, 1990.)
Axis linear_axis(double low, double high, int count, bool widen, bool whole);

// 0 < low <= high. Ticks at powers of ten, and at 2 and 5 times these where there are few; the axis ends at ticks.
Axis log_axis(double low, double high);

}  // namespace gcompile::runtime
