#include "gcompile/runtime/progress.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <sstream>

#include "gcompile/base/error.h"

namespace gcompile {
namespace {

double now = 0;
double test_clock() { return now; }

class ProgressTest : public ::testing::Test {
 protected:
  ProgressTest() { now = 100; }
  std::int64_t count(char c) const {
    const std::string text = out_.str();
    return std::count(text.begin(), text.end(), c);
  }
  std::string last_drawn() const {
    const std::string text = out_.str();
    return text.substr(text.rfind('\r') + 1);
  }
  std::ostringstream out_;
};

TEST_F(ProgressTest, PlainLinesAreFew) {
  for (std::int64_t total : {1, 2, 5, 19, 20, 21, 37, 100, 1000, 99999}) {
    out_.str("");
    ProgressBar bar(total, out_);
    for (std::int64_t epoch = 1; epoch <= total; ++epoch) bar.update({.epoch = epoch, .loss = 0.5});
    EXPECT_LE(count('\n'), 20) << total;
    EXPECT_GE(count('\n'), std::min<std::int64_t>(total, 10)) << total;
    EXPECT_EQ(count('\r'), 0);
    EXPECT_EQ(out_.str().find("epoch 1/"), 0u);
    const std::string last = "epoch " + std::to_string(total) + "/" + std::to_string(total) + "  ";
    EXPECT_NE(out_.str().find(last), std::string::npos) << out_.str();
  }
}

TEST_F(ProgressTest, PlainLineHasTheFigures) {
  ProgressBar bar(4, out_, {.clock = test_clock});
  now += 65;
  bar.update({.epoch = 1, .loss = 0.481234, .metric = 0.773, .metric_name = "validation accuracy"});
  EXPECT_EQ(out_.str(), "epoch 1/4  loss 0.4812  validation accuracy 0.773  1:05, 3:15 left\n");
  out_.str("");
  now += 7200;
  bar.update({.epoch = 4, .loss = 1e-7});
  EXPECT_EQ(out_.str(), "epoch 4/4  loss 1e-07  2:01:05\n");
}

TEST_F(ProgressTest, ARunThatStopsEarlyShowsItsLastEpoch) {
  {
    ProgressBar bar(1000, out_);
    for (std::int64_t epoch = 1; epoch <= 5; ++epoch) bar.update({.epoch = epoch, .loss = 0.5});
  }
  EXPECT_EQ(count('\n'), 2);
  EXPECT_NE(out_.str().find("epoch 5/1000"), std::string::npos);
  out_.str("");
  { ProgressBar unused(10, out_); }
  EXPECT_EQ(out_.str(), "");
}

TEST_F(ProgressTest, TerminalLineIsRedrawnAtMostTwentyTimesASecond) {
  {
    ProgressBar bar(10000, out_, {.terminal = true, .width = 80, .clock = test_clock});
    for (std::int64_t epoch = 1; epoch <= 10000; ++epoch) {
      now += 0.0005;  // five seconds in all
      bar.update({.epoch = epoch, .loss = 0.5});
    }
  }
  EXPECT_GT(count('\r'), 50);
  EXPECT_LE(count('\r'), 102);
  EXPECT_EQ(count('\n'), 1);
  EXPECT_EQ(out_.str().back(), '\n');
}

TEST_F(ProgressTest, TerminalLineFitsItsWidth) {
  for (int width : {1, 10, 20, 40, 60, 80, 200}) {
    out_.str("");
    ProgressBar bar(100, out_, {.terminal = true, .width = width, .clock = test_clock});
    now += 30;
    bar.update({.epoch = 50, .loss = 0.25, .metric = 0.5});
    const std::string line = last_drawn().substr(0, last_drawn().find('\x1b'));
    EXPECT_LT(line.size(), static_cast<std::size_t>(std::max(width, 2)));
    if (width == 80) {
      EXPECT_EQ(line, " 50/100 [=============>             ]  loss 0.25  accuracy 0.5  0:30, 0:30 left");
    }
  }
}

TEST_F(ProgressTest, TheBarIsFullAtTheEnd) {
  {
    ProgressBar bar(3, out_, {.terminal = true, .width = 60, .clock = test_clock});
    for (std::int64_t epoch = 1; epoch <= 3; ++epoch) bar.update({.epoch = epoch, .loss = 0.5});
    bar.update({.epoch = 3, .loss = 0.7});  // after the end: nothing
  }
  EXPECT_NE(last_drawn().find("3/3 ["), std::string::npos);
  EXPECT_NE(last_drawn().find("==]"), std::string::npos);
  EXPECT_EQ(count('\n'), 1);
}

TEST_F(ProgressTest, LossesThatAreNotFinite) {
  ProgressBar bar(2, out_);
  bar.update({.epoch = 1, .loss = std::numeric_limits<double>::quiet_NaN()});
  bar.update({.epoch = 2, .loss = std::numeric_limits<double>::infinity()});
  EXPECT_NE(out_.str().find("loss nan"), std::string::npos);
  EXPECT_NE(out_.str().find("loss inf"), std::string::npos);
}

TEST_F(ProgressTest, AFileDescriptorThatIsNoTerminalGetsLines) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  {
    ProgressBar bar(2, ends[1]);
    bar.update({.epoch = 2, .loss = 0.5});
  }
  char text[100] = {};
  ASSERT_GT(::read(ends[0], text, sizeof text - 1), 0);
  EXPECT_STREQ(text, "epoch 2/2  loss 0.5  0:00\n");
  ::close(ends[0]);
  ::close(ends[1]);
  ProgressBar closed(1, ends[1]);  // a closed descriptor: no error
  closed.update({.epoch = 1, .loss = 0.5});
}

TEST_F(ProgressTest, NeedsEpochs) {
  EXPECT_THROW(ProgressBar(0), CallError);
  EXPECT_THROW(ProgressBar(-1, out_), CallError);
}

}  // namespace
}  // namespace gcompile
