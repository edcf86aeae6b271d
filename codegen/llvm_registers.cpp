#include "gcompile/codegen/llvm_registers.h"

#include "gcompile/base/error.h"

namespace gcompile::codegen {

using llvm::Value;

std::int64_t Registers::key(const Linear& offset) const {
  const auto base = offset.constant_base();
  const auto stride = offset.constant_stride();
  if (!base || !stride)
    throw InternalError("code generation: the index into register scratch " + name_ + " is not constant");
  if (*stride == 0) return 2 * *base;
  if (*stride != 1 || *base % ir::kLanes != 0)
    throw InternalError("code generation: the lanes of register scratch " + name_ + " are not its last axis");
  return 2 * *base + 1;
}

bool Registers::holds(const Linear& offset) const {
  const auto it = slots_.find(key(offset));
  return it != slots_.end() && it->second.value;
}

Value* Registers::load(llvm::IRBuilder<>& b, const Linear& offset) {
  std::int64_t k = key(offset);
  std::uint64_t lane = 0;
  bool extract = false;
  if (k % 2 == 0 && !slots_.contains(k)) {  // one element of a lane vector
    const std::int64_t element = k / 2;
    lane = static_cast<std::uint64_t>(element % ir::kLanes);
    k = 2 * (element - element % ir::kLanes) + 1;
    extract = true;
  }
  const auto it = slots_.find(k);
  if (it == slots_.end())
    throw InternalError("code generation: register scratch " + name_ + " is read before it is stored");
  const Slot& slot = it->second;
  if (!slot.value)
    throw InternalError("code generation: register scratch " + name_ + " is read after the serial loop that stored it");
  for (std::size_t i = slot.depth; i < loops_.size(); ++i) loops_[i].read_from_outside.insert(k);
  return extract ? b.CreateExtractElement(slot.value, lane) : slot.value;
}

void Registers::store(const Linear& offset, Value* value) {
  const std::int64_t k = key(offset);
  if (k % 2 == 1) {
    for (std::int64_t element = k - 1; element < k - 1 + 2 * ir::kLanes; element += 2) slots_.erase(element);
  } else if (slots_.contains(k - k % (2 * ir::kLanes) + 1)) {
    throw InternalError("code generation: register scratch " + name_ + " is stored by lanes and by elements");
  }
  for (Loop& loop : loops_) {
    if (loop.read_from_outside.contains(k))
      throw InternalError("code generation: register scratch " + name_ + " is carried round a serial loop");
    loop.stored.insert(k);
  }
  slots_[k] = {value, loops_.size()};
}

void Registers::leave_serial_loop() {
  for (const std::int64_t k : loops_.back().stored) slots_[k].value = nullptr;
  loops_.pop_back();
}

}  // namespace gcompile::codegen
