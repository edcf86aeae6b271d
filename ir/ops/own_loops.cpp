#include "gcompile/ir/ops/own_loops.h"

#include <optional>

namespace gcompile::ir {
namespace {

constexpr std::int64_t kFewLanes = 4;  // a shorter axis is not worth lanes

// The axis that lanes run over: the last one, whose elements are neighbours, if it may be; else the longest.
std::optional<std::size_t> lane_axis(const Dims& dims, std::size_t axis) {
  std::optional<std::size_t> best;
  std::int64_t longest = kFewLanes - 1;
  for (std::size_t a = dims.size(); a-- > 0;) {
    if (a == axis) continue;
    const std::int64_t length = dims[a].is_constant() ? dims[a].constant() : INT64_MAX;
    if (length <= longest) continue;
    if (a + 1 == dims.size()) return a;
    best = a;
    longest = length;
  }
  return best;
}

}  // namespace

void over_lines(LoopWriter& loops, const Dims& dims, std::size_t axis, bool lanes,
                const std::function<void(Index)>& line) {
  const std::optional<std::size_t> vector = lanes ? lane_axis(dims, axis) : std::nullopt;
  Index at(dims.size(), Dim(0));
  const std::function<void(std::size_t)> nest = [&](std::size_t a) {
    if (a == dims.size()) {
      if (!vector) return line(at);
      return loops.over_lanes(dims[*vector], [&](const Dim& i) {
        at[*vector] = i;
        line(at);
      });
    }
    if (a == axis || a == vector) return nest(a + 1);
    loops.loop(dims[a], [&](const Dim& i) {
      at[a] = i;
      nest(a + 1);
    });
  };
  nest(0);
}

AxisMap lines_along_axis(const Node& n) {
  AxisMap map;
  for (int a = 0; a < n.types[0].rank(); ++a)
    if (a != n.attrs.get<std::int64_t>("axis")) map.related.push_back({0, a, a});
  return map;
}

}  // namespace gcompile::ir
