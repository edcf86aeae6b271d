// A merge sort from the bottom up; the positions lie in two halves of a line's memory in turn.
#include "gcompile/ir/ops/sorting.h"

namespace gcompile::ir {
namespace {

// How often runs of 1, 2, 4, ... elements must be merged until n are in order, rounded up to an even number, so that
// the result lies where the positions began. One more merge of a single run changes nothing.
Dim merges(const Dim& n) {
  Dim count = 0;
  for (int level = 0; level <= 30; level += 2) {
    const std::int64_t run = std::int64_t{1} << level;
    count += Dim(2) * (at_most(ceildiv(n, run), 2) - at_most(n, 1));  // 2 where n > run
  }
  return count;
}

// Every pair of neighbouring runs, in one loop over all places: what is left of both is carried from place to place.
void merge_runs(const SortedLine& s, int memory, const Index& at, const Dim& level) {
  const Expr zero = s.number(0), one = s.number(1);
  const Expr run = s.op("shl", one, s.e.index(level)), both = s.op("add", run, run);
  const Expr size = s.e.index(s.size), last = s.e.index(s.size - Dim(1));
  const Dim from = mod(level, 2) * s.size, to = s.size - from;
  s.loops.carry(s.size, {zero, zero}, [&](const Dim& p, const std::vector<Expr>& carried) {
    const Expr place = s.e.index(p), begin = s.op("bit_and", place, s.op("sub", zero, both));
    const Expr middle = s.op("min", s.op("add", begin, run), size), end = s.op("min", s.op("add", begin, both), size);
    const Expr fresh = s.op("eq", place, begin);
    const Expr left = s.select(fresh, begin, carried[0]), right = s.select(fresh, middle, carried[1]);
    const Expr a = s.loops.load(memory, from + Dim("$0"), {s.op("min", left, last)});
    const Expr b = s.loops.load(memory, from + Dim("$0"), {s.op("min", right, last)});
    const Expr none_left = s.op("ge", left, middle), some_right = s.op("lt", right, end);
    const Expr take_right = s.op("and", some_right, s.op("or", none_left, s.before(s.key(at, b), s.key(at, a))));
    s.loops.store(memory, to + p, {}, s.select(take_right, b, a));
    return std::vector<Expr>{s.select(take_right, left, s.op("add", left, one)),
                             s.select(take_right, s.op("add", right, one), right)};
  });
}

}  // namespace

SortLine sort_by_merging(const SortedLine& s) {
  const int memory = s.loops.workspace(DType::kI32, s.size * Dim(2));
  return [=](const Index& at) {
    s.loops.loop(s.size, [&](const Dim& p) { s.loops.store(memory, p, {}, s.e.index(p)); });
    s.loops.loop(merges(s.size), [&](const Dim& level) { merge_runs(s, memory, at, level); });
    s.store(at, memory);
  };
}

}  // namespace gcompile::ir
