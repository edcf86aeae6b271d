// Program -> code: a slim pipeline (common subexpressions, then code generation) and a linker in this process. The
// object is linked by RuntimeDyld itself: a session of ORC costs more than it gives to one object with one symbol.
#include <cstring>
#include <llvm/Analysis/TargetTransformInfo.h>
#include <llvm/ExecutionEngine/JITSymbol.h>
#include <llvm/ExecutionEngine/RuntimeDyld.h>
#include <llvm/ExecutionEngine/SectionMemoryManager.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Verifier.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Object/ObjectFile.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/Transforms/Scalar.h>
#include <mutex>

#include "gcompile/base/error.h"
#include "gcompile/codegen/compile.h"
#include "gcompile/codegen/llvm_emit.h"

namespace gcompile::codegen {
namespace {

// Half-way: the code is as fast as with more effort, and the scheduler after register allocation, which out-of-order
// processors do not need, is left out.
constexpr llvm::CodeGenOptLevel kEffort = llvm::CodeGenOptLevel::Less;

std::unique_ptr<llvm::TargetMachine> machine_for(const Target& target) {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
  });
  std::string error;
  const llvm::Target* t = llvm::TargetRegistry::lookupTarget(target.triple, error);
  if (!t) throw InternalError("code generation: " + error);
  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict;  // contraction is a pass over the graph, never done here
  std::unique_ptr<llvm::TargetMachine> machine(t->createTargetMachine(
      target.triple, target.cpu, target.features, options, llvm::Reloc::PIC_, llvm::CodeModel::Small, kEffort, true));
  if (!machine) throw InternalError("code generation: no machine for " + target.name);
  return machine;
}

// A program on its way to code, with everything that it needs.
struct Compilation {
  llvm::LLVMContext context;
  std::unique_ptr<llvm::TargetMachine> machine;
  std::unique_ptr<llvm::Module> module;
  llvm::legacy::PassManager passes;
  llvm::SmallString<0> output;
  llvm::raw_svector_ostream stream{output};

  Compilation(const ir::Program& program, const Target& target)
      : machine(machine_for(target)), module(emit(program, target, context)) {
    module->setDataLayout(machine->createDataLayout());
#ifndef NDEBUG
    std::string broken;
    llvm::raw_string_ostream report(broken);
    if (llvm::verifyModule(*module, &report))
      throw InternalError("code generation: LLVM refuses its module: " + broken);
#endif
    passes.add(llvm::createTargetTransformInfoWrapperPass(machine->getTargetIRAnalysis()));
    // The whole middle end: repeated loads and index arithmetic. No LICM: it would promote accumulators that are in
    // memory on purpose.
    passes.add(llvm::createEarlyCSEPass(true));
  }

  std::string assembly() {
    machine->Options.MCOptions.AsmVerbose = true;  // spills and blocks are commented
    if (machine->addPassesToEmitFile(passes, stream, nullptr, llvm::CodeGenFileType::AssemblyFile, true))
      throw InternalError("code generation: the target emits no assembly");
    passes.run(*module);
    return std::string(output);
  }
};

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

}  // namespace

runtime::NativeCode link(std::string_view object, const Target& target) {
  std::string why;
  if (!runs_here(target, &why)) throw Error("code for " + target.name + " does not run here: " + why);
  auto file = llvm::object::ObjectFile::createObjectFile(
      llvm::MemoryBufferRef(llvm::StringRef(object.data(), object.size()), "gcompile"));
  if (!file) throw InternalError("code generation: " + llvm::toString(file.takeError()));
  auto memory = std::make_shared<llvm::SectionMemoryManager>();
  Resolver resolver;
  llvm::RuntimeDyld linker(*memory, resolver);
  linker.loadObject(**file);
  linker.finalizeWithMemoryManagerLocking();
  if (linker.hasError()) throw InternalError("code generation: " + linker.getErrorString().str());
  const auto entry = static_cast<std::uintptr_t>(linker.getSymbol(kEntryName).getAddress());
  if (!entry) throw InternalError("code generation: the object has no entry");
  return {reinterpret_cast<runtime::Native>(entry), std::move(memory)};
}

runtime::NativeCode jit(const ir::Program& program, const Target& target) {
  std::string why;
  if (!runs_here(target, &why)) throw Error("code for " + target.name + " does not run here: " + why);
  return link(emit_object(program, target), target);
}

std::string emit_llvm(const ir::Program& program, const Target& target) {
  Compilation c(program, target);
  c.passes.run(*c.module);
  c.module->print(c.stream, nullptr);
  return std::string(c.output);
}

std::string emit_assembly(const ir::Program& program, const Target& target) {
  return Compilation(program, target).assembly();
}

std::string emit_object(const ir::Program& program, const Target& target) {
  Compilation c(program, target);
  llvm::MCContext* context = nullptr;
  if (c.machine->addPassesToEmitMC(c.passes, context, c.stream, true))
    throw InternalError("code generation: the target emits no object code");
  c.passes.run(*c.module);
  return std::string(c.output);
}

}  // namespace gcompile::codegen
