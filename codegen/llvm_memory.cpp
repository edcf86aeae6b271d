#include "gcompile/codegen/llvm_memory.h"

#include <llvm/IR/Module.h>
#include <numeric>

#include "gcompile/base/error.h"
#include "gcompile/codegen/llvm_float16.h"

namespace gcompile::codegen {
namespace {

using llvm::Value;

bool is_all(const Value* mask) {
  const auto* c = llvm::dyn_cast_or_null<llvm::Constant>(mask);
  return c && c->isAllOnesValue();
}

constexpr std::int64_t kWidestStride = 4;  // of lanes whose elements are read with all that lies between

std::vector<int> backwards() {
  std::vector<int> order(ir::kLanes);
  std::iota(order.rbegin(), order.rend(), 0);
  return order;
}

// Of an access with stride -1, the one with stride 1 that has the same elements the other way round.
Linear last_to_first(llvm::IRBuilder<>& b, const Linear& offset) {
  return {offset.constant + 1 - ir::kLanes, offset.outer, offset.inner, b.getInt64(1), nullptr};
}

Value* reversed(llvm::IRBuilder<>& b, Value* x) { return x ? b.CreateShuffleVector(x, backwards()) : nullptr; }

}  // namespace

Value* mask_bit(llvm::IRBuilder<>& b, Value* bits, int lane) {
  return b.CreateICmpNE(b.CreateAnd(bits, b.getInt16(static_cast<std::uint16_t>(1u << lane))), b.getInt16(0));
}

llvm::Type* MemoryEmitter::memory_type(DType dtype) {
  if (dtype == DType::kBool) return b_.getInt8Ty();
  return is_float16(dtype) ? b_.getInt16Ty() : register_type(b_.getContext(), {dtype, false});
}

Value* MemoryEmitter::from_memory(Value* x, DType dtype) {
  if (is_float16(dtype)) return float16_of_bits(b_, target_, x, dtype);
  return dtype == DType::kBool ? b_.CreateICmpNE(x, llvm::Constant::getNullValue(x->getType())) : x;
}

Value* MemoryEmitter::to_memory(Value* x, DType dtype) {
  if (is_float16(dtype)) return bits_of_float16(b_, target_, x, dtype);
  return dtype == DType::kBool ? b_.CreateZExt(x, x->getType()->getWithNewBitWidth(8)) : x;
}

// What does not change in the loop is added first, constants last: so one is hoisted and the others become parts of the
// instruction that uses the address. A part of the sum may lie outside of the memory: no inbounds.
Value* MemoryEmitter::element(const Place& place, const Linear& offset) {
  llvm::Type* type = memory_type(place.dtype);
  Value* address = place.address;
  if (offset.outer) address = b_.CreateGEP(type, address, {offset.outer});
  if (offset.inner) address = b_.CreateGEP(type, address, {offset.inner});
  return offset.constant ? b_.CreateConstGEP1_64(type, address, static_cast<std::uint64_t>(offset.constant)) : address;
}

llvm::Align MemoryEmitter::alignment(const Place& place, const Linear& offset) const {
  const std::uint64_t size = size_of(place.dtype);
  const auto base = offset.constant_base();
  if (!base || place.alignment <= size) return llvm::Align(size);
  return llvm::commonAlignment(llvm::Align(place.alignment), static_cast<std::uint64_t>(*base) * size);
}

// Masked loads and stores that are instructions; LLVM would make others a chain of sixteen branches.
bool MemoryEmitter::has_masked_access(DType dtype) const {
  return target_.vector_bytes >= 64 || (target_.vector_bytes == 32 && size_of(dtype) >= 4);
}

// Loads and stores of elements at 16 addresses that are instructions.
bool MemoryEmitter::has_gather(DType dtype) const { return target_.vector_bytes >= 64 && size_of(dtype) >= 4; }

Value* MemoryEmitter::zeros() {
  llvm::Module& module = *b_.GetInsertBlock()->getModule();
  auto* type = llvm::ArrayType::get(b_.getInt8Ty(), 16 * 8);
  if (auto* known = module.getNamedGlobal("gc.zeros")) return known;
  auto* made = new llvm::GlobalVariable(module, type, true, llvm::GlobalValue::PrivateLinkage,
                                        llvm::Constant::getNullValue(type), "gc.zeros");
  made->setAlignment(llvm::Align(64));
  return made;
}

Value* MemoryEmitter::sink() {
  if (!sink_) sink_ = entry_.CreateAlloca(llvm::ArrayType::get(entry_.getInt64Ty(), ir::kLanes), nullptr, "sink");
  return sink_;
}

Value* MemoryEmitter::load(const Place& place, const Linear& offset, ir::VType type, Value* mask) {
  if (mask && is_all(mask)) mask = nullptr;
  // Masked out for certain, as the edges of a padded value are in an unrolled loop: the index may be out of range.
  if (const auto* c = llvm::dyn_cast_or_null<llvm::Constant>(mask); c && c->isNullValue())
    return llvm::Constant::getNullValue(register_type(b_.getContext(), type));
  if (mask && type.lanes) mask = splat(b_, mask);
  if (!type.lanes && (!offset.scalar() || (mask && mask->getType()->isVectorTy())))
    throw InternalError("code generation: a scalar load of " + place.name + " by lanes");
  Value* x = nullptr;
  if (place.registers) {
    x = place.registers->load(b_, offset);
    if (mask) x = b_.CreateSelect(mask, x, llvm::Constant::getNullValue(x->getType()));
    return type.lanes ? splat(b_, x) : x;
  }
  if (offset.scalar()) {
    Value* any = mask && type.lanes ? b_.CreateICmpNE(b_.CreateBitCast(mask, b_.getInt16Ty()), b_.getInt16(0)) : mask;
    x = from_memory(load_scalar(place, offset, any), place.dtype);
    if (!type.lanes) return x;
    x = splat(b_, x);
    return mask ? b_.CreateSelect(mask, x, llvm::Constant::getNullValue(x->getType())) : x;
  }
  const auto stride = offset.constant_stride();
  if (stride == 1) {
    x = load_contiguous(place, offset, mask);
  } else if (stride == -1) {
    x = reversed(b_, load_contiguous(place, last_to_first(b_, offset), reversed(b_, mask)));
  } else if (stride && *stride > 1 && *stride <= kWidestStride && (!mask || has_masked_access(place.dtype))) {
    x = load_strided(place, offset, *stride, mask);
  } else {
    x = load_scattered(place, offset, mask);
  }
  return from_memory(x, place.dtype);
}

Value* MemoryEmitter::load_scalar(const Place& place, const Linear& offset, Value* mask) {
  Value* address = element(place, offset);
  if (mask) address = b_.CreateSelect(mask, address, zeros());
  return b_.CreateAlignedLoad(memory_type(place.dtype), address, llvm::Align(size_of(place.dtype)));
}

Value* MemoryEmitter::load_contiguous(const Place& place, const Linear& offset, Value* mask) {
  auto* type = llvm::FixedVectorType::get(memory_type(place.dtype), ir::kLanes);
  Value* address = element(place, offset);
  const llvm::Align align = alignment(place, offset);
  if (!mask) return b_.CreateAlignedLoad(type, address, align);
  if (!has_masked_access(place.dtype)) return load_scattered(place, offset, mask);
  return b_.CreateMaskedLoad(type, address, align, mask, llvm::Constant::getNullValue(type));
}

// All that lies from the first lane's element to the last one's, in whole vectors of which the last ends there, so that
// nothing behind it is touched; then the elements are picked out of vector after vector.
Value* MemoryEmitter::load_strided(const Place& place, const Linear& offset, std::int64_t stride, Value* mask) {
  const auto unit = static_cast<int>(stride);
  Value* picked = nullptr;
  for (int part = 0; part < unit; ++part) {
    const int begin = std::min(part * ir::kLanes, unit * (ir::kLanes - 1) + 1 - ir::kLanes);
    Linear there = offset;
    there.constant += begin;
    there.stride = b_.getInt64(1);
    Value* needed = nullptr;
    if (mask) {
      std::vector<int> lanes;  // whose element each one is; beyond them false
      for (int i = begin; i < begin + ir::kLanes; ++i) lanes.push_back(i % unit ? ir::kLanes : i / unit);
      needed = b_.CreateShuffleVector(mask, llvm::Constant::getNullValue(mask->getType()), lanes);
    }
    Value* x = load_contiguous(place, there, needed);
    if (!picked) picked = llvm::PoisonValue::get(x->getType());
    std::vector<int> from;
    for (int lane = 0; lane < ir::kLanes; ++lane) {
      const int i = unit * lane - begin;
      from.push_back(i >= 0 && i < ir::kLanes ? ir::kLanes + i : lane);
    }
    picked = b_.CreateShuffleVector(picked, x, from);
  }
  return picked;
}

std::vector<Value*> MemoryEmitter::lane_addresses(const Place& place, const Linear& offset) {
  std::vector<Value*> addresses;
  for (int lane = 0; lane < ir::kLanes; ++lane) {
    const auto n = static_cast<std::uint64_t>(lane);
    addresses.push_back(offset.lanes ? element(place, {.outer = b_.CreateExtractElement(offset.lanes, n)})
                                     : element(place, index_.at_lane(offset, lane)));
  }
  return addresses;
}

Value* MemoryEmitter::address_vector(const Place& place, const Linear& offset) {
  if (offset.lanes) return element(place, {.outer = offset.lanes});
  // A scalar base and a vector of multiples: when those are constant LLVM gathers with 32-bit indices.
  Value* multiples = b_.CreateMul(lane_numbers(b_, 64), splat(b_, offset.stride));
  return b_.CreateInBoundsGEP(memory_type(place.dtype), element(place, offset), {multiples});
}

Value* MemoryEmitter::load_scattered(const Place& place, const Linear& offset, Value* mask) {
  llvm::Type* scalar = memory_type(place.dtype);
  auto* type = llvm::FixedVectorType::get(scalar, ir::kLanes);
  const llvm::Align align(size_of(place.dtype));
  if (has_gather(place.dtype))
    return b_.CreateMaskedGather(type, address_vector(place, offset), align, mask ? mask : nullptr,
                                 llvm::Constant::getNullValue(type));
  const std::vector<Value*> addresses = lane_addresses(place, offset);
  Value* bits = mask ? b_.CreateBitCast(mask, b_.getInt16Ty()) : nullptr;
  Value* x = llvm::PoisonValue::get(type);
  for (int lane = 0; lane < ir::kLanes; ++lane) {
    Value* address = addresses[static_cast<std::size_t>(lane)];
    if (mask) address = b_.CreateSelect(mask_bit(b_, bits, lane), address, zeros());
    x = b_.CreateInsertElement(x, b_.CreateAlignedLoad(scalar, address, align), static_cast<std::uint64_t>(lane));
  }
  return x;
}

void MemoryEmitter::store(const Place& place, const Linear& offset, Value* value, Value* mask) {
  if (mask && is_all(mask)) mask = nullptr;
  const bool lanes = !offset.scalar();
  if (!lanes && (value->getType()->isVectorTy() || (mask && mask->getType()->isVectorTy())))
    throw InternalError("code generation: all lanes stored to one element of " + place.name);
  if (lanes) value = splat(b_, value);
  if (lanes && mask) mask = splat(b_, mask);
  if (place.registers) {
    if (mask && place.registers->holds(offset)) value = b_.CreateSelect(mask, value, place.registers->load(b_, offset));
    return place.registers->store(offset, value);
  }
  value = to_memory(value, place.dtype);
  if (!lanes) {
    Value* address = element(place, offset);
    if (mask) address = b_.CreateSelect(mask, address, sink());
    b_.CreateAlignedStore(value, address, llvm::Align(size_of(place.dtype)));
    return;
  }
  const auto stride = offset.constant_stride();
  if (stride == 1) {
    store_contiguous(place, offset, value, mask);
  } else if (stride == -1) {
    store_contiguous(place, last_to_first(b_, offset), reversed(b_, value), reversed(b_, mask));
  } else {
    store_scattered(place, offset, value, mask);
  }
}

// The address is no more than a hint, so it may lie behind the memory: no inbounds.
void MemoryEmitter::prefetch(const Place& place, const Linear& offset) {
  if (place.registers || !offset.scalar()) throw InternalError("code generation: a prefetch of " + place.name);
  Value* address = b_.CreateGEP(memory_type(place.dtype), place.address, {index_.base(offset)});
  const auto number = [&](std::uint32_t n) { return b_.getInt32(n); };  // read, most locality, data
  b_.CreateIntrinsic(llvm::Intrinsic::prefetch, {address->getType()}, {address, number(0), number(3), number(1)});
}

void MemoryEmitter::store_contiguous(const Place& place, const Linear& offset, Value* value, Value* mask) {
  Value* address = element(place, offset);
  if (!mask)
    b_.CreateAlignedStore(value, address, alignment(place, offset));
  else if (has_masked_access(place.dtype))
    b_.CreateMaskedStore(value, address, alignment(place, offset), mask);
  else
    store_scattered(place, offset, value, mask);
}

// In ascending lanes, so that the last one wins where two meet (llvm.masked.scatter promises the same).
void MemoryEmitter::store_scattered(const Place& place, const Linear& offset, Value* value, Value* mask) {
  const llvm::Align align(size_of(place.dtype));
  if (has_gather(place.dtype)) {
    b_.CreateMaskedScatter(value, address_vector(place, offset), align, mask ? mask : nullptr);
    return;
  }
  const std::vector<Value*> addresses = lane_addresses(place, offset);
  Value* bits = mask ? b_.CreateBitCast(mask, b_.getInt16Ty()) : nullptr;
  for (int lane = 0; lane < ir::kLanes; ++lane) {
    Value* address = addresses[static_cast<std::size_t>(lane)];
    if (mask) address = b_.CreateSelect(mask_bit(b_, bits, lane), address, sink());
    b_.CreateAlignedStore(b_.CreateExtractElement(value, static_cast<std::uint64_t>(lane)), address, align);
  }
}

}  // namespace gcompile::codegen
