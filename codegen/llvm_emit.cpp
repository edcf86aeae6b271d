#include "gcompile/codegen/llvm_emit.h"

#include <algorithm>
#include <cstddef>
#include <llvm/IR/IRBuilder.h>
#include <set>

#include "gcompile/base/error.h"
#include "gcompile/codegen/llvm_index.h"
#include "gcompile/codegen/llvm_kernel.h"
#include "gcompile/codegen/llvm_regions.h"
#include "gcompile/runtime/parallel.h"

namespace gcompile::codegen {
namespace {

using llvm::Value;

// Index expressions in the entry: every symbol is one of the dims.
IndexEmitter::Symbol symbols_of(const ir::Program& program, llvm::IRBuilder<>& b, Value* dims) {
  return [&program, &b, dims](const std::string& name) -> Value* {
    for (std::size_t i = 0; i < program.symbols.size(); ++i)
      if (program.symbols[i] == name)
        return b.CreateAlignedLoad(b.getInt64Ty(), b.CreateConstInBoundsGEP1_64(b.getInt64Ty(), dims, i),
                                   llvm::Align(8), name);
    throw InternalError("code generation: nothing binds the symbol " + name);
  };
}

// state = from, for the updates that no kernel could make in place.
void emit_copies(const ir::Program& program, llvm::IRBuilder<>& b, Value* buffers, Value* dims) {
  IndexEmitter index(b, symbols_of(program, b, dims));
  std::set<int> overwritten;
  for (const ir::StateCopy& copy : program.copies) {
    const ir::Buffer& state = program.module.buffers[static_cast<std::size_t>(copy.state)];
    if (overwritten.contains(copy.from))
      throw InternalError("code generation: " + state.name + " would be copied from a state already overwritten");
    overwritten.insert(copy.state);
    const auto address = [&](int buffer) {
      return b.CreateAlignedLoad(
          b.getPtrTy(), b.CreateConstInBoundsGEP1_64(b.getPtrTy(), buffers, static_cast<std::uint64_t>(buffer)),
          llvm::Align(8));
    };
    const Dim bytes = state.type.size() * Dim(static_cast<std::int64_t>(size_of(state.type.dtype)));
    const llvm::Align align(size_of(state.type.dtype));
    b.CreateMemCpy(address(copy.state), align, address(copy.from), align, index.base(index.emit(bytes)));
  }
}

// if (parallel->threads > 1 && work >= cutoff) parallel->run(parallel, kernel, buffers, dims, extent)
// else kernel(buffers, dims, 0, extent, 0)
void emit_parallel_launch(const ir::Program& program, const ir::Launch& launch, llvm::Function* kernel, Value* buffers,
                          const Target& target, llvm::IRBuilder<>& b) {
  llvm::Function* entry = b.GetInsertBlock()->getParent();
  Value *dims = entry->getArg(1), *parallel = entry->getArg(2);
  IndexEmitter index(b, symbols_of(program, b, dims));
  const ir::Instr& loop = *program.module.kernels[static_cast<std::size_t>(launch.kernel)].parallel_loop();
  Value* extent = index.base(index.emit(loop.extent));
  Value* threads = b.CreateAlignedLoad(
      b.getInt64Ty(), b.CreateConstInBoundsGEP1_64(b.getInt8Ty(), parallel, offsetof(runtime::Parallel, threads)),
      llvm::Align(8), "threads");
  Value* worth = b.CreateICmpSGE(index.base(index.emit(launch.work)),
                                 b.getInt64(static_cast<std::uint64_t>(target.serial_cutoff)));
  auto* many = llvm::BasicBlock::Create(b.getContext(), "parallel", entry);
  auto* one = llvm::BasicBlock::Create(b.getContext(), "serial", entry);
  auto* after = llvm::BasicBlock::Create(b.getContext(), "launched", entry);
  b.CreateCondBr(b.CreateAnd(worth, b.CreateICmpSGT(threads, b.getInt64(1))), many, one);
  b.SetInsertPoint(many);
  static_assert(offsetof(runtime::Parallel, run) == 0);
  Value* run = b.CreateAlignedLoad(b.getPtrTy(), parallel, llvm::Align(8), "run");
  auto* type = llvm::FunctionType::get(b.getVoidTy(),
                                       {b.getPtrTy(), b.getPtrTy(), b.getPtrTy(), b.getPtrTy(), b.getInt64Ty()}, false);
  b.CreateCall(type, run, {parallel, kernel, buffers, dims, extent});
  b.CreateBr(after);
  b.SetInsertPoint(one);
  b.CreateCall(kernel, {buffers, dims, b.getInt64(0), extent, b.getInt64(0)});
  b.CreateBr(after);
  b.SetInsertPoint(after);
}

// parallel->clock->tick(parallel->clock, done)
void emit_tick(llvm::IRBuilder<>& b, std::int64_t done) {
  Value* parallel = b.GetInsertBlock()->getParent()->getArg(2);
  Value* clock = b.CreateAlignedLoad(
      b.getPtrTy(), b.CreateConstInBoundsGEP1_64(b.getInt8Ty(), parallel, offsetof(runtime::Parallel, clock)),
      llvm::Align(8), "clock");
  static_assert(offsetof(runtime::LaunchClock, tick) == 0);
  Value* tick = b.CreateAlignedLoad(b.getPtrTy(), clock, llvm::Align(8), "tick");
  auto* type = llvm::FunctionType::get(b.getVoidTy(), {b.getPtrTy(), b.getInt64Ty()}, false);
  b.CreateCall(type, tick, {clock, b.getInt64(static_cast<std::uint64_t>(done))});
}

// What the launches of kernels that share a function hand it: the buffers of the kernel at hand, in its order.
class BufferTables {
 public:
  BufferTables(llvm::IRBuilder<>& b, Value* all, const SharedKernels& shared) : b_(b), all_(all), shared_(shared) {
    std::size_t most = 0;
    for (const auto& table : shared.tables) most = std::max(most, table.size());
    if (most > 0) table_ = b.CreateAlloca(llvm::ArrayType::get(b.getPtrTy(), most), nullptr, "table");
  }
  Value* of(std::size_t kernel) {
    const std::vector<int>& buffers = shared_.tables[kernel];
    for (std::size_t i = 0; i < buffers.size(); ++i)
      b_.CreateAlignedStore(
          b_.CreateAlignedLoad(b_.getPtrTy(), entry(all_, static_cast<std::size_t>(buffers[i])), llvm::Align(8)),
          entry(table_, i), llvm::Align(8));
    return buffers.empty() ? all_ : table_;
  }

