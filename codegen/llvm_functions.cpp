// The functions of kernels without their bodies: names, parameters, attributes.
#include <cctype>
#include <llvm/IR/Module.h>
#include <set>

#include "gcompile/codegen/llvm_emit_ops.h"
#include "gcompile/codegen/llvm_kernel.h"

namespace gcompile::codegen {

std::vector<std::string> function_names(const ir::Program& program) {
  std::vector<std::string> names;
  std::set<std::string> taken;
  for (const ir::Kernel& kernel : program.module.kernels) {
    std::string name = program.module.name + "." + kernel.name;
    if (!kernel.locations.empty() && kernel.locations[0].known()) name += "." + kernel.locations[0].str();
    for (char& c : name)
      if (!std::isalnum(static_cast<unsigned char>(c)) && c != '.') c = '_';
    while (!taken.insert(name).second) name += "." + std::to_string(names.size());
    names.push_back(std::move(name));
  }
  return names;
}

void set_attributes(llvm::Function& function, const Target& target) {
  function.setDoesNotThrow();
  function.addFnAttr("target-cpu", target.cpu);
  if (!target.features.empty()) function.addFnAttr("target-features", target.features);
  // Without these LLVM splits vectors of 64 bytes on processors that it believes to slow down for them.
  const std::string bits = std::to_string(target.vector_bytes * 8);
  function.addFnAttr("prefer-vector-width", bits);
  function.addFnAttr("min-legal-vector-width", bits);
  // Spills of whole vectors are aligned: unaligned ones cross a cache line every time.
  function.addFnAttr("stackrealign");
}

llvm::Function* declare_kernel(const ir::Kernel& kernel, const std::string& name, const Target& target,
                               llvm::Module& module) {
  llvm::LLVMContext& context = module.getContext();
  auto* pointer = llvm::PointerType::get(context, 0);
  std::vector<llvm::Type*> parameters{pointer, pointer};
  const bool parallel = kernel.is_parallel();
  if (parallel) parameters.resize(kWorker + 1, llvm::Type::getInt64Ty(context));
  auto* type = llvm::FunctionType::get(llvm::Type::getVoidTy(context), parameters, false);
  auto* function = llvm::Function::Create(type, llvm::GlobalValue::ExternalLinkage, name, module);
  function->getArg(0)->setName("buffers");
  function->getArg(1)->setName("dims");
  if (parallel)
    for (const auto& [at, what] : {std::pair{kBegin, "begin"}, std::pair{kEnd, "end"}, std::pair{kWorker, "worker"}})
      function->getArg(at)->setName(what);
  set_attributes(*function, target);
  // A kernel takes the table of buffers as it finds it (its loads of pointers are invariant); in the entry, whose
  // regions change the table between two launches, that would not hold.
  function->addFnAttr(llvm::Attribute::NoInline);
  return function;
}

llvm::Function* declare_behind(const KernelCut& cut, const std::string& kernel, const Target& target,
                               llvm::Module& module) {
  llvm::LLVMContext& context = module.getContext();
  auto* pointer = llvm::PointerType::get(context, 0);
  std::vector<llvm::Type*> parameters(kArguments + cut.shared.size(), pointer);
  parameters.resize(parameters.size() + cut.variables.size(), llvm::Type::getInt64Ty(context));
  for (const ir::Instr* i : cut.values) parameters.push_back(register_type(context, i->type));
  auto* type = llvm::FunctionType::get(llvm::Type::getVoidTy(context), parameters, false);
  auto* function = llvm::Function::Create(type, llvm::GlobalValue::ExternalLinkage, kernel + "$behind", module);
  // Parts of the caller's frame: nothing else is at their addresses, and nobody keeps these.
  for (unsigned n = 0; n < cut.shared.size(); ++n)
    for (const auto attribute : {llvm::Attribute::NoAlias, llvm::Attribute::NoCapture})
      function->addParamAttr(kArguments + n, attribute);
  set_attributes(*function, target);
  return function;
}

}  // namespace gcompile::codegen
