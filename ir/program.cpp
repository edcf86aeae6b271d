#include "gcompile/ir/program.h"

#include <algorithm>

namespace gcompile::ir {

Dim aligned_bytes(const Type& type) {
  return floordiv(type.size() * Dim(static_cast<std::int64_t>(size_of(type.dtype))) + Dim(63), 64) * Dim(64);
}

std::vector<std::int64_t> Program::slot_offsets(const std::map<std::string, std::int64_t>& dims, std::int64_t* total,
                                                int threads) const {
  constexpr std::int64_t kAlignment = 64;
  std::vector<std::int64_t> offsets;
  std::int64_t begin = 0, end = 0;
  for (const Slot& slot : slots) {
    std::int64_t size = 0;
    for (const Dim& bytes : slot.sizes) size = std::max(size, bytes.evaluate(dims));
    const auto aligned = [](std::int64_t x) { return (x + kAlignment - 1) / kAlignment * kAlignment; };
    offsets.push_back(begin);
    end = begin + (slot.per_worker ? (threads - 1) * aligned(size) : 0) + size;
    begin = aligned(end);
  }
  if (total) *total = end;
  return offsets;
}

std::int64_t Program::peak_bytes(const std::map<std::string, std::int64_t>& dims, int threads) const {
  std::int64_t total = 0;
  slot_offsets(dims, &total, threads);
  return total;
}

}  // namespace gcompile::ir
