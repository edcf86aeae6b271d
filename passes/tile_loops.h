// Tiler: expands one contract into the present block of a builder, as a TilePlan says. Loops, tiles and sums are in
// tile_loops.cpp, panels and transposed blocks in tile_panel.cpp, epilogues in tile_epilogue.cpp.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "gcompile/passes/kernel_builder.h"
#include "gcompile/passes/tile_plan.h"

namespace gcompile::passes {

// What a Tiler takes from the module around the contract.
struct TileContext {
  const Target& target;
  std::set<std::string> names;                        // of buffers and scratch, taken
  std::set<std::string> symbols;                      // of the module: no loop variable may have such a name
  std::function<std::string(const Type&)> add_panel;  // adds a temporary and gives its name

  std::string fresh_name(const std::string& stem) {
    std::string name = stem;
    for (int i = 2; !names.insert(name).second; ++i) name = stem + "_" + std::to_string(i);
    return name;
  }
};

class Tiler {
 public:
  Tiler(KernelBuilder& b, const ir::Instr& contract, const TilePlan& plan, TileContext& context)
      : b_(b), c_(contract), plan_(plan), context_(context), dtype_(contract.types[0].dtype) {}

  void run();

 private:
  using Values = std::map<std::string, Dim>;  // of variables
  using Accumulators = std::vector<int>;      // of each partial sum: row by row, vector by vector
  // Loads of an epilogue that others of its tile made already: memory, index, operands, mask.
  using Loaded = std::map<std::tuple<std::string, std::string, std::vector<int>, int>, int>;
  // The lanes of a tile.
  struct Lanes {
    Dim first;            // of the lane axis
    int count = 1;        // vectors
    bool masked = false;  // the last vector has less than 16 lanes
  };

  // Where the lane operand is read: in its memory, there with a copy to the panel, in the panel.
  enum class Source { kMemory, kFillsPanel, kPanel };

  // A loop of the kernel, unless it runs never or once.
  void loop(const std::string& stem, const Dim& extent, const std::function<void(const Dim&)>& body);
  std::string fresh_var(const std::string& stem);

  // The loops around tiles: axes that are neither rows nor lanes from the a-th on, one inside the other; panels of
  // lanes; tiles of rows.
  void outer(int a);
  void panels();
  void add_panel(int vectors);
  void panel(const Lanes& lanes);
  // One tile: `rows` rows from `row` on.
  void block(const Dim& row, int rows, const Lanes& lanes);

  // Loops over the reduction axes from the n-th on; `body` gets the row-major offset into their box. The second form
  // carries accumulators along.
  void sums(std::size_t n, const Dim& offset, const std::function<void(const Dim&)>& body);
  Accumulators reduce(std::size_t n, const Dim& offset, Accumulators before,
                      const std::function<Accumulators(const Dim&, Accumulators)>& body);
  Accumulators carried_loop(const std::string& stem, const Dim& extent, Accumulators before,
                            const std::function<Accumulators(const Dim&, Accumulators)>& body,
                            ir::LoopKind kind = ir::LoopKind::kSerial);
  // The same in partial sums, over the only axis.
  Accumulators reduce_in_parts(const Dim& row, int rows, const Lanes& lanes, Accumulators sums);
  // Products of the elements that a tile needs at one place of the reduction, each loaded once, added to its sums.
  Accumulators step(const Dim& k, const Dim& row, int rows, const Lanes& lanes, Accumulators sums);
  int product(int x, int y, int sum);  // x * y + sum

  // panel[k, lane] = the lane operand, zeros beyond the axis.
  void pack(const Lanes& lanes);
  void pack_vector(const Dim& first, const Dim& k, const Dim& vector, int mask);
  void pack_transposed(const Lanes& lanes);
  // block[c, lane] = the lane operand at first_k + c, for the lanes from `first` on. Returns the block's name: scratch
  // of its own, for it lives in registers only within one loop.
  std::string load_block(const Dim& first_k, const Dim& first, std::int64_t count, int mask);
  // One vector of sums per row, by blocks of the reduction axis that are transposed as they are needed.
  Accumulators reduce_by_blocks(const Dim& row, int rows, const Lanes& lanes, Accumulators sums);

  // Asks for what the epilogues of a tile load of large memories, while its products are made.
  void prefetch_for_epilogues(const Dim& row, int rows, const Lanes& lanes);
  // Epilogues of all elements of a tile: one by one, or rolled, the sums going through the frame.
  void epilogues(const Dim& row, int rows, const Lanes& lanes, const Accumulators& sums);
  void rolled_epilogues(const Dim& row, int rows, const Lanes& lanes, const Accumulators& sums);
  void epilogue(int sum, const Values& values, int mask, Loaded& loaded);
  std::int64_t epilogue_size() const;
  // Whether a store fills whole vectors of scratch that holds one row: what a mask would leave is nobody's.
  bool is_padded(const ir::Instr& store) const;

  // The lanes from `first` on that the axis has; of one vector, -1 where all are.
  int mask_from(const Dim& first);
  int mask_of(const Lanes& lanes, int vector);
  const ir::Axis& axis(int a) const { return c_.axes[static_cast<std::size_t>(a)]; }
  const ir::Access& lane_operand() const { return plan_.lanes_left ? c_.left : c_.right; }
  std::string lane_var() const { return plan_.lane_axis < 0 ? "" : axis(plan_.lane_axis).var; }
  std::string row_var() const { return plan_.row_axis < 0 ? "" : axis(plan_.row_axis).var; }
  static bool uses(const ir::Index& index, const std::string& var) {
    return std::any_of(index.begin(), index.end(), [&](const Dim& d) { return d.uses(var); });
  }
  static ir::Index substituted(const ir::Index& index, const Values& values) {
    ir::Index out;
    for (const Dim& d : index) out.push_back(d.substitute(values));
    return out;
  }
  // The variables of the loops around, and a row and a lane.
  Values at(const Dim& row, const Dim& lane) const;

  KernelBuilder& b_;
  const ir::Instr& c_;
  const TilePlan& plan_;
  TileContext& context_;
  DType dtype_;
  Values at_;                  // of the variables of loops that are open
  std::string panel_, frame_;  // memory, once it is needed
  Source source_ = Source::kMemory;
};

}  // namespace gcompile::passes
