#include "gcompile/passes/nest_sums.h"

#include <algorithm>

#include "gcompile/ir/op.h"
#include "gcompile/passes/nest_cut.h"

namespace gcompile::passes {
namespace {

using ir::Index;
using ir::Node;
using ir::Value;

constexpr std::int64_t kUnrolledBlocks = 16;  // loops over blocks up to this extent are wished unrolled

Dim lane() { return Dim(ir::kLaneSymbol); }

const ir::ReduceLowering* reduction(const Node* n) { return std::get_if<ir::ReduceLowering>(&n->op->lower); }
const ir::ScatterLowering* scatter(const Node* n) { return std::get_if<ir::ScatterLowering>(&n->op->lower); }
std::string_view combine(const Node* n) {
  return reduction(n) ? reduction(n)->combine : scatter(n) ? scatter(n)->combine : "add";
}
std::int64_t count(const Node* n) { return std::max<std::int64_t>(product(n->types[0].dims).constant(), 1); }

// All positions of a box with constant extents, in row-major order.
std::vector<Index> positions(const std::vector<Dim>& extents) {
  std::vector<Index> all{{}};
  for (const Dim& e : extents) {
    std::vector<Index> longer;
    for (const Index& p : all)
      for (std::int64_t i = 0; i < e.constant(); ++i) {
        longer.push_back(p);
        longer.back().emplace_back(i);
      }
    all = std::move(longer);
  }
  return all;
}

}  // namespace

NestSums::NestSums(BodyLowering& c, const AxisClasses& classes, int anchor_class, std::vector<const Node*> sums)
    : c_(c), b_(c.builder()), classes_(classes), anchor_class_(anchor_class), sums_(std::move(sums)) {
  for (const Node* n : sums_) {
    const DType dtype = n->types[0].dtype;
    auto group = std::find_if(groups_.begin(), groups_.end(),
                              [&](const Group& g) { return g.dtype == dtype && g.combine == combine(n); });
    if (group == groups_.end()) group = groups_.insert(groups_.end(), Group{{}, {}, combine(n), dtype});
    where_[n] = {static_cast<std::size_t>(group - groups_.begin()), group->size};
    group->size += count(n);
  }
  for (Group& g : groups_) {
    g.partial = c_.scratch("sum", g.dtype, {g.size, ir::kLanes}, ir::Scratch::Kind::kStack);
    g.total = c_.scratch("total", g.dtype, {g.size}, ir::Scratch::Kind::kStack);
  }
}

std::vector<NestSums::Element> NestSums::elements() const {
  std::vector<Element> all;
  for (const Node* n : sums_)
    for (Index& at : positions(n->types[0].dims)) all.push_back({n, std::move(at)});
  return all;
}

Index NestSums::place(const Element& e) const {
  const Type& t = e.node->types[0];
  return {Dim(where_.at(e.node).offset) + (t.dims.empty() ? Dim(0) : linear_offset(e.at, t.dims)), lane()};
}

int NestSums::identity(const Node* n) const {
  const DType dtype = n->types[0].dtype;
  return b_.literal(dtype, reduction(n) ? reduction(n)->identity(dtype) : scatter(n) ? scatter(n)->identity(dtype) : 0);
}

std::vector<int> NestSums::initial() const {
  std::vector<int> values;
  for (const Element& e : elements()) values.push_back(identity(e.node));
  return values;
}

std::vector<ir::VType> NestSums::types() const {
  std::vector<ir::VType> types;
  for (const Element& e : elements()) types.push_back({e.node->types[0].dtype, true});
  return types;
}

std::vector<int> NestSums::add(std::span<const int> before, const Dim& sample) {
  std::vector<int> after;
  for (const Element& e : elements()) after.push_back(add_sample(e, before[after.size()], sample));
  return after;
}

void NestSums::keep(std::span<const int> after) {
  const auto all = elements();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const BodyLowering::At here(c_, *all[i].node);
    b_.store(partial(all[i]), place(all[i]), after[i]);
  }
}

void NestSums::add_strip(const Dim& strip, const Dim& count_in_strip, const Begin& begin) {
  const auto limit = static_cast<std::size_t>(c_.context().target.accumulators());
  const auto add = [&](const std::vector<Element>& block) { add_block(block, strip, count_in_strip, begin); };
  std::vector<Element> small;  // sums that share blocks
  for (const Node* n : sums_) {
    if (n->types[0].rank() > 0 && static_cast<std::size_t>(count(n)) > limit / 2) {
      add_large(n, add);
      continue;
    }
    for (Index& at : positions(n->types[0].dims)) {
      small.push_back({n, std::move(at)});
      if (small.size() < limit) continue;
      add(small);
      small.clear();
    }
  }
  if (!small.empty()) add(small);
}

// Blocks over the last two axes; full ones, then those at the edges.
void NestSums::add_large(const Node* n, const std::function<void(const std::vector<Element>&)>& add) {
  const std::vector<Dim>& dims = n->types[0].dims;
  const std::size_t axes = std::min<std::size_t>(dims.size(), 2);
  const std::vector<Dim> outer(dims.begin(), dims.end() - static_cast<std::ptrdiff_t>(axes));
  const std::int64_t rows = axes == 2 ? dims[dims.size() - 2].constant() : 1, columns = dims.back().constant();
  const SumBlock block = choose_block(rows, columns, c_.context().target.accumulators());
  const auto along = [&](std::int64_t extent, std::int64_t step,
                         const std::function<void(const Dim&, std::int64_t)>& f) {
    const std::int64_t whole = extent / step;
    if (whole == 1) f(0, step);
    if (whole > 1)
      c_.loop("b", whole, whole <= kUnrolledBlocks ? ir::LoopKind::kUnroll : ir::LoopKind::kSerial,
              [&](const Dim& i) { f(Dim(step) * i, step); });
    if (extent % step) f(whole * step, extent % step);
  };
  c_.loops("i", outer, kUnrolledBlocks, [&](const Index& at) {
    along(rows, block.rows, [&](const Dim& row, std::int64_t height) {
      along(columns, block.columns, [&](const Dim& column, std::int64_t width) {
        std::vector<Element> elements;
        for (std::int64_t r = 0; r < height; ++r)
          for (std::int64_t k = 0; k < width; ++k) {
            Index full = at;
            if (axes == 2) full.push_back(row + Dim(r));
            full.push_back(column + Dim(k));
            elements.push_back({n, std::move(full)});
          }
        add(elements);
      });
    });
  });
}

