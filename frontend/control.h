// Control flow that stays in the compiled function: loops whose code does not grow with their length, and branches of
// which one is run. The functions given to them are run once, to be traced, and may use any Tensor and State around
// them; what must change from step to step is a carry. All throw ModelError with the user's line.
//
//   auto [h, hs] = gc::scan([&](gc::Tensor h, gc::Tensor x) {
//     h = gc::tanh(x.matmul(w) + h.matmul(u));
//     return gc::outputs(h, h);                                   // the next carry, and what is stacked
//   }, h0, xs);                                                   // xs: [steps, ...], hs: [steps, ...]
#pragma once

#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "gcompile/frontend/bodies.h"
#include "gcompile/frontend/functions.h"
#include "gcompile/frontend/signature.h"

namespace gcompile {

struct ScanOptions {
  bool reverse = false;  // from the last element to the first; what is stacked lies where its element does
  // Keep the carries of every so many steps only and compute those between again for the gradient: near the square root
  // of the number of steps, the memory of a gradient is too. 0: keep all. The number of steps must be a constant.
  std::int64_t checkpoint_every = 0;
  // Integers, [batch]: how many steps each member of the batch takes. Past them its carries stay and what is stacked is
  // 0; the leading axis of carries and stacked values is the batch.
  std::optional<Tensor> lengths = std::nullopt;
  std::optional<Dim> length = std::nullopt;  // the number of steps where there is no sequence
};

// What a step of a scan with several carries, or several stacked values, returns: gc::Step{{h, c}, {h}}.
struct Step {
  std::vector<Tensor> carries, stacked;
};

// A function of the carries, then of one element of each sequence, for each element of their leading axes. The gradient
// of a scan is a scan again: it keeps the carries of every step and computes the rest of the step again.
Step scan_function(const CountedFunction& f, const std::vector<Tensor>& carries, const std::vector<Tensor>& sequences,
                   const ScanOptions& options, Where where);
// f(i, x), so often.
Tensor for_function(const CountedFunction& f, const Dim& count, const Tensor& initial, Where where);

// ModelError unless a step returns as many carries as it was given.
void check_step(std::size_t carries, std::size_t given, Where where);

// As long as the condition, a bool scalar, holds of the carries. It has no gradient (see scan).
std::vector<Tensor> while_function(const CountedFunction& condition, const CountedFunction& body,
                                   const std::vector<Tensor>& carries, Where where);

// The results of one of two functions without arguments; the other one is not run.
std::vector<Tensor> cond_function(const Tensor& condition, const TensorFunction& on_true,
                                  const TensorFunction& on_false, Where where);

std::vector<Tensor> checkpoint_function(const TensorFunction& f, const std::vector<Tensor>& arguments, Where where);
std::vector<Tensor> custom_vjp_function(const TensorFunction& f, const CountedFunction& gradient,
                                        const std::vector<Tensor>& arguments, Where where);

namespace detail {

inline std::vector<Tensor> tensors(const Tensor& t) { return {t}; }
inline std::vector<Tensor> tensors(const std::vector<Tensor>& list) { return list; }
inline std::vector<Tensor> tensors(const std::pair<Tensor, Tensor>& p) { return {p.first, p.second}; }
template <std::size_t N>
std::vector<Tensor> tensors(const std::array<Tensor, N>& a) {
  return {a.begin(), a.end()};
}

// The list as the type that a function returned it with.
template <class R>
R from_tensors(std::vector<Tensor> list) {
  if constexpr (std::is_same_v<R, Tensor>) {
    return list.at(0);
  } else if constexpr (std::is_same_v<R, std::vector<Tensor>>) {
    return list;
  } else if constexpr (std::is_same_v<R, std::pair<Tensor, Tensor>>) {
    return {list.at(0), list.at(1)};
  } else {
    R result;
    std::copy(list.begin(), list.end(), result.begin());
    return result;
  }
}

// The arguments are as many as f takes, which who calls it has made sure of.
template <class F, std::size_t... I>
auto call_with(const F& f, const std::vector<Tensor>& arguments, std::index_sequence<I...>) {
  return f(arguments.at(I)...);
}
template <class F>
auto call_with(const F& f, const std::vector<Tensor>& arguments) {
  return call_with(f, arguments, std::make_index_sequence<signature_of<F>::arity>());
}

// A function of the user's with its types erased.
template <class F>
TensorFunction erased(F f) {
  require_signature<F>();
  return [f = std::move(f)](const std::vector<Tensor>& arguments) { return tensors(call_with(f, arguments)); };
}
template <class F>
CountedFunction counted(F f) {
  return {erased(std::move(f)), signature_of<F>::arity};
}
template <class F>
using result_of = std::decay_t<typename signature_of<F>::Result>;

// What a transform makes of F: a function of as many Tensors, with the result's type, which tells so of itself. So it
// is given to other transforms as any function is.
template <class F, class Indices = std::make_index_sequence<signature_of<F>::arity>>
class TransformedFunction;
template <class F, std::size_t... I>
class TransformedFunction<F, std::index_sequence<I...>> {
 public:
  explicit TransformedFunction(TensorFunction f) : f_(std::move(f)) {}
  result_of<F> operator()(always_t<Tensor, I>... arguments) const {
    return from_tensors<result_of<F>>(f_({arguments...}));
  }

