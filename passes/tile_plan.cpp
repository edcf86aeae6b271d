#include "gcompile/passes/tile_plan.h"

#include <algorithm>

#include "gcompile/passes/alternatives.h"
#include "gcompile/passes/element.h"
#include "gcompile/passes/estimate.h"

namespace gcompile::passes {
namespace {

using ir::Access;
using ir::Axis;
using ir::Instr;

// Costs of one element in units of one vector operation: transposed on the way to a panel, and loaded or stored by
// lanes that are not neighbours.
constexpr double kTransposed = 0.5, kScattered = 2;
constexpr int kMostRows = 16, kMostVectors = 8;
constexpr int kMostTransposed = 8;  // rows that share blocks which are transposed where they are used

double estimate(const Dim& d) {
  return static_cast<double>(d.evaluate([](const std::string&) { return kTypicalExtent; }));
}
double estimate(const std::vector<Axis>& axes) {
  double product = 1;
  for (const Axis& a : axes) product *= estimate(a.extent);
  return product;
}

class Planner {
 public:
  Planner(const Instr& contract, const ExtentsOf& extents, const Target& target)
      : c_(contract), extents_(extents), target_(target), size_(static_cast<std::int64_t>(size_of(c_.types[0].dtype))),
        results_(estimate(c_.axes)), sums_(estimate(c_.sums)) {}

  TilePlan run() {
    choose_lanes();
    choose_rows();
    const auto [rows, vectors] = choose_size();
    plan_.rows = rows;
    plan_.vectors = vectors;
    choose_packing();
    choose_prefetches();
    plan_.reason = reason();
    return plan_;
  }

 private:
  const Axis& axis(int a) const { return c_.axes[static_cast<std::size_t>(a)]; }
  bool moves(const Access& a, const std::string& var) const {
    const auto step = step_of(a, extents_, var);
    return !step || !step->is(0);
  }
  bool is_contiguous(const Access& a, const std::string& var) const {
    const auto step = step_of(a, extents_, var);
    return step && step->is(1);
  }
  const Access& lane_operand() const { return plan_.lanes_left ? c_.left : c_.right; }
  double elements(const Access& a) const {
    double product = 1;
    for (const auto* axes : {&c_.axes, &c_.sums})
      for (const Axis& x : *axes)
        if (moves(a, x.var)) product *= estimate(x.extent);
    return product;
  }

  // Registers that a vector of lanes takes.
  int registers() const {
    return plan_.lane_axis < 0 ? 1 : std::max(1, static_cast<int>(ir::kLanes * size_ / target_.vector_bytes));
  }

  // What vectors may take: one register stays free, one holds a scalar for all lanes, others a product without fma.
  int spare() const { return target_.vector_registers - 2 - (target_.has_fma ? 0 : registers()); }

  double lane_cost(const Axis& lane) const {
    const double n = estimate(lane.extent);
    const double padded = std::max(1.0, (n + ir::kLanes - 1) / ir::kLanes) * ir::kLanes;
    const double vectors = std::max(1.0, static_cast<double>(ir::kLanes * size_ / target_.vector_bytes));
    const double work = results_ / std::max(n, 1.0) * padded / ir::kLanes * vectors * sums_;
    double cost = work;
    const bool left = moves(c_.left, lane.var), right = moves(c_.right, lane.var);
    if (left == right) cost += work;  // both: nothing is loaded once for several products; neither: lanes agree
    for (const Access* a : {&c_.left, &c_.right})
      if (moves(*a, lane.var) && !is_contiguous(*a, lane.var))
        cost += left == right ? kScattered * results_ * sums_ : kTransposed * elements(*a);
    for (const Instr& i : c_.body) {
      if (i.memory.empty()) continue;
      const Access a{i.memory, i.index};
      if (moves(a, lane.var) && !is_contiguous(a, lane.var)) cost += kScattered * results_;
    }
    return cost;
  }

