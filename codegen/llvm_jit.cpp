// Program -> LLVM IR, assembly, object: a slim pipeline, common subexpressions and then code generation. Large programs
// are cut into modules, each with a context of its own, that threads compile side by side.
#include <chrono>
#include <exception>
#include <functional>
#include <list>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Verifier.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Object/ArchiveWriter.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Target/TargetMachine.h>
#include <map>
#include <mutex>
#include <tuple>

#include "gcompile/base/error.h"
#include "gcompile/codegen/annotate_assembly.h"
#include "gcompile/codegen/compile.h"
#include "gcompile/codegen/llvm_emit.h"
#include "gcompile/codegen/llvm_kernel.h"
#include "gcompile/codegen/llvm_pipeline.h"
#include "gcompile/codegen/parts.h"
#include "gcompile/runtime/thread_pool.h"

namespace gcompile::codegen {
namespace {

// Half-way: the code is as fast as with more effort, and the scheduler after register allocation, which out-of-order
// processors do not need, is left out.
constexpr llvm::CodeGenOptLevel kEffort = llvm::CodeGenOptLevel::Less;
// For code that runs once. Instructions are selected as for other code (llvm_pipeline.cpp).
constexpr llvm::CodeGenOptLevel kQuick = llvm::CodeGenOptLevel::None;

std::unique_ptr<llvm::TargetMachine> machine_for(const Target& target, bool quick) {
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
  std::unique_ptr<llvm::TargetMachine> machine(
      t->createTargetMachine(target.triple, target.cpu, target.features, options, llvm::Reloc::PIC_,
                             llvm::CodeModel::Small, quick ? kQuick : kEffort, true));
  if (!machine) throw InternalError("code generation: no machine for " + target.name);
  return machine;
}

// Machines that no thread works with at the moment. To make one, with the table of what the processor has, takes as
// long as to compile a small kernel.
class IdleMachines {
 public:
  using Key = std::tuple<std::string, std::string, std::string, bool>;
  using Machine = std::unique_ptr<llvm::TargetMachine>;

  static IdleMachines& shared() {
    static IdleMachines all;
    return all;
  }
  Machine take(const Target& target, bool quick) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (const auto it = idle_.find(key(target, quick)); it != idle_.end()) {
        Machine machine = std::move(it->second);
        idle_.erase(it);
        return machine;
      }
    }
    return machine_for(target, quick);
  }
  void give_back(const Target& target, bool quick, Machine machine) {
    const std::lock_guard<std::mutex> lock(mutex_);
    idle_.emplace(key(target, quick), std::move(machine));
  }

 private:
  static Key key(const Target& target, bool quick) { return {target.triple, target.cpu, target.features, quick}; }

  std::mutex mutex_;
  std::multimap<Key, Machine> idle_;
};

// A machine from there, and back.
class LentMachine {
 public:
  LentMachine(const Target& target, bool quick)
      : target_(target), quick_(quick), machine_(IdleMachines::shared().take(target, quick)) {}
  ~LentMachine() { IdleMachines::shared().give_back(target_, quick_, std::move(machine_)); }
  LentMachine(const LentMachine&) = delete;
  LentMachine& operator=(const LentMachine&) = delete;

  llvm::TargetMachine& operator*() const { return *machine_; }
  llvm::TargetMachine* operator->() const { return machine_.get(); }

 private:
  const Target& target_;
  bool quick_;
  IdleMachines::Machine machine_;
};

// A program on its way to code, with everything that it needs.
struct Compilation {
  llvm::LLVMContext context;
  LentMachine machine;
  std::unique_ptr<llvm::Module> module;
  llvm::legacy::PassManager passes;
  llvm::SmallString<0> output;
  llvm::raw_svector_ostream stream{output};

  Compilation(const ir::Program& program, const Target& target, const EmitOptions& options = {}, bool quick = false)
      : machine(target, quick), module(emit(program, target, context, options)) {
    module->setDataLayout(machine->createDataLayout());
#ifndef NDEBUG
    std::string broken;
    llvm::raw_string_ostream report(broken);
    if (llvm::verifyModule(*module, &report))
      throw InternalError("code generation: LLVM refuses its module: " + broken);
#endif
    add_middle_end(*machine, passes);
  }

  std::string assembly() {
    machine->Options.MCOptions.AsmVerbose = true;  // spills and blocks are commented
    add_code_generation(*machine, passes, stream, llvm::CodeGenFileType::AssemblyFile);
    passes.run(*module);
    machine->Options.MCOptions.AsmVerbose = false;
    return std::string(output);
  }
};

// A debugger shows every kernel's own lines, so there each is a function of its own.
SharedKernels shared_kernels(const ir::Program& program, const CodeOptions& options) {
  return options.debug_info ? separate_kernels(program) : share_kernels(program);
}

