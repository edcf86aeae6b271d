// Gradients. grad(loss, w) makes the derivative as ordinary Tensors of the function being traced; grad(f) and
// value_and_grad(f) make functions of functions. All can be differentiated again.
#pragma once

#include <concepts>
#include <type_traits>
#include <utility>
#include <vector>

#include "gcompile/frontend/signature.h"
#include "gcompile/frontend/tensor.h"

namespace gcompile {

// d loss / d wrt, of wrt's shape: wrt is a Parameter, a State, an argument of the function or any value in between.
// Throws ModelError when the loss is not a float scalar, does not depend on wrt (a parameter that was forgotten, most
// often), or goes through an op without gradient.
Tensor grad(const Tensor& loss, const Tensor& wrt, Where where = Where::current());
std::vector<Tensor> grad(const Tensor& loss, std::initializer_list<Tensor> wrt, Where where = Where::current());
std::vector<Tensor> grad(const Tensor& loss, const std::vector<Tensor>& wrt, Where where = Where::current());
template <std::derived_from<State> S>
std::vector<Tensor> grad(const Tensor& loss, const std::vector<S>& wrt, Where where = Where::current()) {
  std::vector<Tensor> leaves;
  for (const S& s : wrt) leaves.emplace_back(s, where);
  return grad(loss, leaves, where);
}
// The same, with an empty Tensor where the loss does not depend on wrt[i].
std::vector<Tensor> grad_or_empty(const Tensor& loss, const std::vector<Tensor>& wrt, Where where = Where::current());
// The same, with zeros there: what a derivative of a function is that does not depend on its argument.
Tensor grad_or_zeros(const Tensor& loss, const Tensor& wrt, Where where = Where::current());

namespace detail {

// ModelError unless a function of so many arguments has this one. Returns it.
std::size_t checked_argument(int argument, std::size_t arity, Where where);

// The function (Tensor...) -> (value, gradient) that value_and_grad returns; `Pick` chooses what of it is returned.
template <class F, class Pick, class Indices = std::make_index_sequence<signature_of<F>::arity>>
class GradientFunction;
template <class F, class Pick, std::size_t... I>
class GradientFunction<F, Pick, std::index_sequence<I...>> {
 public:
  GradientFunction(F f, int argument, Where where)
      : f_(std::move(f)), argument_(checked_argument(argument, sizeof...(I), where)), where_(where) {}
  auto operator()(always_t<Tensor, I>... arguments) const {
    const std::vector<Tensor> list{arguments...};
    Tensor value = f_(arguments...);
    Tensor gradient = grad_or_zeros(value, list[argument_], where_);
    return Pick{}(std::move(value), std::move(gradient));
  }

 private:
  F f_;
  std::size_t argument_;
  Where where_;
};

struct PickBoth {
  std::pair<Tensor, Tensor> operator()(Tensor value, Tensor gradient) const { return {value, gradient}; }
};
struct PickGradient {
  Tensor operator()(const Tensor&, Tensor gradient) const { return gradient; }
};

}  // namespace detail

// The function that returns f's value and its derivative by one argument (the first, unless told): zeros where f does
// not depend on it. f returns a scalar. ModelError for an argument that f does not have, or that is no float.
template <class F>
  requires(!std::convertible_to<F, Tensor>)
auto value_and_grad(F f, int argument = 0, Where where = Where::current()) {
  detail::require_signature<F>();
  return detail::GradientFunction<F, detail::PickBoth>(std::move(f), argument, where);
}
// The same without the value.
template <class F>
  requires(!std::convertible_to<F, Tensor>)
auto grad(F f, int argument = 0, Where where = Where::current()) {
  detail::require_signature<F>();
  return detail::GradientFunction<F, detail::PickGradient>(std::move(f), argument, where);
}

}  // namespace gcompile