  void choose_lanes() {
    double best = results_ * sums_;  // without lanes
    std::string tried = "lanes: none " + time_of(best, target_);
    for (int a = static_cast<int>(c_.axes.size()) - 1; a >= 0; --a) {
      if (axis(a).extent.is(1)) continue;
      const double cost = lane_cost(axis(a));
      tried += ", over " + axis(a).var + " " + time_of(cost, target_);
      if (cost >= best) continue;
      best = cost;
      plan_.lane_axis = a;
    }
    plan_.alternatives.push_back(tried);
    if (plan_.lane_axis >= 0) plan_.lanes_left = !moves(c_.right, axis(plan_.lane_axis).var);
  }

  // The longest other axis along which the lane operand is the same: its vectors are loaded once for all rows.
  void choose_rows() {
    double longest = 1;
    for (int a = 0; a < static_cast<int>(c_.axes.size()); ++a) {
      if (a == plan_.lane_axis || moves(lane_operand(), axis(a).var)) continue;
      if (estimate(axis(a).extent) <= longest) continue;
      longest = estimate(axis(a).extent);
      plan_.row_axis = a;
    }
  }

  // Tiles of at most `most` over an extent, evenly: their size and how many there are; a symbolic extent has whole
  // ones.
  struct Split {
    std::int64_t size, whole, rest;
  };
  static Split split(const std::optional<std::int64_t>& extent, std::int64_t most) {
    if (!extent) return {most, 1, 0};
    if (*extent == 0) return {1, 0, 0};
    const std::int64_t tiles = (*extent + most - 1) / most, size = (*extent + tiles - 1) / tiles;
    return {size, *extent / size, *extent % size};
  }

  // The time of a tile in operations of one register: products, or the latency of their chains, or loads.
  double tile_cost(std::int64_t rows, std::int64_t vectors) const {
    const auto products = static_cast<double>(rows * vectors * registers());
    const auto loads = static_cast<double>(rows + vectors * registers());
    const double chains = static_cast<double>(target_.chains) / c_.partials;
    const double step = std::max({products, chains, loads}) + 0.05 * loads;
    return sums_ * step + 4 * products + 10;
  }

  // How often the time of a tile over all that is known of the rows and vectors (else of one) is spent.
  double times_tiled(bool rows_known, bool vectors_known) const {
    double times = results_;
    if (plan_.row_axis >= 0 && rows_known) times /= std::max(estimate(axis(plan_.row_axis).extent), 1.0);
    if (plan_.lane_axis < 0) return times;
    return times / (vectors_known ? std::max(estimate(axis(plan_.lane_axis).extent), 1.0) : ir::kLanes);
  }

  std::pair<int, int> choose_size() {
    std::optional<std::int64_t> rows = 1, vectors = 1;
    if (plan_.row_axis >= 0) {
      const Dim& e = axis(plan_.row_axis).extent;
      rows = e.is_constant() ? std::optional(e.constant()) : std::nullopt;
    }
    if (plan_.lane_axis >= 0) {
      const Dim e = ceildiv(axis(plan_.lane_axis).extent, ir::kLanes);
      vectors = e.is_constant() ? std::optional(e.constant()) : std::nullopt;
    }
    std::pair<int, int> best{1, 1};
    double best_cost = -1;
    std::vector<TileSize> tried;
    const double times = times_tiled(rows.has_value(), vectors.has_value());
    for (int v = 1; v <= (vectors == 1 ? 1 : kMostVectors); ++v)
      for (int r = 1; r <= kMostRows; ++r) {
        if ((r > 1 || v > 1) && (r * v * c_.partials + v) * registers() > spare()) continue;
        const Split by_rows = split(rows, r), by_vectors = split(vectors, v);
        const auto cost_of = [&](const Split& s, const auto& cost) {
          return static_cast<double>(s.whole) * cost(s.size) + (s.rest ? cost(s.rest) : 0.0);
        };
        double cost = cost_of(by_rows, [&](std::int64_t x) {
          return cost_of(by_vectors, [&](std::int64_t y) { return tile_cost(x, y); });
        });
        if (!rows) cost /= r;
        if (!vectors) cost /= v;
        const std::pair size(static_cast<int>(by_rows.size), static_cast<int>(by_vectors.size));
        tried.push_back({size.first, size.second, cost * times});
        if (best_cost >= 0 && cost >= best_cost) continue;
        best_cost = cost;
        best = size;
      }
    plan_.alternatives.push_back(tile_sizes(std::move(tried), target_));
    return best;
  }

