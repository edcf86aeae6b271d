#include "gcompile/runtime/data/csv.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <numeric>

#include "gcompile/base/error.h"
#include "gcompile/runtime/data/csv_text.h"
#include "gcompile/runtime/file_io.h"

namespace gcompile::data {
namespace {

struct Number {
  enum { kOk, kNotANumber, kNotFinite, kTooLarge } status;
  float value = 0;
};

Number parse_number(std::string_view text) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  const char* const end = text.data() + text.size();
  float value = 0;
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (stop != end || error == std::errc::invalid_argument) return {Number::kNotANumber};
  if (error == std::errc::result_out_of_range) {  // too large, or so small that it is 0
    double wide = 0;
    const bool in_double = std::from_chars(text.data(), end, wide).ec == std::errc();
    if (in_double ? std::abs(wide) < 1 : text.find("e-") != text.npos || text.find("E-") != text.npos)
      return {Number::kOk, static_cast<float>(wide)};
    return {Number::kTooLarge};
  }
  if (!std::isfinite(value)) return {Number::kNotFinite};
  return {Number::kOk, value};
}

bool is_number(std::string_view text) { return parse_number(text).status != Number::kNotANumber; }

// The table while it is read: the text, and what each column is.
class Reader {
 public:
  Reader(const std::string& path, const CsvOptions& options)
      : path_(path), options_(options), text_(path, options.delimiter), rows_(text_.records()) {
    if (rows_.empty()) throw DataError(path_ + ": is empty, expected rows of numbers");
    columns_ = rows_.front().count;
    if (options.header.value_or(looks_like_header())) {
      header_ = rows_.front();
      rows_ = rows_.subspan(1);
      if (rows_.empty())
        throw DataError(path_ + ":" + std::to_string(header_->line) +
                        ": the file has a header only, expected rows of numbers after it");
    }
    labels_ = columns_of(options.label_columns, "label");
    const std::vector<std::size_t> skipped = columns_of(options.skip_columns, "skip");
    for (std::size_t c = 0; c < columns_; ++c) {
      const bool label = std::count(labels_.begin(), labels_.end(), c) > 0;
      const bool skip = std::count(skipped.begin(), skipped.end(), c) > 0;
      if (label && skip) fail_columns("column " + std::to_string(c) + " is both a label and skipped");
      if (!label && !skip) inputs_.push_back(c);
    }
    if (inputs_.empty()) fail_columns("no column is left for the inputs");
    check_row_lengths();
  }

  Table table() const {
    Array inputs = numbers(inputs_);
    TableNames names{names_of(inputs_), names_of(labels_), {}};
    if (labels_.size() != 1 || !has_class_labels()) {
      Array labels = numbers(labels_);
      return {std::move(inputs), std::move(labels), std::move(names)};
    }
    Array labels(DType::kI32, {static_cast<std::int64_t>(rows_.size())});
    names.classes = classes(labels_[0], labels.mutable_data<std::int32_t>());
    return {std::move(inputs), std::move(labels), std::move(names)};
  }

 private:
  using Record = CsvText::Record;

  bool looks_like_header() const {
    bool has_text = false;
    for (std::size_t c = 0; c < columns_; ++c) {
      const std::string_view field = text_.field(rows_.front(), c);
      if (is_number(field)) return false;
      has_text = has_text || !field.empty();
    }
    return has_text;
  }

  // The columns an option names, counted from 0.
  std::vector<std::size_t> columns_of(const std::vector<int>& option, const char* what) const {
    const auto count = static_cast<std::int64_t>(columns_);
    std::vector<std::size_t> columns;
    for (std::int64_t given : option) {
      const std::int64_t column = given < 0 ? given + count : given;
      if (column < 0 || column >= count)
        fail_columns(std::string(what) + " column " + std::to_string(given) + " does not exist, expected one of 0 to " +
                     std::to_string(count - 1) + " or -1 to -" + std::to_string(count));
      columns.push_back(static_cast<std::size_t>(column));
      if (std::count(columns.begin(), columns.end(), columns.back()) > 1)
        fail_columns(std::string(what) + " column " + std::to_string(given) + " is given twice");
    }
    return columns;
  }

