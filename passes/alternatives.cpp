#include "gcompile/passes/alternatives.h"

#include <algorithm>

#include "gcompile/ir/kernel.h"
#include "gcompile/passes/estimate.h"

namespace gcompile::passes {
namespace {

std::string from_cycles(double cycles, const Target& target) { return duration(cycles / target.rates.ghz); }

}  // namespace

std::string time_of(double operations, const Target& target) {
  return from_cycles(operations / target.rates.products, target);
}

std::string tile_sizes(std::vector<TileSize> tried, const Target& target) {
  constexpr std::size_t kShown = 3;
  std::stable_sort(tried.begin(), tried.end(), [](const TileSize& a, const TileSize& b) { return a.cost < b.cost; });
  std::string text = "tiles of rows x vectors:";
  std::vector<std::pair<int, int>> shown;
  for (const TileSize& s : tried) {
    const std::pair size(s.rows, s.vectors);  // several limits may divide an extent alike
    if (std::find(shown.begin(), shown.end(), size) != shown.end()) continue;
    if (shown.size() == kShown) break;
    text += (shown.empty() ? " " : ", ") + std::to_string(s.rows) + " x " + std::to_string(s.vectors) + " " +
            time_of(s.cost, target);
    shown.push_back(size);
  }
  return text;
}

// Without panels every tile of rows reads the operand where it lies, lane by lane when these are no neighbours. Half of
// the L2 cache is left to the other operand and to results.
std::string packing(const PanelWork& w, const std::string& operand, const Target& target) {
  const Rates& r = target.rates;
  const auto rate = [&](double held) {
    return held <= static_cast<double>(target.l2_bytes) / 2 ? r.l2
           : held <= static_cast<double>(r.l3_bytes) / 2    ? r.l3
                                                            : r.dram;
  };
  const auto reading = [&](double held) {
    return held <= static_cast<double>(target.l1_bytes) ? 0.0 : w.reads / rate(held);
  };
  const double products = w.products / r.products, elements = w.operand / w.element;
  const double scattered = w.neighbours ? 0 : r.gather * w.reads / w.element;
  // Four shuffles for a column of 16 elements; where there are none, products go on meanwhile.
  const double copies =
      w.operand / r.l2 + (w.neighbours ? 0 : w.operand / rate(w.operand) + elements / 4 / r.operations);
  return "packing: " + from_cycles(std::max({products, reading(w.operand), scattered}), target) +
         " without copies of " + operand + ", " + from_cycles(std::max(products, reading(w.panel)) + copies, target) +
         " with";
}

// In a nest a product loads its weight, and its sum too where there are more of them than accumulators, and the weights
// are read again for every strip; tiles store what they make and the next kernel loads it.
std::string nest_or_tiles(const Matrices& matrices, const std::string& anchor, double samples, const Target& target) {
  constexpr double kStrip = 24, kElement = 4;
  const Rates& r = target.rates;
  const double registers = std::max(1.0, ir::kLanes * kElement / target.vector_bytes);
  const double vectors = (samples + ir::kLanes - 1) / ir::kLanes;
  double nest = 0, tiles = 0;
  for (const auto& [rows, columns] : matrices) {
    const double products = rows * columns * vectors * registers;
    const bool in_memory = std::min(rows, columns) > target.accumulators();
    const double load = std::max(1 / r.loads, target.vector_bytes / r.load_bytes);
    const double store = std::max(1 / r.stores, target.vector_bytes / r.store_bytes);
    nest += products * std::max({1 / r.products, 1 / r.loads + (in_memory ? load : 0), in_memory ? store : 0});
    const double bytes = rows * columns * kElement;
    if (bytes > static_cast<double>(target.l1_bytes)) nest += bytes * std::max(vectors / kStrip, 1.0) / r.l2;
    tiles += products / r.products + 2 * samples * std::min(rows, columns) * kElement / r.l2 + r.launch;
  }
  return "estimates of products for " + anchor + " = " + std::to_string(static_cast<std::int64_t>(samples)) + ": " +
         from_cycles(nest, target) + " in a nest, " + from_cycles(tiles, target) + " in tiles";
}

}  // namespace gcompile::passes