  void choose_packing() {
    if (plan_.lane_axis < 0 || c_.sums.empty()) return;
    const Axis& lane = axis(plan_.lane_axis);
    const Access& operand = lane_operand();
    const double rows = plan_.row_axis < 0 ? 1 : estimate(axis(plan_.row_axis).extent);
    if (moves(plan_.lanes_left ? c_.right : c_.left, lane.var)) return;
    explain_packing();
    if (!is_contiguous(operand, lane.var)) {
      plan_.transpose = is_transposable(operand, lane.var);
      // Few rows take no panel but transpose again for each tile: a block, a vector of sums per row and an element fit
      // the registers; blocks of two vectors side by side would not. Every product of a block is written out.
      const int most = std::clamp((spare() / registers() - ir::kLanes) / c_.partials, 1, kMostTransposed);
      const Dim extent = plan_.row_axis < 0 ? Dim(1) : axis(plan_.row_axis).extent;
      plan_.pack =
          !plan_.transpose || !lane.extent.is_constant() || !extent.is_constant() || extent.constant() > 3 * most;
      if (!plan_.pack) {
        plan_.rows = static_cast<int>(split(extent.constant(), most).size);
        plan_.vectors = 1;
      }
      return;
    }
    const bool one_panel = estimate(lane.extent) <= ir::kLanes * plan_.vectors;
    // Rows of one vector each, far from each other, are prefetched badly.
    const double bytes = elements(operand) * static_cast<double>(size_);
    const bool narrow = plan_.vectors == 1 && bytes > static_cast<double>(target_.l1_bytes);
    if (one_panel || rows < (narrow ? 4 : 2) * plan_.rows || sums_ < 64) return;
    // A panel in the L2 cache saves a few hundredths of the time of every tile, and costs half of one.
    const bool many = rows > 64.0 * plan_.rows && bytes > static_cast<double>(target_.l2_bytes) / 2;
    plan_.pack = narrow || many || is_slow_to_read_again(bytes);
    plan_.copies_on_the_way = plan_.pack && plan_.row_axis >= 0;
  }

  // Whether the products of a tile wait for the lane operand, which every tile of rows reads from where the whole of it
  // is held; a panel would come from the L2 cache.
  bool is_slow_to_read_again(double bytes) const {
    constexpr double kMargin = 1.25;
    const Rates& r = target_.rates;
    if (bytes <= static_cast<double>(target_.l2_bytes) / 2) return false;
    const double cycles = plan_.rows * registers() / r.products;
    const double wanted = static_cast<double>(ir::kLanes * size_) / cycles;
    return kMargin * wanted > (bytes <= static_cast<double>(r.l3_bytes) / 2 ? r.l3 : r.dram);
  }

  void explain_packing() {
    const Access& operand = lane_operand();
    const double rows = plan_.row_axis < 0 ? 1 : estimate(axis(plan_.row_axis).extent);
    const auto element = static_cast<double>(size_);
    const double bytes = elements(operand) * element;
    const PanelWork work{.products = results_ * sums_ / ir::kLanes * registers(),
                         .operand = bytes,
                         .reads = std::max(1.0, rows / plan_.rows) * bytes,
                         .panel = sums_ * ir::kLanes * plan_.vectors * element,
                         .element = element,
                         .neighbours = is_contiguous(operand, axis(plan_.lane_axis).var)};
    plan_.alternatives.push_back(packing(work, operand.memory, target_));
  }

