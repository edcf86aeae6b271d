#include <algorithm>
#include <llvm/ADT/StringMap.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/TargetParser/Host.h>
#include <memory>

#include "gcompile/codegen/host.h"

namespace gcompile::codegen {
namespace {

std::string joined(const std::vector<std::string>& flags) {
  std::string text;
  for (const std::string& f : flags) text += (text.empty() ? "" : ",") + f;
  return text;
}

// Those of the flags that the processor's name does not imply: LLVM reads all of them anew for every module, which took
// a millisecond for the hundred that a processor has. All, should what is left ever mean something else.
std::string beyond_the_name(const std::string& cpu, const std::vector<std::string>& flags) {
  LLVMInitializeX86TargetInfo();
  LLVMInitializeX86TargetMC();
  const std::string triple = llvm::sys::getProcessTriple();
  std::string all = joined(flags), error;
  const llvm::Target* target = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target) return all;
  const auto bits_with = [&](const std::string& features) {
    const std::unique_ptr<llvm::MCSubtargetInfo> info(target->createMCSubtargetInfo(triple, cpu, features));
    return info ? info->getFeatureBits() : llvm::FeatureBitset();
  };
  const std::unique_ptr<llvm::MCSubtargetInfo> named(target->createMCSubtargetInfo(triple, cpu, ""));
  if (!named) return all;
  std::vector<std::string> left;
  for (const std::string& flag : flags)
    for (const llvm::SubtargetFeatureKV& known : named->getAllProcessorFeatures())
      if (flag.substr(1) == known.Key && named->getFeatureBits().test(known.Value) != (flag[0] == '+'))
        left.push_back(flag);
  std::string text = joined(left);
  return bits_with(text) == bits_with(all) ? text : all;
}

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
  h.features = beyond_the_name(h.cpu, flags);
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
