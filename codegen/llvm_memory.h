// Loads and stores of scalar and lane-typed values, and what is made of them: transposed loads and lane reductions. A
// lane that a mask switches off never touches memory: it is given the address of a zero (or of a place to write to)
// where the processor has no masked access for the element.
#pragma once

#include <span>
#include <vector>

#include "gcompile/codegen/llvm_index.h"
#include "gcompile/codegen/llvm_registers.h"

namespace gcompile::codegen {

// What an access names: a buffer or stack scratch (address set), or register scratch.
struct Place {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<Dim> extents;
  llvm::Value* address = nullptr;
  std::uint64_t alignment = 1;  // of the address, in bytes, at least the element's
  Registers* registers = nullptr;
};

// Bit `lane` of a lane mask, from one integer: cheaper than 16 extractions from a mask register.
llvm::Value* mask_bit(llvm::IRBuilder<>& b, llvm::Value* bits, int lane);

class MemoryEmitter {
 public:
  // `entry` appends to the function's first block, which dominates all others.
  MemoryEmitter(llvm::IRBuilder<>& b, llvm::IRBuilder<>& entry, IndexEmitter& index, const Target& target)
      : b_(b), entry_(entry), index_(index), target_(target) {}

  // A value of the type; masked-out lanes are 0. `mask` may be null.
  llvm::Value* load(const Place& place, const Linear& offset, ir::VType type, llvm::Value* mask);
  void store(const Place& place, const Linear& offset, llvm::Value* value, llvm::Value* mask);
  // destination[c, lane] = source[rows + c] for c in 0 .. extent, where `rows` is the offset by lanes of the rows; and
  // destination[rows + c] = source[c, lane]. `mask` (may be null) says which rows there are.
  void load_transposed(const Place& destination, const Place& source, const Linear& rows, int extent,
                       llvm::Value* mask);
  void store_transposed(const Place& destination, const Linear& rows, const Place& source, int extent,
                        llvm::Value* mask);
  void prefetch(const Place& place, const Linear& offset);
  // destination[k] = tree over the lanes of source[k, lane], for k in 0 .. extent.
  using Combine = std::function<llvm::Value*(llvm::Value*, llvm::Value*)>;
  void lane_reduce(const Place& destination, const Place& source, int extent, const Combine& combine);

 private:
  llvm::Type* memory_type(DType dtype);  // bool is a byte, a 16-bit float its bits
  llvm::Value* from_memory(llvm::Value* x, DType dtype);
  llvm::Value* to_memory(llvm::Value* x, DType dtype);
  llvm::Value* element(const Place& place, const Linear& offset);  // address of the one that all lanes share
  llvm::Align alignment(const Place& place, const Linear& offset) const;
  bool has_masked_access(DType dtype) const;
  bool has_gather(DType dtype) const;
  llvm::Value* zeros();  // a vector of zeros to read instead
  llvm::Value* sink();   // a vector to write to instead
  llvm::Value* load_scalar(const Place& place, const Linear& offset, llvm::Value* mask);
  llvm::Value* load_contiguous(const Place& place, const Linear& offset, llvm::Value* mask);
  llvm::Value* load_strided(const Place& place, const Linear& offset, std::int64_t stride, llvm::Value* mask);
  llvm::Value* load_scattered(const Place& place, const Linear& offset, llvm::Value* mask);
  void store_contiguous(const Place& place, const Linear& offset, llvm::Value* value, llvm::Value* mask);
  void store_scattered(const Place& place, const Linear& offset, llvm::Value* value, llvm::Value* mask);
  std::vector<llvm::Value*> lane_addresses(const Place& place, const Linear& offset);
  llvm::Value* address_vector(const Place& place, const Linear& offset);

  // The first `count` columns of 16 rows of `width` 4, 8 or 16, which lie in vectors as load_rows makes them; or of the
  // first eight rows alone, of width 16.
  std::vector<llvm::Value*> transposed(std::span<llvm::Value* const> rows, int count, int width);
  std::vector<llvm::Value*> load_rows(const Place& source, const Linear& rows, int count, int width, llvm::Value* mask);
  llvm::Value* row_address(const Place& place, const Linear& rows, int row);
  struct Halves {  // of 16 lanes
    llvm::Value *low, *high;
  };
  Halves load_halves(const Place& source, const Linear& offset);
  llvm::Value* reduce_from(const Place& source, const Linear& offset, int count, const Combine& combine);
  int lane_reduce_whole_blocks(const Place& destination, const Place& source, int extent, const Combine& combine);
  llvm::Value* reduce_block(std::span<const Halves> sources, const Combine& combine);
  Linear constant(std::int64_t n, bool lanes);

  llvm::IRBuilder<>& b_;
  llvm::IRBuilder<>& entry_;
  IndexEmitter& index_;
  const Target& target_;
  llvm::Value* sink_ = nullptr;
};

}  // namespace gcompile::codegen
