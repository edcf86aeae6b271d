// jit and compile: from a C++ function on Tensors to a native one on Arrays.
//
//   auto f = gc::jit([&](gc::Tensor x) { return x * w; });     // compiled at the first call, for the shapes it sees
//   gc::Dim N{"N"};
//   auto g = gc::compile(fn, {gc::f32(N, 8), gc::f32(N, 1)});   // compiled now, once, for every N
//
// The function is run once per variant, to trace it; what it does besides making Tensors happens then only. It returns
// a Tensor, gc::outputs(a, b, ...), a pair, or nothing; the call returns an Array, a std::array of them, or nothing.
#pragma once

#include <array>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "gcompile/frontend/function_cache.h"
#include "gcompile/frontend/signature.h"

namespace gcompile {

namespace detail {

// How many results a traced function's return type has, and as what they are returned.
template <class R>
struct Returned {
  static_assert(std::is_same_v<R, Tensor>,
                "a traced function returns a gc::Tensor, gc::outputs(a, b, ...), a std::pair of Tensors, or nothing");
};
template <>
struct Returned<void> {
  static constexpr std::size_t count = 0;
  static void give(std::span<const Array>) {}
};
template <>
struct Returned<Tensor> {
  static constexpr std::size_t count = 1;
  static std::vector<Tensor> list(Tensor t) { return {std::move(t)}; }
  static Array give(std::span<const Array> results) { return results[0]; }
};
template <std::size_t N>
struct Returned<std::array<Tensor, N>> {
  static constexpr std::size_t count = N;
  static std::vector<Tensor> list(const std::array<Tensor, N>& a) { return {a.begin(), a.end()}; }
  static std::array<Array, N> give(std::span<const Array> results) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) { return std::array<Array, N>{results[I]...}; }
    (std::make_index_sequence<N>());
  }
};
template <>
struct Returned<std::pair<Tensor, Tensor>> : Returned<std::array<Tensor, 2>> {
  static std::vector<Tensor> list(const std::pair<Tensor, Tensor>& p) { return {p.first, p.second}; }
};

template <class F>
using returned_of = Returned<std::decay_t<typename signature_of<F>::Result>>;

template <class F>
FunctionCache::Body body_of(F f) {
  using R = typename signature_of<F>::Result;
  return [f = std::move(f)](std::span<const Tensor> inputs) mutable -> std::vector<Tensor> {
    return [&]<std::size_t... I>(std::index_sequence<I...>)->std::vector<Tensor> {
      if constexpr (std::is_void_v<R>) {
        f(inputs[I]...);
        return {};
      } else {
        return returned_of<F>::list(f(inputs[I]...));
      }
    }
    (std::make_index_sequence<signature_of<F>::arity>());
  };
}

}  // namespace detail

// A compiled function. It can be moved, not copied; calls of one function are exclusive (CallError otherwise).
template <class F, class Indices = std::make_index_sequence<detail::signature_of<F>::arity>>
class Function;
template <class F, std::size_t... I>
class Function<F, std::index_sequence<I...>> {
 public:
  explicit Function(std::unique_ptr<detail::FunctionCache> cache) : cache_(std::move(cache)) {}

  // Arrays or numbers. CallError, before anything is run or updated, when they do not fit.
  auto operator()(const detail::always_t<Argument, I>&... arguments) {
    return cache_->call(std::array<const Argument*, sizeof...(I)>{&arguments...},
                        [](std::span<const Array> results) { return detail::returned_of<F>::give(results); });
  }

  // The variant for these arguments (not run), or the one that was used last.
  Program compiled(const detail::always_t<Argument, I>&... arguments) requires(sizeof...(I) > 0) {
    return cache_->compiled(std::array<const Argument*, sizeof...(I)>{&arguments...});
  }
  Program compiled() const { return cache_->compiled(); }
  // How many variants were compiled.
  std::size_t variant_count() const { return cache_->variant_count(); }

 private:
  std::unique_ptr<detail::FunctionCache> cache_;
};

template <class F>
auto jit(F f, const JitOptions& options = {}) {
  detail::require_signature<F>();
  return Function<F>(
      std::make_unique<detail::FunctionCache>(detail::body_of(std::move(f)), detail::returned_of<F>::count, options));
}

// Throws CallError unless there is one spec per parameter.
template <class F>
auto compile(F f, const std::vector<TensorSpec>& specs, const JitOptions& options = {},
             Where where = Where::current()) {
  detail::require_signature<F>();
  if (specs.size() != detail::signature_of<F>::arity)
    throw CallError(Location::from(where), "compile: the function has " +
                                               std::to_string(detail::signature_of<F>::arity) + " parameters, and " +
                                               std::to_string(specs.size()) + " are described");
  return Function<F>(std::make_unique<detail::FunctionCache>(detail::body_of(std::move(f)),
                                                             detail::returned_of<F>::count, options, specs, where));
}

// Several results of a traced function: Tensors, States (as they were before the call) or numbers. The arities are
// written out because each argument takes the line it was written on.
template <std::same_as<Operand>... Operands>
std::array<Tensor, sizeof...(Operands)> outputs_of(const Operands&... operands) {
  return {operands.as(Type{})...};
}
inline auto outputs(const Operand& a) { return outputs_of(a); }
inline auto outputs(const Operand& a, const Operand& b) { return outputs_of(a, b); }
inline auto outputs(const Operand& a, const Operand& b, const Operand& c) { return outputs_of(a, b, c); }
inline auto outputs(const Operand& a, const Operand& b, const Operand& c, const Operand& d) {
  return outputs_of(a, b, c, d);
}
inline auto outputs(const Operand& a, const Operand& b, const Operand& c, const Operand& d, const Operand& e) {
  return outputs_of(a, b, c, d, e);
}
inline auto outputs(const Operand& a, const Operand& b, const Operand& c, const Operand& d, const Operand& e,
                    const Operand& f) {
  return outputs_of(a, b, c, d, e, f);
}
inline auto outputs(const Operand& a, const Operand& b, const Operand& c, const Operand& d, const Operand& e,
                    const Operand& f, const Operand& g) {
  return outputs_of(a, b, c, d, e, f, g);
}
inline auto outputs(const Operand& a, const Operand& b, const Operand& c, const Operand& d, const Operand& e,
                    const Operand& f, const Operand& g, const Operand& h) {
  return outputs_of(a, b, c, d, e, f, g, h);
}

}  // namespace gcompile
