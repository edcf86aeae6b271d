// The example programs, run as a user runs them: what they print, and where it ends.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <sstream>
#include <string>
#include <vector>

#include "tests/unit/temp_dir.h"

namespace gcompile {
namespace {

struct Output {
  int status = -1;
  std::vector<std::string> lines;  // of stdout and stderr
  const std::string& last() const { return lines.back(); }
};

// In a folder of its own, where pictures go.
Output run(const std::string& command_line) {
  const testing::TempDir folder;
  const std::string command = "cd '" + folder.path() + "' && '" GCOMPILE_TEST_BIN_DIR "'/" + command_line + " 2>&1";
  std::FILE* pipe = ::popen(command.c_str(), "r");
  std::string text;
  char buffer[4096];
  while (const std::size_t n = std::fread(buffer, 1, sizeof buffer, pipe)) text.append(buffer, n);
  Output output;
  output.status = WEXITSTATUS(::pclose(pipe));
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) output.lines.push_back(line);
  if (output.lines.empty()) output.lines.emplace_back();
  return output;
}

// The number after a text at the beginning of a line.
double number_after(const std::string& prefix, const std::string& line) {
  EXPECT_EQ(line.substr(0, prefix.size()), prefix) << line;
  return line.size() > prefix.size() ? std::stod(line.substr(prefix.size())) : -1;
}

TEST(Examples, BackpropagationPrintsGradientsAndProgress) {
  const Output output = run("course_01_backprop");
  ASSERT_EQ(output.status, 0);
  ASSERT_EQ(output.lines.size(), 402u);
  EXPECT_EQ(output.lines[0], "predict before training 4 4");
  EXPECT_EQ(output.lines[1], "\tgrad: 1 2 -2");
  double w = 1;
  int gradients = 0;
  for (const std::string& line : output.lines) {
    std::istringstream words(line);
    std::string word;
    double x = 0, y = 0, g = 0;
    if (!(words >> word >> x >> y >> g) || word != "grad:") continue;
    EXPECT_NEAR(g, 2 * x * (x * w - y), 1e-3);
    w -= 0.01 * 2 * x * (x * w - y);
    ++gradients;
  }
  EXPECT_EQ(gradients, 300);
  EXPECT_NEAR(number_after("predict after training 4 ", output.last()), 8, 0.05);
}

TEST(Examples, LinearRegression) {
  const Output output = run("course_02_linear_regression");
  ASSERT_EQ(output.status, 0);
  ASSERT_EQ(output.lines.size(), 1003u);
  EXPECT_LT(number_after("999 ", output.lines[999]), 0.01);
  EXPECT_NEAR(number_after("w = ", output.lines[1000]), 2, 0.1);
  EXPECT_NEAR(number_after("b = ", output.lines[1001]), 0, 0.2);
  EXPECT_NEAR(number_after("y_pred = f32[1,1] [[", output.last()), 8, 0.1);
}

TEST(Examples, LogisticRegression) {
  const Output output = run("course_03_logistic_regression");
  ASSERT_EQ(output.status, 0);
  EXPECT_LT(number_after("999 ", output.lines[999]), number_after("0 ", output.lines[0]));
  EXPECT_GT(number_after("y_pred = f32[1,1] [[", output.last()), 0.8);
}

TEST(Examples, DiabetesInOneBatchAndInManyBatches) {
  const Output full = run("course_04_diabetes");
  ASSERT_EQ(full.status, 0);
  ASSERT_EQ(full.lines.size(), 100u);
  EXPECT_LT(number_after("99 ", full.last()), number_after("0 ", full.lines[0]));
  const Output batches = run("course_05_dataloader");
  ASSERT_EQ(batches.status, 0);
  EXPECT_EQ(batches.lines.size(), 2400u);
  EXPECT_GT(number_after("99 23 ", batches.last()), 0);
}

TEST(Examples, IrisIsToldApart) {
  const Output output = run("iris");
  ASSERT_EQ(output.status, 0);
  EXPECT_GE(number_after("test accuracy ", output.last()), 90);
}

TEST(Examples, DiabetesReachesItsAccuracyFromAnySeed) {
  double sum = 0;
  for (int seed = 1; seed <= 10; ++seed) {
    const Output output = run("diabetes --seed " + std::to_string(seed));
    ASSERT_EQ(output.status, 0);
    const double accuracy = number_after("test accuracy ", output.last());
    EXPECT_GE(accuracy, 66) << "seed " << seed;
    EXPECT_EQ(output.last().substr(output.last().size() - 2), " %");
    sum += accuracy;
  }
  EXPECT_GE(sum / 10, 74);
}

TEST(Examples, DiabetesTellsWhatItDoesNotUnderstand) {
  EXPECT_EQ(run("diabetes --seed many").status, 2);
  EXPECT_EQ(run("diabetes --speed 1").status, 2);
  EXPECT_EQ(run("diabetes --epochs 0").status, 1);
  const Output missing = run("diabetes --data nowhere.csv");
  EXPECT_EQ(missing.status, 1);
  EXPECT_NE(missing.last().find("nowhere.csv"), std::string::npos);
  EXPECT_EQ(run("diabetes --help").status, 0);
}

}  // namespace
}  // namespace gcompile
