// The text of a CSV file cut into records and fields, with the places they came from. Numbers and labels are made of
// them in csv.cpp.
#pragma once

#include <cstddef>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gcompile::data {

// Fields are views into the text that is held here; spaces and tabs around them and their quotes are taken off.
class CsvText {
 public:
  struct Record {
    std::size_t line;      // where it begins, from 1
    std::size_t first;     // its first field
    std::size_t count;     // number of fields
    std::string_view raw;  // without the line end
  };

  // Reads and cuts the file; blank lines are left out. Throws DataError for a file that cannot be read, a quote that is
  // not closed, and text after a closing quote.
  CsvText(const std::string& path, char delimiter);
  CsvText(const CsvText&) = delete;
  CsvText& operator=(const CsvText&) = delete;

  std::span<const Record> records() const { return records_; }
  std::string_view field(const Record& record, std::size_t column) const { return fields_[record.first + column]; }

 private:
  std::string text_;
  std::deque<std::string> unescaped_;  // fields with doubled quotes: their text is not in the file
  std::vector<std::string_view> fields_;
  std::vector<Record> records_;
};

}  // namespace gcompile::data
