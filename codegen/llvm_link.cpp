// Object -> code in this process. The object is linked by RuntimeDyld itself: a session of ORC costs more than it gives
// to one object with one symbol.
#include <cstring>
#include <llvm/ExecutionEngine/JITSymbol.h>
#include <llvm/ExecutionEngine/RuntimeDyld.h>
#include <llvm/ExecutionEngine/SectionMemoryManager.h>
#include <llvm/Object/ELFObjectFile.h>

#include "gcompile/base/error.h"
#include "gcompile/codegen/compile.h"
#include "gcompile/codegen/gdb.h"
#include "gcompile/codegen/llvm_emit.h"
#include "gcompile/codegen/perf_map.h"

namespace gcompile::codegen {
namespace {

// What generated code may call.
class Resolver final : public llvm::JITSymbolResolver {
 public:
  void lookup(const LookupSet& names, OnResolvedFunction resolved) override {
    LookupResult result;
    for (llvm::StringRef name : names) {
      const void* address = name == "memcpy"    ? reinterpret_cast<const void*>(&std::memcpy)
                            : name == "memset"  ? reinterpret_cast<const void*>(&std::memset)
                            : name == "memmove" ? reinterpret_cast<const void*>(&std::memmove)
                                                : nullptr;
      if (!address) return resolved(llvm::createStringError("the generated code calls %s", name.str().c_str()));
      result[name] = {reinterpret_cast<std::uintptr_t>(address), llvm::JITSymbolFlags::Exported};
    }
    resolved(std::move(result));
  }
  llvm::Expected<LookupSet> getResponsibilitySet(const LookupSet&) override { return LookupSet(); }
};

// Code in this process.
struct Linked {
  llvm::SectionMemoryManager memory;
  std::shared_ptr<void> gdb = nullptr;  // goes first
};

std::vector<CodeSymbol> functions_of(const llvm::object::ObjectFile& file,
                                     const llvm::RuntimeDyld::LoadedObjectInfo& loaded) {
  std::vector<CodeSymbol> functions;
  for (const llvm::object::ELFSymbolRef symbol : llvm::cast<llvm::object::ELFObjectFileBase>(file).symbols()) {
    if (symbol.getELFType() != llvm::ELF::STT_FUNC) continue;
    auto name = symbol.getName();
    auto section = symbol.getSection();
    auto offset = symbol.getValue();
    if (!name || !section || !offset || *section == file.section_end())
      throw InternalError("code generation: a function of the object is nowhere");
    functions.push_back({loaded.getSectionLoadAddress(**section) + *offset, symbol.getSize(), name->str()});
  }
  return functions;
}

}  // namespace

runtime::NativeCode link(std::string_view object, const Target& target, const CodeOptions& options) {
  std::string why;
  if (!runs_here(target, &why)) throw Error("code for " + target.name + " does not run here: " + why);
  auto file = llvm::object::ObjectFile::createObjectFile(
      llvm::MemoryBufferRef(llvm::StringRef(object.data(), object.size()), "gcompile"));
  if (!file) throw InternalError("code generation: " + llvm::toString(file.takeError()));
  auto linked = std::make_shared<Linked>();
  Resolver resolver;
  llvm::RuntimeDyld linker(linked->memory, resolver);
  const auto loaded = linker.loadObject(**file);
  linker.finalizeWithMemoryManagerLocking();
  if (linker.hasError()) throw InternalError("code generation: " + linker.getErrorString().str());
  const auto entry = static_cast<std::uintptr_t>(linker.getSymbol(kEntryName).getAddress());
  if (!entry) throw InternalError("code generation: the object has no entry");
  if (perf_map_wanted()) append_to_perf_map(functions_of(**file, *loaded));
  if (options.debug_info) {
    const auto with_addresses = loaded->getObjectForDebug(**file);
    linked->gdb = register_with_gdb(with_addresses.getBinary()->getData().str());
  }
  return {reinterpret_cast<runtime::Native>(entry), std::move(linked)};
}

}  // namespace gcompile::codegen
