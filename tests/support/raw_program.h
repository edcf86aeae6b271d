// A compiled program called through its bare entry, with memory that the test owns: buffers at any alignment, an arena
// between guards, launches one at a time with whatever is done in between.
#pragma once

#include <cstring>
#include <limits>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "gcompile/codegen/check/call.h"
#include "gcompile/codegen/compile.h"

namespace gcompile::testing {

class RawProgram {
 public:
  static constexpr std::size_t kGuard = 256;

  // `offset`: bytes by which inputs and results are moved away from a multiple of 64.
  RawProgram(ir::Program program, const Target& target, const codegen::Call& call, std::size_t offset = 0)
      : program_(std::move(program)), target_(target), call_(call) {
    offsets_ = program_.slot_offsets(call.dims, &arena_bytes_);
    arena_.resize(static_cast<std::size_t>(arena_bytes_) + 2 * kGuard + 64);
    for (const std::string& s : program_.symbols) dims_.push_back(call.dims.at(s));
    std::size_t input = 0;
    for (std::size_t i = 0; i < buffers().size(); ++i) {
      const ir::Buffer& b = buffers()[i];
      const bool outside = b.role == ir::BufferRole::kInput || b.role == ir::BufferRole::kResult;
      own_.emplace_back(bytes(i) + 128, std::byte{0});
      const int slot = program_.placements[i].slot;
      std::byte* at = slot >= 0 ? arena() + offsets_[static_cast<std::size_t>(slot)]
                                : aligned(own_.back().data()) + (outside ? offset : 0);
      if (b.alias >= 0) at = static_cast<std::byte*>(pointers_[static_cast<std::size_t>(b.alias)]);
      pointers_.push_back(at);
      if (b.role == ir::BufferRole::kInput) copy_in(at, call.inputs[input++]);
      if (b.role == ir::BufferRole::kState) copy_in(at, call.states.at(b.name));
      if (b.role == ir::BufferRole::kConstant) copy_in(at, b.data);
    }
  }

  void run() { enter(program_); }
  // One launch, without the copies at the end.
  void launch(std::size_t i) {
    ir::Program one = program_;
    one.module.kernels = {program_.module.kernels[static_cast<std::size_t>(program_.launches[i].kernel)]};
    one.launches = {{0}};
    one.copies.clear();
    enter(one);
  }
  void copy_states() {
    ir::Program none = program_;
    none.launches.clear();
    none.module.kernels.clear();
    enter(none);
  }

  codegen::Outcome outcome() const {
    codegen::Outcome out;
    for (std::size_t i = 0; i < buffers().size(); ++i)
      if (buffers()[i].role == ir::BufferRole::kResult) out.results.push_back(value(i));
    for (const auto& u : program_.module.updates)
      out.states[u.state] = value(static_cast<std::size_t>(program_.module.find_buffer(u.state)));
    return out;
  }

  // A NaN in every float, a large number elsewhere.
  void poison(std::size_t buffer) {
    auto* at = static_cast<std::byte*>(pointers_[buffer]);
    const DType t = buffers()[buffer].type.dtype;
    const float nan32 = std::numeric_limits<float>::quiet_NaN();
    const double nan64 = std::numeric_limits<double>::quiet_NaN();
    const std::uint16_t nan16 = 0x7fff;  // of both formats
    const void* pattern = is_float16(t)                ? static_cast<const void*>(&nan16)
                          : size_of(t) == sizeof nan64 ? static_cast<const void*>(&nan64)
                                                       : static_cast<const void*>(&nan32);
    for (std::size_t i = 0; i + size_of(t) <= bytes(buffer); i += size_of(t)) {
      if (t == DType::kBool)
        at[i] = std::byte{1};
      else
        std::memcpy(at + i, pattern, size_of(t));
    }
  }

  std::byte* arena() { return aligned(arena_.data() + kGuard); }
  std::int64_t arena_bytes() const { return arena_bytes_; }
  // The arena and the guards on both sides.
  void fill_arena(std::byte with) { std::fill(arena_.begin(), arena_.end(), with); }
  bool guards_hold(std::byte with) {
    const std::byte* begin = arena();
    const std::byte* end = begin + arena_bytes_;
    for (const std::byte& b : arena_)
      if ((&b < begin || &b >= end) && b != with) return false;
    return true;
  }

  const ir::Program& program() const { return program_; }
  const std::vector<ir::Buffer>& buffers() const { return program_.module.buffers; }
  std::size_t bytes(std::size_t buffer) const {
    const Type& t = buffers()[buffer].type;
    return static_cast<std::size_t>(t.size().evaluate(call_.dims)) * size_of(t.dtype);
  }

 private:
  static std::byte* aligned(std::byte* p) { return p + (64 - reinterpret_cast<std::uintptr_t>(p) % 64) % 64; }
  static void copy_in(std::byte* at, const Array& a) { std::memcpy(at, a.raw(), a.bytes()); }

  Array value(std::size_t i) const {
    std::vector<std::int64_t> extents;
    for (const Dim& d : buffers()[i].type.dims) extents.push_back(d.evaluate(call_.dims));
    Array a(buffers()[i].type.dtype, Shape(extents));
    std::memcpy(a.raw(), pointers_[i], a.bytes());
    return a;
  }

  void enter(const ir::Program& program) {
    const runtime::NativeCode code = codegen::jit(program, target_);
    if (code.entry(pointers_.data(), dims_.data(), runtime::serial()) != 0)
      throw std::runtime_error("the program stopped with a trap");
  }

  ir::Program program_;
  Target target_;
  codegen::Call call_;
  std::vector<std::int64_t> offsets_, dims_;
  std::int64_t arena_bytes_ = 0;
  std::vector<std::byte> arena_;
  std::vector<std::vector<std::byte>> own_;
  std::vector<void*> pointers_;
};

}  // namespace gcompile::testing
