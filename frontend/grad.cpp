#include "gcompile/frontend/grad.h"

#include "gcompile/frontend/making.h"
#include "gcompile/passes/gradient.h"

namespace gcompile {

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
  std::vector<Tensor> gradients = grad_or_empty(loss, wrt, where);
  for (std::size_t i = 0; i < wrt.size(); ++i)
    if (gradients[i].empty())
      Making("grad", where)
          .fail("the loss does not depend on what it is differentiated by", {{"loss", loss}, {"by", wrt[i]}});
  return gradients;
}

std::vector<Tensor> grad(const Tensor& loss, std::initializer_list<Tensor> wrt, Where where) {
  return grad(loss, std::vector<Tensor>(wrt), where);
}

Tensor grad(const Tensor& loss, const Tensor& wrt, Where where) {
  return grad(loss, std::vector<Tensor>{wrt}, where)[0];
}

}  // namespace gcompile
