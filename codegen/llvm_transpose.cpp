// Transposed loads and stores: networks of two-input shuffles within and between blocks of four lanes, which
// are one instruction each on AVX-512 and AVX2 (unpack, shuffle of 128-bit blocks).
#include <array>
#include <numeric>

#include "gcompile/base/error.h"
#include "gcompile/codegen/llvm_memory.h"
#include "gcompile/codegen/llvm_shuffles.h"

namespace gcompile::codegen {
namespace {

using llvm::Value;

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

// Whether none of the last eight rows is there. Registers of half the width then do, which a processor with units of
// that width shuffles twice as fast.
bool has_lower_rows_alone(const Value* mask) {
  const auto* known = llvm::dyn_cast_or_null<llvm::Constant>(mask);
  for (unsigned r = ir::kLanes / 2; known && r < ir::kLanes; ++r)
    if (!known->getAggregateElement(r)->isNullValue()) return false;
  return known != nullptr;
}

}  // namespace

Linear MemoryEmitter::constant(std::int64_t n, bool lanes) {
  return {.constant = n, .stride = lanes ? b_.getInt64(1) : nullptr};
}

// The rows in the order that the networks below need, 16 / width of them in a vector. `width` is count rounded up to 4,
// 8 or 16; what is beyond count is 0 and was not read.
std::vector<Value*> MemoryEmitter::load_rows(const Place& source, const Linear& rows_at, int count, int width,
                                             Value* mask) {
  llvm::Type* scalar = memory_type(source.dtype);
  auto* type = llvm::FixedVectorType::get(scalar, static_cast<unsigned>(width));
  const llvm::Align align(size_of(source.dtype));
  std::vector<llvm::Constant*> inside;
  for (int c = 0; c < width; ++c) inside.push_back(b_.getInt1(c < count));
  Value* bits = nullptr;
  const auto* known = llvm::dyn_cast_or_null<llvm::Constant>(mask);  // rows that are off are nobody's
  const auto load_row = [&](int r) -> Value* {
    if (known && known->getAggregateElement(static_cast<unsigned>(r))->isNullValue())
      return llvm::PoisonValue::get(type);
    Value* address = row_address(source, rows_at, r);
    if (bits) {
      address = b_.CreateSelect(mask_bit(b_, bits, r), address, zeros());
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
  if (!mask || known) return all_rows();
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

std::vector<Value*> MemoryEmitter::transposed(std::span<Value* const> rows, int count, int width) {
  std::vector<std::array<Value*, 4>> groups;
  for (std::size_t v = 0; v < rows.size(); v += 4) groups.push_back(transpose_blocks(b_, rows.subspan(v, 4)));
  std::vector<Value*> columns(static_cast<std::size_t>(width));
  for (std::size_t c = 0; c < 4; ++c) {
    if (width == 4) {
      columns[c] = groups[0][c];
    } else if (width == 8) {  // a group's blocks: rows 0-3, c; rows 0-3, c + 4; rows 4-7, c; rows 4-7, c + 4
      columns[c] = whole_blocks(b_, groups[0][c], groups[1][c], kEvenBlocks);
      columns[c + 4] = whole_blocks(b_, groups[0][c], groups[1][c], kOddBlocks);
    } else if (rows.size() == 8) {  // as below, but the upper half of every column is nobody's
      for (std::size_t half = 0; half < 2; ++half) {
        Value* upper = half_of(b_, groups[0][c], half);
        Value* lower = half_of(b_, groups[1][c], half);
        columns[c + 8 * half] = padded(b_, halves_of(b_, upper, lower, 0));
        columns[c + 8 * half + 4] = padded(b_, halves_of(b_, upper, lower, 1));
      }
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

void MemoryEmitter::load_transposed(const Place& destination, const Place& source, const Linear& rows, int extent,
                                    Value* mask) {
  if (source.registers || !rows.stride)
    throw InternalError("code generation: " + source.name + " cannot be loaded transposed");
  if (const auto* c = llvm::dyn_cast_or_null<llvm::Constant>(mask); c && c->isAllOnesValue()) mask = nullptr;
  if (mask) mask = splat(b_, mask);
  for (int first = 0; first < extent; first += ir::kLanes) {
    const int count = std::min(ir::kLanes, extent - first);
    const Linear at = index_.add(rows, constant(first, false));
    std::vector<Value*> columns;
    if (count == 1) {
      columns = {load(source, at, {source.dtype, true}, mask)};
    } else {
      const int width = count <= 4 ? 4 : count <= 8 ? 8 : 16;
      std::vector<Value*> loaded = load_rows(source, at, count, width, mask);
      if (width == ir::kLanes && has_lower_rows_alone(mask)) loaded.resize(ir::kLanes / 2);
      columns = transposed(loaded, count, width);
      for (Value*& x : columns) x = from_memory(x, source.dtype);
    }
    for (int c = 0; c < count; ++c)
      store(destination, constant(static_cast<std::int64_t>(first + c) * ir::kLanes, true),
            columns[static_cast<std::size_t>(c)], nullptr);
  }
}

// Columns in, rows out: the same network on 16 vectors, of which those beyond the extent hold nothing.
void MemoryEmitter::store_transposed(const Place& destination, const Linear& rows, const Place& source, int extent,
                                     Value* mask) {
  if (destination.registers || !rows.stride)
    throw InternalError("code generation: " + destination.name + " cannot be stored transposed");
  if (const auto* c = llvm::dyn_cast_or_null<llvm::Constant>(mask); c && c->isAllOnesValue()) mask = nullptr;
  if (mask) mask = splat(b_, mask);
  for (int first = 0; first < extent; first += ir::kLanes) {
    const int count = std::min(ir::kLanes, extent - first);
    const Linear at = index_.add(rows, constant(first, false));
    const auto column = [&](int c) {
      return load(source, constant(static_cast<std::int64_t>(first + c) * ir::kLanes, true), {source.dtype, true},
                  nullptr);
    };
    if (count == 1) {
      store(destination, at, column(0), mask);
      continue;
    }
    std::vector<Value*> columns;
    for (int c = 0; c < count; ++c) columns.push_back(to_memory(column(c), destination.dtype));
    columns.resize(ir::kLanes, llvm::PoisonValue::get(columns[0]->getType()));
    const std::vector<Value*> whole = transposed(columns, ir::kLanes, ir::kLanes);
    std::vector<int> some(static_cast<std::size_t>(count));
    std::iota(some.begin(), some.end(), 0);
    Value* bits = mask ? b_.CreateBitCast(mask, b_.getInt16Ty()) : nullptr;
    for (int r = 0; r < ir::kLanes; ++r) {
      Value* row = whole[static_cast<std::size_t>(r)];
      Value* address = row_address(destination, at, r);
      if (bits) address = b_.CreateSelect(mask_bit(b_, bits, r), address, sink());
      b_.CreateAlignedStore(count == ir::kLanes ? row : b_.CreateShuffleVector(row, some), address,
                            llvm::Align(size_of(destination.dtype)));
    }
  }
}

Value* MemoryEmitter::row_address(const Place& place, const Linear& rows, int row) {
  return element(place, index_.at_lane(rows, row));
}

}  // namespace gcompile::codegen
