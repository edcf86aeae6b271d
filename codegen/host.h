// What LLVM knows of the processor this process runs on. No LLVM header is included here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gcompile::codegen {

struct Host {
  std::string cpu;                   // LLVM's name: "znver4"
  std::string features;              // what it has beyond, or lacks of, what LLVM knows of that name: "-sse4a,..."
  std::vector<std::string> enabled;  // names of the features that are on, sorted

  bool has(std::string_view feature) const;
};

// Asks the processor at the first call only.
const Host& host();

}  // namespace gcompile::codegen
