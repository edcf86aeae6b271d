// Transposed loads and lane reductions: networks of two-input shuffles within and between blocks of four lanes, which
// are one instruction each on AVX-512 and AVX2 (unpack, shuffle of 128-bit blocks).
#include <array>
#include <numeric>

#include "gcompile/base/error.h"
#include "gcompile/codegen/llvm_memory.h"

namespace gcompile::codegen {
namespace {

using llvm::Value;

// Lanes of two vectors, the second one's numbered from 16: the same four, given for block 0, in every block of four.
Value* in_blocks(llvm::IRBuilder<>& b, Value* x, Value* y, std::array<int, 4> lanes) {
  std::vector<int> order;
  for (int block = 0; block < ir::kLanes; block += 4)
    for (const int lane : lanes) order.push_back(block + lane);
  return b.CreateShuffleVector(x, y, order);
}

// Whole blocks of four lanes of two vectors, the second one's numbered from 4.
Value* whole_blocks(llvm::IRBuilder<>& b, Value* x, Value* y, std::array<int, 4> blocks) {
  std::vector<int> order;
  for (const int block : blocks)
    for (int lane = 0; lane < 4; ++lane) order.push_back(4 * block + lane);
  return b.CreateShuffleVector(x, y, order);
}

Value* joined(llvm::IRBuilder<>& b, Value* x, Value* y) {
  std::vector<int> order(2 * llvm::cast<llvm::FixedVectorType>(x->getType())->getNumElements());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int>(i);
  return b.CreateShuffleVector(x, y, order);
}

// Four vectors, each block of which holds four columns of a row: out[c] has, block by block, column c of the four rows.
std::array<Value*, 4> transpose_blocks(llvm::IRBuilder<>& b, std::span<Value* const> rows) {
  std::array<Value*, 4> columns;
  for (std::size_t half = 0; half < 2; ++half) {
    const std::array<int, 4> interleave = half == 0 ? std::array{0, 16, 1, 17} : std::array{2, 18, 3, 19};
    Value* even = in_blocks(b, rows[0], rows[1], interleave);
    Value* odd = in_blocks(b, rows[2], rows[3], interleave);
    columns[2 * half] = in_blocks(b, even, odd, {0, 1, 16, 17});
    columns[2 * half + 1] = in_blocks(b, even, odd, {2, 3, 18, 19});
  }
  return columns;
}

constexpr std::array<int, 4> kEvenBlocks{0, 2, 4, 6}, kOddBlocks{1, 3, 5, 7};

}  // namespace

Linear MemoryEmitter::constant(std::int64_t n, bool lanes) {
  return {b_.getInt64(static_cast<std::uint64_t>(n)), lanes ? b_.getInt64(1) : nullptr, nullptr};
}

// The rows in the order that the networks below need, 16 / width of them in a vector. `width` is count rounded up to 4,
// 8 or 16; what is beyond count is 0 and was not read.
std::vector<Value*> MemoryEmitter::load_rows(const Place& source, const Linear& row, Value* column, int count,
                                             int width, Value* mask) {
  llvm::Type* scalar = memory_type(source.dtype);
  auto* type = llvm::FixedVectorType::get(scalar, static_cast<unsigned>(width));
  const llvm::Align align(size_of(source.dtype));
  const Linear stride = index_.emit(source.extents[1]);
  std::vector<llvm::Constant*> inside;
  for (int c = 0; c < width; ++c) inside.push_back(b_.getInt1(c < count));
  Value* bits = nullptr;
  const auto load_row = [&](int r) -> Value* {
    const Linear first = index_.multiply(index_.add(row, constant(r, false)), stride);
    Value* address = element(source, index_.add(first, {column, nullptr, nullptr}).base);
    if (bits) {
      Value* on = b_.CreateICmpNE(b_.CreateAnd(bits, b_.getInt16(static_cast<std::uint16_t>(1u << r))), b_.getInt16(0));
      address = b_.CreateSelect(on, address, zeros());
    }
    if (width == count) return b_.CreateAlignedLoad(type, address, align);
    return b_.CreateMaskedLoad(type, address, align, llvm::ConstantVector::get(inside),
                               llvm::Constant::getNullValue(type));
  };
  const auto all_rows = [&] {
    std::vector<Value*> rows;
    for (int v = 0; v < width; ++v) {
      const int r = v % 4;
      if (width == 16)
        rows.push_back(load_row(v));
      else if (width == 8)
        rows.push_back(joined(b_, load_row(2 * (v - r) + r), load_row(2 * (v - r) + r + 4)));
      else
        rows.push_back(
            joined(b_, joined(b_, load_row(r), load_row(r + 4)), joined(b_, load_row(r + 8), load_row(r + 12))));
    }
    return rows;
  };
  if (!mask) return all_rows();
  // Nearly always all rows are there; only the last vector of a batch chooses an address row by row.
  Value* mask_bits = b_.CreateBitCast(mask, b_.getInt16Ty());
  llvm::Function* function = b_.GetInsertBlock()->getParent();
  auto* whole = llvm::BasicBlock::Create(b_.getContext(), "rows.all", function);
  auto* partial = llvm::BasicBlock::Create(b_.getContext(), "rows.some", function);
  auto* after = llvm::BasicBlock::Create(b_.getContext(), "rows", function);
  b_.CreateCondBr(b_.CreateICmpEQ(mask_bits, b_.getInt16(0xffff)), whole, partial);
  b_.SetInsertPoint(whole);
  const std::vector<Value*> all = all_rows();
  b_.CreateBr(after);
  b_.SetInsertPoint(partial);
  bits = mask_bits;
  const std::vector<Value*> some = all_rows();
  b_.CreateBr(after);
  b_.SetInsertPoint(after);
  std::vector<Value*> rows;
  for (std::size_t k = 0; k < all.size(); ++k) {
    llvm::PHINode* loaded = b_.CreatePHI(all[k]->getType(), 2);
    loaded->addIncoming(all[k], whole);
    loaded->addIncoming(some[k], partial);
    rows.push_back(loaded);
  }
  return rows;
}

std::vector<Value*> MemoryEmitter::transposed_block(const Place& source, const Linear& row, Value* column, int count,
                                                    Value* mask) {
  const int width = count <= 4 ? 4 : count <= 8 ? 8 : 16;
  const std::vector<Value*> rows = load_rows(source, row, column, count, width, mask);
  std::vector<std::array<Value*, 4>> groups;
  for (std::size_t v = 0; v < rows.size(); v += 4)
    groups.push_back(transpose_blocks(b_, std::span(rows).subspan(v, 4)));
  std::vector<Value*> columns(static_cast<std::size_t>(width));
  for (std::size_t c = 0; c < 4; ++c) {
    if (width == 4) {
      columns[c] = groups[0][c];
    } else if (width == 8) {  // a group's blocks: rows 0-3, c; rows 0-3, c + 4; rows 4-7, c; rows 4-7, c + 4
      columns[c] = whole_blocks(b_, groups[0][c], groups[1][c], kEvenBlocks);
      columns[c + 4] = whole_blocks(b_, groups[0][c], groups[1][c], kOddBlocks);
    } else {  // a group's blocks are the columns c, c + 4, c + 8, c + 12 of its four rows
      for (std::size_t odd = 0; odd < 2; ++odd) {
        Value* upper = whole_blocks(b_, groups[0][c], groups[1][c], odd ? kOddBlocks : kEvenBlocks);
        Value* lower = whole_blocks(b_, groups[2][c], groups[3][c], odd ? kOddBlocks : kEvenBlocks);
        columns[c + 4 * odd] = whole_blocks(b_, upper, lower, kEvenBlocks);
        columns[c + 4 * odd + 8] = whole_blocks(b_, upper, lower, kOddBlocks);
      }
    }
  }
  columns.resize(static_cast<std::size_t>(count));
  return columns;
}

void MemoryEmitter::load_transposed(const Place& destination, const Place& source, const Linear& row,
                                    const Linear& column, int extent, Value* mask) {
  if (source.registers || source.extents.size() != 2 || !row.scalar() || !column.scalar())
    throw InternalError("code generation: " + source.name + " cannot be loaded transposed");
  if (const auto* c = llvm::dyn_cast_or_null<llvm::Constant>(mask); c && c->isAllOnesValue()) mask = nullptr;
  if (mask) mask = splat(b_, mask);
  for (int first = 0; first < extent; first += ir::kLanes) {
    const int count = std::min(ir::kLanes, extent - first);
    const Linear at = index_.add(column, constant(first, false));
    std::vector<Value*> columns;
    if (count == 1) {
      const Linear stride = index_.emit(source.extents[1]);
      const Linear rows = index_.add(row, constant(0, true));
      columns = {load(source, index_.add(index_.multiply(rows, stride), at), {source.dtype, true}, mask)};
    } else {
      columns = transposed_block(source, row, at.base, count, mask);
      for (Value*& x : columns) x = from_memory(x, source.dtype);
    }
    for (int c = 0; c < count; ++c)
      store(destination, constant(static_cast<std::int64_t>(first + c) * ir::kLanes, true),
            columns[static_cast<std::size_t>(c)], nullptr);
  }
}

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

MemoryEmitter::Halves MemoryEmitter::load_halves(const Place& source, std::int64_t offset) {
  constexpr int kHalf = ir::kLanes / 2;
  if (source.registers) {
    Value* whole = load(source, constant(offset, true), {source.dtype, true}, nullptr);
    std::vector<int> low(kHalf), high(kHalf);
    std::iota(low.begin(), low.end(), 0);
    std::iota(high.begin(), high.end(), kHalf);
    return {b_.CreateShuffleVector(whole, low), b_.CreateShuffleVector(whole, high)};
  }
  auto* type = llvm::FixedVectorType::get(memory_type(source.dtype), kHalf);
  const auto half = [&](std::int64_t at) {
    Value* address = element(source, b_.getInt64(static_cast<std::uint64_t>(at)));
    return from_memory(b_.CreateAlignedLoad(type, address, alignment(source, constant(at, false))), source.dtype);
  };
  return {half(offset), half(offset + kHalf)};
}

void MemoryEmitter::lane_reduce(const Place& destination, const Place& source, int extent, const Combine& combine) {
  for (int first = 0; first < extent; first += ir::kLanes) {
    const int count = std::min(ir::kLanes, extent - first);
    std::vector<Halves> sources;
    for (int k = first; k < first + count; ++k)
      sources.push_back(load_halves(source, static_cast<std::int64_t>(k) * ir::kLanes));
    Value* reduced = reduce_block(sources, combine);
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
      b_.CreateAlignedStore(some, element(destination, b_.getInt64(static_cast<std::uint64_t>(first))),
                            alignment(destination, constant(first, false)));
    }
  }
}

}  // namespace gcompile::codegen