  // A weight that the epilogue updates was used last a whole step ago: it comes from beyond the L2 cache, line by line
  // as the tiles go, which no prefetcher of the processor foresees. The products of the tile take longer than it does.
  void choose_prefetches() {
    constexpr double kLongEnough = 16;
    if (plan_.lane_axis < 0 || plan_.row_axis < 0 || sums_ < kLongEnough) return;
    for (const Instr& i : c_.body) {
      const Access a{i.memory, i.index};
      if (i.opcode != ir::Opcode::kLoad || !i.operands.empty() || !is_contiguous(a, axis(plan_.lane_axis).var) ||
          !moves(a, axis(plan_.row_axis).var) ||
          elements(a) * static_cast<double>(size_) < static_cast<double>(target_.l1_bytes))
        continue;
      const auto same = [&](const Access& b) { return b.memory == a.memory && b.index == a.index; };
      if (std::none_of(plan_.prefetch.begin(), plan_.prefetch.end(), same)) plan_.prefetch.push_back(a);
    }
  }

  // Rows along the lanes, columns along the one reduction axis, as load_transposed reads them.
  bool is_transposable(const Access& a, const std::string& lane) const {
    if (c_.sums.size() != 1 || a.index.size() < 2 || extents_(a.memory).size() != a.index.size()) return false;
    const std::string& k = c_.sums[0].var;
    const auto is_one = [](const std::optional<Dim>& d) { return d && d->is(1); };
    int by_lane = 0;
    for (std::size_t i = 0; i + 1 < a.index.size(); ++i) {
      if (a.index[i].uses(k)) return false;
      if (!a.index[i].uses(lane)) continue;
      if (!is_one(a.index[i].coefficient_of(lane))) return false;
      ++by_lane;
    }
    return by_lane == 1 && is_one(a.index.back().coefficient_of(k)) && !a.index.back().uses(lane);
  }

  std::string reason() const {
    std::string text = "tile: ";
    for (const Axis& a : c_.axes) text += a.extent.str() + " x ";
    text += "sum of ";
    for (std::size_t i = 0; i < c_.sums.size(); ++i) text += (i ? " x " : "") + c_.sums[i].extent.str();
    if (c_.sums.empty()) text += "1";
    if (c_.partials > 1) text += " in " + std::to_string(c_.partials) + " parts";
    text += plan_.lane_axis < 0 ? ", no lanes" : ", lanes over " + axis(plan_.lane_axis).var;
    if (plan_.row_axis >= 0) text += ", rows over " + axis(plan_.row_axis).var;
    text += ", tiles of " + std::to_string(plan_.rows) + " rows x " + std::to_string(plan_.vectors) + " vectors (" +
            std::to_string(target_.vector_registers) + " registers)";
    if (plan_.pack) {
      const Access& a = lane_operand();
      text += ", panels of " + a.memory + " are copied: ";
      text += plan_.copies_on_the_way ? "on the way, for it is large or its rows are narrow"
              : plan_.transpose       ? "transposed in blocks"
                                      : "its lanes are strided";
    } else if (plan_.transpose) {
      text += ", blocks of " + lane_operand().memory + " are transposed";
    }
    for (std::size_t i = 0; i < plan_.prefetch.size(); ++i)
      text += (i ? ", " : ", prefetched: ") + plan_.prefetch[i].memory;
    return text;
  }

  const Instr& c_;
  const ExtentsOf& extents_;
  const Target& target_;
  std::int64_t size_;      // bytes of an element
  double results_, sums_;  // elements of the two boxes
  TilePlan plan_;
};

}  // namespace

std::optional<Dim> step_of(const Access& access, const ExtentsOf& extents, const std::string& var) {
  const std::vector<Dim> memory = extents(access.memory);
  const Dim offset = access.index.size() == memory.size() ? linear_offset(access.index, memory) : access.index.at(0);
  return memory.empty() ? Dim(0) : offset.coefficient_of(var);
}

TilePlan plan_tile(const Instr& contract, const ExtentsOf& extents, const Target& target) {
  return Planner(contract, extents, target).run();
}

}  // namespace gcompile::passes
