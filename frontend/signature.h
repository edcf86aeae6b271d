// What can be learned of a function given to jit, compile or grad: how many Tensors it takes and what it returns.
// Internal to the frontend.
#pragma once

#include <array>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

#include "gcompile/frontend/tensor.h"

namespace gcompile::detail {

template <class T, std::size_t>
using always_t = T;

template <class R, class... Args>
struct Signature {
  using Result = R;
  static constexpr std::size_t arity = sizeof...(Args);
  static constexpr bool takes_tensors = (std::is_convertible_v<Tensor&, Args> && ...);
};

template <class M>
struct MemberSignature {};
template <class R, class C, class... Args>
struct MemberSignature<R (C::*)(Args...)> : Signature<R, Args...> {};
template <class R, class C, class... Args>
struct MemberSignature<R (C::*)(Args...) const> : Signature<R, Args...> {};
template <class R, class C, class... Args>
struct MemberSignature<R (C::*)(Args...) noexcept> : Signature<R, Args...> {};
template <class R, class C, class... Args>
struct MemberSignature<R (C::*)(Args...) const noexcept> : Signature<R, Args...> {};

template <class F>
concept HasOneCallOperator = requires {
  &F::operator();
};

template <class F>
struct FunctionSignature : Signature<Tensor> {  // nothing is known; require_signature says so
  static constexpr bool known = false;
};
template <HasOneCallOperator F>
struct FunctionSignature<F> : MemberSignature<decltype(&F::operator())> {
  static constexpr bool known = true;
};
template <class R, class... Args>
struct FunctionSignature<R (*)(Args...)> : Signature<R, Args...> {
  static constexpr bool known = true;
};

template <class F>
using signature_of = FunctionSignature<std::decay_t<F>>;

// Stops compilation with a text that says what to write.
template <class F>
constexpr void require_signature() {
  static_assert(signature_of<F>::known,
                "the types of this function's parameters must be written out, as in "
                "[&](gc::Tensor x, gc::Tensor y) { ... }: a generic lambda (auto) or an overloaded call operator does "
                "not tell how many arguments there are");
  if constexpr (signature_of<F>::known)
    static_assert(signature_of<F>::takes_tensors, "every parameter of a traced function must be a gc::Tensor");
}

}  // namespace gcompile::detail
