#include "gcompile/runtime/data/csv_text.h"

#include "gcompile/base/error.h"
#include "gcompile/runtime/file_io.h"

namespace gcompile::data {
namespace {

// A position in the text that knows its line. Line ends are LF, CRLF and CR.
class Cursor {
 public:
  Cursor(std::string_view text, char delimiter) : text_(text), delimiter_(delimiter) {}

  bool at_end() const { return position_ == text_.size(); }
  bool at_line_end() const { return at_end() || text_[position_] == '\n' || text_[position_] == '\r'; }
  bool at_delimiter() const { return !at_end() && text_[position_] == delimiter_; }
  bool at(char c) const { return !at_end() && text_[position_] == c; }
  void skip_spaces() {
    while (!at_end() && !at_delimiter() && (at(' ') || at('\t'))) ++position_;
  }
  void step() {
    const bool ends_line = at('\n') || (at('\r') && text_.substr(position_ + 1, 1) != "\n");
    if (ends_line) ++line_;
    ++position_;
  }
  void skip_line_end() {
    const bool carriage_return = at('\r');
    if (carriage_return || at('\n')) step();
    if (carriage_return && at('\n')) step();
  }
  std::size_t position() const { return position_; }
  std::size_t line() const { return line_; }

 private:
  std::string_view text_;
  char delimiter_;
  std::size_t position_ = 0;
  std::size_t line_ = 1;
};

// Takes one field after the other off the text.
class FieldReader {
 public:
  FieldReader(const std::string& path, std::string_view text, char delimiter, std::deque<std::string>& unescaped)
      : path_(path), text_(text), cursor_(text, delimiter), unescaped_(unescaped) {}

  Cursor& cursor() { return cursor_; }

  // The field at the cursor, which is column `column` (from 1); leaves the cursor at a delimiter or a line's end.
  std::string_view next(std::size_t column) {
    cursor_.skip_spaces();
    if (!cursor_.at('"')) return rest_of_field();
    const std::string_view value = between_quotes(column);
    cursor_.skip_spaces();
    if (const std::string_view rest = rest_of_field(); !rest.empty())
      fail(cursor_.line(), column,
           "expected the delimiter or the end of the line after the closing quote, got " + runtime::quoted(rest));
    return value;
  }

 private:
  [[noreturn]] void fail(std::size_t line, std::size_t column, const std::string& what) const {
    throw DataError(path_ + ":" + std::to_string(line) + ": column " + std::to_string(column) + ": " + what);
  }

  std::string_view rest_of_field() {
    const std::size_t begin = cursor_.position();
    while (!cursor_.at_delimiter() && !cursor_.at_line_end()) cursor_.step();
    std::string_view text = text_.substr(begin, cursor_.position() - begin);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
  }

  // The text up to the closing quote; two quotes stand for one.
  std::string_view between_quotes(std::size_t column) {
    const std::size_t line = cursor_.line();
    cursor_.step();
    std::string value;
    for (bool doubled = false;; doubled = true) {
      const std::size_t begin = cursor_.position();
      while (!cursor_.at_end() && !cursor_.at('"')) cursor_.step();
      const std::string_view part = text_.substr(begin, cursor_.position() - begin);
      if (cursor_.at_end()) fail(line, column, "the quote before " + runtime::quoted(part) + " is not closed");
      cursor_.step();
      if (!cursor_.at('"')) return doubled ? unescaped_.emplace_back(value.append(part)) : part;
      value.append(part) += '"';
      cursor_.step();
    }
  }

  const std::string& path_;
  std::string_view text_;
  Cursor cursor_;
  std::deque<std::string>& unescaped_;
};

}  // namespace

CsvText::CsvText(const std::string& path, char delimiter) : text_(runtime::read_file(path)) {
  std::string_view text = text_;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  FieldReader reader(path, text, delimiter, unescaped_);
  Cursor& cursor = reader.cursor();
  while (!cursor.at_end()) {
    Record record{cursor.line(), fields_.size(), 0, {}};
    const std::size_t begin = cursor.position();
    for (bool more = true; more;) {
      fields_.push_back(reader.next(++record.count));
      more = cursor.at_delimiter();
      if (more) cursor.step();
    }
    record.raw = text.substr(begin, cursor.position() - begin);
    cursor.skip_line_end();
    const bool blank = record.raw.find_first_not_of(" \t") == std::string_view::npos;
    if (blank && record.count == 1)
      fields_.pop_back();
    else
      records_.push_back(record);
  }
}

}  // namespace gcompile::data
