// Program -> LLVM IR, assembly, object: a slim pipeline, common subexpressions and then code generation.
#include <llvm/Analysis/TargetTransformInfo.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Verifier.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/Transforms/Scalar.h>
#include <map>
#include <mutex>

#include "gcompile/base/error.h"
#include "gcompile/codegen/annotate_assembly.h"
#include "gcompile/codegen/compile.h"
#include "gcompile/codegen/llvm_emit.h"
#include "gcompile/codegen/llvm_kernel.h"

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

  Compilation(const ir::Program& program, const Target& target, const EmitOptions& options = {})
      : machine(machine_for(target)), module(emit(program, target, context, options)) {
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

EmitOptions emit_options(const CodeOptions& options) {
  EmitOptions emit{.profile = options.profile};
  if (options.debug_info) emit.lines = DebugInfo::Kind::kTables;
  return emit;
}

}  // namespace

runtime::NativeCode jit(const ir::Program& program, const Target& target, const CodeOptions& options) {
  std::string why;
  if (!runs_here(target, &why)) throw Error("code for " + target.name + " does not run here: " + why);
  return link(emit_object(program, target, options), target, options);
}

std::string emit_llvm(const ir::Program& program, const Target& target, const CodeOptions& options) {
  Compilation c(program, target, emit_options(options));
  c.passes.run(*c.module);
  c.module->print(c.stream, nullptr);
  return std::string(c.output);
}

std::string emit_assembly(const ir::Program& program, const Target& target) {
  std::string text = Compilation(program, target, {.lines = DebugInfo::Kind::kDirectives}).assembly();
  std::map<std::string, std::string> functions;
  for (const ir::Kernel& k : program.module.kernels) {
    std::string& about = functions[function_name(program, k)];
    about = "kernel " + k.name;
    for (std::size_t i = 0; i < k.locations.size(); ++i) about += (i == 0 ? ": " : ", ") + k.locations[i].str();
  }
  return annotate_assembly(text, functions);
}

std::string emit_object(const ir::Program& program, const Target& target, const CodeOptions& options) {
  Compilation c(program, target, emit_options(options));
  llvm::MCContext* context = nullptr;
  if (c.machine->addPassesToEmitMC(c.passes, context, c.stream, true))
    throw InternalError("code generation: the target emits no object code");
  c.passes.run(*c.module);
  return std::string(c.output);
}

}  // namespace gcompile::codegen
