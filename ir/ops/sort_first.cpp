// The first few in order, of as many elements as there are: each goes down the list of those so far until one comes
// behind it, takes that one's place, and that one goes on to the end. Lines may be lanes, each with a list of its own.
#include <algorithm>

#include "gcompile/ir/kernel.h"
#include "gcompile/ir/ops/sorting.h"

namespace gcompile::ir {

SortLine sort_the_first(const SortedLine& s, DType dtype) {
  const int keys = s.loops.workspace(dtype, s.count * Dim(kLanes));
  const int places = s.loops.workspace(DType::kI32, s.count * Dim(kLanes));
  return [=](const Index& at) {
    const Dim lane =
        std::any_of(at.begin(), at.end(), [](const Dim& d) { return d.uses(kLaneSymbol); }) ? Dim(kLaneSymbol) : Dim(0);
    const auto slot = [&](const Dim& q) { return q * Dim(kLanes) + lane; };
    LoopWriter& loops = s.loops;
    loops.loop(s.count, [&](const Dim& q) {
      loops.store(keys, slot(q), {}, s.number(0, dtype));
      loops.store(places, slot(q), {}, s.number(0));
    });
    loops.loop(s.size, [&](const Dim& p) {
      const Expr place = s.e.index(p), passed = s.op("ne", place, place);  // whether it has found its place: not yet
      loops.carry(s.count, {s.key(at, p), place, passed}, [&](const Dim& q, const std::vector<Expr>& going) {
        const Expr key = loops.load(keys, slot(q), {}), there = loops.load(places, slot(q), {});
        const Expr is_free = s.op("ge", s.e.index(q), place);
        const Expr stays = s.op("or", s.op("or", going[2], is_free), s.before(going[0], key));
        loops.store(keys, slot(q), {}, s.select(stays, going[0], key));
        loops.store(places, slot(q), {}, s.select(stays, going[1], there));
        return std::vector<Expr>{s.select(stays, key, going[0]), s.select(stays, there, going[1]), stays};
      });
    });
    loops.loop(s.count, [&](const Dim& q) {
      Index to = at;
      to[s.axis] = q;
      loops.store(to, loops.load(places, slot(q), {}));
    });
  };
}

}  // namespace gcompile::ir
