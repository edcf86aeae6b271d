// Reads a table of numbers from a CSV file (RFC 4180, and what is common besides: CRLF, CR or LF, a byte order mark,
// spaces around fields, blank lines, any one-byte delimiter). All or nothing: a file that is not as expected throws.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gcompile/runtime/data/dataset.h"

namespace gcompile::data {

struct CsvOptions {
  // Which columns are labels, from 0; negative ones count from the end. Empty: the labels are [N,0].
  std::vector<int> label_columns = {-1};
  // Whether the first row holds names; unset: it does if it has text and no field of it is a number.
  std::optional<bool> header = std::nullopt;
  char delimiter = ',';
  // Take the texts of the (single) label column as names of classes, even where they are numbers.
  bool class_labels = false;
  // Columns to leave out, counted as label_columns; they may hold any text.
  std::vector<int> skip_columns = {};
};

// Inputs f32[N,F] from all other columns, in the file's order. Labels f32[N,L] in the order of label_columns; or, for
// one label column without any number in it (or with class_labels), class indices i32[N] into class_names(), which are
// sorted (by value when all are numbers). Numbers are decimal and finite; what is too small for f32 becomes 0.
//
// Throws DataError and loads nothing: a missing or unreadable file, a folder, no data rows, a row with another number
// of fields, a field that is no finite number (empty, text, nan, inf, too large), a quote that is not closed, a column
// option outside the table. The message has file, line, column number (from 1) and name, the text and what was
// expected.
Table read_csv(const std::string& path, const CsvOptions& options = {});

}  // namespace gcompile::data