  [[noreturn]] void fail_columns(const std::string& what) const {
    const Record& first = header_ ? *header_ : rows_.front();
    throw DataError(path_ + ":" + std::to_string(first.line) + ": " + what + "; the table has " +
                    std::to_string(columns_) + (columns_ == 1 ? " column" : " columns"));
  }

  [[noreturn]] void fail_field(const Record& row, std::size_t column, const std::string& expected) const {
    std::string place = path_ + ":" + std::to_string(row.line) + ": column " + std::to_string(column + 1);
    if (header_) place += " (" + std::string(text_.field(*header_, column)) + ")";
    const std::string_view field = text_.field(row, column);
    throw DataError(place + ": expected " + expected + ", got " +
                    (field.empty() ? "an empty field" : runtime::quoted(field)));
  }

  void check_row_lengths() const {
    for (const Record& row : rows_)
      if (row.count != columns_)
        throw DataError(path_ + ":" + std::to_string(row.line) + ": expected " + std::to_string(columns_) +
                        " fields as in line " + std::to_string(header_ ? header_->line : rows_.front().line) +
                        ", got " + std::to_string(row.count) + " in " + runtime::quoted(row.raw));
  }

  float number(const Record& row, std::size_t column) const {
    const Number parsed = parse_number(text_.field(row, column));
    switch (parsed.status) {
      case Number::kOk: return parsed.value;
      case Number::kNotANumber: fail_field(row, column, "a number");
      case Number::kNotFinite: fail_field(row, column, "a finite number");
      case Number::kTooLarge: fail_field(row, column, "a number in the range of f32 (up to 3.4e38)");
    }
    return 0;
  }

  Array numbers(const std::vector<std::size_t>& columns) const {
    Array out = Array::uninitialized(
        DType::kF32, {static_cast<std::int64_t>(rows_.size()), static_cast<std::int64_t>(columns.size())});
    float* next = out.mutable_data<float>().data();
    for (const Record& row : rows_)
      for (std::size_t column : columns) *next++ = number(row, column);
    return out;
  }

  // One label column is one of classes when asked for, or when no label is a number. With both, a number among names or
  // a name among numbers is a mistake in the file, and reading the column as numbers reports it.
  bool has_class_labels() const {
    return options_.class_labels || std::none_of(rows_.begin(), rows_.end(), [&](const Record& row) {
             const std::string_view field = text_.field(row, labels_[0]);
             return field.empty() || is_number(field);
           });
  }

  // Writes the class index of each row and returns the names, sorted: by value when all are numbers, else as text.
  std::vector<std::string> classes(std::size_t column, std::span<std::int32_t> indices) const {
    bool numeric = true;
    for (const Record& row : rows_) {
      if (text_.field(row, column).empty()) fail_field(row, column, "the name of a class");
      numeric = numeric && parse_number(text_.field(row, column)).status == Number::kOk;
    }
    const auto before = [numeric](std::string_view a, std::string_view b) {
      return numeric ? parse_number(a).value < parse_number(b).value : a < b;
    };
    std::map<std::string_view, std::int32_t, decltype(before)> index_of(before);
    for (const Record& row : rows_) index_of.emplace(text_.field(row, column), 0);
    std::vector<std::string> names;
    for (auto& [name, index] : index_of) {
      index = static_cast<std::int32_t>(names.size());
      names.emplace_back(name);
    }
    for (std::size_t r = 0; r < rows_.size(); ++r) indices[r] = index_of.at(text_.field(rows_[r], column));
    return names;
  }

  std::vector<std::string> names_of(const std::vector<std::size_t>& columns) const {
    std::vector<std::string> names;
    if (header_)
      for (std::size_t column : columns) names.emplace_back(text_.field(*header_, column));
    return names;
  }

  const std::string& path_;
  const CsvOptions& options_;
  CsvText text_;
  std::span<const Record> rows_;  // without the header
  std::optional<Record> header_;
  std::size_t columns_ = 0;
  std::vector<std::size_t> inputs_, labels_;
};

}  // namespace

Table read_csv(const std::string& path, const CsvOptions& options) {
  if (options.delimiter == '"' || options.delimiter == '\n' || options.delimiter == '\r')
    throw CallError("read_csv: a quote or a line end cannot be the delimiter");
  if (options.class_labels && options.label_columns.size() != 1)
    throw CallError("read_csv: class_labels needs exactly one label column");
  return Reader(path, options).table();
}

}  // namespace gcompile::data
