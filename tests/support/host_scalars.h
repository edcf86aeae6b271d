// HostScalars: a ScalarBuilder that computes at once, with the host's IEEE arithmetic, for many elements at a time. It
// runs the expansions of elementwise ops apart from kernels and code generation, to measure how exact they are.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "gcompile/ir/op.h"

namespace gcompile::testing {

class HostScalars : public ir::ScalarBuilder {
 public:
  // A column of elements: all have one length, or 1 (a literal).
  using Column = std::variant<std::vector<float>, std::vector<double>, std::vector<std::int32_t>, std::vector<char>>;

  explicit HostScalars(bool has_fma) : has_fma_(has_fma) {}

  ir::Expr add(Column column) {
    columns_.push_back(std::move(column));
    return {static_cast<int>(columns_.size()) - 1};
  }
  template <class T>
  const std::vector<T>& get(ir::Expr e) const {
    return std::get<std::vector<T>>(columns_[static_cast<std::size_t>(e.id)]);
  }
  // Forgets all columns; keeps nothing of them valid.
  void clear() {
    columns_.clear();
    primitives = 0;
  }
  // Primitive ops carried out: what an expansion costs, literals and bitcasts apart.
  int primitives = 0;

  ir::Expr op(std::string_view name, std::vector<ir::Expr> operands) override;
  ir::Expr cast(ir::Expr e, DType to) override;
  ir::Expr bitcast(ir::Expr e, DType to) override;
  ir::Expr literal(DType dtype, double value) override;
  DType dtype(ir::Expr e) const override;
  bool has_fma() const override { return has_fma_; }

 private:
  bool has_fma_;
  std::vector<Column> columns_;
};

}  // namespace gcompile::testing
