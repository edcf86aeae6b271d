// Loops over the lanes of an axis, and reductions by lanes: see lower.h.
#include <algorithm>

#include "gcompile/ir/op.h"
#include "gcompile/passes/lower.h"

namespace gcompile::passes {
namespace {

using ir::Index;
using ir::Node;
using ir::Value;

constexpr std::int64_t kUnroll = 8;  // loops up to this extent are wished unrolled

ir::LoopKind wish(const Dim& extent) {
  return extent.is_constant() && extent.constant() <= kUnroll ? ir::LoopKind::kUnroll : ir::LoopKind::kSerial;
}

Dim lane() { return Dim(ir::kLaneSymbol); }

// While it lives, lanes are on: all of them, or those before `count`.
class Lanes {
 public:
  explicit Lanes(BodyLowering& c) : c_(c), lanes_(c.lanes), mask_(c.mask) { c.lanes = true; }
  Lanes(BodyLowering& c, const Dim& count) : Lanes(c) {
    c.mask = c.builder().op("lt", {c.builder().index(lane()), c.builder().index(count)});
  }
  Lanes(const Lanes&) = delete;
  Lanes& operator=(const Lanes&) = delete;
  ~Lanes() {
    c_.lanes = lanes_;
    c_.mask = mask_;
  }

 private:
  BodyLowering& c_;
  bool lanes_;
  int mask_;
};

// What a reduction folds, and where the elements are that it needs.
struct Fold {
  Fold(const Node& n)
      : operand(n.operands[0]), rule(std::get<ir::ReduceLowering>(n.op->lower)), axes(n.attrs.ints("axes")) {
    for (const std::int64_t a : axes) extents.push_back(operand.type().dim(a));
  }

  Index index(const Index& kept, const Index& folded) const {
    Index full;
    std::size_t k = 0, f = 0;
    for (int a = 0; a < operand.type().rank(); ++a)
      full.push_back(std::find(axes.begin(), axes.end(), a) != axes.end() ? folded[f++] : kept[k++]);
    return full;
  }

