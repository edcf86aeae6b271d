// Line plots as self-contained SVG files, for loss curves.
#pragma once

#include <string>
#include <vector>

namespace gcompile {

struct PlotSeries {
  std::string title = "";           // in the legend; empty: not listed
  std::string color = "";           // any SVG color; empty: the next of a palette
  std::vector<double> values = {};  // y; at x = 1, 2, 3, ... (epochs), unless x is given
  std::vector<double> x = {};       // as many as values, in ascending order
};

struct LinePlot {
  std::string title = "";
  std::string x_label = "epoch";
  std::string y_label = "";
  std::vector<PlotSeries> series = {};
  bool log_y = false;             // values <= 0 are left out then
  int width = 800, height = 480;  // pixels, at least 200 x 150
};

// Writes the plot, atomically. A value that is not finite (or beyond 1e300) is a gap in its line; a point between gaps
// is a dot. Series of any length: dense ones are drawn by their extremes per pixel. Throws DataError when the file
// cannot be written, CallError for x and values of different lengths and sizes too small.
void write_line_plot(const std::string& path, const LinePlot& plot);

}  // namespace gcompile
