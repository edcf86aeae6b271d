// Rows that end with a masked vector, several at once: see lower.h.
#include <algorithm>

#include "gcompile/passes/lower.h"

namespace gcompile::passes {
namespace {

using ir::Index;
using ir::Value;

constexpr std::int64_t kMostRows = 8;  // written out

// The only axis but the last that is longer than 1; -1 where there is none, or several.
int only_row_axis(const Type& type) {
  int axis = -1;
  for (int a = 0; a + 1 < type.rank(); ++a) {
    if (type.dim(a).is(1)) continue;
    if (axis >= 0) return -1;
    axis = a;
  }
  return axis;
}

}  // namespace

bool emit_with_tails(BodyLowering& c, Value v, const Destination& to) {
  const Type& type = v.type();
  const int row_axis = only_row_axis(type);
  if (to.linear || !to.row.empty() || row_axis < 0 || !type.size().is_constant()) return false;
  const std::int64_t rows = type.dim(row_axis).constant(), columns = type.dims.back().constant();
  const std::int64_t vectors = (columns + ir::kLanes - 1) / ir::kLanes;
  const std::int64_t at_once = std::min({c.context().target.accumulators() / vectors, kMostRows, rows});
  if (columns % ir::kLanes == 0 || at_once < 2) return false;
  KernelBuilder& b = c.builder();
  const auto block = [&](const Dim& first, std::int64_t count) {
    const auto each = [&](const auto& f) {
      for (std::int64_t r = 0; r < count; ++r)
        for (std::int64_t n = 0; n < vectors; ++n) {
          const Dim start = ir::kLanes * n;
          Index at(type.dims.size(), Dim(0));
          at[static_cast<std::size_t>(row_axis)] = first + Dim(r);
          at.back() = start + Dim(ir::kLaneSymbol);
          const bool tail = n + 1 == vectors;
          c.mask = tail ? b.op("lt", {b.index(Dim(ir::kLaneSymbol)), b.index(Dim(columns) - start)}) : -1;
          f(at);
        }
    };
    c.lanes = true;
    std::vector<int> made;
    each([&](const Index& at) { made.push_back(c.value(v, at)); });
    std::size_t next = 0;
    each([&](const Index& at) { b.store(to.memory, at, made[next++], c.mask); });
    c.lanes = false;
    c.mask = -1;
  };
  const std::int64_t blocks = rows / at_once;
  c.loop("i", blocks, blocks * at_once <= kMostRows ? ir::LoopKind::kUnroll : ir::LoopKind::kSerial,
         [&](const Dim& i) { block(Dim(at_once) * i, at_once); });
  if (rows % at_once != 0)
    c.loop("i", 1, ir::LoopKind::kUnroll, [&](const Dim&) { block(blocks * at_once, rows % at_once); });
  return true;
}

}  // namespace gcompile::passes
