#include "gcompile/runtime/plot.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>

#include "gcompile/base/error.h"
#include "gcompile/runtime/file_io.h"
#include "gcompile/runtime/plot_axis.h"

namespace gcompile {
namespace {

using runtime::Axis;
using runtime::Tick;

constexpr std::string_view kPalette[] = {"#2563eb", "#dc2626", "#059669", "#d97706", "#7c3aed", "#0891b2"};
constexpr double kTop = 24, kRight = 24, kBottom = 56;
constexpr double kTitleHeight = 24, kLegendHeight = 24, kCharacter = 6.9;  // of a text of 12 px, on average

struct Point {
  double x, y;
};

// Two decimals at most, whatever the locale.
std::string number(double value) {
  char buffer[64];
  std::string text(buffer, std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed, 2).ptr);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text == "-0" ? "0" : text;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (char c : text) switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += static_cast<unsigned char>(c) < ' ' ? ' ' : c;  // control characters are not allowed in XML
    }
  return out;
}

// The width of a text, estimated: characters of UTF-8 by an average.
double width_of(std::string_view text) {
  return kCharacter * static_cast<double>(std::count_if(text.begin(), text.end(), [](char c) {
           return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
         }));
}

std::string element(std::string_view name, std::initializer_list<std::pair<std::string_view, std::string>> attributes,
                    std::string_view content = "") {
  std::string out = "<" + std::string(name);
  for (const auto& [key, value] : attributes) out += " " + std::string(key) + "=\"" + escaped(value) + "\"";
  return content.empty() ? out + "/>\n" : out + ">" + escaped(content) + "</" + std::string(name) + ">\n";
}

std::string line(double x1, double y1, double x2, double y2, const char* color) {
  return element("line",
                 {{"x1", number(x1)}, {"y1", number(y1)}, {"x2", number(x2)}, {"y2", number(y2)}, {"stroke", color}});
}

std::string text(double x, double y, const char* anchor, const char* color, std::string_view content,
                 const char* size = "12", const char* weight = "normal") {
  return element("text",
                 {{"x", number(x)},
                  {"y", number(y)},
                  {"text-anchor", anchor},
                  {"fill", color},
                  {"font-size", size},
                  {"font-weight", weight}},
                 content);
}

class Drawing {
 public:
  explicit Drawing(const LinePlot& plot) : plot_(plot) {
    make_axes();
    double widest = 0;
    for (const Tick& tick : y_.ticks) widest = std::max(widest, width_of(tick.text));
    left_ = widest + (plot.y_label.empty() ? 24 : 46);
    right_ = plot.width - kRight;
    top_ = kTop + (plot.title.empty() ? 0 : kTitleHeight) + place_legend();
    bottom_ = plot.height - kBottom;
  }

  std::string svg() const {
    const std::string width = std::to_string(plot_.width), height = std::to_string(plot_.height);
    std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + width + "\" height=\"" + height +
                      "\" viewBox=\"0 0 " + width + " " + height +
                      "\" font-family=\"DejaVu Sans, Helvetica, Arial, sans-serif\">\n";
    out += element("rect", {{"width", width}, {"height", height}, {"fill", "white"}});
    if (!plot_.title.empty()) out += text(plot_.width / 2.0, kTop + 8, "middle", "#111827", plot_.title, "16", "bold");
    out += grid() + labels() + legend();
    for (std::size_t s = 0; s < plot_.series.size(); ++s) out += curve(s);
    if (empty_) out += text((left_ + right_) / 2, (top_ + bottom_) / 2, "middle", "#9ca3af", "no finite values", "14");
    return out + "</svg>\n";
  }

 private:
  double x_of(const PlotSeries& s, std::size_t i) const { return s.x.empty() ? static_cast<double>(i + 1) : s.x[i]; }
  bool drawable(const PlotSeries& s, std::size_t i) const {
    constexpr double kLargest = 1e300;  // differences of such values are still finite
    const double y = s.values[i];
    return std::abs(y) <= kLargest && std::abs(x_of(s, i)) <= kLargest &&
           (!plot_.log_y || y >= std::numeric_limits<double>::min());
  }
  Point place(const PlotSeries& s, std::size_t i) const {
    return {left_ + x_.place(x_of(s, i)) * (right_ - left_), bottom_ - y_.place(s.values[i]) * (bottom_ - top_)};
  }

  void make_axes() {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    double x_low = kInfinity, x_high = -kInfinity, y_low = kInfinity, y_high = -kInfinity;
    bool whole = true;
    for (const PlotSeries& s : plot_.series)
      for (std::size_t i = 0; i < s.values.size(); ++i) {
        whole = whole && x_of(s, i) == std::floor(x_of(s, i));
        if (!drawable(s, i)) continue;
        x_low = std::min(x_low, x_of(s, i)), x_high = std::max(x_high, x_of(s, i));
        y_low = std::min(y_low, s.values[i]), y_high = std::max(y_high, s.values[i]);
      }
    empty_ = x_low > x_high;
    if (empty_) x_low = y_low = plot_.log_y ? 0.1 : 0, x_high = y_high = 1;
    x_ = runtime::linear_axis(x_low, x_high, std::max(2, plot_.width / 90), false, whole);
    y_ = plot_.log_y ? runtime::log_axis(y_low, y_high)
                     : runtime::linear_axis(y_low, y_high, std::max(2, plot_.height / 70), true, false);
  }

  std::string color_of(std::size_t s) const {
    return plot_.series[s].color.empty() ? std::string(kPalette[s % std::size(kPalette)]) : plot_.series[s].color;
  }

