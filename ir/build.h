// Short-hand for making nodes: an Operand is a Value together with the Builder that extends its graph, with operators,
// so that gradient rules and compositions read as algebra. Both sides of an operator have equal shapes and dtypes: the
// DSL inserts broadcasts, rules call broadcast_like.
#pragma once

#include <cstdint>
#include <vector>

#include "gcompile/ir/graph.h"

namespace gcompile::ir {

struct V {
  Builder* b;
  Value v;

  const Type& type() const { return v.type(); }
  operator Value() const { return v; }  // NOLINT(google-explicit-constructor)
};

V operator+(V a, V b);
V operator-(V a, V b);
V operator*(V a, V b);
V operator/(V a, V b);
V operator-(V a);
// A C++ number takes the tensor's dtype and shape.
V operator+(V a, double s);
V operator-(V a, double s);
V operator-(double s, V a);
V operator*(V a, double s);
V operator*(double s, V a);
V operator/(V a, double s);
V operator/(double s, V a);

V unary(const char* op, V a);
V binary(const char* op, V a, V b);
// op: "eq", "ne", "lt", "le", "gt", "ge"
V compare(const char* op, V a, V b);
V select(V condition, V on_true, V on_false);
V cast(V a, DType to);

// A constant of the type's dtype and shape: a scalar constant, broadcast when the type has rank > 0.
Value splat(Builder& b, const Type& type, double value);
// Of a scalar Array of that dtype: an i64 that double does not hold.
Value splat(Builder& b, const Type& type, const Array& value);
inline V zeros_like(V a) { return {a.b, splat(*a.b, a.type(), 0)}; }

// axes[i] is the result's axis that operand axis i becomes; the other axes of `dims` are new.
V broadcast(V a, const std::vector<Dim>& dims, const std::vector<std::int64_t>& axes);
V reshape(V a, const std::vector<Dim>& dims);
V transpose(V a, const std::vector<std::int64_t>& permutation);        // result axis i is operand axis permutation[i]
V reduce(const char* op, V a, const std::vector<std::int64_t>& axes);  // op: "reduce_sum", "reduce_max", ...
// Batch, free and contracting axes as in the op record of dot.
V dot(V a, V b, const std::vector<std::int64_t>& a_contract, const std::vector<std::int64_t>& b_contract,
      const std::vector<std::int64_t>& a_batch = {}, const std::vector<std::int64_t>& b_batch = {});
// A scalar with the value of an index expression over the graph's symbols (a constant when it is constant).
Value dim_value(Builder& b, DType dtype, const Dim& d);

}  // namespace gcompile::ir
