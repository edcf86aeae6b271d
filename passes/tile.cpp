#include "gcompile/passes/tile.h"

#include <algorithm>
#include <iterator>

#include "gcompile/base/error.h"
#include "gcompile/passes/tile_loops.h"

namespace gcompile::passes {
namespace {

using ir::Block;
using ir::Instr;
using ir::Opcode;

// All contracts of a module.
class ModuleTiler {
 public:
  ModuleTiler(ir::KernelModule& module, const Target& target) : module_(module), context_{target, {}, {}, {}} {
    context_.add_panel = [this](const Type& type) {
      module_.buffers.push_back({context_.fresh_name("panel"), type, ir::BufferRole::kTemp});
      return module_.buffers.back().name;
    };
    for (const ir::Buffer& b : module.buffers) {
      context_.names.insert(b.name);
      for (const Dim& d : b.type.dims) context_.symbols.merge(d.symbols());
    }
    for (const ir::Kernel& k : module.kernels)
      for (const ir::Scratch& s : k.scratch) context_.names.insert(s.name);
  }

  void run(ir::Kernel& kernel) {
    kernel_ = &kernel;
    KernelBuilder b(kernel);  // knows the values that the kernel has now
    rebuild(b, kernel.body);
  }

 private:
  void rebuild(KernelBuilder& b, Block& block) {
    Block out;
    for (Instr& i : block) {
      if (i.opcode == Opcode::kContract) {
        Block made = expand(b, i);
        std::move(made.begin(), made.end(), std::back_inserter(out));
        continue;
      }
      rebuild(b, i.body);
      out.push_back(std::move(i));
    }
    block = std::move(out);
  }

  std::vector<Dim> extents(const std::string& memory) const {
    if (const ir::Scratch* s = kernel_->find_scratch(memory)) return {s->extents.begin(), s->extents.end()};
    return module_.buffer(memory).type.dims;
  }

  Block expand(KernelBuilder& b, const Instr& contract) {
    const TilePlan plan = plan_tile(
        contract, [&](const std::string& m) { return extents(m); }, context_.target);
    kernel_->reasons.push_back(plan.reason);
    std::copy(plan.alternatives.begin(), plan.alternatives.end(), std::back_inserter(kernel_->reasons));
    return b.nested([&] { Tiler(b, contract, plan, context_).run(); });
  }

  ir::KernelModule& module_;
  TileContext context_;
  ir::Kernel* kernel_ = nullptr;
};

bool has_contract(const Block& block) {
  return std::any_of(block.begin(), block.end(),
                     [](const Instr& i) { return i.opcode == Opcode::kContract || has_contract(i.body); });
}

}  // namespace

ir::KernelModule tile(const ir::KernelModule& module, const PassContext& context) {
  ir::KernelModule out = module;
  ModuleTiler tiler(out, context.target);
  for (ir::Kernel& kernel : out.kernels)
    if (has_contract(kernel.body)) tiler.run(kernel);
  return out;
}

void refuse_contracts(const ir::KernelModule& module, std::string_view pass) {
  for (const ir::Kernel& kernel : module.kernels)
    if (has_contract(kernel.body))
      throw Error("kernel @" + kernel.name + " has a contract: run tile before " + std::string(pass));
}

}  // namespace gcompile::passes
