#include "gcompile/codegen/kernel_cut.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "gcompile/passes/schedule.h"

namespace gcompile::codegen {
namespace {

using ir::Block;
using ir::Instr;
using ir::Opcode;

bool is_loop(const Instr& i) { return i.opcode == Opcode::kFor && !ir::is_unrolled(i.loop); }
bool has_loop(const Block& block) { return std::any_of(block.begin(), block.end(), is_loop); }

// What statements name.
struct Names {
  std::set<int> defined, used;
  std::set<std::string> memory;

  void add(const Instr& i) {
    defined.insert(i.results.begin(), i.results.end());
    defined.insert(i.arguments.begin(), i.arguments.end());
    used.insert(i.operands.begin(), i.operands.end());
    used.insert(i.yields.begin(), i.yields.end());
    if (i.mask >= 0) used.insert(i.mask);
    if (!i.memory.empty()) memory.insert(i.memory);
    if (!i.source.empty()) memory.insert(i.source);
    for (const Instr& inner : i.body) add(inner);
  }
};

class Cutter {
 public:
  explicit Cutter(const ir::Kernel& kernel) : kernel_(kernel), total_(passes::unrolled_size(kernel.body)) {}

  std::optional<KernelCut> run() {
    look_at(kernel_.body, nullptr);
    return std::move(best_);
  }

 private:
  // Cuts in front of a statement of the block, then in the loops of it that have loops inside.
  void look_at(const Block& block, const Instr* loop) {
    std::vector<std::int64_t> behind(block.size() + 1);  // instructions from a statement on
    for (std::size_t n = block.size(); n-- > 0;) behind[n] = behind[n + 1] + passes::size_of(block[n]);
    bool loops = false;  // from the statement on
    for (std::size_t n = block.size(); n-- > 0;) {
      loops |= is_loop(block[n]);
      if (loops && is_better(behind[n])) consider(block, n, behind[n], loop);
    }
    for (const Instr& i : block) {
      if (is_loop(i) && has_loop(i.body)) {
        around_.push_back(&i);
        look_at(i.body, &i);
        around_.pop_back();
      }
      before_.push_back(&i);
    }
    before_.resize(before_.size() - block.size());
  }

  // The larger of the two functions, which is waited for.
  std::int64_t longer(std::int64_t size) const { return std::max(size, total_ - size); }
  bool is_better(std::int64_t size) const {
    constexpr double kAtMost = 0.7;  // of the whole in one function: else it is not worth a call
    return static_cast<double>(longer(size)) <= kAtMost * static_cast<double>(total_) &&
           (!best_ || longer(size) < longer(best_->size));
  }

  void consider(const Block& block, std::size_t begin, std::int64_t size, const Instr* loop) {
    Names inside;
    for (std::size_t n = begin; n < block.size(); ++n) inside.add(block[n]);
    if (loop &&
        std::any_of(loop->yields.begin(), loop->yields.end(), [&](int v) { return inside.defined.contains(v); }))
      return;
    KernelCut cut{.block = &block, .begin = begin, .size = size};
    for (const Instr* l : around_) cut.variables.push_back(l->var);
    std::set<int> needed;
    std::set_difference(inside.used.begin(), inside.used.end(), inside.defined.begin(), inside.defined.end(),
                        std::inserter(needed, needed.end()));
    const auto take = [&](const Instr& i) {
      if (i.results.size() != 1 || !needed.erase(i.results[0])) return;
      if (i.opcode == Opcode::kLiteral)
        cut.literals.push_back(&i);
      else if (i.opcode != Opcode::kFor && !i.type.lanes && i.type.dtype != DType::kBool)
        cut.values.push_back(&i);
      else
        needed.insert(i.results[0]);  // after all
    };
    for (const Instr* i : before_) take(*i);
    for (std::size_t n = 0; n < begin; ++n) take(block[n]);
    if (!needed.empty()) return;
    Names outside;
    add_outside(kernel_.body, cut, outside);
    for (const ir::Scratch& s : kernel_.scratch) {
      if (!inside.memory.contains(s.name) || !outside.memory.contains(s.name)) continue;
      if (s.kind == ir::Scratch::Kind::kRegister) return;
      cut.shared.push_back(&s);
    }
    best_ = std::move(cut);
  }

  // Memory that is named before the cut, or after the block.
  static void add_outside(const Block& block, const KernelCut& cut, Names& names) {
    const std::size_t end = &block == cut.block ? cut.begin : block.size();
    for (std::size_t n = 0; n < end; ++n) {
      if (!is_loop(block[n])) {
        names.add(block[n]);
        continue;
      }
      add_outside(block[n].body, cut, names);
    }
  }

  const ir::Kernel& kernel_;
  const std::int64_t total_;
  std::vector<const Instr*> around_;  // loops
  std::vector<const Instr*> before_;  // statements before them, in all blocks around
  std::optional<KernelCut> best_;
};

}  // namespace

std::optional<KernelCut> cut_of(const ir::Kernel& kernel) {
  if (kernel.is_parallel()) return std::nullopt;
  return Cutter(kernel).run();
}

}  // namespace gcompile::codegen
