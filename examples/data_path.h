// Where the examples find their data: data/NAME below the current folder, or else in the source tree, whose folder the
// build names (a path in __FILE__ may be relative to a folder that is long gone).
#pragma once

#include <filesystem>
#include <string>

#ifndef GCOMPILE_EXAMPLES_DATA
#define GCOMPILE_EXAMPLES_DATA "data"
#endif

inline std::string data_path(const std::string& name) {
  const std::filesystem::path local = std::filesystem::path("data") / name;
  return std::filesystem::exists(local) ? local.string()
                                        : (std::filesystem::path(GCOMPILE_EXAMPLES_DATA) / name).string();
}
