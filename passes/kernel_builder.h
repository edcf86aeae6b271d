// KernelBuilder: appends instructions to the blocks of a kernel and infers their types. Shared by the lowerer and by
// expand-math. A value has lanes when one of the operands it is made from has, when its index uses `lane`, or when its
// mask has lanes. Literals, index values and ops that were already made in the block or in one around it are reused:
// they are pure, and the enclosing blocks dominate.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "gcompile/ir/kernel.h"

namespace gcompile::passes {

class KernelBuilder {
 public:
  // Appends to `block`, by default the kernel's body. Values that the kernel has already keep their ids and types.
  explicit KernelBuilder(ir::Kernel& kernel) : KernelBuilder(kernel, kernel.body) {}
  KernelBuilder(ir::Kernel& kernel, ir::Block& block);
  KernelBuilder(const KernelBuilder&) = delete;
  KernelBuilder& operator=(const KernelBuilder&) = delete;

  ir::Kernel& kernel() { return kernel_; }
  ir::Block& block() { return *scopes_.back().block; }

  // Index into the kernel's locations given to the instructions made from now on; -1: none.
  int where = -1;
  // The index of a location in the kernel's table, added when it is new; -1 for an unknown one.
  int location(const Location& at);

  ir::VType type(int value) const { return types_[static_cast<std::size_t>(value)]; }

  // An elementwise op of the table. The dtype is inferred by the op itself from scalars of the operands' dtypes.
  int op(std::string_view name, std::vector<int> operands) { return op(ir::op(name), std::move(operands)); }
  int op(const ir::OpDef& def, std::vector<int> operands, const ir::Attrs& attrs = {});
  // By an op that makes another dtype of a value; the value itself when it has that dtype.
  int convert(const ir::OpDef& conversion, int value, DType to);
  int cast(int value, DType to) { return convert(ir::op("cast"), value, to); }
  int bitcast(int value, DType to) { return convert(ir::op("bitcast"), value, to); }  // f32 <-> i32
  int literal(DType dtype, double value);
  int index(const Dim& d, DType dtype = DType::kI32);  // i32 or i64

  // Memory. The dtype is the buffer's, which the kernel does not know. `operands` stand for "$0", "$1", ...
  int load(const std::string& memory, DType dtype, ir::Index index, std::vector<int> operands = {}, int mask = -1);
  void store(const std::string& memory, ir::Index index, int value, int mask = -1,
             const std::vector<int>& operands = {});
  // memory[k] = tree over the lanes of source[k, lane] by the combining op, k in 0 .. extent.
  void lane_reduce(const std::string& memory, const std::string& source, std::string_view combine, const Dim& extent);
  // memory[c, lane] = source[index, the last entry + c], c in 0 .. extent; and the way back.
  void load_transposed(const std::string& memory, const std::string& source, ir::Index index, const Dim& extent,
                       int mask = -1);
  void store_transposed(const std::string& memory, ir::Index index, const std::string& source, const Dim& extent,
                        int mask = -1);

  void prefetch(const std::string& memory, ir::Index index);

  // The conjunction of two masks; -1 stands for "all".
  int both(int mask_a, int mask_b);

  // for var in 0 .. extent: `body` gets the carried values of the iteration and returns the next ones. Returns those
  // after the loop. `types` are those of the carried values, where they are not the initial ones': a scalar initial or
  // next value of a lane-typed carried value is splat.
  using LoopBody = std::function<std::vector<int>(std::span<const int> carried)>;
  std::vector<int> loop(const std::string& var, const Dim& extent, ir::LoopKind kind, std::vector<int> initial,
                        const LoopBody& body, std::vector<ir::VType> types = {});
  void loop(const std::string& var, const Dim& extent, ir::LoopKind kind, const std::function<void()>& body);
  // argument = sum of left * right: `contract` gives axes and operands; `body` makes the epilogue of the sum.
  void contract(ir::Instr contract, DType dtype, const std::function<void(int sum)>& body);
  // A name for a loop variable that the kernel does not use yet: "i", "i2", "i3", ...
  std::string fresh_var(const std::string& stem);

  // Any instruction as it is: for passes that copy a kernel. Results keep their ids and get `type` / `types`.
  void append(ir::Instr instr);
  // A block inside the present one, filled by `body`: what expand-math copies a loop's body with.
  ir::Block nested(const std::function<void()>& body);

 private:
  struct Scope {
    ir::Block* block;
    std::map<std::pair<DType, std::uint64_t>, int> literals;  // by bits: 0 and -0 differ
    std::map<std::pair<DType, std::string>, int> indices;
    std::map<std::tuple<const ir::OpDef*, std::vector<int>, DType>, int> ops;
  };

  int add_value(ir::VType type);
  void transposed(ir::Opcode opcode, const std::string& memory, const std::string& source, ir::Index index,
                  const Dim& extent, int mask);
  int emit(ir::Instr instr);  // gives it a location and one result
  void record(const ir::Instr& instr);
  bool any_lanes(std::span<const int> values) const;
  // The value under `key` in the innermost scope that has one; -1 otherwise.
  template <class Table, class Key>
  int known(Table Scope::*table, const Key& key) const;

  ir::Kernel& kernel_;
  std::vector<Scope> scopes_;
  std::vector<ir::VType> types_;
  std::set<std::string> vars_;
};

}  // namespace gcompile::passes