void NestSums::add_block(const std::vector<Element>& block, const Dim& strip, const Dim& count_in_strip,
                         const Begin& begin) {
  const BodyLowering::At here(c_, *block.front().node);
  // The first strip begins with the identity, whatever is in memory.
  const int later = b_.op("gt", {b_.index(strip), b_.literal(DType::kI32, 0)});
  std::vector<int> before;
  std::vector<ir::VType> types;
  for (const Element& e : block) {
    const BodyLowering::At there(c_, *e.node);
    const DType dtype = e.node->types[0].dtype;
    before.push_back(b_.op("select", {later, b_.load(partial(e), dtype, place(e)), identity(e.node)}));
    types.push_back({dtype, true});
  }
  const auto after =
      c_.loop("v", count_in_strip, ir::LoopKind::kSerial, before, types, [&](const Dim& v, std::span<const int> sums) {
        const Dim sample = begin(v);
        std::vector<int> next;
        for (const Element& e : block) next.push_back(add_sample(e, sums[next.size()], sample));
        return next;
      });
  for (std::size_t i = 0; i < block.size(); ++i) {
    const BodyLowering::At there(c_, *block[i].node);
    b_.store(partial(block[i]), place(block[i]), after[i]);
  }
}

// One element with 16 samples more: folds over the other folded axes, if any. Lanes beyond the last sample keep what
// they have: their values are nobody's, and 0 times infinity is no 0.
int NestSums::add_sample(const Element& e, int before, const Dim& sample) {
  const Node* n = e.node;
  const BodyLowering::At here(c_, *n);
  std::vector<Dim> extents;  // of the folded axes that are not the anchor
  std::vector<std::size_t> groups;
  const auto folded = folded_axes(*n);
  for (std::size_t g = 0; g < folded.size(); ++g) {
    const auto [operand, axis] = folded[g][0];
    const Value v = n->operands[static_cast<std::size_t>(operand)];
    if (classes_.find(v, anchor_class_) == axis) continue;
    extents.push_back(v.type().dim(axis));
    groups.push_back(g);
  }
  const auto step = [&](const Index& k, int sum) {
    std::vector<int> values;
    for (std::size_t o = 0; o < n->operands.size(); ++o)
      values.push_back(c_.value(n->operands[o], operand_index(e, static_cast<int>(o), groups, k, sample)));
    if (scatter(n)) return b_.op("select", {is_own(e, values[1]), b_.op(combine(n), {sum, values[0]}), sum});
    if (values.size() == 1) return b_.op(combine(n), {sum, values[0]});
    return is_float(n->types[0].dtype) && c_.has_fma() ? b_.op("fma", {values[0], values[1], sum})
                                                       : b_.op("add", {sum, b_.op("mul", values)});
  };
  const auto next = [&](const Index& k, std::vector<ir::Expr> sum) {
    return std::vector<ir::Expr>{{step(k, sum[0].id)}};
  };
  const int after = extents.empty() ? step({}, before) : c_.fold(extents, {{before}}, next)[0].id;
  return c_.mask < 0 ? after : b_.op("select", {c_.mask, after, before});
}

// Whether an index of a sum at indices, clamped, is that of the element.
int NestSums::is_own(const Element& e, int index) {
  const std::int64_t axis = e.node->attrs.get<std::int64_t>("axis");
  const Dim last = ir::last_place(e.node->types[0].dim(axis));
  const int place = b_.op("min", {b_.op("max", {index, b_.literal(DType::kI32, 0)}), b_.index(last)});
  return b_.op("eq", {place, b_.index(e.at[static_cast<std::size_t>(axis)])});
}

Index NestSums::operand_index(const Element& e, int operand, const std::vector<std::size_t>& groups, const Index& k,
                              const Dim& sample) const {
  const Value v = e.node->operands[static_cast<std::size_t>(operand)];
  Index index(v.type().dims.size());
  for (const AxisRelation& r : axis_relations(*e.node))
    if (r.operand == operand)
      index[static_cast<std::size_t>(r.operand_axis)] = e.at[static_cast<std::size_t>(r.result_axis)];
  const auto folded = folded_axes(*e.node);
  for (std::size_t g = 0; g < groups.size(); ++g)
    for (const auto& [o, axis] : folded[groups[g]])
      if (o == operand) index[static_cast<std::size_t>(axis)] = k[g];
  index[static_cast<std::size_t>(classes_.find(v, anchor_class_))] = sample;
  return index;
}

void NestSums::finish() {
  for (const Group& g : groups_) {
    const auto first = std::find_if(sums_.begin(), sums_.end(), [&](const Node* n) {
      return where_.at(n).offset == 0 && &groups_[where_.at(n).group] == &g;
    });
    const BodyLowering::At here(c_, **first);
    b_.lane_reduce(g.total, g.partial, g.combine, Dim(g.size));
  }
  for (const Node* n : sums_) {
    const Where& w = where_.at(n);
    c_.place_linear({n, 0}, groups_[w.group].total, w.offset);
  }
}

}  // namespace gcompile::passes
