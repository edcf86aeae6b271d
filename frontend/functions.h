// The functions of the DSL on Tensors: elementwise, reductions, views, contractions, and the compositions made of them
// (softmax and the like, which are no ops of their own). A State may be given wherever a Tensor is. All throw
// ModelError with the user's line.
#pragma once

#include "gcompile/frontend/tensor.h"

namespace gcompile {

// Elementwise, floats (abs and sign also signed integers).
Tensor exp(const Tensor& x, Where where = Where::current());
Tensor expm1(const Tensor& x, Where where = Where::current());
Tensor log(const Tensor& x, Where where = Where::current());
Tensor log1p(const Tensor& x, Where where = Where::current());
Tensor sqrt(const Tensor& x, Where where = Where::current());
Tensor rsqrt(const Tensor& x, Where where = Where::current());
Tensor tanh(const Tensor& x, Where where = Where::current());
Tensor sigmoid(const Tensor& x, Where where = Where::current());
Tensor erf(const Tensor& x, Where where = Where::current());
Tensor sin(const Tensor& x, Where where = Where::current());
Tensor cos(const Tensor& x, Where where = Where::current());
Tensor tan(const Tensor& x, Where where = Where::current());
Tensor asin(const Tensor& x, Where where = Where::current());
Tensor acos(const Tensor& x, Where where = Where::current());
Tensor atan(const Tensor& x, Where where = Where::current());
Tensor sinh(const Tensor& x, Where where = Where::current());
Tensor cosh(const Tensor& x, Where where = Where::current());
Tensor floor(const Tensor& x, Where where = Where::current());
Tensor ceil(const Tensor& x, Where where = Where::current());
Tensor round_even(const Tensor& x, Where where = Where::current());
Tensor abs(const Tensor& x, Where where = Where::current());
Tensor sign(const Tensor& x, Where where = Where::current());
Tensor square(const Tensor& x, Where where = Where::current());
Tensor relu(const Tensor& x, Where where = Where::current());  // max(x, 0); its derivative at 0 is 0
// x times the share of the normal distribution below x, exactly, or with a tanh (Hendrycks and Gimpel, 2016).
Tensor gelu(const Tensor& x, Where where = Where::current());
Tensor gelu_tanh(const Tensor& x, Where where = Where::current());
Tensor is_finite(const Tensor& x, Where where = Where::current());
Tensor logical_not(const Tensor& x, Where where = Where::current());
Tensor cast(const Tensor& x, DType dtype, Where where = Where::current());
Tensor stop_gradient(const Tensor& x, Where where = Where::current());

// Two and three operands; numbers are weak, shapes broadcast.
// Of integers to the power of a C++ number that is whole and at least 0, by products, which wrap around.
Tensor pow(const Operand& x, const Operand& exponent);
Tensor atan2(const Operand& y, const Operand& x);    // the angle of the point (x, y)
Tensor maximum(const Operand& a, const Operand& b);  // NaN propagates
Tensor minimum(const Operand& a, const Operand& b);
Tensor floor_div(const Operand& a, const Operand& b);
Tensor remainder(const Operand& a, const Operand& b);  // with the sign of b
Tensor logical_and(const Operand& a, const Operand& b);
Tensor logical_or(const Operand& a, const Operand& b);
// Of integers. Distances count modulo the number of bits; what comes in from the left is the sign of a signed number,
// zeros of an unsigned one.
Tensor bit_and(const Operand& a, const Operand& b);
Tensor bit_or(const Operand& a, const Operand& b);
Tensor bit_xor(const Operand& a, const Operand& b);
Tensor shift_left(const Operand& a, const Operand& n);
Tensor shift_right(const Operand& a, const Operand& n);
Tensor clamp(const Operand& x, const Operand& low, const Operand& high);
// Of two C++ numbers: i32 where both are integers (bool where both are bools), else f32.
Tensor where(const Tensor& condition, const Operand& on_true, const Operand& on_false);

// Reductions over axes (all by default), which vanish, or stay with extent 1.
Tensor sum(const Tensor& x, const Axes& axes = {}, bool keep_axes = false, Where where = Where::current());
Tensor mean(const Tensor& x, const Axes& axes = {}, bool keep_axes = false, Where where = Where::current());
Tensor max(const Tensor& x, const Axes& axes = {}, bool keep_axes = false, Where where = Where::current());
Tensor min(const Tensor& x, const Axes& axes = {}, bool keep_axes = false, Where where = Where::current());
Tensor prod(const Tensor& x, const Axes& axes = {}, bool keep_axes = false, Where where = Where::current());
// Divided by the number of elements (population variance).
Tensor variance(const Tensor& x, const Axes& axes = {}, bool keep_axes = false, Where where = Where::current());
// Index of the first largest or smallest element: i32.
Tensor argmax(const Tensor& x, int axis = -1, Where where = Where::current());
Tensor argmin(const Tensor& x, int axis = -1, Where where = Where::current());
Tensor logsumexp(const Tensor& x, int axis = -1, bool keep_axes = false, Where where = Where::current());
Tensor softmax(const Tensor& x, int axis = -1, Where where = Where::current());
Tensor log_softmax(const Tensor& x, int axis = -1, Where where = Where::current());

// [K] x [K] -> []; [..., M, K] x [K, N] -> [..., M, N]; leading axes of both are batches and broadcast.
Tensor matmul(const Tensor& left, const Tensor& right, Where where = Where::current());
// The sum of the products of two vectors.
Tensor dot(const Tensor& left, const Tensor& right, Where where = Where::current());

// Other views of the same elements. One extent of reshape may be -1: what remains.
Tensor reshape(const Tensor& x, const std::vector<Dim>& dims, Where where = Where::current());
Tensor flatten(const Tensor& x, int first_axis = 1, Where where = Where::current());
Tensor squeeze(const Tensor& x, int axis, Where where = Where::current());
Tensor unsqueeze(const Tensor& x, int axis, Where where = Where::current());
Tensor broadcast_to(const Tensor& x, const std::vector<Dim>& dims, Where where = Where::current());
// Result axis i is operand axis permutation[i]; T swaps the last two axes.
Tensor transpose(const Tensor& x, const std::vector<std::int64_t>& permutation, Where where = Where::current());
Tensor T(const Tensor& x, Where where = Where::current());
// Elements [begin, end) of an axis, to its end by default; negative numbers count from the end.
Tensor slice(const Tensor& x, int axis, std::int64_t begin, std::optional<Dim> end = std::nullopt,
             Where where = Where::current());
Tensor concat(const std::vector<Tensor>& parts, int axis = 0, Where where = Where::current());
Tensor stack(const std::vector<Tensor>& parts, int axis = 0, Where where = Where::current());
// low[i] elements before and high[i] after axis i.
Tensor pad(const Tensor& x, const std::vector<std::int64_t>& low, const std::vector<std::int64_t>& high,
           WeakNumber value = 0, Where where = Where::current());
// Elements at indices along an axis, of any integer dtype; indices outside are clamped to the nearest.
Tensor take(const Tensor& x, const Tensor& indices, int axis = 0, Where where = Where::current());
// x with the updates added at indices along an axis, in ascending order of their position: the shape of the updates
// is that of take(x, indices, axis), and indices outside are clamped in the same way.
Tensor scatter_add(const Tensor& x, const Tensor& indices, const Tensor& updates, int axis = 0,
                   Where where = Where::current());
// [...] of class numbers -> [..., classes] of 0 and 1; a number outside gives zeros.
Tensor one_hot(const Tensor& classes, std::int64_t count, DType dtype = DType::kF32, Where where = Where::current());

// Made from nothing.
Tensor zeros(const std::vector<Dim>& dims, DType dtype = DType::kF32, Where where = Where::current());
Tensor ones(const std::vector<Dim>& dims, DType dtype = DType::kF32, Where where = Where::current());
Tensor full(const std::vector<Dim>& dims, WeakNumber value, DType dtype = DType::kF32, Where where = Where::current());
Tensor constant(const Array& value, Where where = Where::current());
// Each element is its index along the axis.
Tensor iota(const std::vector<Dim>& dims, int axis = 0, DType dtype = DType::kI32, Where where = Where::current());
Tensor arange(const Dim& count, DType dtype = DType::kI32, Where where = Where::current());

}  // namespace gcompile
