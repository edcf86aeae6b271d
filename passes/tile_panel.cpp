// Panels of the lane operand, and blocks of it that are transposed: see tile_loops.h.
#include "gcompile/passes/tile_loops.h"

namespace gcompile::passes {

using ir::Access;
using ir::Axis;
using ir::Index;
using ir::kLanes;

namespace {
constexpr std::int64_t kTransposed = 16;  // columns transposed together
}  // namespace

void Tiler::pack(const Lanes& lanes) {
  if (plan_.transpose) return pack_transposed(lanes);
  sums(0, 0, [&](const Dim& k) {
    for (int v = 0; v < lanes.count; ++v) pack_vector(lanes.first + Dim(kLanes * v), k, Dim(v), mask_of(lanes, v));
  });
}

void Tiler::pack_vector(const Dim& first, const Dim& k, const Dim& vector, int mask) {
  const Dim lane{ir::kLaneSymbol};
  const int x =
      b_.load(lane_operand().memory, dtype_, substituted(lane_operand().index, at(0, first + lane)), {}, mask);
  b_.store(panel_, {k, Dim(kLanes) * vector + lane}, x);
}

std::string Tiler::load_block(const Dim& first_k, const Dim& first, std::int64_t count, int mask) {
  const std::string block = context_.fresh_name("block");
  b_.kernel().scratch.push_back({block, dtype_, {count, kLanes}, ir::Scratch::Kind::kRegister});
  at_[c_.sums[0].var] = first_k;
  b_.load_transposed(block, lane_operand().memory,
                     substituted(lane_operand().index, at(0, first + Dim(ir::kLaneSymbol))), count, mask);
  return block;
}

void Tiler::pack_transposed(const Lanes& lanes) {
  const Axis& k = c_.sums[0];
  const Dim lane{ir::kLaneSymbol};
  const auto columns = [&](const Dim& first_k, std::int64_t count) {
    loop("v", lanes.count, [&](const Dim& v) {
      const Dim first = lanes.first + Dim(kLanes) * v;
      const std::string block = load_block(first_k, first, count, lanes.masked ? mask_from(first) : -1);
      for (std::int64_t c = 0; c < count; ++c)
        b_.store(panel_, {first_k + Dim(c), Dim(kLanes) * v + lane}, b_.load(block, dtype_, {Dim(c), lane}));
    });
  };
  const Dim blocks = floordiv(k.extent, kTransposed), done = Dim(kTransposed) * blocks, rest = k.extent - done;
  loop("c", blocks, [&](const Dim& c) { columns(Dim(kTransposed) * c, kTransposed); });
  if (rest.is_constant()) {
    if (!rest.is(0)) columns(done, rest.constant());
    return;
  }
  loop("c", rest, [&](const Dim& c) {
    at_[k.var] = done + c;
    for (int v = 0; v < lanes.count; ++v)
      pack_vector(lanes.first + Dim(kLanes * v), done + c, Dim(v), mask_of(lanes, v));
  });
}

Tiler::Accumulators Tiler::reduce_by_blocks(const Dim& row, int rows, const Lanes& lanes, Accumulators sums) {
  const Axis& k = c_.sums[0];
  const Access& other = plan_.lanes_left ? c_.right : c_.left;
  const auto columns = [&](const Dim& first_k, std::int64_t count, Accumulators before) {
    const std::string block = load_block(first_k, lanes.first, count, mask_of(lanes, 0));
    for (std::int64_t c = 0; c < count; ++c) {
      at_[k.var] = first_k + Dim(c);
      const int x = b_.load(block, dtype_, {Dim(c), Dim(ir::kLaneSymbol)});
      for (int r = 0; r < rows; ++r) {
        int& sum = before[static_cast<std::size_t>(c % c_.partials * rows + r)];
        sum = product(b_.load(other.memory, dtype_, substituted(other.index, at(row + Dim(r), lanes.first))), x, sum);
      }
    }
    return before;
  };
  const Dim blocks = floordiv(k.extent, kTransposed), done = Dim(kTransposed) * blocks, rest = k.extent - done;
  if (!blocks.is(0))
    sums = carried_loop(k.var, blocks, std::move(sums), [&](const Dim& n, Accumulators before) {
      return columns(Dim(kTransposed) * n, kTransposed, std::move(before));
    });
  if (rest.is_constant()) return rest.is(0) ? sums : columns(done, rest.constant(), std::move(sums));
  return carried_loop(k.var, rest, std::move(sums), [&](const Dim& n, Accumulators before) {
    at_[k.var] = done + n;
    return step(done + n, row, rows, lanes, std::move(before));
  });
}

}  // namespace gcompile::passes
