// Two-input shuffles within and between blocks of four lanes, which are one instruction each on AVX-512 and AVX2.
#pragma once

#include <array>
#include <llvm/IR/IRBuilder.h>
#include <vector>

#include "gcompile/ir/kernel.h"

namespace gcompile::codegen {

inline constexpr std::array<int, 4> kEvenBlocks{0, 2, 4, 6}, kOddBlocks{1, 3, 5, 7};

// Lanes of two vectors, the second one's numbered from 16: the same four, given for block 0, in every block of four.
inline llvm::Value* in_blocks(llvm::IRBuilder<>& b, llvm::Value* x, llvm::Value* y, std::array<int, 4> lanes) {
  std::vector<int> order;
  for (int block = 0; block < ir::kLanes; block += 4)
    for (const int lane : lanes) order.push_back(block + lane);
  return b.CreateShuffleVector(x, y, order);
}

// Whole blocks of four lanes of two vectors, the second one's numbered from 4.
inline llvm::Value* whole_blocks(llvm::IRBuilder<>& b, llvm::Value* x, llvm::Value* y, std::array<int, 4> blocks) {
  std::vector<int> order;
  for (const int block : blocks)
    for (int lane = 0; lane < 4; ++lane) order.push_back(4 * block + lane);
  return b.CreateShuffleVector(x, y, order);
}

// The first or the last eight lanes; of two such vectors the first or the last four lanes of each; these with others
// behind them that are nobody's.
inline llvm::Value* half_of(llvm::IRBuilder<>& b, llvm::Value* x, std::size_t half) {
  const int first = half ? ir::kLanes / 2 : 0;
  return b.CreateShuffleVector(x, {first, first + 1, first + 2, first + 3, first + 4, first + 5, first + 6, first + 7});
}
inline llvm::Value* halves_of(llvm::IRBuilder<>& b, llvm::Value* x, llvm::Value* y, std::size_t half) {
  const int first = half ? 4 : 0;
  return b.CreateShuffleVector(x, y,
                               {first, first + 1, first + 2, first + 3, first + 8, first + 9, first + 10, first + 11});
}
inline llvm::Value* padded(llvm::IRBuilder<>& b, llvm::Value* x) {
  return b.CreateShuffleVector(x, {0, 1, 2, 3, 4, 5, 6, 7, -1, -1, -1, -1, -1, -1, -1, -1});
}

inline llvm::Value* joined(llvm::IRBuilder<>& b, llvm::Value* x, llvm::Value* y) {
  std::vector<int> order(2 * llvm::cast<llvm::FixedVectorType>(x->getType())->getNumElements());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int>(i);
  return b.CreateShuffleVector(x, y, order);
}

}  // namespace gcompile::codegen
