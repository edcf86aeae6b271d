#include "gcompile/codegen/shared_kernels.h"

#include <map>
#include <numeric>
#include <string>
#include <tuple>
#include <utility>

#include "gcompile/passes/schedule.h"

namespace gcompile::codegen {
namespace {

// What is cheap to compare first.
using Size = std::tuple<std::size_t, std::size_t, std::int64_t>;
Size size_of(const ir::Kernel& k) { return {k.body.size(), k.scratch.size(), passes::unrolled_size(k.body)}; }

// A kernel with the names of its memory replaced by numbers, in order of use, and without what code does not depend on.
class Renamed {
 public:
  Renamed(const ir::KernelModule& module, const ir::Kernel& kernel) : module_(module) {
    one_.name = "m";
    one_.kernels = {kernel};
    ir::Kernel& k = one_.kernels[0];
    k.name = "k";
    k.locations.clear();
    k.reasons.clear();
    for (ir::Scratch& s : k.scratch) s.name = names_[s.name] = "s" + std::to_string(names_.size());
    rename(k.body);
  }
  // Two kernels of the same text are the same, when it says everything: operands of an index that is a value of its own
  // are not printed.
  bool says_all() const { return says_all_; }
  std::string text() const { return ir::print(one_); }
  const std::vector<int>& table() const { return table_; }

 private:
  void rename(ir::Block& block) {
    for (ir::Instr& i : block) {
      i.where = -1;
      if (i.opcode == ir::Opcode::kIndex || ir::is_transposed(i.opcode)) says_all_ &= i.operands.empty();
      rename(i.memory);
      rename(i.source);
      rename(i.body);
    }
  }

  void rename(std::string& memory) {
    if (memory.empty()) return;
    const auto [known, fresh] = names_.try_emplace(memory);
    if (fresh) {
      table_.push_back(module_.find_buffer(memory));
      const ir::Buffer& b = module_.buffers.at(static_cast<std::size_t>(table_.back()));
      known->second = "b" + std::to_string(table_.size());
      one_.buffers.push_back({known->second, b.type, ir::BufferRole::kTemp});
      one_.buffers.back().per_worker = b.per_worker;
    }
    memory = known->second;
  }

  const ir::KernelModule& module_;
  ir::KernelModule one_;
  std::map<std::string, std::string> names_;
  std::vector<int> table_;
  bool says_all_ = true;
};

}  // namespace

SharedKernels separate_kernels(const ir::Program& program) {
  SharedKernels shared;
  shared.first.resize(program.module.kernels.size());
  std::iota(shared.first.begin(), shared.first.end(), std::size_t{0});
  shared.tables.resize(shared.first.size());
  return shared;
}

SharedKernels share_kernels(const ir::Program& program) {
  SharedKernels shared = separate_kernels(program);
  const std::vector<ir::Kernel>& kernels = program.module.kernels;
  std::map<Size, std::vector<std::size_t>> of_size;
  for (std::size_t k = 0; k < kernels.size(); ++k) of_size[size_of(kernels[k])].push_back(k);
  for (const auto& [size, candidates] : of_size) {
    if (candidates.size() == 1) continue;
    std::map<std::string, std::pair<std::size_t, std::vector<int>>> known;  // by text: the first, its table
    for (const std::size_t k : candidates) {
      const Renamed renamed(program.module, kernels[k]);
      if (!renamed.says_all()) continue;
      const auto [like, fresh] = known.try_emplace(renamed.text(), k, renamed.table());
      if (fresh) continue;
      const auto& [first, table] = like->second;
      shared.first[k] = first;
      shared.tables[first] = table;
      shared.tables[k] = renamed.table();
    }
  }
  return shared;
}

}  // namespace gcompile::codegen
