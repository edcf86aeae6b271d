// Object, or an archive of some -> code in this process. It is linked by RuntimeDyld itself: a session of ORC costs
// more than it gives to few objects with one symbol.
#include <cstring>
#include <llvm/ExecutionEngine/JITSymbol.h>
#include <llvm/ExecutionEngine/RuntimeDyld.h>
#include <llvm/ExecutionEngine/SectionMemoryManager.h>
#include <llvm/Object/Archive.h>
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
  std::vector<std::shared_ptr<void>> gdb = {};  // go first
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

using Objects = std::vector<std::unique_ptr<llvm::object::ObjectFile>>;

// The object, or those in the archive.
Objects objects_in(std::string_view bytes) {
  const auto fail = [](llvm::Error error) -> Objects {
    throw InternalError("code generation: " + llvm::toString(std::move(error)));
  };
  const llvm::MemoryBufferRef buffer(llvm::StringRef(bytes.data(), bytes.size()), "gcompile");
  Objects objects;
  if (!bytes.starts_with(llvm::object::ArchiveMagic)) {
    auto object = llvm::object::ObjectFile::createObjectFile(buffer);
    if (!object) return fail(object.takeError());
    objects.push_back(std::move(*object));
    return objects;
  }
  auto archive = llvm::object::Archive::create(buffer);
  if (!archive) return fail(archive.takeError());
  llvm::Error error = llvm::Error::success();
  for (const llvm::object::Archive::Child& child : (*archive)->children(error)) {
    auto member = child.getMemoryBufferRef();
    if (!member) return fail(llvm::joinErrors(std::move(error), member.takeError()));
    auto object = llvm::object::ObjectFile::createObjectFile(*member);
    if (!object) return fail(llvm::joinErrors(std::move(error), object.takeError()));
    objects.push_back(std::move(*object));
  }
  if (error) return fail(std::move(error));
  if (objects.empty()) throw InternalError("code generation: an archive without objects");
  return objects;
}

}  // namespace

runtime::NativeCode link(std::string_view object, const Target& target, const CodeOptions& options) {
  std::string why;
  if (!runs_here(target, &why)) throw Error("code for " + target.name + " does not run here: " + why);
  const Objects objects = objects_in(object);
  auto linked = std::make_shared<Linked>();
  Resolver resolver;
  llvm::RuntimeDyld linker(linked->memory, resolver);
  std::vector<std::unique_ptr<llvm::RuntimeDyld::LoadedObjectInfo>> loaded;
  for (const auto& o : objects) loaded.push_back(linker.loadObject(*o));
  linker.finalizeWithMemoryManagerLocking();
  if (linker.hasError()) throw InternalError("code generation: " + linker.getErrorString().str());
  const auto entry = static_cast<std::uintptr_t>(linker.getSymbol(kEntryName).getAddress());
  if (!entry) throw InternalError("code generation: the object has no entry");
  for (std::size_t i = 0; i < objects.size(); ++i) {
    if (perf_map_wanted()) append_to_perf_map(functions_of(*objects[i], *loaded[i]));
    if (!options.debug_info) continue;
    const auto with_addresses = loaded[i]->getObjectForDebug(*objects[i]);
    linked->gdb.push_back(register_with_gdb(with_addresses.getBinary()->getData().str()));
  }
  return {reinterpret_cast<runtime::Native>(entry), std::move(linked)};
}

}  // namespace gcompile::codegen
