#include "gcompile/frontend/grad.h"

#include "gcompile/frontend/making.h"
#include "gcompile/passes/gradient.h"

namespace gcompile {
namespace {

void require_float(const Making& making, const Tensor& wrt) {
  const Type& type = making.value(wrt).type();
  if (!is_float(type.dtype)) making.fail("a derivative is by floats, not by " + type.str(), {{"by", wrt}});
}

}  // namespace

std::vector<Tensor> grad_or_empty(const Tensor& loss, const std::vector<Tensor>& wrt, Where where) {
  const Making making("grad", where);
  const ir::V value = making.value(loss);
  if (value.type().rank() != 0 || !is_float(value.type().dtype))
    making.fail("the loss must be a float scalar, not " + value.type().str() +
                    (is_float(value.type().dtype) ? "; reduce it with gc::mean or gc::sum" : ""),
                {{"loss", loss}});
  std::vector<ir::Value> values;
  for (const Tensor& t : wrt) values.push_back(making.value(t));
  std::vector<Tensor> gradients;
  for (const ir::Value& g : passes::gradient(making.builder(), value, values))
    gradients.push_back(g ? making.tensor(g) : Tensor());
  return gradients;
}

std::vector<Tensor> grad(const Tensor& loss, const std::vector<Tensor>& wrt, Where where) {
  const Making making("grad", where);
  for (const Tensor& t : wrt) require_float(making, t);
  std::vector<Tensor> gradients = grad_or_empty(loss, wrt, where);
  for (std::size_t i = 0; i < wrt.size(); ++i)
    if (gradients[i].empty())
      making.fail("the loss does not depend on what it is differentiated by", {{"loss", loss}, {"by", wrt[i]}});
  return gradients;
}

std::vector<Tensor> grad(const Tensor& loss, std::initializer_list<Tensor> wrt, Where where) {
  return grad(loss, std::vector<Tensor>(wrt), where);
}

Tensor grad(const Tensor& loss, const Tensor& wrt, Where where) {
  return grad(loss, std::vector<Tensor>{wrt}, where)[0];
}

Tensor grad_or_zeros(const Tensor& loss, const Tensor& wrt, Where where) {
  const Making making("grad", where);
  require_float(making, wrt);
  const Tensor gradient = grad_or_empty(loss, {wrt}, where)[0];
  if (!gradient.empty()) return gradient;
  return making.tensor(ir::splat(making.builder(), making.value(wrt).type(), 0));
}

std::size_t detail::checked_argument(int argument, std::size_t arity, Where where) {
  if (arity == 0)
    throw ModelError(Location::from(where),
                     "grad: the function takes no arguments, so there is none to differentiate by; the derivative by a "
                     "parameter or another value around it is gc::grad(f(), value)");
  if (argument < 0 || static_cast<std::size_t>(argument) >= arity)
    throw ModelError(Location::from(where),
                     "grad: there is no argument " + std::to_string(argument) + ": the function takes " +
                         (arity == 1 ? "one, which is number 0"
                                     : std::to_string(arity) + ", with the numbers 0 to " + std::to_string(arity - 1)));
  return static_cast<std::size_t>(argument);
}

}  // namespace gcompile
