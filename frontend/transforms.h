// Transforms of a real calculus, besides grad: products with Jacobians from either side, whole Jacobians and Hessians,
// and functions over batches. All make ordinary Tensors of the function being traced, so they nest in any order. They
// throw ModelError with the user's line; where a derivative is wanted that an op does not have, with that op's.
//
//   auto [y, dy] = gc::jvp(f, x, v);               // f(x), and the derivative of f at x along v
//   gc::Tensor h = gc::hvp(loss, x, v);            // the Hessian of a loss times v
//   gc::Tensor j = gc::jacobian(f)(x);             // [y.., x..]
//   gc::Tensor ys = gc::vmap(f)(xs, ws);           // f of each of the leading axes, in one
#pragma once

#include <concepts>
#include <vector>

#include "gcompile/frontend/bodies.h"
#include "gcompile/frontend/control.h"
#include "gcompile/frontend/grad.h"

namespace gcompile {

// The cotangent of x for one of y: u^T (dy / dx), of x's shape; zeros where y does not depend on x. y and u have equal
// types, floats.
Tensor vjp(const Tensor& y, const Tensor& u, const Tensor& x, Where where = Where::current());
std::vector<Tensor> vjp(const std::vector<Tensor>& y, const std::vector<Tensor>& u, const std::vector<Tensor>& x,
                        Where where = Where::current());
// The tangent of y for one of x: (dy / dx) v, of y's shape. x and v have equal types, floats. It is made by reverse
// mode applied twice, for a cotangent is linear in the one it is made of.
Tensor jvp(const Tensor& y, const Tensor& x, const Tensor& v, Where where = Where::current());
std::vector<Tensor> jvp(const std::vector<Tensor>& y, const std::vector<Tensor>& x, const std::vector<Tensor>& v,
                        Where where = Where::current());
// The Hessian of a scalar loss by x, times v, without the Hessian. Zeros, as of all of these, where nothing depends on
// x.
Tensor hvp(const Tensor& loss, const Tensor& x, const Tensor& v, Where where = Where::current());
// All derivatives of y by x: [y's axes, x's axes]. The extents of y are constants; a row of it costs a gradient.
Tensor jacobian(const Tensor& y, const Tensor& x, Where where = Where::current());
// Of a scalar loss: [x's axes, x's axes].
Tensor hessian(const Tensor& loss, const Tensor& x, Where where = Where::current());

// Which axis of each argument, and of all results, is the batch.
struct BatchAxes {
  static constexpr int kNone = -1000;  // the argument is the same for all members
  std::vector<int> in = {};            // of each argument; 0 for those that are missing. Negative: from the end
  int out = 0;
};
std::vector<Tensor> vmap_function(const TensorFunction& f, const std::vector<Tensor>& arguments, const BatchAxes& axes,
                                  Where where);

// f as a function of batches: it is given one member, and what it makes of all is one computation.
template <class F>
auto vmap(F f, BatchAxes axes = {}, Where where = Where::current()) {
  return detail::TransformedFunction<F>(
      [f = detail::erased(std::move(f)), axes = std::move(axes), where](const std::vector<Tensor>& arguments) {
        return vmap_function(f, arguments, axes, where);
      });
}

// Of functions: the value and the tangent; the product and the derivatives as functions of the argument.
template <class F>
  requires std::invocable<const F&, Tensor> std::pair<Tensor, Tensor> jvp(const F& f, const Tensor& x, const Tensor& v,
                                                                          Where where = Where::current()) {
    const Tensor y = f(x);
    return {y, jvp(y, x, v, where)};
  }
template <class F>
  requires std::invocable<const F&, Tensor> std::pair<Tensor, Tensor> vjp(const F& f, const Tensor& x, const Tensor& u,
                                                                          Where where = Where::current()) {
    const Tensor y = f(x);
    return {y, vjp(y, u, x, where)};
  }
template <class F>
  requires std::invocable<const F&, Tensor> Tensor hvp(const F& f, const Tensor& x, const Tensor& v,
                                                       Where where = Where::current()) {
    return hvp(Tensor(f(x)), x, v, where);
  }
template <class F>
  requires std::invocable<const F&, Tensor>
auto jacobian(F f, Where where = Where::current()) {
  return [f = std::move(f), where](Tensor x) { return jacobian(Tensor(f(x)), x, where); };
}
template <class F>
  requires std::invocable<const F&, Tensor>
auto hessian(F f, Where where = Where::current()) {
  return [f = std::move(f), where](Tensor x) { return hessian(Tensor(f(x)), x, where); };
}

}  // namespace gcompile
