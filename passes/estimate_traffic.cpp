#include "gcompile/passes/estimate_traffic.h"

#include <algorithm>
#include <map>

#include "gcompile/passes/estimate_units.h"

namespace gcompile::passes {
namespace {

using ir::Block;
using ir::Instr;
using ir::Opcode;

// What a statement touches of a memory, from an index on that no variable inside the statement moves.
struct Region {
  std::string memory;
  ir::Index begin;
  double bytes = 0;  // different ones
  Misses misses = {};
};
using Regions = std::vector<Region>;

class Walk {
 public:
  Walk(const ir::KernelModule& module, const ir::Kernel& kernel, const SymbolValue& symbols, const Target& target)
      : module_(module), kernel_(kernel),
        symbols_(symbols), capacity_{static_cast<double>(target.l1_bytes), static_cast<double>(target.l2_bytes),
                                     static_cast<double>(target.rates.l3_bytes)} {}

  // By memory, updates in place under the name of the state.
  std::map<std::string, Region> run() {
    std::map<std::string, Region> all;
    for (const Region& r : block(kernel_.body)) {
      const int buffer = module_.find_buffer(r.memory);
      if (buffer < 0) continue;
      const int alias = module_.buffers[static_cast<std::size_t>(buffer)].alias;
      Region& sum = all[alias < 0 ? r.memory : module_.buffers[static_cast<std::size_t>(alias)].name];
      sum.bytes = std::min(sum.bytes + r.bytes, size_of_memory(r.memory));
      for (std::size_t l = 0; l < sum.misses.size(); ++l) sum.misses[l] += r.misses[l];
    }
    return all;
  }

 private:
  double value(const Dim& d) const {
    const std::int64_t n = d.evaluate([&](const std::string& s) {
      const auto it = variables_.find(s);
      return it == variables_.end() ? symbols_(s) : it->second;
    });
    return static_cast<double>(std::max<std::int64_t>(n, 0));
  }

  double size_of_memory(const std::string& name) {
    const auto [it, is_new] = sizes_.try_emplace(name, 0);
    if (!is_new) return it->second;
    double elements = 1;
    DType dtype = DType::kF32;
    if (const ir::Scratch* s = kernel_.find_scratch(name)) {
      for (const std::int64_t e : s->extents) elements *= static_cast<double>(e);
      dtype = s->dtype;
    } else {
      const Type& type = module_.buffer(name).type;
      for (const Dim& e : type.dims) elements *= value(e);
      dtype = type.dtype;
    }
    element_[name] = static_cast<double>(size_of(dtype));
    return it->second = elements * element_[name];
  }

  void touch(const std::string& memory, const ir::Index& index, double elements, Regions& regions) {
    const ir::Scratch* s = kernel_.find_scratch(memory);
    if (s && s->kind == ir::Scratch::Kind::kRegister) return;
    const double all = size_of_memory(memory), bytes = std::min(elements * element_[memory], all);
    add({memory, index, bytes, {bytes, bytes, bytes}}, regions);
  }

  // The same bytes again are hits, whatever lies between; block() sees to what does not fit.
  static void add(Region region, Regions& regions) {
    for (Region& r : regions)
      if (r.memory == region.memory && r.begin == region.begin) {
        r.bytes = std::max(r.bytes, region.bytes);
        for (std::size_t l = 0; l < r.misses.size(); ++l) r.misses[l] += region.misses[l];
        return;
      }
    regions.push_back(std::move(region));
  }

  double footprint(const Regions& regions) {
    std::map<std::string, double> bytes;
    for (const Region& r : regions) bytes[r.memory] += r.bytes;
    double sum = 0;
    for (const auto& [name, b] : bytes) sum += std::min(b, size_of_memory(name));
    return sum;
  }

