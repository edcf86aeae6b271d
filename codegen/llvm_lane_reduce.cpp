// Lane reductions: four stages of shuffles and operations that make sixteen sums side by side.
#include <algorithm>
#include <array>
#include <numeric>

#include "gcompile/codegen/llvm_memory.h"
#include "gcompile/codegen/llvm_shuffles.h"

namespace gcompile::codegen {

using llvm::Value;

// Four stages add lane l + 8, l + 4, l + 2, l + 1 to lane l, each of them packing two vectors into one. Every source
// takes the same tree. The vector at position p of the first stage ends in lane 4 * (p mod 4) + p / 4. The sources are
// those of the first stage's two operands, half by half: loads from memory do its shuffles.
Value* MemoryEmitter::reduce_block(std::span<const Halves> sources, const Combine& combine) {
  std::vector<Value*> level;
  for (std::size_t p = 0; p < 16; p += 2) {
    const auto half = [&](std::size_t at) -> Value* {
      const std::size_t k = 4 * (at % 4) + at / 4;
      return k < sources.size() ? combine(sources[k].low, sources[k].high) : nullptr;
    };
    Value *x = half(p), *y = half(p + 1);
    Value* nothing = x || y ? llvm::PoisonValue::get((x ? x : y)->getType()) : nullptr;
    level.push_back(nothing ? joined(b_, x ? x : nothing, y ? y : nothing) : nullptr);
  }
  const auto stage = [&](const auto& low, const auto& high) {
    std::vector<Value*> next;
    for (std::size_t i = 0; i < level.size(); i += 2) {
      Value *x = level[i], *y = level[i + 1];
      if (!x && !y) {
        next.push_back(nullptr);
        continue;
      }
      Value* nothing = llvm::PoisonValue::get((x ? x : y)->getType());
      x = x ? x : nothing;
      y = y ? y : nothing;
      next.push_back(combine(low(x, y), high(x, y)));
    }
    level = std::move(next);
  };
  const auto blocks = [&](std::array<int, 4> order) {
    return [this, order](Value* x, Value* y) { return whole_blocks(b_, x, y, order); };
  };
  const auto lanes = [&](std::array<int, 4> order) {
    return [this, order](Value* x, Value* y) { return in_blocks(b_, x, y, order); };
  };
  stage(blocks(kEvenBlocks), blocks(kOddBlocks));
  stage(lanes({0, 1, 16, 17}), lanes({2, 3, 18, 19}));
  stage(lanes({0, 2, 16, 18}), lanes({1, 3, 17, 19}));
  return level[0];
}

MemoryEmitter::Halves MemoryEmitter::load_halves(const Place& source, const Linear& offset) {
  constexpr int kHalf = ir::kLanes / 2;
  if (source.registers) {
    Value* whole = load(source, {.constant = offset.constant, .stride = b_.getInt64(1)}, {source.dtype, true}, nullptr);
    std::vector<int> low(kHalf), high(kHalf);
    std::iota(low.begin(), low.end(), 0);
    std::iota(high.begin(), high.end(), kHalf);
    return {b_.CreateShuffleVector(whole, low), b_.CreateShuffleVector(whole, high)};
  }
  auto* type = llvm::FixedVectorType::get(memory_type(source.dtype), kHalf);
  const auto half = [&](const Linear& at) {
    return from_memory(b_.CreateAlignedLoad(type, element(source, at), alignment(source, at)), source.dtype);
  };
  return {half(offset), half(index_.add(offset, constant(kHalf, false)))};
}

// `count` reductions, whose sources lie one after the other from an offset on.
Value* MemoryEmitter::reduce_from(const Place& source, const Linear& offset, int count, const Combine& combine) {
  std::vector<Halves> sources;
  for (int k = 0; k < count; ++k)
    sources.push_back(
        load_halves(source, index_.add(offset, constant(static_cast<std::int64_t>(k) * ir::kLanes, false))));
  return reduce_block(sources, combine);
}

// Blocks of 16 are alike, so a loop makes them.
int MemoryEmitter::lane_reduce_whole_blocks(const Place& destination, const Place& source, int extent,
                                            const Combine& combine) {
  constexpr int kFewest = 2;  // blocks that are worth a loop
  const int blocks = extent / ir::kLanes;
  if (blocks < kFewest || destination.registers || source.registers) return 0;
  llvm::BasicBlock* before = b_.GetInsertBlock();
  auto* body = llvm::BasicBlock::Create(b_.getContext(), "reduce", before->getParent());
  auto* after = llvm::BasicBlock::Create(b_.getContext(), "reduced", before->getParent());
  b_.CreateBr(body);
  b_.SetInsertPoint(body);
  llvm::PHINode* first = b_.CreatePHI(b_.getInt64Ty(), 2);
  first->addIncoming(b_.getInt64(0), before);
  Value* source_at = b_.CreateMul(first, b_.getInt64(ir::kLanes), "", false, true);
  Value* reduced = reduce_from(source, {.inner = source_at}, ir::kLanes, combine);
  store(destination, {.inner = first, .stride = b_.getInt64(1)}, reduced, nullptr);
  Value* next = b_.CreateAdd(first, b_.getInt64(ir::kLanes), "", true, true);
  first->addIncoming(next, body);
  const int reached = blocks * ir::kLanes;
  b_.CreateCondBr(b_.CreateICmpSLT(next, b_.getInt64(static_cast<std::uint64_t>(reached))), body, after);
  b_.SetInsertPoint(after);
  return reached;
}

void MemoryEmitter::lane_reduce(const Place& destination, const Place& source, int extent, const Combine& combine) {
  for (int first = lane_reduce_whole_blocks(destination, source, extent, combine); first < extent;
       first += ir::kLanes) {
    const int count = std::min(ir::kLanes, extent - first);
    Value* reduced =
        reduce_from(source, constant(static_cast<std::int64_t>(first) * ir::kLanes, false), count, combine);
    if (count == ir::kLanes && !destination.registers) {
      store(destination, constant(first, true), reduced, nullptr);
    } else if (destination.registers || count == 1) {
      for (int k = 0; k < count; ++k)
        store(destination, constant(first + k, false), b_.CreateExtractElement(reduced, static_cast<std::uint64_t>(k)),
              nullptr);
    } else {
      std::vector<int> lanes;
      for (int k = 0; k < count; ++k) lanes.push_back(k);
      Value* some = to_memory(b_.CreateShuffleVector(reduced, lanes), destination.dtype);
      b_.CreateAlignedStore(some, element(destination, constant(first, false)),
                            alignment(destination, constant(first, false)));
    }
  }
}

}  // namespace gcompile::codegen