EmitOptions emit_options(const CodeOptions& options, const SharedKernels& shared) {
  EmitOptions emit{.profile = options.profile, .shared = &shared};
  if (options.debug_info) emit.lines = DebugInfo::Kind::kTables;
  return emit;
}

std::string object_of(const ir::Program& program, const Target& target, const EmitOptions& options,
                      bool quick = false) {
  Compilation c(program, target, options, quick);
  add_code_generation(*c.machine, c.passes, c.stream, llvm::CodeGenFileType::ObjectFile);
  c.passes.run(*c.module);
  return std::string(c.output);
}

std::string archive_of(const std::vector<std::string>& objects) {
  std::vector<llvm::NewArchiveMember> members;
  std::list<std::string> names;  // that the members point to
  for (std::size_t i = 0; i < objects.size(); ++i) {
    names.push_back("part" + std::to_string(i) + ".o");
    members.emplace_back(llvm::MemoryBufferRef(objects[i], names.back()));
  }
  auto archive =
      llvm::writeArchiveToBuffer(members, llvm::SymtabWritingMode::NoSymtab, llvm::object::Archive::K_GNU, true, false);
  if (!archive) throw InternalError("code generation: " + llvm::toString(archive.takeError()));
  return (*archive)->getBuffer().str();
}

// Calls f(0), ..., f(count - 1) on as many threads; throws what the first of them threw.
void each_on_threads(std::size_t count, const std::function<void(std::size_t)>& f) {
  struct Job {
    const std::function<void(std::size_t)>& f;
    std::vector<std::exception_ptr> errors;
  } job{f, std::vector<std::exception_ptr>(count)};
  runtime::ThreadPool::shared().run(
      static_cast<int>(count), static_cast<std::int64_t>(count),
      [](void* context, std::int64_t index, int) {
        Job& j = *static_cast<Job*>(context);
        const auto i = static_cast<std::size_t>(index);
        try {
          j.f(i);
        } catch (...) {
          j.errors[i] = std::current_exception();
        }
      },
      &job);
  for (const std::exception_ptr& e : job.errors)
    if (e) std::rethrow_exception(e);
}

}  // namespace

runtime::NativeCode jit(const ir::Program& program, const Target& target, const CodeOptions& options) {
  std::string why;
  if (!runs_here(target, &why)) throw Error("code for " + target.name + " does not run here: " + why);
  return link(emit_object(program, target, options), target, options);
}

std::string emit_llvm(const ir::Program& program, const Target& target, const CodeOptions& options) {
  const SharedKernels shared = shared_kernels(program, options);
  Compilation c(program, target, emit_options(options, shared));
  c.passes.run(*c.module);
  c.module->print(c.stream, nullptr);
  return std::string(c.output);
}

std::string emit_assembly(const ir::Program& program, const Target& target) {
  const SharedKernels shared = share_kernels(program);
  const std::string text =
      Compilation(program, target, {.lines = DebugInfo::Kind::kDirectives, .shared = &shared}).assembly();
  const std::vector<std::string> names = function_names(program);
  std::map<std::string, std::string> functions;
  for (std::size_t n = 0; n < program.module.kernels.size(); ++n) {
    const ir::Kernel& k = program.module.kernels[n];
    std::string& about = functions[names[shared.first[n]]];
    about += (shared.is_first(n) ? "kernel " : "; also kernel ") + k.name;
    for (std::size_t i = 0; i < k.locations.size(); ++i) about += (i == 0 ? ": " : ", ") + k.locations[i].str();
  }
  return annotate_assembly(text, functions);
}

std::string emit_object(const ir::Program& program, const Target& target, const CodeOptions& options) {
  const SharedKernels shared = shared_kernels(program, options);
  // A debugger's stack has kernels, not what they are cut into.
  const Cuts cuts =
      options.debug_info ? Cuts(program.module.kernels.size()) : cuts_of(program, shared, options.threads);
  const std::vector<Part> parts = parts_of(program, shared, options.threads, cuts);
  if (parts.size() == 1) return object_of(program, target, emit_options(options, shared), options.quick);
  std::vector<std::string> objects(parts.size());
  each_on_threads(parts.size(), [&](std::size_t i) {
    EmitOptions part = emit_options(options, shared);
    part.part = parts[i];
    part.cuts = &cuts;
    objects[i] = object_of(program, target, part, options.quick);
  });
  return archive_of(objects);
}

std::vector<double> kernel_seconds(const ir::Program& program, const Target& target) {
  std::vector<double> seconds;
  for (std::size_t k = 0; k < program.module.kernels.size(); ++k) {
    const auto begin = std::chrono::steady_clock::now();
    object_of(program, target, {.part = Part{{k}, {}}});
    seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  return seconds;
}

}  // namespace gcompile::codegen
