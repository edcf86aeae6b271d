#include "gcompile/ir/build.h"

#include "gcompile/ir/op.h"

namespace gcompile::ir {

V binary(const char* op_name, V a, V b) { return {a.b, a.b->make(op_name, {a.v, b.v})}; }
V unary(const char* op_name, V a) { return {a.b, a.b->make(op_name, {a.v})}; }
V compare(const char* op_name, V a, V b) { return binary(op_name, a, b); }

V operator+(V a, V b) { return binary("add", a, b); }
V operator-(V a, V b) { return binary("sub", a, b); }
V operator*(V a, V b) { return binary("mul", a, b); }
V operator/(V a, V b) { return binary("div", a, b); }
V operator-(V a) { return unary("neg", a); }

namespace {
V same(V a, double s) { return {a.b, splat(*a.b, a.type(), s)}; }
}  // namespace

V operator+(V a, double s) { return a + same(a, s); }
V operator-(V a, double s) { return a - same(a, s); }
V operator-(double s, V a) { return same(a, s) - a; }
V operator*(V a, double s) { return a * same(a, s); }
V operator*(double s, V a) { return same(a, s) * a; }
V operator/(V a, double s) { return a / same(a, s); }
V operator/(double s, V a) { return same(a, s) / a; }

V select(V condition, V on_true, V on_false) {
  return {on_true.b, on_true.b->make("select", {condition.v, on_true.v, on_false.v})};
}

V cast(V a, DType to) { return a.type().dtype == to ? a : V{a.b, a.b->make("cast", {a.v}, {{"dtype", to}})}; }

Value splat(Builder& b, const Type& type, double value) {
  return splat(b, type, Array::full(type.dtype, Shape{}, value));
}

Value splat(Builder& b, const Type& type, const Array& value) {
  const Value s = b.constant(value);
  return type.rank() == 0 ? s : broadcast({&b, s}, type.dims, {}).v;
}

V broadcast(V a, const std::vector<Dim>& dims, const std::vector<std::int64_t>& axes) {
  return {a.b, a.b->make("broadcast", {a.v}, {{"axes", axes}, {"dims", dims}})};
}

V reshape(V a, const std::vector<Dim>& dims) {
  return a.type().dims == dims ? a : V{a.b, a.b->make("reshape", {a.v}, {{"dims", dims}})};
}

V transpose(V a, const std::vector<std::int64_t>& permutation) {
  return {a.b, a.b->make("transpose", {a.v}, {{"permutation", permutation}})};
}

V reduce(const char* op_name, V a, const std::vector<std::int64_t>& axes) {
  return {a.b, a.b->make(op_name, {a.v}, {{"axes", axes}})};
}

V dot(V a, V b, const std::vector<std::int64_t>& a_contract, const std::vector<std::int64_t>& b_contract,
      const std::vector<std::int64_t>& a_batch, const std::vector<std::int64_t>& b_batch) {
  return {a.b, a.b->make("dot", {a.v, b.v},
                         {{"lhs_contract", a_contract},
                          {"rhs_contract", b_contract},
                          {"lhs_batch", a_batch},
                          {"rhs_batch", b_batch}})};
}

Value dim_value(Builder& b, DType dtype, const Dim& d) {
  if (d.is_constant()) return b.scalar(dtype, static_cast<double>(d.constant()));
  return b.make("dim", {}, {{"dtype", dtype}, {"value", std::vector<Dim>{d}}});
}

}  // namespace gcompile::ir