 private:
  TensorFunction f_;
};

}  // namespace detail

// Several carries and sequences; f returns a gc::Step.
template <class F>
  requires std::same_as<detail::result_of<F>, Step> Step scan(F f, const std::vector<Tensor>& carries,
                                                              const std::vector<Tensor>& sequences,
                                                              const ScanOptions& options = {},
                                                              Where where = Where::current()) {
    detail::require_signature<F>();
    const auto flat = [f = std::move(f), count = carries.size(), where](const std::vector<Tensor>& arguments) {
      Step step = detail::call_with(f, arguments);
      check_step(step.carries.size(), count, where);
      step.carries.insert(step.carries.end(), step.stacked.begin(), step.stacked.end());
      return step.carries;
    };
    return scan_function({flat, detail::signature_of<F>::arity}, carries, sequences, options, where);
  }

// One carry and one sequence; f returns the next carry and what is stacked.
template <class F>
  requires(!std::same_as<detail::result_of<F>, Step>)
std::pair<Tensor, Tensor> scan(F f, const Tensor& carry, const Tensor& sequence, const ScanOptions& options = {},
                               Where where = Where::current()) {
  static_assert(std::same_as<detail::result_of<F>, std::array<Tensor, 2>> ||
                    std::same_as<detail::result_of<F>, std::pair<Tensor, Tensor>>,
                "a step of a scan returns gc::outputs(next carry, stacked), or a gc::Step of lists of them");
  const Step all = scan_function(detail::counted(std::move(f)), {carry}, {sequence}, options, where);
  return {all.carries[0], all.stacked[0]};
}

// f(i, x) for i = 0 .. count - 1 (i32), from x = initial: the last x. It has a gradient, as scan has.
template <class F>
Tensor for_loop(const Dim& count, F f, const Tensor& initial, Where where = Where::current()) {
  static_assert(std::same_as<detail::result_of<F>, Tensor>,
                "a step of a for_loop returns the next value, a gc::Tensor");
  return for_function(detail::counted(std::move(f)), count, initial, where);
}

// condition(x...) -> bool scalar; body(x...) -> the next ones, a Tensor or gc::outputs of them.
template <class C, class F>
std::vector<Tensor> while_loop(C condition, F body, const std::vector<Tensor>& initial,
                               Where where = Where::current()) {
  return while_function(detail::counted(std::move(condition)), detail::counted(std::move(body)), initial, where);
}
template <class C, class F>
Tensor while_loop(C condition, F body, const Tensor& initial, Where where = Where::current()) {
  return while_loop(std::move(condition), std::move(body), std::vector<Tensor>{initial}, where)[0];
}

// Functions without arguments, which use what is around them and return values of the same types.
template <class F, class G>
auto cond(const Tensor& condition, F on_true, G on_false, Where where = Where::current()) {
  static_assert(detail::signature_of<F>::arity == 0 && detail::signature_of<G>::arity == 0,
                "a branch takes no arguments: it uses the Tensors around it");
  static_assert(std::same_as<detail::result_of<F>, detail::result_of<G>>, "both branches return the same type");
  return detail::from_tensors<detail::result_of<F>>(
      cond_function(condition, detail::erased(std::move(on_true)), detail::erased(std::move(on_false)), where));
}

// The same function, whose values between are not kept for the gradient but computed again.
template <class F>
auto checkpoint(F f, Where where = Where::current()) {
  return detail::TransformedFunction<F>(
      [f = detail::erased(std::move(f)), where](const std::vector<Tensor>& arguments) {
        return checkpoint_function(f, arguments, where);
      });
}

// f with a gradient of one's own: gradient(arguments.., results.., cotangents of results..) returns the cotangents of
// the arguments that are floats.
template <class F, class G>
auto custom_vjp(F f, G gradient, Where where = Where::current()) {
  return detail::TransformedFunction<F>(
      [f = detail::erased(std::move(f)), gradient = detail::counted(std::move(gradient)),
       where](const std::vector<Tensor>& arguments) { return custom_vjp_function(f, gradient, arguments, where); });
}

}  // namespace gcompile
