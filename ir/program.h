// Program: a module of kernels with every temporary placed: launches over planned buffers. The last level before LLVM.
#pragma once

#include <string>
#include <vector>

#include "gcompile/ir/kernel.h"

namespace gcompile::ir {

// Temporaries share slots of the arena over time. A slot is as large as its largest tenant (evaluated when the symbols
// are bound), each slot begins at a multiple of 64 bytes, slots lie one after the other.
struct Slot {
  std::vector<Dim> sizes;   // bytes of its tenants
  bool per_worker = false;  // as often as there are threads, each at a multiple of 64 bytes
};

struct Placement {
  int slot = -1;  // kTemp not aliased: index into slots
};

// Bytes of a value of this type up to the next multiple of 64.
Dim aligned_bytes(const Type& type);

struct Launch {
  int kernel;    // index into module.kernels
  Dim work = 0;  // of a parallel kernel, in instructions: it runs serially below Target::serial_cutoff
};

struct StateCopy {  // after the last launch: state = temp (an update that could not be made in place)
  int state, from;  // buffer indices
};

struct Program {
  KernelModule module;
  std::vector<Placement> placements;  // one per buffer
  std::vector<Slot> slots;
  std::vector<Launch> launches;
  std::vector<StateCopy> copies;
  int status = -1;                   // the result buffer i32[] that says what a check found (check-nan); -1: none
  std::vector<std::string> symbols;  // in the order of the dims argument of the compiled function

  // Offset of every slot and the arena's size in bytes, for concrete extents and a number of threads.
  std::vector<std::int64_t> slot_offsets(const std::map<std::string, std::int64_t>& dims, std::int64_t* total,
                                         int threads = 1) const;
  std::int64_t peak_bytes(const std::map<std::string, std::int64_t>& dims, int threads = 1) const;
};

// One line per launch beginning with "launch", then buffers and slots.
std::string print(const Program& program);

}  // namespace gcompile::ir
