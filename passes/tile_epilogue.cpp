// What follows the sums of a tile: see tile_loops.h.
#include "gcompile/ir/op.h"
#include "gcompile/passes/tile_loops.h"

namespace gcompile::passes {

using ir::Index;
using ir::Instr;
using ir::kLanes;
using ir::Opcode;

namespace {
constexpr std::int64_t kInline = 128;     // instructions of all epilogues of a tile worth writing them one by one
constexpr std::int64_t kExpandedOp = 20;  // instructions of an op that expand-math expands, about
}  // namespace

void Tiler::epilogues(const Dim& row, int rows, const Lanes& lanes, const Accumulators& sums) {
  if (rows * lanes.count > 1 && epilogue_size() * rows * lanes.count > kInline)
    return rolled_epilogues(row, rows, lanes, sums);
  Loaded loaded;
  for (int r = 0; r < rows; ++r)
    for (int v = 0; v < lanes.count; ++v)
      epilogue(sums[static_cast<std::size_t>(r * lanes.count + v)],
               at(row + Dim(r), lanes.first + Dim(kLanes * v) + Dim(ir::kLaneSymbol)), mask_of(lanes, v), loaded);
}

void Tiler::prefetch_for_epilogues(const Dim& row, int rows, const Lanes& lanes) {
  loop("r", rows, [&](const Dim& r) {
    loop("v", lanes.count, [&](const Dim& v) {
      for (const ir::Access& a : plan_.prefetch)
        b_.prefetch(a.memory, substituted(a.index, at(row + r, lanes.first + Dim(kLanes) * v)));
    });
  });
}

std::int64_t Tiler::epilogue_size() const {
  std::int64_t size = 0;
  for (const Instr& i : c_.body) {
    const auto* lowering = i.op ? std::get_if<ir::ElementLowering>(&i.op->lower) : nullptr;
    size += i.opcode == Opcode::kLiteral || i.opcode == Opcode::kIndex ? 0
            : lowering && lowering->expand                             ? kExpandedOp
                                                                       : 1;
  }
  return size;
}

bool Tiler::is_padded(const Instr& store) const {
  const ir::Scratch* scratch = b_.kernel().find_scratch(store.memory);
  if (!scratch || scratch->extents.size() != 1 || store.index.size() != 1 || plan_.lane_axis < 0) return false;
  Dim offset = store.index[0];
  for (const ir::Axis& a : c_.axes)
    if (a.extent.is(1)) offset = offset.substitute({{a.var, Dim(0)}});
  return offset == Dim(lane_var()) &&
         Dim(scratch->extents[0]) == Dim(kLanes) * ceildiv(axis(plan_.lane_axis).extent, kLanes);
}

void Tiler::rolled_epilogues(const Dim& row, int rows, const Lanes& lanes, const Accumulators& sums) {
  const bool vectors = plan_.lane_axis >= 0;
  if (frame_.empty()) {
    frame_ = context_.fresh_name("tile");
    std::vector<std::int64_t> extents{plan_.rows * plan_.vectors};
    if (vectors) extents.push_back(kLanes);
    b_.kernel().scratch.push_back({frame_, dtype_, extents, ir::Scratch::Kind::kStack});
  }
  const auto element = [&](const Dim& n) { return vectors ? Index{n, Dim(ir::kLaneSymbol)} : Index{n}; };
  for (std::size_t n = 0; n < sums.size(); ++n) b_.store(frame_, element(Dim(static_cast<std::int64_t>(n))), sums[n]);
  loop("r", rows, [&](const Dim& r) {
    loop("v", lanes.count, [&](const Dim& v) {
      const Dim first = lanes.first + Dim(kLanes) * v;
      const int sum = b_.load(frame_, dtype_, element(Dim(lanes.count) * r + v));
      Loaded loaded;
      epilogue(sum, at(row + r, first + Dim(ir::kLaneSymbol)), lanes.masked ? mask_from(first) : -1, loaded);
    });
  });
}

void Tiler::epilogue(int sum, const Values& values, int mask, Loaded& loaded) {
  const auto is_stored = [&](const std::string& memory) {
    return std::any_of(c_.body.begin(), c_.body.end(),
                       [&](const Instr& i) { return i.opcode == Opcode::kStore && i.memory == memory; });
  };
  std::map<int, int> made{{c_.arguments[0], sum}};
  const auto value = [&](int id) {
    const auto it = made.find(id);
    return it == made.end() ? id : it->second;  // made before the contract
  };
  const auto operands_of = [&](const Instr& i) {
    std::vector<int> ids;
    for (const int id : i.operands) ids.push_back(value(id));
    return ids;
  };
  // The lanes of an access that are beyond the axis are off.
  const auto mask_for = [&](const Instr& i, const Index& index, const std::vector<int>& operands) {
    const bool lanes = uses(index, ir::kLaneSymbol) ||
                       std::any_of(operands.begin(), operands.end(), [&](int id) { return b_.type(id).lanes; });
    return b_.both(i.mask < 0 ? -1 : value(i.mask), lanes ? mask : -1);
  };
  for (const Instr& i : c_.body) {
    b_.where = i.where;
    const Index index = substituted(i.index, values);
    switch (i.opcode) {
      case Opcode::kOp:
        made[i.results[0]] = i.op->is(ir::kConversion) ? b_.convert(*i.op, value(i.operands[0]), i.type.dtype)
                                                       : b_.op(*i.op, operands_of(i));
        break;
      case Opcode::kLiteral: made[i.results[0]] = b_.literal(i.type.dtype, i.literal); break;
      case Opcode::kIndex: made[i.results[0]] = b_.index(index[0], i.type.dtype); break;
      case Opcode::kLoad: {
        const std::vector<int> operands = operands_of(i);
        const int m = mask_for(i, index, operands);
        std::string text;
        for (const Dim& d : index) text += d.str() + ";";
        const auto load = [&] { return b_.load(i.memory, i.type.dtype, index, operands, m); };
        if (is_stored(i.memory)) {
          made[i.results[0]] = load();
        } else {
          const auto [it, is_new] = loaded.try_emplace({i.memory, text, operands, m}, -1);
          if (is_new) it->second = load();
          made[i.results[0]] = it->second;
        }
        break;
      }
      default: b_.store(i.memory, index, value(i.operands[0]), is_padded(i) ? -1 : mask_for(i, index, {}));
    }
  }
  b_.where = c_.where;
}

}  // namespace gcompile::passes
