// Register scratch: a named table of SSA values under constant element numbers. It never becomes memory, so what it
// holds must be known while code is emitted: it may not carry a value from one iteration of a serial loop to the next,
// or out of the loop.
#pragma once

#include <cstdint>
#include <llvm/IR/IRBuilder.h>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "gcompile/codegen/llvm_index.h"

namespace gcompile::codegen {

class Registers {
 public:
  explicit Registers(std::string name) : name_(std::move(name)) {}

  // The element, or the 16 elements of all lanes, at an offset. InternalError when it is not constant or holds nothing
  // of that kind here.
  llvm::Value* load(llvm::IRBuilder<>& b, const Linear& offset);
  void store(const Linear& offset, llvm::Value* value);
  // Whether something is there: a masked store keeps it.
  bool holds(const Linear& offset) const;

  void enter_serial_loop() { loops_.emplace_back(); }
  void leave_serial_loop();

 private:
  struct Slot {
    llvm::Value* value = nullptr;  // null: stored in a loop that was left
    std::size_t depth = 0;         // of serial loops, where it was stored
  };
  struct Loop {
    std::set<std::int64_t> read_from_outside, stored;
  };
  std::int64_t key(const Linear& offset) const;

  std::string name_;
  std::map<std::int64_t, Slot> slots_;  // key: 2 * element, + 1 when it is a lane vector beginning there
  std::vector<Loop> loops_;
};

}  // namespace gcompile::codegen
