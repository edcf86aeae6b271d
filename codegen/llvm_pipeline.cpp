// Compiled without RTTI, as LLVM is: passes are classes derived from its own.
#include "gcompile/codegen/llvm_pipeline.h"

#include <llvm/Analysis/TargetTransformInfo.h>
#include <llvm/CodeGen/MachineModuleInfo.h>
#include <llvm/CodeGen/Passes.h>
#include <llvm/CodeGen/TargetPassConfig.h>
#include <llvm/IR/Instructions.h>
#include <llvm/Pass.h>
#include <llvm/PassInfo.h>
#include <llvm/Target/TargetLoweringObjectFile.h>
#include <llvm/Transforms/Scalar.h>
#include <memory>
#include <vector>

#include "gcompile/base/error.h"

namespace gcompile::codegen {
namespace {

// Gives the branch at the end of a large block, and its comparison, a block of their own. Instruction selection takes
// one block at a time, and an i1, which is no type of the processor's, has it go over all of the block once more.
// Later passes put the two together again.
class SplitLatches final : public llvm::FunctionPass {
 public:
  SplitLatches() : FunctionPass(id) {}
  llvm::StringRef getPassName() const override { return "Give branches of large blocks blocks of their own"; }

  bool runOnFunction(llvm::Function& function) override {
    std::vector<llvm::BasicBlock*> blocks;
    for (llvm::BasicBlock& b : function) blocks.push_back(&b);
    bool changed = false;
    for (llvm::BasicBlock* b : blocks) changed |= split(*b);
    return changed;
  }

 private:
  static bool split(llvm::BasicBlock& block) {
    constexpr std::size_t kLarge = 128;  // instructions
    auto* branch = llvm::dyn_cast<llvm::BranchInst>(block.getTerminator());
    if (!branch || !branch->isConditional() || block.size() < kLarge) return false;
    auto* condition = llvm::dyn_cast<llvm::ICmpInst>(branch->getCondition());
    if (!condition || condition->getParent() != &block || !condition->hasOneUse()) return false;
    condition->moveBefore(branch);
    block.splitBasicBlock(condition->getIterator(), block.getName() + ".latch");
    return true;
  }

  static inline char id = 0;
};

// Hands on what LLVM's own pipeline consists of.
class ChosenPasses final : public llvm::legacy::PassManagerBase {
 public:
  explicit ChosenPasses(llvm::legacy::PassManager& passes) : passes_(passes) {}

  void add(llvm::Pass* given) override {
    std::unique_ptr<llvm::Pass> pass(given);
    const llvm::PassInfo* info = llvm::Pass::lookupPassInfo(pass->getPassID());
    const llvm::StringRef name = info ? info->getPassArgument() : "";
    // Addresses are emitted as this would make them; it takes a sixth of the time.
    if (name == "loop-reduce") return;
    passes_.add(pass.release());
    if (name == "codegenprepare") passes_.add(new SplitLatches);  // which merges blocks
  }

 private:
  llvm::legacy::PassManager& passes_;
};

}  // namespace

void add_middle_end(const llvm::TargetMachine& machine, llvm::legacy::PassManager& passes) {
  passes.add(llvm::createTargetTransformInfoWrapperPass(machine.getTargetIRAnalysis()));
  // Repeated loads and index arithmetic. No LICM: it would promote accumulators that are in memory on purpose.
  passes.add(llvm::createEarlyCSEPass(true));
}

// As LLVMTargetMachine::addPassesToEmitFile does it.
void add_code_generation(llvm::TargetMachine& any, llvm::legacy::PassManager& passes, llvm::raw_pwrite_stream& out,
                         llvm::CodeGenFileType kind) {
  auto& machine = static_cast<llvm::LLVMTargetMachine&>(any);
  auto* modules = new llvm::MachineModuleInfoWrapperPass(&machine);
  ChosenPasses chosen(passes);
  llvm::TargetPassConfig* config = machine.createPassConfig(chosen);
  config->setDisableVerify(true);
  passes.add(config);
  passes.add(modules);
  if (config->addISelPasses()) throw InternalError("code generation: the target selects no instructions");
  // Which is chosen there for code that is made quickly. It leaves vectors to the other selector, one by one, and LLVM
  // 19 then loads halves of vectors that are masked off.
  machine.setFastISel(false);
  config->addMachinePasses();
  config->setInitialized();
  llvm::MCContext& context = modules->getMMI().getContext();
  const_cast<llvm::TargetLoweringObjectFile&>(*machine.getObjFileLowering()).Initialize(context, machine);
  if (machine.addAsmPrinter(passes, out, nullptr, kind, context))
    throw InternalError("code generation: the target emits no code");
  passes.add(llvm::createFreeMachineFunctionPass());
}

}  // namespace gcompile::codegen
