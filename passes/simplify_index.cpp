#include "gcompile/passes/simplify_index.h"

#include <algorithm>

namespace gcompile::passes {
namespace {

class KernelIndices {
 public:
  explicit KernelIndices(const ir::KernelModule& module) {
    for (const auto& [symbol, bounds] : module.bounds) ranges_[symbol] = {bounds.min, bounds.max};
    const auto add = [&](const Dim& d) {  // symbols without stated bounds have the default ones
      for (const std::string& s : d.symbols()) ranges_.emplace(s, Interval{ir::DimBounds{}.min, ir::DimBounds{}.max});
    };
    for (const auto& buffer : module.buffers)
      for (const Dim& d : buffer.type.dims) add(d);
    ranges_[ir::kLaneSymbol] = {0, ir::kLanes - 1};
  }

  void run(ir::Block& block) {
    for (ir::Instr& i : block) {
      i.extent = simplify(i.extent, ranges_);
      for (Dim& d : i.index) d = simplify(d, ranges_);
      const Ranges outer = ranges_;
      if (i.opcode == ir::Opcode::kFor) {
        add(i.var, i.extent);
        run(i.body);
      } else if (i.opcode == ir::Opcode::kContract) {
        for (auto* axes : {&i.axes, &i.sums})
          for (ir::Axis& a : *axes) {
            a.extent = simplify(a.extent, outer);
            add(a.var, a.extent);
          }
        for (auto* access : {&i.left, &i.right})
          for (Dim& d : access->index) d = simplify(d, ranges_);
        run(i.body);
      }
      ranges_ = outer;
    }
  }

 private:
  // A loop that never runs has an empty range; any other will do for its body.
  void add(const std::string& var, const Dim& extent) {
    const std::int64_t most = bounds_of(extent, ranges_).max;
    ranges_[var] = {0, most == INT64_MAX ? most : std::max<std::int64_t>(most - 1, 0)};
  }

  Ranges ranges_;
};

}  // namespace

ir::KernelModule simplify_index(const ir::KernelModule& module, const PassContext&) {
  ir::KernelModule out = module;
  for (ir::Kernel& kernel : out.kernels) KernelIndices(out).run(kernel.body);
  return out;
}

}  // namespace gcompile::passes
