// Where the examples find their data: data/NAME below the current folder or below this source tree.
#pragma once

#include <filesystem>
#include <source_location>
#include <string>

inline std::string data_path(const std::string& name,
                             const std::source_location& here = std::source_location::current()) {
  const std::filesystem::path local = std::filesystem::path("data") / name;
  const std::filesystem::path source = std::filesystem::path(here.file_name()).parent_path().parent_path();
  return std::filesystem::exists(local) ? local.string() : (source / local).string();
}
