#include "gcompile/codegen/dump.h"

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "gcompile/base/error.h"
#include "gcompile/runtime/file_io.h"

namespace gcompile::codegen {
namespace {

// Numbers the compilations of the process; only the names of files depend on it.
int next_number() {
  static std::atomic<int> last{-1};
  return ++last;
}

void warn_once(const std::string& message) {
  static std::atomic<bool> warned{false};
  if (!warned.exchange(true)) std::cerr << "gcompile: GCOMPILE_DUMP: " << message << "; nothing is dumped\n";
}

std::string padded(int number, int digits) {
  char text[16];
  std::snprintf(text, sizeof text, "%0*d", digits, number);
  return text;
}

// A graph's name may hold anything; a file's name should not.
std::string file_name(const std::string& name) {
  std::string out;
  for (const char c : name.substr(0, 64)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    out += plain ? c : '-';
  }
  return out.empty() ? "graph" : out;
}

std::string suffix(const std::string& level) {
  constexpr std::array<std::array<const char*, 2>, 5> kSuffixes{
      {{"graph", ".gir"}, {"kernel", ".kir"}, {"program", ".txt"}, {"llvm", ".ll"}, {"asm", ".s"}}};
  for (const auto& [name, text] : kSuffixes)
    if (level == name) return text;
  return ".txt";
}

}  // namespace

Dump::Dump(const std::string& folder, const std::string& graph_name) {
  if (folder.empty()) return;
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    warn_once(folder + ": " + error.message());
    return;
  }
  prefix_ = folder + "/" + padded(next_number(), 4) + "-" + file_name(graph_name) + "-";
}

Dump Dump::from_environment(const std::string& graph_name) {
  const char* folder = std::getenv("GCOMPILE_DUMP");
  return Dump(folder ? folder : "", graph_name);
}

void Dump::write(const std::string& stage, const std::string& level, const std::string& text) {
  if (!active()) return;
  const std::array<std::string_view, 1> parts{text};
  try {
    runtime::write_file_atomically(prefix_ + padded(stage_++, 2) + "-" + file_name(stage) + suffix(level), parts);
  } catch (const DataError& e) {
    prefix_.clear();
    warn_once(e.what());
  }
}

}  // namespace gcompile::codegen