  Regions block(const Block& b) {
    Regions regions;
    for (const Instr& i : b) {
      if (i.opcode == Opcode::kFor) {
        for (Region& r : loop(i)) add(std::move(r), regions);
      } else if (i.opcode == Opcode::kLoad || i.opcode == Opcode::kStore) {
        touch(i.memory, i.index, has_lanes(i) ? ir::kLanes : 1, regions);
      } else if (i.opcode != Opcode::kPrefetch && !i.source.empty()) {
        const double elements = ir::kLanes * static_cast<double>(i.extent.constant());
        touch(i.memory, i.opcode == Opcode::kStoreTransposed ? i.index : ir::Index{}, elements, regions);
        touch(i.source, i.opcode == Opcode::kLoadTransposed ? i.index : ir::Index{}, elements, regions);
      }
    }
    keep_hits(regions);
    return regions;
  }

  // What a block touched before is still in a cache that holds all that it touches.
  void keep_hits(Regions& regions) {
    const double touched = footprint(regions);
    for (std::size_t l = 0; l < capacity_.size(); ++l)
      if (touched <= capacity_[l])
        for (Region& r : regions) r.misses[l] = std::min(r.misses[l], r.bytes);
  }

  Regions loop(const Instr& i) {
    const double n = value(i.extent);
    if (n == 0) return {};
    const auto [slot, is_new] = variables_.try_emplace(i.var, 0);
    const std::int64_t before = slot->second;
    slot->second = 0;
    Regions inner = block(i.body), regions;
    if (is_new)
      variables_.erase(i.var);
    else
      variables_[i.var] = before;
    const double touched = footprint(inner);
    for (Region& r : inner) {
      const bool moves = std::any_of(r.begin.begin(), r.begin.end(), [&](const Dim& d) { return d.uses(i.var); });
      if (moves)
        for (Dim& d : r.begin) d = d.substitute({{i.var, Dim(0)}});
      for (std::size_t l = 0; l < capacity_.size(); ++l)
        if (moves || touched > capacity_[l]) r.misses[l] *= n;
      r.bytes = std::min(r.bytes * (moves ? n : 1), size_of_memory(r.memory));
      add(std::move(r), regions);
    }
    keep_hits(regions);
    return regions;
  }

  const ir::KernelModule& module_;
  const ir::Kernel& kernel_;
  const SymbolValue& symbols_;
  std::array<double, 3> capacity_;
  std::map<std::string, double> sizes_, element_;
  std::map<std::string, std::int64_t> variables_;
};

}  // namespace

std::vector<Misses> misses_of(const ir::KernelModule& module, const SymbolValue& symbols, const Target& target) {
  const std::array<double, 3> capacity{static_cast<double>(target.l1_bytes), static_cast<double>(target.l2_bytes),
                                       static_cast<double>(target.rates.l3_bytes)};
  std::vector<std::map<std::string, Region>> touched;
  std::vector<double> sizes;
  for (const ir::Kernel& k : module.kernels) {
    touched.push_back(Walk(module, k, symbols, target).run());
    double size = 0;
    for (const auto& [name, region] : touched.back()) size += region.bytes;
    sizes.push_back(size);
  }
  const std::size_t count = touched.size();
  std::vector<Misses> all(count, Misses{});
  for (std::size_t k = 0; k < count; ++k)
    for (const auto& [name, region] : touched[k]) {
      // Back to the kernel that touched it last, perhaps this one in the call before.
      double distance = sizes[k];
      for (std::size_t back = 1; back < count; ++back) {
        const std::size_t before = (k + count - back) % count;
        distance += sizes[before];
        if (touched[before].count(name)) break;
      }
      for (std::size_t l = 0; l < capacity.size(); ++l)
        all[k][l] += std::max(0.0, region.misses[l] - (distance <= capacity[l] ? region.bytes : 0));
    }
  return all;
}

double memory_cycles(const Misses& m, const Rates& r, int threads) {
  return (std::max(m[0] - m[1], 0.0) / r.l2 + std::max(m[1] - m[2], 0.0) / r.l3) / threads + m[2] / r.dram;
}

}  // namespace gcompile::passes
