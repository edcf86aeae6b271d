#include "gcompile/passes/element_cost.h"

#include "gcompile/ir/op.h"

namespace gcompile::passes {
namespace {

using ir::Expr;

// A builder that builds nothing: it adds up what it is asked for.
class Counter : public ir::ScalarBuilder {
 public:
  explicit Counter(const Target& target) : target_(target) {}

  void count(const ir::OpDef& def, const std::vector<Expr>& operands) {
    const auto* lowering = std::get_if<ir::ElementLowering>(&def.lower);
    if (lowering && lowering->expand && lowering->expand(*this, operands)) return;
    cost += def.name == "div" ? target_.rates.division : def.name == "sqrt" ? target_.rates.root : 1;
  }
  Expr given(DType dtype) {
    types_.push_back(dtype);
    return {static_cast<int>(types_.size()) - 1};
  }

  Expr op(std::string_view name, std::vector<Expr> operands) override {
    const ir::OpDef& def = ir::op(name);
    count(def, operands);
    std::vector<Type> types;
    for (const Expr e : operands) types.push_back({dtype(e), {}});
    return given(def.infer({def, types, {}, nullptr}).front().dtype);
  }
  Expr cast(Expr, DType to) override { return one(to); }
  Expr bitcast(Expr, DType to) override { return given(to); }
  Expr literal(DType dtype, double) override { return given(dtype); }
  DType dtype(Expr e) const override { return types_.at(static_cast<std::size_t>(e.id)); }
  bool has_fma() const override { return target_.has_fma; }

  double cost = 0;

 private:
  Expr one(DType dtype) {
    ++cost;
    return given(dtype);
  }

  const Target& target_;
  std::vector<DType> types_;
};

}  // namespace

double element_cost(const ir::Node& node, const Target& target) {
  if (!std::holds_alternative<ir::ElementLowering>(node.op->lower)) return -1;
  Counter counter(target);
  std::vector<Expr> operands;
  for (const ir::Value& v : node.operands) operands.push_back(counter.given(v.type().dtype));
  counter.count(*node.op, operands);
  return counter.cost;
}

}  // namespace gcompile::passes
