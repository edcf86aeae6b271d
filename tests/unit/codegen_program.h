// A program of one kernel made by hand, run on memory of the test's own. Values know whether they have lanes, as the
// kernel IR says: an index with `lane`, or an operand or a mask with lanes.
#pragma once

#include <gtest/gtest.h>
#include <initializer_list>
#include <string>
#include <vector>

#include "gcompile/codegen/compile.h"
#include "gcompile/ir/op.h"

namespace gcompile::codegen::testing {

inline const Dim kLane{ir::kLaneSymbol};

class TestProgram {
 public:
  TestProgram() {
    kernel_.name = "k";
    blocks_.push_back(&kernel_.body);
  }

  // Buffers are bound in the order in which they are declared.
  void buffer(const std::string& name, DType dtype, std::vector<Dim> dims,
              ir::BufferRole role = ir::BufferRole::kTemp) {
    program_.module.buffers.push_back({name, {dtype, std::move(dims)}, role});
  }
  void scratch(const std::string& name, DType dtype, std::vector<std::int64_t> extents,
               ir::Scratch::Kind kind = ir::Scratch::Kind::kStack) {
    kernel_.scratch.push_back({name, dtype, std::move(extents), kind});
  }
  void symbol(const std::string& name) { program_.symbols.push_back(name); }

  int literal(DType dtype, double x) {
    ir::Instr i{ir::Opcode::kLiteral};
    i.literal = x;
    return result(std::move(i), {dtype, false});
  }
  int op(const std::string& name, std::vector<int> operands, DType dtype) {
    ir::Instr i{ir::Opcode::kOp};
    i.op = &ir::op(name);
    i.operands = std::move(operands);
    const bool lanes = any_lanes(i.operands);
    return result(std::move(i), {dtype, lanes});
  }
  int index(const Dim& d, std::vector<int> operands = {}) {
    ir::Instr i{ir::Opcode::kIndex};
    i.index = {d};
    i.operands = std::move(operands);
    const bool lanes = d.uses(ir::kLaneSymbol) || any_lanes(i.operands);
    return result(std::move(i), {DType::kI32, lanes});
  }
  int load(const std::string& memory, ir::Index index, int mask = -1, std::vector<int> operands = {}) {
    ir::Instr i{ir::Opcode::kLoad};
    i.memory = memory;
    i.operands = std::move(operands);
    bool lanes = any_lanes(i.operands) || (mask >= 0 && types_[at(mask)].lanes);
    for (const Dim& d : index) lanes = lanes || d.uses(ir::kLaneSymbol);
    i.index = std::move(index);
    i.mask = mask;
    return result(std::move(i), {dtype_of(memory), lanes});
  }
  void store(const std::string& memory, ir::Index index, int value, int mask = -1, std::vector<int> operands = {}) {
    ir::Instr i{ir::Opcode::kStore};
    i.memory = memory;
    i.operands = std::move(operands);
    i.operands.insert(i.operands.begin(), value);
    i.index = std::move(index);
    i.mask = mask;
    append(std::move(i));
  }
  void lane_reduce(const std::string& memory, const std::string& source, const std::string& combine, int extent) {
    ir::Instr i{ir::Opcode::kLaneReduce};
    i.op = &ir::op(combine);
    i.memory = memory;
    i.source = source;
    i.extent = extent;
    append(std::move(i));
  }
  void load_transposed(const std::string& memory, const std::string& source, const Dim& row, const Dim& column,
                       int extent, int mask = -1) {
    ir::Instr i{ir::Opcode::kLoadTransposed};
    i.memory = memory;
    i.source = source;
    i.index = {row + Dim(ir::kLaneSymbol), column};
    i.extent = extent;
    i.mask = mask;
    append(std::move(i));
  }
  void store_transposed(const std::string& memory, ir::Index index, const std::string& source, int extent,
                        int mask = -1) {
    ir::Instr i{ir::Opcode::kStoreTransposed};
    i.memory = memory;
    i.source = source;
    i.index = std::move(index);
    i.extent = extent;
    i.mask = mask;
    append(std::move(i));
  }
  // `body` gets the variable and the carried values of an iteration and returns the next ones.
  template <class F>
  std::vector<int> loop(const std::string& var, const Dim& extent, ir::LoopKind kind, std::vector<int> initial,
                        const std::vector<ir::VType>& types, F&& body) {
    ir::Instr i{ir::Opcode::kFor};
    i.var = var;
    i.extent = extent;
    i.loop = kind;
    i.operands = std::move(initial);
    i.types = types;
    for (const ir::VType& t : types) i.arguments.push_back(value(t));
    blocks_.push_back(&i.body);
    i.yields = body(Dim(var), i.arguments);
    blocks_.pop_back();
    for (const ir::VType& t : types) i.results.push_back(value(t));
    append(i);
    return i.results;
  }
  template <class F>
  void loop(const std::string& var, const Dim& extent, ir::LoopKind kind, F&& body) {
    loop(var, extent, kind, {}, {}, [&](const Dim& v, const std::vector<int>&) {
      body(v);
      return std::vector<int>{};
    });
  }
  // lane < limit
  int lanes_below(const Dim& limit) { return op("lt", {index(kLane), index(limit)}, DType::kBool); }

  ir::Program& program() {
    program_.module.kernels = {kernel_};
    program_.module.kernels[0].values = static_cast<int>(types_.size());
    if (program_.launches.empty()) program_.launches = {{0}};
    return program_;
  }
  void run(const Target& target, std::vector<void*> buffers, std::vector<std::int64_t> dims = {}) {
    const runtime::NativeCode code = jit(program(), target);
    ASSERT_EQ(code.entry(buffers.data(), dims.data(), runtime::serial()), 0);
  }

 private:
  static std::size_t at(int id) { return static_cast<std::size_t>(id); }
  bool any_lanes(const std::vector<int>& ids) const {
    for (const int id : ids)
      if (types_[at(id)].lanes) return true;
    return false;
  }
  int value(ir::VType type) {
    types_.push_back(type);
    return static_cast<int>(types_.size()) - 1;
  }
  int result(ir::Instr i, ir::VType type) {
    i.type = type;
    const int id = value(type);
    i.results = {id};
    append(std::move(i));
    return id;
  }
  void append(ir::Instr i) { blocks_.back()->push_back(std::move(i)); }
  DType dtype_of(const std::string& memory) const {
    for (const ir::Scratch& s : kernel_.scratch)
      if (s.name == memory) return s.dtype;
    for (const ir::Buffer& b : program_.module.buffers)
      if (b.name == memory) return b.type.dtype;
    ADD_FAILURE() << "no memory " << memory;
    return DType::kF32;
  }

  ir::Program program_;
  ir::Kernel kernel_{};
  std::vector<ir::Block*> blocks_;
  std::vector<ir::VType> types_;
};

// The named targets that this machine can execute.
inline std::vector<std::string> targets_here() {
  std::vector<std::string> names;
  for (const std::string& name : target_names())
    if (runs_here(target_named(name), nullptr)) names.push_back(name);
  return names;
}

// A test once per target.
class OnTarget : public ::testing::TestWithParam<std::string> {
 protected:
  Target target() const { return target_named(GetParam()); }
};
inline std::string target_test_name(const ::testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  for (char& c : name)
    if (c == '-') c = '_';
  return name;
}

}  // namespace gcompile::codegen::testing
