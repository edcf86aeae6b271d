#include "gcompile/runtime/plot.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "gcompile/base/error.h"
#include "gcompile/runtime/plot_axis.h"
#include "temp_dir.h"

namespace gcompile {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

class Plot : public ::testing::Test {
 protected:
  std::string svg(const LinePlot& plot) {
    write_line_plot(files_.path("p.svg"), plot);
    const std::string text = files_.read("p.svg");
    EXPECT_EQ(text.find("<svg "), 0u);
    EXPECT_EQ(text.substr(text.size() - 7), "</svg>\n");
    EXPECT_EQ(text.find("nan"), std::string::npos);
    EXPECT_EQ(text.find("inf"), std::string::npos);
    return text;
  }
  static std::size_t count(const std::string& text, const std::string& what) {
    std::size_t n = 0;
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
    return n;
  }
  testing::TempDir files_;
};

std::vector<std::string> texts(const runtime::Axis& axis) {
  std::vector<std::string> out;
  for (const auto& tick : axis.ticks) out.push_back(tick.text);
  return out;
}
using Texts = std::vector<std::string>;

TEST_F(Plot, LinearTicksAreRound) {
  EXPECT_EQ(texts(runtime::linear_axis(0.13, 0.71, 6, true, false)),
            (Texts{"0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8"}));
  EXPECT_EQ(texts(runtime::linear_axis(1, 100, 8, false, true)), (Texts{"20", "40", "60", "80", "100"}));
  EXPECT_EQ(texts(runtime::linear_axis(1, 3, 8, false, true)), (Texts{"1", "2", "3"}));
  EXPECT_EQ(texts(runtime::linear_axis(-0.5, 0.5, 4, true, false)), (Texts{"-0.5", "0.0", "0.5"}));
  EXPECT_EQ(texts(runtime::linear_axis(7, 7, 8, false, true)), (Texts{"7"}));
}

TEST_F(Plot, AxesHoldTheDataAndFewTicks) {
  for (double low : {-1e300, -1e9, -3.3, 0.0, 1e-300, 1e-9, 0.7, 1.0, 123456.789, 1e300})
    for (double size : {0.0, 1e-300, 1e-15, 1e-7, 0.1, 1.0, 17.0, 1e6, 1e300}) {
      const double high = low + size;
      for (bool widen : {false, true}) {
        const runtime::Axis axis = runtime::linear_axis(low, high, 6, widen, false);
        EXPECT_LE(axis.low, low) << low << " " << size;
        EXPECT_GE(axis.high, high) << low << " " << size;
        EXPECT_LT(axis.low, axis.high) << low << " " << size;
        EXPECT_LE(axis.ticks.size(), 14u) << low << " " << size;
      }
      if (low <= 0) continue;
      const runtime::Axis axis = runtime::log_axis(low, high);
      EXPECT_LE(axis.low, low);
      EXPECT_GE(axis.high, high);
      EXPECT_GE(axis.ticks.size(), 2u) << low << " " << size;
      EXPECT_LE(axis.ticks.size(), 14u) << low << " " << size;
      EXPECT_GE(axis.place(low), -1e-9);
      EXPECT_LE(axis.place(high), 1 + 1e-9);
    }
}

TEST_F(Plot, LogTicks) {
  EXPECT_EQ(texts(runtime::log_axis(0.03, 0.8)), (Texts{"0.02", "0.05", "0.1", "0.2", "0.5", "1"}));
  EXPECT_EQ(texts(runtime::log_axis(0.002, 30)), (Texts{"0.001", "0.01", "0.1", "1", "10", "100"}));
  EXPECT_EQ(texts(runtime::log_axis(5, 5)), (Texts{"5", "10"}));
}

TEST_F(Plot, SeriesLegendAndLabels) {
  const std::string text = svg({.title = "Loss & <more>",
                                .y_label = "loss",
                                .series = {{"training", "", {3, 2, 1}}, {"validation", "black", {3, 2.5, 2}}}});
  EXPECT_EQ(count(text, "<path "), 2u);
  EXPECT_NE(text.find("Loss &amp; &lt;more&gt;"), std::string::npos);
  for (const char* word : {">training<", ">validation<", ">epoch<", ">loss<", "stroke=\"black\"", "rotate(-90"})
    EXPECT_NE(text.find(word), std::string::npos) << word;
}

TEST_F(Plot, ValuesThatAreNotFiniteAreGaps) {
  const std::string text = svg({.series = {{"a", "", {1, 2, kNaN, 4, 5, kInfinity, 7, -kInfinity, 8, 9}}}});
  EXPECT_EQ(count(text, "M"), 3u);         // 1-2, 4-5, 8-9
  EXPECT_EQ(count(text, "<circle "), 1u);  // 7
}

TEST_F(Plot, OnePointConstantAndNothing) {
  EXPECT_EQ(count(svg({.series = {{"a", "", {0.5}}}}), "<circle "), 1u);
  EXPECT_EQ(count(svg({.series = {{"a", "", {0.5, 0.5, 0.5}}}}), "<path "), 1u);
  EXPECT_EQ(count(svg({.series = {{"a", "", {0, 0, 0}}}, .log_y = true}), "no finite values"), 1u);
  EXPECT_EQ(count(svg({.series = {{"a", "", {kNaN, kNaN}}}}), "no finite values"), 1u);
  EXPECT_EQ(count(svg({}), "no finite values"), 1u);
  svg({.series = {{"a", "", {1e-310, 1.7e308, -1.7e308, 1e300, -1e300}}}});
  svg({.series = {{"a", "", {1e-307, 1e300}}}, .log_y = true});
}

TEST_F(Plot, HigherValuesAreHigherUp) {
  for (bool log : {false, true}) {
    const std::string text = svg({.series = {{"", "", {1, 10}}}, .log_y = log});
    double x1 = 0, y1 = 0, x2 = 0, y2 = 0;
    ASSERT_EQ(std::sscanf(text.c_str() + text.find(" d=\"M"), " d=\"M%lf %lfL%lf %lf", &x1, &y1, &x2, &y2), 4);
    EXPECT_LT(x1, x2);
    EXPECT_GT(y1, y2);
    EXPECT_GT(y2, 0);
    EXPECT_LT(y1, 480);
  }
}

TEST_F(Plot, LongSeriesStaySmallAndKeepTheirPeaks) {
  std::vector<double> values(1000000, 1.0);
  values[654321] = 5;
  const std::string text = svg({.series = {{"", "", values}}});
  EXPECT_LT(text.size(), 100000u);
  const std::string flat = svg({.series = {{"", "", std::vector<double>(1000000, 1.0)}}});
  EXPECT_GT(count(text, "L"), count(flat, "L"));
}

TEST_F(Plot, OwnXValues) {
  EXPECT_NE(svg({.series = {{"", "", {1, 2}, {0.25, 0.75}}}}).find(">0.5<"), std::string::npos);
  EXPECT_THROW(svg({.series = {{"", "", {1, 2}, {1}}}}), CallError);
}

TEST_F(Plot, RefusesWhatCannotBe) {
  EXPECT_THROW(svg({.width = 100}), CallError);
  EXPECT_EQ(testing::message_of<DataError>([&] { write_line_plot(files_.path("no/p.svg"), {}); }),
            files_.path("no/p.svg") + ": cannot be written: No such file or directory");
  EXPECT_THROW(write_line_plot(files_.path(), {}), DataError);
}

}  // namespace
}  // namespace gcompile
