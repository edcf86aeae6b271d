#include "gcompile/codegen/host.h"

#include <algorithm>
#include <llvm/ADT/StringMap.h>
#include <llvm/TargetParser/Host.h>

namespace gcompile::codegen {
namespace {

Host detect() {
  Host h;
  h.cpu = llvm::sys::getHostCPUName().str();
  std::vector<std::string> flags;
  for (const auto& feature : llvm::sys::getHostCPUFeatures()) {
    flags.push_back((feature.second ? "+" : "-") + feature.first().str());
    if (feature.second) h.enabled.push_back(feature.first().str());
  }
  // A hash table has no order; the target record must be the same in every process.
  std::sort(flags.begin(), flags.end());
  std::sort(h.enabled.begin(), h.enabled.end());
  for (const std::string& f : flags) h.features += (h.features.empty() ? "" : ",") + f;
  return h;
}

}  // namespace

bool Host::has(std::string_view feature) const {
  return std::binary_search(enabled.begin(), enabled.end(), feature, std::less<std::string_view>{});
}

const Host& host() {
  static const Host h = detect();
  return h;
}

}  // namespace gcompile::codegen
