// What the regions of a module (ir/kernel.h) mean for its memory: which buffers share theirs, and how long a buffer is
// in use whose kernels run again and again.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "gcompile/ir/kernel.h"

namespace gcompile::passes {

// Kernels from the first that uses a buffer to the last one; -1 where there is none.
struct Lifetime {
  int first = -1, last = -1;
  void include(int kernel) {
    if (first < 0 || kernel < first) first = kernel;
    if (kernel > last) last = kernel;
  }
  void include(const Lifetime& other) {
    if (other.first < 0) return;
    include(other.first);
    include(other.last);
  }
};

class RegionMemory {
 public:
  explicit RegionMemory(const ir::KernelModule& module);

  // The buffers whose memory a buffer may stand for: itself; the whole of a slice; where a carry comes from.
  const std::set<int>& behind(int buffer) const { return behind_[static_cast<std::size_t>(buffer)]; }
  // Slices, and carries on their way in: they have no memory of their own.
  bool is_borrowed(int buffer) const { return borrowed_.count(buffer) > 0; }
  // Written in one step while the next one reads what it held: it needs its memory twice.
  bool is_double(int buffer) const { return double_.count(buffer) > 0; }
  // Read or written by a region itself, or read from step to step: no single kernel's business.
  bool is_kept(int buffer) const { return kept_.count(buffer) > 0; }
  // The lifetimes of all buffers, from those that kernels themselves say: what comes into a loop from outside, or goes
  // from step to step, lives as long as the loop.
  std::vector<Lifetime> lifetimes(const std::vector<std::vector<int>>& kernels_of_buffer) const;

 private:
  Lifetime span(int region) const;

  const ir::KernelModule& module_;
  std::vector<std::set<int>> behind_;
  std::set<int> borrowed_, double_, kept_;
};

}  // namespace gcompile::passes