  Value operand;
  const ir::ReduceLowering& rule;
  const std::vector<std::int64_t>& axes;
  std::vector<Dim> extents;
};

// The nodes that are computed for one element of a value, counted up to a limit.
int expression_size(const BodyLowering& c, Value v, int limit) {
  if (c.is_placed(v) || v.node->op->is(ir::kLeaf)) return 0;
  int size = 1;
  for (const Value& o : v.node->operands)
    if (size < limit) size += expression_size(c, o, limit - size);
  return size;
}

// How many vectors of columns are summed side by side: a long row of each line of the cache, as many chains as keep the
// units busy, but little code.
int columns_at_once(BodyLowering& c, Value v) {
  const int size = expression_size(c, v, 32);
  return std::min(size < 8 ? 8 : size < 24 ? 4 : 2, c.context().target.accumulators());
}

}  // namespace

void over_lanes(BodyLowering& c, const Dim& extent, const std::function<void(const Dim&)>& body) {
  const Dim whole = floordiv(extent, ir::kLanes);
  if (!whole.is(0))
    c.loop("j", whole, wish(whole), [&](const Dim& j) {
      const Lanes lanes(c);
      body(Dim(ir::kLanes) * j + lane());
    });
  const Dim rest = ceildiv(extent, ir::kLanes) - whole;  // 0 or 1
  if (rest.is(0)) return;
  c.loop("j", rest, wish(rest), [&](const Dim&) {
    const Dim first = Dim(ir::kLanes) * whole;
    const Lanes lanes(c, extent - first);
    body(first + lane());
  });
}

int lane_reduction(BodyLowering& c, Value v, const Index& at) {
  KernelBuilder& b = c.builder();
  const Fold f(*v.node);
  const DType dtype = v.type().dtype;
  // Always over the last axis, also when it is short: which one is not chosen by an extent, or a constant and a
  // symbolic extent would sum in different orders.
  std::vector<Dim> outer = f.extents;
  const Dim extent = outer.back();
  outer.pop_back();
  const bool fixed = extent.is_constant();
  const int used =
      fixed ? static_cast<int>(std::clamp<std::int64_t>((extent.constant() + ir::kLanes - 1) / ir::kLanes, 1, kSums))
            : kSums;
  const std::vector<ir::VType> types(static_cast<std::size_t>(used), ir::VType{dtype, true});
  // One element of a vector more for each of the sums: those before `count`, where it is not 0.
  const auto add = [&](std::span<const int> sums, const Index& folded, const Dim& first, const Dim& count) {
    std::vector<int> next;
    for (int u = 0; u < static_cast<int>(sums.size()); ++u) {
      Index full = folded;
      full.push_back(first + Dim(ir::kLanes * u) + lane());
      const int before = sums[static_cast<std::size_t>(u)];
      const Dim left = count - Dim(ir::kLanes * u);
      const bool masked = !count.is(0) && !(left.is_constant() && left.constant() >= ir::kLanes);
      if (masked && left.is_constant() && left.constant() <= 0) {
        next.push_back(before);
      } else if (masked) {
        const Lanes lanes(c, left);
        next.push_back(
            b.op("select", {c.mask, b.op(f.rule.combine, {before, c.value(f.operand, f.index(at, full))}), before}));
      } else {
        const Lanes lanes(c);
        next.push_back(b.op(f.rule.combine, {before, c.value(f.operand, f.index(at, full))}));
      }
    }
    return next;
  };
  constexpr std::int64_t kBlock = std::int64_t{ir::kLanes} * kSums;
  const Dim blocks = floordiv(extent, kBlock), rest = extent - Dim(kBlock) * blocks;
  const std::vector<ir::Expr> none(static_cast<std::size_t>(used), ir::Expr{b.literal(dtype, f.rule.identity(dtype))});
  const Lanes lanes(c);
  const auto sums = c.fold(outer, none, [&](const Index& folded, std::vector<ir::Expr> carried) {
    std::vector<int> ids;
    for (const ir::Expr& e : carried) ids.push_back(e.id);
    if (!blocks.is(0))
      ids = c.loop("j", blocks, ir::LoopKind::kSerial, ids, types,
                   [&](const Dim& j, std::span<const int> now) { return add(now, folded, Dim(kBlock) * j, 0); });
    if (fixed && !rest.is(0)) ids = add(ids, folded, Dim(kBlock) * blocks, rest);
    if (!fixed)
      ids = c.loop("j", ceildiv(extent, kBlock) - blocks, ir::LoopKind::kSerial, ids, types,
                   [&](const Dim&, std::span<const int> now) { return add(now, folded, Dim(kBlock) * blocks, rest); });
    std::vector<ir::Expr> next;
    for (const int id : ids) next.push_back({id});
    return next;
  });
  const std::string partial = c.scratch("partial", dtype, {1, ir::kLanes}, ir::Scratch::Kind::kStack);
  const std::string total = c.scratch("total", dtype, {1}, ir::Scratch::Kind::kStack);
  std::vector<int> pairs;
  for (const ir::Expr& e : sums) pairs.push_back(e.id);
  while (pairs.size() > 1) {
    std::vector<int> halves;
    for (std::size_t i = 0; i < pairs.size(); i += 2)
      halves.push_back(i + 1 < pairs.size() ? b.op(f.rule.combine, {pairs[i], pairs[i + 1]}) : pairs[i]);
    pairs = halves;
  }
  b.store(partial, {Dim(0), lane()}, pairs[0]);
  b.lane_reduce(total, partial, f.rule.combine, 1);
  return b.load(total, dtype, {Dim(0)});
}

void emit_column_reduction(BodyLowering& c, Value v, const Destination& to, const std::vector<Output>& more) {
  KernelBuilder& b = c.builder();
  const Fold f(*v.node);
  const Type& type = v.type();
  const Dim extent = type.dims.back();
  // The sums of `count` vectors of columns from `first` on; the last one has `last` columns, or all where that is 0.
  const auto columns = [&](const Index& outer, const Dim& first, int count, const Dim& last) {
    const Lanes lanes(c);
    const auto at = [&](int u) {
      Index kept = outer;
      kept.push_back(first + Dim(ir::kLanes * u) + lane());
      return kept;
    };
    const int mask = last.is(0) ? -1 : b.op("lt", {b.index(lane()), b.index(last)});
    const auto mask_of = [&](int u) { return u + 1 == count ? mask : -1; };
    const int none = b.literal(type.dtype, f.rule.identity(type.dtype));
    const auto sums = c.fold(f.extents, std::vector<ir::Expr>(static_cast<std::size_t>(count), ir::Expr{none}),
                             [&](const Index& folded, std::vector<ir::Expr> carried) {
                               for (int u = 0; u < count; ++u) {
                                 c.mask = mask_of(u);
                                 ir::Expr& sum = carried[static_cast<std::size_t>(u)];
                                 sum = {b.op(f.rule.combine, {sum.id, c.value(f.operand, f.index(at(u), folded))})};
                               }
                               c.mask = -1;
                               return carried;
                             });
    for (int u = 0; u < count; ++u) {
      c.mask = mask_of(u);
      c.bind(v, at(u), sums[static_cast<std::size_t>(u)].id);
      b.store(to.memory, to.at(at(u), type), sums[static_cast<std::size_t>(u)].id, c.mask);
      for (const Output& o : more) b.store(o.buffer, at(u), c.value(o.value, at(u)), c.mask);
    }
    c.mask = -1;
  };
  const int most = columns_at_once(c, f.operand);
  const std::int64_t wide = std::int64_t{most} * ir::kLanes;
  const Dim blocks = floordiv(extent, wide), done = Dim(wide) * blocks;
  std::vector<Dim> outer(type.dims.begin() + static_cast<std::ptrdiff_t>(to.row.size()), type.dims.end() - 1);
  c.loops("i", outer, 1, [&](const Index& inner) {
    Index at = to.row;
    at.insert(at.end(), inner.begin(), inner.end());
    if (!blocks.is(0))
      c.loop("j", blocks, ir::LoopKind::kSerial, [&](const Dim& j) { columns(at, Dim(wide) * j, most, 0); });
    const Dim rest = extent - done;
    if (rest.is_constant() && !rest.is(0))
      c.loop("j", 1, ir::LoopKind::kUnroll, [&](const Dim&) {
        const std::int64_t count = (rest.constant() + ir::kLanes - 1) / ir::kLanes;
        columns(at, done, static_cast<int>(count), rest - Dim(ir::kLanes * (count - 1)));
      });
    if (rest.is_constant()) return;
    const Dim whole = floordiv(rest, ir::kLanes);
    c.loop("j", whole, ir::LoopKind::kSerial, [&](const Dim& j) { columns(at, done + Dim(ir::kLanes) * j, 1, 0); });
    c.loop("j", ceildiv(rest, ir::kLanes) - whole, ir::LoopKind::kSerial,
           [&](const Dim&) { columns(at, done + Dim(ir::kLanes) * whole, 1, rest - Dim(ir::kLanes) * whole); });
  });
}

}  // namespace gcompile::passes
