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
  explicit Fold(const Node& n)
      : node(&n), operand(n.operands[0]), rule(std::get<ir::ReduceLowering>(n.op->lower)), axes(n.attrs.ints("axes")) {
    for (const std::int64_t a : axes) extents.push_back(operand.type().dim(a));
  }

  Index index(const Index& kept, const Index& folded) const {
    Index full;
    std::size_t k = 0, f = 0;
    for (int a = 0; a < operand.type().rank(); ++a)
      full.push_back(std::find(axes.begin(), axes.end(), a) != axes.end() ? folded[f++] : kept[k++]);
    return full;
  }

  const Node* node;
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
int columns_at_once(BodyLowering& c, const std::vector<Fold>& sums) {
  int size = 0;
  for (const Fold& f : sums) size += expression_size(c, f.operand, 32);
  const int room = c.context().target.accumulators() / static_cast<int>(sums.size());
  return std::max(std::min(size < 8 ? 8 : size < 24 ? 4 : 2, room), 1);
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

std::vector<int> lane_reductions(BodyLowering& c, const std::vector<const Node*>& sums, const Index& at,
                                 const std::function<void(const Dim&)>& also) {
  KernelBuilder& b = c.builder();
  std::vector<Fold> folds;
  for (const Node* n : sums) folds.emplace_back(*n);
  // Always over the last axis, also when it is short: which one is not chosen by an extent, or a constant and a
  // symbolic extent would sum in different orders.
  std::vector<Dim> outer = folds[0].extents;
  const Dim extent = outer.back();
  outer.pop_back();
  const bool fixed = extent.is_constant();
  const int used =
      fixed ? static_cast<int>(std::clamp<std::int64_t>((extent.constant() + ir::kLanes - 1) / ir::kLanes, 1, kSums))
            : kSums;
  // The partial sums of the first reduction, then of the second, ...
  std::vector<ir::VType> types;
  std::vector<ir::Expr> none;
  for (const Fold& f : folds) {
    const DType dtype = f.operand.type().dtype;
    const BodyLowering::At here(c, *f.node);
    types.insert(types.end(), static_cast<std::size_t>(used), ir::VType{dtype, true});
    none.insert(none.end(), static_cast<std::size_t>(used), ir::Expr{b.literal(dtype, f.rule.identity(dtype))});
  }
  // One element of a vector more for each of the sums: those before `count`, where it is not 0.
  const auto add = [&](std::span<const int> before, const Index& folded, const Dim& first, const Dim& count) {
    std::vector<int> next(before.begin(), before.end());
    for (int u = 0; u < used; ++u) {
      Index element = folded;
      element.push_back(first + Dim(ir::kLanes * u) + lane());
      const Dim left = count - Dim(ir::kLanes * u);
      const bool masked = !count.is(0) && !(left.is_constant() && left.constant() >= ir::kLanes);
      if (masked && left.is_constant() && left.constant() <= 0) continue;
      const Lanes lanes = masked ? Lanes(c, left) : Lanes(c);
      if (also) also(element.back());
      for (std::size_t f = 0; f < folds.size(); ++f) {
        const BodyLowering::At here(c, *folds[f].node);
        int& sum = next[f * static_cast<std::size_t>(used) + static_cast<std::size_t>(u)];
        const int more = b.op(folds[f].rule.combine, {sum, c.value(folds[f].operand, folds[f].index(at, element))});
        sum = masked ? b.op("select", {c.mask, more, sum}) : more;
      }
    }
    return next;
  };
  constexpr std::int64_t kBlock = std::int64_t{ir::kLanes} * kSums;
  const Dim blocks = floordiv(extent, kBlock), rest = extent - Dim(kBlock) * blocks;
  const Lanes all(c);
  const auto totals = c.fold(outer, none, [&](const Index& folded, std::vector<ir::Expr> carried) {
    std::vector<int> ids;
    for (const ir::Expr& e : carried) ids.push_back(e.id);
    if (!blocks.is(0))
      ids = c.loop("j", blocks, ir::LoopKind::kSerial, ids, types,
                   [&](const Dim& j, std::span<const int> now) { return add(now, folded, Dim(kBlock) * j, 0); });
    // What the last lanes load under a mask is not what others would load there.
    if (fixed && !rest.is(0)) c.in_scope([&] { ids = add(ids, folded, Dim(kBlock) * blocks, rest); });
    if (!fixed)
      ids = c.loop("j", ceildiv(extent, kBlock) - blocks, ir::LoopKind::kSerial, ids, types,
                   [&](const Dim&, std::span<const int> now) { return add(now, folded, Dim(kBlock) * blocks, rest); });
    std::vector<ir::Expr> next;
    for (const int id : ids) next.push_back({id});
    return next;
  });
  std::vector<int> results;
  for (std::size_t f = 0; f < folds.size(); ++f) {
    const BodyLowering::At here(c, *folds[f].node);
    const DType dtype = folds[f].operand.type().dtype;
    const std::string partial = c.scratch("partial", dtype, {1, ir::kLanes}, ir::Scratch::Kind::kStack);
    const std::string total = c.scratch("total", dtype, {1}, ir::Scratch::Kind::kStack);
    std::vector<int> pairs;
    for (int u = 0; u < used; ++u)
      pairs.push_back(totals[f * static_cast<std::size_t>(used) + static_cast<std::size_t>(u)].id);
    while (pairs.size() > 1) {
      std::vector<int> halves;
      for (std::size_t i = 0; i < pairs.size(); i += 2)
        halves.push_back(i + 1 < pairs.size() ? b.op(folds[f].rule.combine, {pairs[i], pairs[i + 1]}) : pairs[i]);
      pairs = halves;
    }
    b.store(partial, {Dim(0), lane()}, pairs[0]);
    b.lane_reduce(total, partial, folds[f].rule.combine, 1);
    results.push_back(b.load(total, dtype, {Dim(0)}));
  }
  return results;
}

int lane_reduction(BodyLowering& c, Value v, const Index& at) { return lane_reductions(c, {v.node}, at)[0]; }

void emit_column_reductions(BodyLowering& c, const std::vector<Value>& values, const std::vector<Destination>& to,
                            const std::vector<Output>& more) {
  KernelBuilder& b = c.builder();
  std::vector<Fold> folds;
  for (const Value& v : values) folds.emplace_back(*v.node);
  const Type& type = values[0].type();
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
    // Of every vector of columns the sums of the first reduction, of the second, ...
    std::vector<ir::Expr> none;
    for (int u = 0; u < count; ++u)
      for (const Fold& f : folds) {
        const DType dtype = f.operand.type().dtype;
        none.push_back({b.literal(dtype, f.rule.identity(dtype))});
      }
    const auto sums = c.fold(folds[0].extents, none, [&](const Index& folded, std::vector<ir::Expr> carried) {
      for (std::size_t i = 0; i < carried.size(); ++i) {
        const Fold& f = folds[i % folds.size()];
        const int u = static_cast<int>(i / folds.size());
        c.mask = mask_of(u);
        carried[i] = {b.op(f.rule.combine, {carried[i].id, c.value(f.operand, f.index(at(u), folded))})};
      }
      c.mask = -1;
      return carried;
    });
    for (int u = 0; u < count; ++u) {
      c.mask = mask_of(u);
      for (std::size_t f = 0; f < folds.size(); ++f) {
        const int sum = sums[static_cast<std::size_t>(u) * folds.size() + f].id;
        c.bind(values[f], at(u), sum);
        b.store(to[f].memory, to[f].at(at(u), values[f].type()), sum, c.mask);
      }
      for (const Output& o : more) b.store(o.buffer, at(u), c.value(o.value, at(u)), c.mask);
    }
    c.mask = -1;
  };
  const int most = columns_at_once(c, folds);
  const std::int64_t wide = std::int64_t{most} * ir::kLanes;
  const Dim blocks = floordiv(extent, wide), done = Dim(wide) * blocks;
  const Index& row = to[0].row;
  std::vector<Dim> outer(type.dims.begin() + static_cast<std::ptrdiff_t>(row.size()), type.dims.end() - 1);
  c.loops("i", outer, 1, [&](const Index& inner) {
    Index at = row;
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
