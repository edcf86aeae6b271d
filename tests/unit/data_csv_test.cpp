#include "gcompile/runtime/data/csv.h"

#include <gtest/gtest.h>

#include "gcompile/base/error.h"
#include "temp_dir.h"

namespace gcompile::data {
namespace {

class DataCsv : public ::testing::Test {
 protected:
  Table read(std::string_view text, const CsvOptions& options = {}) {
    return read_csv(files_.write("t.csv", text), options);
  }
  // The error's text with the folder taken off.
  std::string error(std::string_view text, const CsvOptions& options = {}) {
    std::string message = testing::message_of<DataError>([&] { read(text, options); });
    const std::string folder = files_.path() + "/";
    if (const auto at = message.find(folder); at != std::string::npos) message.erase(at, folder.size());
    return message;
  }
  testing::TempDir files_;
};

TEST_F(DataCsv, NumbersWithTheLastColumnAsLabel) {
  const Table table = read("6,148,-0.5,1\n1,85,1e-2,0\n");
  EXPECT_EQ(table.inputs().str(), "f32[2,3] [[6, 148, -0.5], [1, 85, 0.01]]");
  EXPECT_EQ(table.labels().str(), "f32[2,1] [[1], [0]]");
  EXPECT_TRUE(table.names().inputs.empty());
  EXPECT_TRUE(table.class_names().empty());
}

TEST_F(DataCsv, HeaderIsFoundAndNamesColumns) {
  const Table table = read("age,bmi,class\n1,2,0\n3,4,1\n");
  EXPECT_EQ(table.names().inputs, (std::vector<std::string>{"age", "bmi"}));
  EXPECT_EQ(table.names().labels, (std::vector<std::string>{"class"}));
  EXPECT_EQ(table.size(), 2);
}

TEST_F(DataCsv, HeaderCanBeSaid) {
  EXPECT_EQ(read("2019,2020\n1,2\n", {.header = true}).names().inputs[0], "2019");
  EXPECT_EQ(read("2019,2020\n1,2\n").size(), 2);
  EXPECT_EQ(error("a,b\n1,2\n", {.header = false}), "t.csv:1: column 1: expected a number, got 'a'");
}

TEST_F(DataCsv, ADamagedFirstRowIsNoHeader) {  // as a header it would be dropped in silence
  EXPECT_EQ(error("x1,2,0\n3,4,1\n"), "t.csv:1: column 1: expected a number, got 'x1'");
}

TEST_F(DataCsv, TextLabelsBecomeSortedClasses) {
  const Table table = read("5.1,virginica\n4.9,setosa\n6.0,virginica\n");
  EXPECT_EQ(table.labels().str(), "i32[3] [1, 0, 1]");
  EXPECT_EQ(table.class_names(), (std::vector<std::string>{"setosa", "virginica"}));
  EXPECT_EQ(read("a,b\n1,no\n2,yes\n").class_names()[1], "yes");  // under a header
}

TEST_F(DataCsv, NumbersAsClassesSortByValue) {
  const Table table = read("1,10\n2,9\n3,10.0\n", {.class_labels = true});
  EXPECT_EQ(table.labels().str(), "i32[3] [1, 0, 1]");
  EXPECT_EQ(table.class_names(), (std::vector<std::string>{"9", "10"}));
}

TEST_F(DataCsv, ATypingErrorAmongNumericLabelsIsNoClass) {
  EXPECT_EQ(error("1,0\n2,O\n3,1\n"), "t.csv:2: column 2: expected a number, got 'O'");
  EXPECT_EQ(error("1,yes\n2,no\n3,1\n"), "t.csv:1: column 2: expected a number, got 'yes'");
  EXPECT_EQ(read("1,yes\n2,no\n3,1\n", {.class_labels = true}).class_names().size(), 3u);
}

TEST_F(DataCsv, ColumnsByChoice) {
  const Table table = read("id,y1,x,y2\nr1,1,2,3\nr2,4,5,6\n", {.label_columns = {-1, 1}, .skip_columns = {0}});
  EXPECT_EQ(table.inputs().str(), "f32[2,1] [[2], [5]]");
  EXPECT_EQ(table.labels().str(), "f32[2,2] [[3, 1], [6, 4]]");
  EXPECT_EQ(table.names().labels, (std::vector<std::string>{"y2", "y1"}));
  EXPECT_EQ(read("1,2\n", {.label_columns = {}}).labels().shape(), (Shape{1, 0}));
}

TEST_F(DataCsv, QuotesSpacesAndLineEnds) {
  const Table table = read("\xEF\xBB\xBF\"a, \"\"b\"\"\", c ,y\r\n \"1\" ,\t2 ,\"no\nway\"\r\n\r\n3,+4, yes \r\n  \n");
  EXPECT_EQ(table.names().inputs, (std::vector<std::string>{"a, \"b\"", "c"}));
  EXPECT_EQ(table.inputs().str(), "f32[2,2] [[1, 2], [3, 4]]");
  EXPECT_EQ(table.class_names(), (std::vector<std::string>{"no\nway", "yes"}));
  EXPECT_EQ(read("1,2\r3,4\r").size(), 2);
  EXPECT_EQ(read("1,2\n3,4").size(), 2);
  EXPECT_EQ(read("1;2\n", {.delimiter = ';'}).labels().item(), 2);
  EXPECT_EQ(read("1\t\t2\n", {.delimiter = '\t', .skip_columns = {1}}).labels().item(), 2);
}

TEST_F(DataCsv, LineNumbersCountLinesInQuotesAndBlankOnes) {
  EXPECT_EQ(error("\"a\r\nb\",c\r\n\r\n1,2\r\n1,\r\n"), "t.csv:5: column 2 (c): expected a number, got an empty field");
}

TEST_F(DataCsv, NumbersAtTheEndsOfTheRange) {
  const Table table = read("3.4e38,1e-45,1e-60,1e-400,-1e-400,0\n");
  EXPECT_EQ(table.inputs().at(0), static_cast<double>(3.4e38f));
  EXPECT_EQ(table.inputs().at(1), static_cast<double>(1e-45f));
  for (std::int64_t i : {2, 3, 4}) EXPECT_EQ(table.inputs().at(i), 0);
  EXPECT_EQ(error("1,3.5e38,0\n"),
            "t.csv:1: column 2: expected a number in the range of f32 (up to 3.4e38), got '3.5e38'");
  EXPECT_NE(error("1,1e400,0\n"), "");
}

TEST_F(DataCsv, WhatIsNoFiniteNumber) {
  for (const char* text : {"nan", "inf", "-inf", "NaN", "Infinity"})
    EXPECT_EQ(error(std::string("a,b\n1,0\n") + text + ",1\n"),
              "t.csv:3: column 1 (a): expected a finite number, got '" + std::string(text) + "'");
  for (const char* text : {"x", "1x", "1 2", "0x10", "1e", "--1", "+-1", "+", ".", "1,5e", "1_000"})
    EXPECT_NE(error(std::string("1,1\n\"") + text + "\",1\n").find("expected a number, got '" + std::string(text)),
              std::string::npos)
        << text;
  EXPECT_EQ(error("1,1\n,1\n"), "t.csv:2: column 1: expected a number, got an empty field");
  EXPECT_EQ(error("1,a\n2,\n"), "t.csv:1: column 2: expected a number, got 'a'");
  EXPECT_EQ(error("1,a\n2,\n", {.class_labels = true}),
            "t.csv:2: column 2: expected the name of a class, got an empty field");
}

TEST_F(DataCsv, RaggedRows) {
  EXPECT_EQ(error("a,b,y\n1,2,3\n1,2\n"), "t.csv:3: expected 3 fields as in line 1, got 2 in '1,2'");
  EXPECT_EQ(error("1,2,3\n1,2,3,4\n"), "t.csv:2: expected 3 fields as in line 1, got 4 in '1,2,3,4'");
  EXPECT_EQ(error("1,2,3\n1,2,3,\n"), "t.csv:2: expected 3 fields as in line 1, got 4 in '1,2,3,'");
}

TEST_F(DataCsv, Quotes) {
  EXPECT_EQ(error("1,2\n3,\"4\n5,6\n"), "t.csv:2: column 2: the quote before '4\\x0a5,6\\x0a' is not closed");
  EXPECT_EQ(error("1,2\n\"3\"x,4\n"),
            "t.csv:2: column 1: expected the delimiter or the end of the line after the closing quote, got 'x'");
}

TEST_F(DataCsv, EmptyFiles) {
  EXPECT_EQ(error(""), "t.csv: is empty, expected rows of numbers");
  EXPECT_EQ(error("\n \r\n"), "t.csv: is empty, expected rows of numbers");
  EXPECT_EQ(error("a,b\n"), "t.csv:1: the file has a header only, expected rows of numbers after it");
}

TEST_F(DataCsv, ColumnOptions) {
  EXPECT_EQ(error("1,2\n", {.label_columns = {2}}),
            "t.csv:1: label column 2 does not exist, expected one of 0 to 1 or -1 to -2; the table has 2 columns");
  EXPECT_NE(error("1,2\n", {.label_columns = {-3}}), "");
  EXPECT_NE(error("1,2\n", {.label_columns = {1, -1}}).find("given twice"), std::string::npos);
  EXPECT_NE(error("1,2\n", {.label_columns = {1}, .skip_columns = {-1}}).find("both a label and skipped"),
            std::string::npos);
  EXPECT_NE(error("1,2\n", {.label_columns = {0, 1}}).find("no column is left"), std::string::npos);
  EXPECT_NE(error("1\n2\n").find("no column is left"), std::string::npos);
  EXPECT_THROW(read("1,2\n", {.delimiter = '"'}), CallError);
  EXPECT_THROW(read("1,2\n", {.label_columns = {0, 1}, .class_labels = true}), CallError);
}

TEST_F(DataCsv, FilesThatCannotBeRead) {
  const auto text = [&](const std::string& path) { return testing::message_of<DataError>([&] { read_csv(path); }); };
  EXPECT_EQ(text(files_.path("none.csv")), files_.path("none.csv") + ": cannot be opened: No such file or directory");
  EXPECT_EQ(text(files_.path()), files_.path() + ": is a directory, expected a file");
  EXPECT_EQ(text("/dev/null"), "/dev/null: is not a regular file");
}

TEST_F(DataCsv, AnyBytesGiveATableOrAnError) {
  const std::string good = "a,\"b\"\r\n1.5,\"x\"\n2,y\n";
  int loaded = 0;
  for (std::size_t i = 0; i < good.size(); ++i)
    for (int byte = 0; byte < 256; ++byte) {
      std::string bad = good;
      bad[i] = static_cast<char>(byte);
      for (const std::string& text : {bad, good.substr(0, i)}) {
        try {
          loaded += read(text).size() > 0;
        } catch (const DataError&) {
        }
      }
    }
  EXPECT_GT(loaded, 0);
}

}  // namespace
}  // namespace gcompile::data