  // Finds the legend entries' places, in rows above the plot; returns its height.
  double place_legend() {
    constexpr double kMark = 26, kGap = 22;
    double x = 0, y = 0;
    for (const PlotSeries& s : plot_.series) {
      const double width = s.title.empty() ? 0 : kMark + width_of(s.title) + kGap;
      if (x > 0 && x + width - kGap > right_ - left_) x = 0, y += kLegendHeight;
      legend_.push_back({left_ + x, y});
      x += width;
    }
    return x == 0 && y == 0 ? 0 : y + kLegendHeight;
  }

  std::string legend() const {
    std::string out;
    const double first = kTop + (plot_.title.empty() ? -4 : kTitleHeight + 2);
    for (std::size_t s = 0; s < plot_.series.size(); ++s) {
      if (plot_.series[s].title.empty()) continue;
      const auto [x, row] = legend_[s];
      const double y = first + row;
      out += element("line", {{"x1", number(x)},
                              {"y1", number(y)},
                              {"x2", number(x + 18)},
                              {"y2", number(y)},
                              {"stroke", color_of(s)},
                              {"stroke-width", "3"},
                              {"stroke-linecap", "round"}});
      out += text(x + 26, y + 4, "start", "#374151", plot_.series[s].title);
    }
    return out;
  }

  std::string grid() const {
    std::string out;
    for (const Tick& tick : y_.ticks) {
      const double y = bottom_ - y_.place(tick.value) * (bottom_ - top_);
      out += line(left_, y, right_, y, "#e5e7eb") + text(left_ - 8, y + 4, "end", "#4b5563", tick.text);
    }
    for (const Tick& tick : x_.ticks) {
      const double x = left_ + x_.place(tick.value) * (right_ - left_);
      out += line(x, top_, x, bottom_, "#f3f4f6") + line(x, bottom_, x, bottom_ + 5, "#9ca3af") +
             text(x, bottom_ + 20, "middle", "#4b5563", tick.text);
    }
    return out + line(left_, top_, left_, bottom_, "#9ca3af") + line(left_, bottom_, right_, bottom_, "#9ca3af");
  }

  std::string labels() const {
    std::string out;
    if (!plot_.x_label.empty())
      out += text((left_ + right_) / 2, plot_.height - 14, "middle", "#374151", plot_.x_label, "13");
    const std::string y = number((top_ + bottom_) / 2);
    if (!plot_.y_label.empty())
      out += element("text",
                     {{"x", "18"},
                      {"y", y},
                      {"text-anchor", "middle"},
                      {"fill", "#374151"},
                      {"font-size", "13"},
                      {"transform", "rotate(-90 18 " + y + ")"}},
                     plot_.y_label);
    return out;
  }

  // One series: a path of its runs between gaps, and dots for runs of one point.
  std::string curve(std::size_t index) const {
    const PlotSeries& s = plot_.series[index];
    std::string path, dots;
    for (std::size_t i = 0; i < s.values.size();) {
      if (!drawable(s, i)) {
        ++i;
        continue;
      }
      std::vector<Point> run;
      for (; i < s.values.size() && drawable(s, i); ++i) run.push_back(place(s, i));
      if (run.size() == 1)
        dots += element("circle",
                        {{"cx", number(run[0].x)}, {"cy", number(run[0].y)}, {"r", "3.5"}, {"fill", color_of(index)}});
      char command = 'M';
      for (const Point& p : run.size() > 1 ? thinned(run) : std::vector<Point>()) {
        path += command + number(p.x) + " " + number(p.y);
        command = 'L';
      }
    }
    if (path.empty()) return dots;
    return element("path", {{"d", path},
                            {"fill", "none"},
                            {"stroke", color_of(index)},
                            {"stroke-width", "2"},
                            {"stroke-linejoin", "round"},
                            {"stroke-linecap", "round"}}) +
           dots;
  }

  // At most four points for each pixel column: the first, the lowest, the highest and the last.
  static std::vector<Point> thinned(const std::vector<Point>& run) {
    std::vector<Point> out;
    for (std::size_t begin = 0, end; begin < run.size(); begin = end) {
      std::size_t low = begin, high = begin;
      for (end = begin; end < run.size() && std::floor(run[end].x) == std::floor(run[begin].x); ++end) {
        if (run[end].y < run[low].y) low = end;
        if (run[end].y > run[high].y) high = end;
      }
      std::size_t kept[] = {begin, std::min(low, high), std::max(low, high), end - 1};
      for (auto* k = kept; k != std::unique(kept, kept + 4); ++k) out.push_back(run[*k]);
    }
    return out;
  }

  const LinePlot& plot_;
  Axis x_, y_;
  double left_ = 0, right_ = 0, top_ = 0, bottom_ = 0;
  std::vector<Point> legend_;
  bool empty_ = false;
};

}  // namespace

void write_line_plot(const std::string& path, const LinePlot& plot) {
  if (plot.width < 200 || plot.height < 150)
    throw CallError("plot: " + std::to_string(plot.width) + " x " + std::to_string(plot.height) +
                    " pixels, at least 200 x 150 are needed");
  for (const PlotSeries& s : plot.series)
    if (!s.x.empty() && s.x.size() != s.values.size())
      throw CallError("plot: series '" + s.title + "' has " + std::to_string(s.x.size()) + " x for " +
                      std::to_string(s.values.size()) + " values");
  const std::string svg = Drawing(plot).svg();
  const std::string_view parts[] = {svg};
  runtime::write_file_atomically(path, parts);
}

}  // namespace gcompile
