// GCOMPILE_PERF_MAP=1: the kernels of every program are added to /tmp/perf-PID.map as they are linked, where `perf
// report` looks for the names of code that is in no file. A line is "address bytes name", the numbers in hexadecimal.
// For debugging only.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace gcompile::codegen {

struct CodeSymbol {
  std::uint64_t address, bytes;
  std::string name;
};

bool perf_map_wanted();
// The file of this process.
std::string perf_map_path();
// What cannot be written is one warning on stderr. A file that is another user's, or a link, is not written to.
void append_to_perf_map(std::span<const CodeSymbol> symbols);

}  // namespace gcompile::codegen
