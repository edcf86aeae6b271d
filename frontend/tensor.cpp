#include "gcompile/frontend/tensor.h"

#include "gcompile/frontend/functions.h"
#include "gcompile/frontend/making.h"

namespace gcompile {

Tensor::Tensor(const State& state, Where where) {
  Trace& trace = Trace::required("state '" + state.name() + "'", where);
  *this = trace.tensor(trace.state(state.storage(), where), where);
}

const Type& Tensor::type(Where where) const { return Making("type", where).value(*this).v.type(); }

Dim Tensor::dim(int axis, Where where) const { return type(where).dim(Making("dim", where).axis(axis, *this)); }

Tensor Operand::as(const Type& type) const {
  if (!is_number()) return tensor_;
  const Making making("number", where_);
  if (number_->written_as_float() && !is_float(type.dtype))
    making.fail("a number with a fraction (" + std::to_string(number_->value()) + ") meets a tensor " + type.str() +
                ": cast the tensor to a float first");
  if (!number_->fits(type.dtype))
    making.fail("the number " + number_->str() + " meets a tensor " + type.str() + ": " +
                WeakNumber::held_by(type.dtype));
  return making.tensor(ir::splat(making.builder(), type, number_->full(type.dtype, Shape{})));
}

Tensor Tensor::matmul(const Tensor& right, Where where) const { return gcompile::matmul(*this, right, where); }
Tensor Tensor::sum(const Axes& axes, bool keep_axes, Where where) const {
  return gcompile::sum(*this, axes, keep_axes, where);
}
Tensor Tensor::mean(const Axes& axes, bool keep_axes, Where where) const {
  return gcompile::mean(*this, axes, keep_axes, where);
}
Tensor Tensor::max(const Axes& axes, bool keep_axes, Where where) const {
  return gcompile::max(*this, axes, keep_axes, where);
}
Tensor Tensor::min(const Axes& axes, bool keep_axes, Where where) const {
  return gcompile::min(*this, axes, keep_axes, where);
}
Tensor Tensor::reshape(const std::vector<Dim>& dims, Where where) const {
  return gcompile::reshape(*this, dims, where);
}
Tensor Tensor::flatten(int first_axis, Where where) const { return gcompile::flatten(*this, first_axis, where); }
Tensor Tensor::squeeze(int axis, Where where) const { return gcompile::squeeze(*this, axis, where); }
Tensor Tensor::unsqueeze(int axis, Where where) const { return gcompile::unsqueeze(*this, axis, where); }
Tensor Tensor::transpose(const std::vector<std::int64_t>& permutation, Where where) const {
  return gcompile::transpose(*this, permutation, where);
}
Tensor Tensor::T(Where where) const { return gcompile::T(*this, where); }
Tensor Tensor::slice(int axis, std::int64_t begin, std::optional<Dim> end, Where where) const {
  return gcompile::slice(*this, axis, begin, std::move(end), where);
}
Tensor Tensor::cast(DType dtype, Where where) const { return gcompile::cast(*this, dtype, where); }

Tensor& Tensor::operator+=(const Operand& b) { return *this = Operand(*this, b.where()) + b; }
Tensor& Tensor::operator-=(const Operand& b) { return *this = Operand(*this, b.where()) - b; }
Tensor& Tensor::operator*=(const Operand& b) { return *this = Operand(*this, b.where()) * b; }
Tensor& Tensor::operator/=(const Operand& b) { return *this = Operand(*this, b.where()) / b; }

}  // namespace gcompile
