#include "gcompile/passes/tile_loops.h"

#include "gcompile/passes/feature_sums.h"

namespace gcompile::passes {

namespace {
constexpr std::int64_t kUnrolledProducts = 32;  // of a tile with partial sums, which has few rows
}  // namespace

using ir::Access;
using ir::Axis;
using ir::Index;
using ir::kLanes;

void Tiler::run() {
  b_.where = c_.where;
  outer(0);
}

// Whole panels and the last, narrower one have memory of their own: so the loop over whole ones shares nothing with
// what comes after it.
void Tiler::add_panel(int vectors) {
  if (!plan_.pack) return;
  Dim depth = 1;
  for (const Axis& k : c_.sums) depth *= k.extent;
  panel_ = context_.add_panel({dtype_, {depth, kLanes * vectors}});
}

void Tiler::loop(const std::string& stem, const Dim& extent, const std::function<void(const Dim&)>& body) {
  if (extent.is(0)) return;
  if (extent.is(1)) return body(0);
  const std::string var = fresh_var(stem);
  b_.loop(var, extent, ir::LoopKind::kSerial, [&] { body(Dim(var)); });
}

std::string Tiler::fresh_var(const std::string& stem) {
  std::string var = b_.fresh_var(stem);
  while (context_.symbols.count(var)) var = b_.fresh_var(stem);
  return var;
}

void Tiler::outer(int a) {
  if (a == static_cast<int>(c_.axes.size())) return panels();
  if (a == plan_.lane_axis || a == plan_.row_axis) return outer(a + 1);
  const Axis& axis = c_.axes[static_cast<std::size_t>(a)];
  loop(axis.var, axis.extent, [&](const Dim& at) {
    at_[axis.var] = at;
    outer(a + 1);
  });
}

void Tiler::panels() {
  if (plan_.lane_axis < 0) {
    add_panel(plan_.vectors);
    return panel({});
  }
  const Dim& extent = c_.axes[static_cast<std::size_t>(plan_.lane_axis)].extent;
  const int most = plan_.vectors;
  const Dim whole = floordiv(extent, kLanes * most);
  if (!whole.is(0)) add_panel(most);
  loop("j", whole, [&](const Dim& j) { panel({Dim(kLanes * most) * j, most, false}); });
  const Dim done = Dim(kLanes * most) * whole, rest = extent - done;
  if (rest.is_constant()) {
    if (rest.is(0)) return;
    const int vectors = static_cast<int>(ceildiv(rest, kLanes).constant());
    add_panel(vectors);
    return panel({done, vectors, rest.constant() % kLanes != 0});
  }
  add_panel(1);
  loop("j", ceildiv(rest, kLanes), [&](const Dim& j) { panel({done + Dim(kLanes) * j, 1, true}); });
}

void Tiler::panel(const Lanes& lanes) {
  const bool on_the_way = plan_.pack && plan_.copies_on_the_way;
  if (plan_.pack && !on_the_way) pack(lanes);
  source_ = plan_.pack && !on_the_way ? Source::kPanel : Source::kMemory;
  if (plan_.row_axis < 0) return block(0, 1, lanes);
  const Dim& extent = c_.axes[static_cast<std::size_t>(plan_.row_axis)].extent;
  Dim done = 0;
  if (on_the_way) {
    // The first tile fills the panel with what it loads, whole tiles after it read it. Smaller tiles read memory: they
    // may be all there is.
    const Dim tiles = floordiv(extent, plan_.rows), first = at_most(tiles, 1);
    source_ = Source::kFillsPanel;
    loop("i", first, [&](const Dim&) { block(0, plan_.rows, lanes); });
    source_ = Source::kPanel;
    loop("i", tiles - first, [&](const Dim& i) { block(Dim(plan_.rows) * (i + 1), plan_.rows, lanes); });
    done = Dim(plan_.rows) * tiles;
    source_ = extent.is_constant() ? Source::kPanel : Source::kMemory;
  }
  // A symbolic number of rows ends with smaller tiles, down to one row.
  std::vector<int> sizes;
  if (!on_the_way) sizes.push_back(plan_.rows);
  if (!extent.is_constant()) {
    if (plan_.rows > 4) sizes.push_back((plan_.rows + 2) / 3);
    if (plan_.rows > 1) sizes.push_back(1);
  }
  for (const int size : sizes) {
    const Dim tiles = floordiv(extent - done, size);
    loop("i", tiles, [&, before = done](const Dim& i) { block(before + Dim(size) * i, size, lanes); });
    done += Dim(size) * tiles;
  }
  if (const Dim rest = extent - done; rest.is_constant() && !rest.is(0))
    block(done, static_cast<int>(rest.constant()), lanes);
}

int Tiler::mask_from(const Dim& first) {
  const Dim& extent = c_.axes[static_cast<std::size_t>(plan_.lane_axis)].extent;
  return b_.op("lt", {b_.index(Dim(ir::kLaneSymbol)), b_.index(extent - first)});
}

int Tiler::mask_of(const Lanes& lanes, int vector) {
  return lanes.masked && vector == lanes.count - 1 ? mask_from(lanes.first + Dim(kLanes * vector)) : -1;
}

Tiler::Values Tiler::at(const Dim& row, const Dim& lane) const {
  Values values = at_;
  if (plan_.row_axis >= 0) values[row_var()] = row;
  if (plan_.lane_axis >= 0) values[lane_var()] = lane;
  return values;
}

void Tiler::sums(std::size_t n, const Dim& offset, const std::function<void(const Dim&)>& body) {
  if (n == c_.sums.size()) return body(offset);
  const Axis& k = c_.sums[n];
  loop(k.var, k.extent, [&](const Dim& var) {
    at_[k.var] = var;
    sums(n + 1, offset * k.extent + var, body);
  });
}

Tiler::Accumulators Tiler::carried_loop(const std::string& stem, const Dim& extent, Accumulators before,
                                        const std::function<Accumulators(const Dim&, Accumulators)>& body,
                                        ir::LoopKind kind) {
  const std::string var = fresh_var(stem);
  const std::vector<ir::VType> types(before.size(), {dtype_, plan_.lane_axis >= 0});
  return b_.loop(
      var, extent, kind, std::move(before),
      [&](std::span<const int> carried) {
        return body(Dim(var), {carried.begin(), carried.end()});
      },
      types);
}

Tiler::Accumulators Tiler::reduce(std::size_t n, const Dim& offset, Accumulators before,
                                  const std::function<Accumulators(const Dim&, Accumulators)>& body) {
  if (n == c_.sums.size()) return body(offset, std::move(before));
  const Axis& k = c_.sums[n];
  return carried_loop(k.var, k.extent, std::move(before), [&](const Dim& var, Accumulators carried) {
    at_[k.var] = var;
    return reduce(n + 1, offset * k.extent + var, std::move(carried), body);
  });
}

Tiler::Accumulators Tiler::reduce_in_parts(const Dim& row, int rows, const Lanes& lanes, Accumulators sums) {
  const Axis& k = c_.sums[0];
  const std::int64_t terms = k.extent.constant(), rounds = terms / c_.partials;
  const auto add = [&](const Dim& first, std::int64_t count, Accumulators before) {
    const auto size = static_cast<std::ptrdiff_t>(before.size()) / c_.partials;
    for (std::int64_t p = 0; p < count; ++p) {
      const auto begin = before.begin() + size * p;
      at_[k.var] = first + Dim(p);
      const Accumulators after = step(first + Dim(p), row, rows, lanes, {begin, begin + size});
      std::copy(after.begin(), after.end(), begin);
    }
    return before;
  };
  const bool is_short = terms * rows * lanes.count <= kUnrolledProducts;
  sums = carried_loop(
      k.var, rounds, std::move(sums),
      [&](const Dim& round, Accumulators before) {
        return add(Dim(c_.partials) * round, c_.partials, std::move(before));
      },
      is_short ? ir::LoopKind::kUnroll : ir::LoopKind::kSerial);
  return add(rounds * c_.partials, terms % c_.partials, std::move(sums));
}

Tiler::Accumulators Tiler::step(const Dim& k, const Dim& row, int rows, const Lanes& lanes, Accumulators sums) {
  std::map<std::tuple<const Access*, int, int>, int> loaded;
  const auto operand = [&](const Access& a, int r, int v) {
    const bool by_lane = plan_.lane_axis >= 0 && uses(a.index, lane_var());
    const bool by_row = plan_.row_axis >= 0 && uses(a.index, row_var());
    const auto [it, is_new] = loaded.try_emplace({&a, by_row ? r : -1, by_lane ? v : -1}, -1);
    if (!is_new) return it->second;
    const Dim lane{ir::kLaneSymbol};
    const Index in_panel{k, Dim(kLanes * v) + lane};
    const bool is_lanes = &a == &lane_operand();
    if (is_lanes && source_ == Source::kPanel) return it->second = b_.load(panel_, dtype_, in_panel);
    const Index index = substituted(a.index, at(row + Dim(r), lanes.first + Dim(kLanes * v) + lane));
    it->second = b_.load(a.memory, dtype_, index, {}, by_lane ? mask_of(lanes, v) : -1);
    if (is_lanes && source_ == Source::kFillsPanel) b_.store(panel_, in_panel, it->second);
    return it->second;
  };
  for (int v = 0; v < lanes.count; ++v) operand(lane_operand(), 0, v);
  for (int r = 0; r < rows; ++r)
    for (int v = 0; v < lanes.count; ++v) {
      const int x = operand(c_.left, r, v), y = operand(c_.right, r, v);
      int& sum = sums[static_cast<std::size_t>(r * lanes.count + v)];
      sum = product(x, y, sum);
    }
  return sums;
}

int Tiler::product(int x, int y, int sum) {
  return is_float(dtype_) && context_.target.has_fma ? b_.op("fma", {x, y, sum})
                                                     : b_.op("add", {sum, b_.op("mul", {x, y})});
}

void Tiler::block(const Dim& row, int rows, const Lanes& lanes) {
  for (int v = 0; v < lanes.count; ++v) mask_of(lanes, v);  // made here, not in the loop
  if (!plan_.prefetch.empty()) prefetch_for_epilogues(row, rows, lanes);
  const std::size_t elements = static_cast<std::size_t>(rows) * static_cast<std::size_t>(lanes.count);
  const auto partials = static_cast<std::size_t>(c_.partials);
  const Accumulators zeros(elements * partials, b_.literal(dtype_, 0));
  const Accumulators parts = plan_.transpose && !plan_.pack ? reduce_by_blocks(row, rows, lanes, zeros)
                             : c_.partials > 1              ? reduce_in_parts(row, rows, lanes, zeros)
                                               : reduce(0, 0, zeros, [&](const Dim& k, Accumulators before) {
                                                   return step(k, row, rows, lanes, std::move(before));
                                                 });
  Accumulators sums;
  for (std::size_t e = 0; e < elements; ++e) {
    std::vector<int> of_element;
    for (std::size_t p = 0; p < partials; ++p) of_element.push_back(parts[p * elements + e]);
    sums.push_back(pairwise(std::move(of_element), [&](int a, int b) { return b_.op("add", {a, b}); }));
  }
  epilogues(row, rows, lanes, sums);
}

}  // namespace gcompile::passes
