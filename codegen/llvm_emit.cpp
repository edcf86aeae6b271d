#include "gcompile/codegen/llvm_emit.h"

#include <llvm/IR/IRBuilder.h>
#include <set>

#include "gcompile/base/error.h"
#include "gcompile/codegen/llvm_index.h"
#include "gcompile/codegen/llvm_kernel.h"

namespace gcompile::codegen {
namespace {

using llvm::Value;

// state = from, for the updates that no kernel could make in place.
void emit_copies(const ir::Program& program, llvm::IRBuilder<>& b, Value* buffers, Value* dims) {
  IndexEmitter index(b, [&](const std::string& name) -> Value* {
    for (std::size_t i = 0; i < program.symbols.size(); ++i)
      if (program.symbols[i] == name)
        return b.CreateAlignedLoad(b.getInt64Ty(), b.CreateConstInBoundsGEP1_64(b.getInt64Ty(), dims, i),
                                   llvm::Align(8), name);
    throw InternalError("code generation: nothing binds the symbol " + name);
  });
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
    b.CreateMemCpy(address(copy.state), align, address(copy.from), align, index.emit(bytes).base);
  }
}

}  // namespace

std::unique_ptr<llvm::Module> emit(const ir::Program& program, const Target& target, llvm::LLVMContext& context) {
  auto module = std::make_unique<llvm::Module>(program.module.name, context);
  module->setTargetTriple(target.triple);
  std::vector<llvm::Function*> kernels;
  for (const ir::Kernel& k : program.module.kernels) kernels.push_back(emit_kernel(program, k, target, *module));

  auto* pointer = llvm::PointerType::get(context, 0);
  auto* type = llvm::FunctionType::get(llvm::Type::getInt32Ty(context), {pointer, pointer}, false);
  auto* entry = llvm::Function::Create(type, llvm::GlobalValue::ExternalLinkage, kEntryName, *module);
  set_attributes(*entry, target);
  entry->removeFnAttr("stackrealign");  // it holds no vectors
  Value *buffers = entry->getArg(0), *dims = entry->getArg(1);
  buffers->setName("buffers");
  dims->setName("dims");
  llvm::IRBuilder<> b(llvm::BasicBlock::Create(context, "entry", entry));
  for (const ir::Launch& l : program.launches)
    b.CreateCall(kernels.at(static_cast<std::size_t>(l.kernel)), {buffers, dims});
  emit_copies(program, b, buffers, dims);
  b.CreateRet(b.getInt32(0));
  return module;
}

}  // namespace gcompile::codegen
