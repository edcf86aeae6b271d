#include "gcompile/passes/expand_math.h"

#include <algorithm>
#include <functional>

#include "gcompile/base/error.h"
#include "gcompile/passes/kernel_builder.h"
#include "gcompile/passes/tile.h"

namespace gcompile::passes {
namespace {

using ir::Expr;
using ir::Instr;
using ir::Opcode;

constexpr int kDeepest = 32;  // expansions inside expansions: an op that expands to itself ends here

// What expansions build with: every op they ask for is expanded in its turn.
class Expander final : public ir::ScalarBuilder {
 public:
  Expander(KernelBuilder& b, bool has_fma) : b_(b), has_fma_(has_fma) {}

  int expand(const ir::OpDef& def, const std::vector<int>& operands) {
    const auto* lowering = std::get_if<ir::ElementLowering>(&def.lower);
    if (!lowering || !lowering->expand) return b_.op(def, operands);
    if (const DType dtype = b_.type(operands.at(0)).dtype; is_float16(dtype)) return expand_wide(def, operands, dtype);
    if (++depth_ > kDeepest) throw InternalError("the expansion of " + std::string(def.name) + " does not end");
    std::vector<Expr> given;
    for (int v : operands) given.push_back({v});
    const Expr made = lowering->expand(*this, given);
    --depth_;
    return made ? made.id : b_.op(def, operands);
  }

  // Expansions know f32 and f64: what the pass widen left in 16 bits is computed in f32.
  int expand_wide(const ir::OpDef& def, const std::vector<int>& operands, DType dtype) {
    std::vector<int> wide;
    for (const int v : operands) wide.push_back(is_float16(b_.type(v).dtype) ? b_.cast(v, DType::kF32) : v);
    const int made = expand(def, wide);
    return is_float(b_.type(made).dtype) ? b_.cast(made, dtype) : made;
  }

  Expr op(std::string_view name, std::vector<Expr> operands) override {
    std::vector<int> ids;
    for (Expr e : operands) ids.push_back(e.id);
    return {expand(ir::op(name), ids)};
  }
  Expr cast(Expr e, DType to) override { return {b_.cast(e.id, to)}; }
  Expr bitcast(Expr e, DType to) override { return {b_.bitcast(e.id, to)}; }
  Expr literal(DType dtype, double value) override { return {b_.literal(dtype, value)}; }
  DType dtype(Expr e) const override { return b_.type(e.id).dtype; }
  bool has_fma() const override { return has_fma_; }

 private:
  KernelBuilder& b_;
  bool has_fma_;
  int depth_ = 0;
};

// Copies a kernel instruction by instruction into a fresh one, with new value ids.
class KernelCopy {
 public:
  KernelCopy(const ir::Kernel& from, bool has_fma)
      : from_(from), to_(shell(from)), b_(to_), expander_(b_, has_fma),
        ids_(static_cast<std::size_t>(from.values), -1) {}

  ir::Kernel run() {
    copy(from_.body);
    return std::move(to_);
  }

 private:
  static ir::Kernel shell(const ir::Kernel& from) {
    ir::Kernel k = from;
    k.body.clear();
    k.values = 0;
    return k;
  }

  int& id(int old) { return ids_.at(static_cast<std::size_t>(old)); }
  int mapped(int old) { return old < 0 ? old : id(old); }
  std::vector<int> mapped(const std::vector<int>& old) {
    std::vector<int> result;
    for (int v : old) result.push_back(mapped(v));
    return result;
  }
  void bind(const std::vector<int>& old, std::span<const int> now) {
    for (std::size_t i = 0; i < old.size(); ++i) id(old[i]) = now[i];
  }

  void copy(const ir::Block& block) {
    for (const Instr& i : block) {
      b_.where = i.where;
      copy(i);
    }
  }

  void copy(const Instr& i) {
    switch (i.opcode) {
      case Opcode::kOp: {
        const bool converts = i.op->is(ir::kConversion);
        id(i.results[0]) = converts ? b_.convert(*i.op, mapped(i.operands[0]), i.type.dtype)
                                    : expander_.expand(*i.op, mapped(i.operands));
        return;
      }
      case Opcode::kLiteral: id(i.results[0]) = b_.literal(i.type.dtype, i.literal); return;
      case Opcode::kIndex: id(i.results[0]) = b_.index(i.index[0], i.type.dtype); return;
      case Opcode::kLoad:
        id(i.results[0]) = b_.load(i.memory, i.type.dtype, i.index, mapped(i.operands), mapped(i.mask));
        return;
      case Opcode::kFor: {
        const auto body = [&](std::span<const int> carried) {
          bind(i.arguments, carried);
          copy(i.body);
          return mapped(i.yields);
        };
        bind(i.results, b_.loop(i.var, i.extent, i.loop, mapped(i.operands), body, i.types));
        return;
      }
      case Opcode::kStore:
      case Opcode::kLaneReduce:
      case Opcode::kLoadTransposed:
      case Opcode::kStoreTransposed:
      case Opcode::kPrefetch: {
        Instr same = i;
        same.operands = mapped(i.operands);
        same.mask = mapped(i.mask);
        b_.append(std::move(same));
        return;
      }
      case Opcode::kContract: return;  // refused before
    }
  }

  const ir::Kernel& from_;
  ir::Kernel to_;
  KernelBuilder b_;
  Expander expander_;
  std::vector<int> ids_;
};

// Calls f for every instruction that an op becomes.
void for_each_expanded(const ir::OpDef& op, DType dtype, const Target& target,
                       const std::function<void(const ir::OpDef&)>& f) {
  const auto* lowering = std::get_if<ir::ElementLowering>(&op.lower);
  if (!lowering || !lowering->expand) return f(op);
  ir::Kernel kernel;
  KernelBuilder b(kernel);
  std::vector<int> operands;
  for (int i = 0; i < op.arity; ++i) operands.push_back(b.load("x" + std::to_string(i), dtype, {Dim(0)}));
  Expander(b, target.has_fma).expand(op, operands);
  for (const Instr& i : kernel.body)
    if (i.opcode == Opcode::kOp) f(*i.op);
}

}  // namespace

ir::KernelModule expand_math(const ir::KernelModule& module, const PassContext& context) {
  refuse_contracts(module, "expand-math");
  ir::KernelModule out = module;
  for (ir::Kernel& kernel : out.kernels) kernel = KernelCopy(kernel, context.target.has_fma).run();
  return out;
}

int expanded_size(const ir::OpDef& op, DType dtype, const Target& target) {
  int size = 0;
  for_each_expanded(op, dtype, target, [&](const ir::OpDef&) { ++size; });
  return size;
}

double element_cost(const ir::Node& node, const Target& target) {
  if (!std::holds_alternative<ir::ElementLowering>(node.op->lower)) return -1;
  double cost = 0;
  const DType dtype = node.operands.empty() ? node.types[0].dtype : node.operands[0].type().dtype;
  for_each_expanded(*node.op, dtype, target, [&](const ir::OpDef& op) {
    cost += op.name == "div" ? target.rates.division : op.name == "sqrt" ? target.rates.root : 1;
  });
  return cost;
}

}  // namespace gcompile::passes
