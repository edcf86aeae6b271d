#include "gcompile/codegen/perf_map.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string_view>
#include <system_error>

namespace gcompile::codegen {

bool perf_map_wanted() {
  const char* value = std::getenv("GCOMPILE_PERF_MAP");
  return value && *value && std::string_view(value) != "0";
}

std::string perf_map_path() { return "/tmp/perf-" + std::to_string(::getpid()) + ".map"; }

void append_to_perf_map(std::span<const CodeSymbol> symbols) {
  std::string text;
  for (const CodeSymbol& s : symbols) {
    char numbers[48];
    std::snprintf(numbers, sizeof numbers, "%llx %llx ", static_cast<unsigned long long>(s.address),
                  static_cast<unsigned long long>(s.bytes));
    text += numbers + s.name + "\n";
  }
  const int file = ::open(perf_map_path().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
  struct stat info {};
  bool written = false;
  if (file >= 0 && ::fstat(file, &info) == 0) {
    errno = EPERM;
    written = S_ISREG(info.st_mode) && info.st_uid == ::geteuid() &&
              ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  }
  const std::string why = std::generic_category().message(errno);
  if (file >= 0) ::close(file);
  static std::atomic<bool> warned{false};
  if (!written && !warned.exchange(true))
    std::cerr << "gcompile: GCOMPILE_PERF_MAP: " << perf_map_path() << ": " << why << "; kernels have no names there\n";
}

}  // namespace gcompile::codegen