 private:
  Value* entry(Value* table, std::size_t i) { return b_.CreateConstInBoundsGEP1_64(b_.getPtrTy(), table, i); }

  llvm::IRBuilder<>& b_;
  Value *all_, *table_ = nullptr;
  const SharedKernels& shared_;
};

void emit_entry(const ir::Program& program, const Target& target, llvm::Module& module,
                const std::vector<llvm::Function*>& kernels, const SharedKernels& shared, bool profile,
                DebugInfo* debug) {
  llvm::LLVMContext& context = module.getContext();
  auto* pointer = llvm::PointerType::get(context, 0);
  auto* type = llvm::FunctionType::get(llvm::Type::getInt32Ty(context), {pointer, pointer, pointer}, false);
  auto* entry = llvm::Function::Create(type, llvm::GlobalValue::ExternalLinkage, kEntryName, module);
  set_attributes(*entry, target);
  entry->removeFnAttr("stackrealign");  // it holds no vectors
  Value *buffers = entry->getArg(0), *dims = entry->getArg(1);
  buffers->setName("buffers");
  dims->setName("dims");
  entry->getArg(2)->setName("parallel");
  llvm::IRBuilder<> b(llvm::BasicBlock::Create(context, "entry", entry));
  // The entry is where its launches are: in a debugger's stack the line of the kernel that runs.
  const auto locate = [&](const ir::Kernel& k) {
    const Location where = k.locations.empty() ? Location{} : k.locations[0];
    if (debug && !entry->getSubprogram()) debug->begin(*entry, program.module.name, where);
    if (debug) b.SetCurrentDebugLocation(debug->at(*entry, where));
  };
  locate(program.module.kernels.empty() ? ir::Kernel{} : program.module.kernels[0]);
  // Regions move pointers, in a table of their own.
  Value* all = buffers;
  if (!program.module.regions.empty()) {
    const auto count = static_cast<std::uint64_t>(program.module.buffers.size());
    all = b.CreateAlloca(llvm::ArrayType::get(b.getPtrTy(), count), nullptr, "all");
    b.CreateMemCpy(all, llvm::Align(8), buffers, llvm::Align(8), count * sizeof(void*));
  }
  RegionEmitter regions(program, b, all, symbols_of(program, b, dims));
  BufferTables tables(b, all, shared);
  std::int64_t done = 0;
  if (profile) emit_tick(b, done);
  for (const ir::Launch& l : program.launches) {
    llvm::Function* kernel = kernels.at(static_cast<std::size_t>(l.kernel));
    locate(program.module.kernels[static_cast<std::size_t>(l.kernel)]);
    regions.enter(program.module.kernels[static_cast<std::size_t>(l.kernel)].region);
    Value* table = tables.of(static_cast<std::size_t>(l.kernel));
    if (program.module.kernels[static_cast<std::size_t>(l.kernel)].is_parallel())
      emit_parallel_launch(program, l, kernel, table, target, b);
    else
      b.CreateCall(kernel, {table, dims});
    if (profile) emit_tick(b, ++done);
  }
  regions.enter(-1);
  emit_copies(program, b, buffers, dims);
  if (profile && !program.copies.empty()) emit_tick(b, ++done);
  b.CreateRet(b.getInt32(0));
}

}  // namespace

std::unique_ptr<llvm::Module> emit(const ir::Program& program, const Target& target, llvm::LLVMContext& context,
                                   const EmitOptions& options) {
  auto module = std::make_unique<llvm::Module>(program.module.name, context);
  module->setTargetTriple(target.triple);
  std::optional<DebugInfo> debug;
  if (options.lines) debug.emplace(*module, *options.lines);
  const SharedKernels shared = options.shared ? *options.shared : separate_kernels(program);
  const std::vector<std::string> names = function_names(program);
  std::vector<llvm::Function*> kernels;
  const bool whole = !options.part, entry = whole || options.part->entry;
  for (std::size_t k = 0; k < program.module.kernels.size(); ++k) {
    if (!shared.is_first(k)) {
      kernels.push_back(kernels[shared.first[k]]);
      continue;
    }
    const bool here = whole || std::binary_search(options.part->kernels.begin(), options.part->kernels.end(), k);
    kernels.push_back(here || entry ? declare_kernel(program.module.kernels[k], names[k], target, *module) : nullptr);
    if (whole) kernels.back()->setLinkage(llvm::GlobalValue::InternalLinkage);
    const bool behind = !whole && std::binary_search(options.part->behind.begin(), options.part->behind.end(), k);
    const std::optional<KernelCut> none;
    const std::optional<KernelCut>& cut = options.cuts ? (*options.cuts)[k] : none;
    llvm::Function* called = cut && (here || behind) ? declare_behind(*cut, names[k], target, *module) : nullptr;
    if (here)
      emit_kernel(program, program.module.kernels[k], shared.tables[k], target, *kernels.back(),
                  debug ? &*debug : nullptr, called ? &*cut : nullptr, called);
    if (behind) emit_behind(program, program.module.kernels[k], shared.tables[k], target, *cut, *called);
  }
  if (entry) emit_entry(program, target, *module, kernels, shared, options.profile, debug ? &*debug : nullptr);
  if (debug) debug->finish();
  return module;
}

}  // namespace gcompile::codegen
