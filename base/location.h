// Where in the user's program (or .gir text) something was written. A Location travels from the DSL through every
// level of the compiler into error messages, dumps and profiles. It is a plain value; it takes no part in equality
// of graph nodes.
#pragma once

#include <cstdint>
#include <source_location>
#include <string>

namespace gcompile {

struct Location {
  std::string file;        // as the compiler or the parser saw it; empty when unknown
  std::uint32_t line = 0;  // 1-based; 0 when unknown

  static Location from(const std::source_location& where) { return {where.file_name(), where.line()}; }

  bool known() const { return !file.empty(); }
  // "model.cpp:14": the last component of the file's path and the line; "<unknown>" when unknown.
  std::string str() const;

  friend bool operator==(const Location&, const Location&) = default;
};

}  // namespace gcompile
