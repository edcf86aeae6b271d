#include "gcompile/ir/program.h"

#include <algorithm>

namespace gcompile::ir {

std::vector<std::int64_t> Program::slot_offsets(const std::map<std::string, std::int64_t>& dims,
                                                std::int64_t* total) const {
  constexpr std::int64_t kAlignment = 64;
  std::vector<std::int64_t> offsets;
  std::int64_t begin = 0, end = 0;
  for (const Slot& slot : slots) {
    std::int64_t size = 0;
    for (const Dim& bytes : slot.sizes) size = std::max(size, bytes.evaluate(dims));
    offsets.push_back(begin);
    end = begin + size;
    begin = (end + kAlignment - 1) / kAlignment * kAlignment;
  }
  if (total) *total = end;
  return offsets;
}

std::int64_t Program::peak_bytes(const std::map<std::string, std::int64_t>& dims) const {
  std::int64_t total = 0;
  slot_offsets(dims, &total);
  return total;
}

}  // namespace gcompile::ir
