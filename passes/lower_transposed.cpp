// Values whose operands are read across the rows of memory: see lower.h.
#include <algorithm>
#include <optional>

#include "gcompile/ir/op.h"
#include "gcompile/passes/lower.h"

namespace gcompile::passes {
namespace {

using ir::Access;
using ir::Index;
using ir::Value;

constexpr std::int64_t kBlock = ir::kLanes;

bool has_coefficient_one(const Dim& d, const std::string& var) {
  const auto step = d.coefficient_of(var);
  return step && step->is(1);
}

// An operand of an expression that lies in memory, and the index of its element.
struct Read {
  Value value;
  Index index;
  Access access;
};

// All of them, in an expression of elementwise ops and views.
void find_reads(BodyLowering& c, Value v, const Index& at, std::vector<Read>& reads) {
  if (const auto access = c.access(v, at)) {
    reads.push_back({v, at, *access});
    return;
  }
  if (c.is_placed(v) || v.node->op->is(ir::kLeaf)) return;
  if (std::holds_alternative<ir::ElementLowering>(v.node->op->lower))
    for (const Value& o : v.node->operands) find_reads(c, o, at, reads);
}

// Whether the memory's rows run along `row` and `lane` goes from one to the next.
bool is_across(const Access& a, const std::string& lane, const std::string& row) {
  if (a.index.size() < 2 || a.index.back().uses(lane) || !has_coefficient_one(a.index.back(), row)) return false;
  int by_lane = 0;
  for (std::size_t i = 0; i + 1 < a.index.size(); ++i) {
    if (a.index[i].uses(row)) return false;
    if (!a.index[i].uses(lane)) continue;
    if (!has_coefficient_one(a.index[i], lane)) return false;
    ++by_lane;
  }
  return by_lane == 1;
}

}  // namespace

bool emit_transposed(BodyLowering& c, Value v, const Destination& to) {
  const Type& type = v.type();
  const std::size_t first = to.row.size(), lane_axis = type.dims.size() - 1;
  // The index of an element in variables that stand for the loops to come.
  Index at = to.row;
  std::vector<std::string> vars;
  for (std::size_t a = 0; a < type.dims.size(); ++a) vars.push_back(a < first ? "" : c.variable("p", type.dims[a]));
  for (std::size_t a = first; a < type.dims.size(); ++a) at.emplace_back(vars[a]);
  std::vector<Read> reads;
  find_reads(c, v, at, reads);
  std::optional<std::size_t> row_axis;
  for (const Read& r : reads)
    for (std::size_t a = first; a < lane_axis && !row_axis; ++a)
      if (is_across(r.access, vars[lane_axis], vars[a])) row_axis = a;
  if (!row_axis) return false;
  std::erase_if(reads, [&](const Read& r) { return !is_across(r.access, vars[lane_axis], vars[*row_axis]); });

  KernelBuilder& b = c.builder();
  const Dim &rows = type.dims[*row_axis], blocks = floordiv(rows, kBlock), rest = rows - Dim(kBlock) * blocks;
  std::vector<Dim> outer(type.dims.begin() + static_cast<std::ptrdiff_t>(first), type.dims.end());
  outer[*row_axis - first] = outer[lane_axis - first] = 1;
  // Rows from `start` on, at the lanes of `lane`, read by blocks of `count` columns or element by element (0).
  const auto make = [&](const Index& fixed, const Dim& start, const Dim& count, const Dim& lane) {
    const auto index = [&](const Dim& row) {
      Index full = to.row;
      full.insert(full.end(), fixed.begin(), fixed.end());
      full[*row_axis] = row;
      full[lane_axis] = lane;
      return full;
    };
    const auto substituted = [&](const Index& dims, const Dim& row) {
      const Index now = index(row);
      std::map<std::string, Dim> values;
      for (std::size_t a = first; a < vars.size(); ++a) values.emplace(vars[a], now[a]);
      Index out;
      for (const Dim& d : dims) out.push_back(d.substitute(values));
      return out;
    };
    std::vector<std::string> scratch;
    if (count.is_constant())
      for (const Read& r : reads) {
        scratch.push_back(c.scratch("block", r.value.type().dtype, {kBlock, ir::kLanes}, ir::Scratch::Kind::kRegister));
        b.load_transposed(scratch.back(), r.access.memory, substituted(r.access.index, start), count, c.mask);
      }
    c.loop("r", count, count.is_constant() ? ir::LoopKind::kUnroll : ir::LoopKind::kSerial, [&](const Dim& r) {
      const Dim row = start + r;
      for (std::size_t i = 0; i < scratch.size(); ++i)
        c.bind(reads[i].value, substituted(reads[i].index, row),
               b.load(scratch[i], reads[i].value.type().dtype, {r, Dim(ir::kLaneSymbol)}));
      const Index full = index(row);
      b.store(to.memory, to.at(full, type), c.value(v, full), c.mask);
    });
  };
  c.loops("i", outer, 1, [&](const Index& fixed) {
    if (!blocks.is(0))
      c.loop("i", blocks, ir::LoopKind::kSerial, [&](const Dim& i) {
        over_lanes(c, type.dims[lane_axis], [&](const Dim& lane) { make(fixed, Dim(kBlock) * i, kBlock, lane); });
      });
    if (!rest.is(0))
      over_lanes(c, type.dims[lane_axis], [&](const Dim& lane) { make(fixed, Dim(kBlock) * blocks, rest, lane); });
  });
  return true;
}

}  // namespace gcompile::passes
