// Errors of sums and products: the errors of the terms, and the rounding of every partial result, whatever the order.
#include <algorithm>
#include <cmath>

#include "gcompile/ir/ops/errors.h"

namespace gcompile::ir {
namespace {

// How many elements of operand 0 go into one of the result.
double count_folded(const ErrorContext& c) {
  return c.value.size() ? static_cast<double>(c.operands[0].size()) / static_cast<double>(c.value.size()) : 0;
}

}  // namespace

DType accumulator(DType t) { return is_float16(t) ? DType::kF32 : t; }
double rounding(double result, DType t) { return is_float16(t) ? epsilon(t) * std::abs(result) + tiny(t) : 0; }
double overflow(double size, DType t) { return size > largest(t) ? kUnknown : 0; }

Array summed_error(const ErrorContext& c) {
  const DType t = c.value.dtype();
  if (!is_float(t)) return exact_error(c);
  const Array ones = with_doubles(c, {Array::full(DType::kF64, c.operands[0].shape(), 1)});
  const Array sizes = with_doubles(c, {magnitude(c.operands[0])});
  Array out = with_doubles(c, {c.errors[0]});
  for (std::int64_t i = 0; i < out.size(); ++i)
    out.set(i, out.at(i) + ones.at(i) * epsilon(t) * sizes.at(i) + overflow(sizes.at(i), t));
  return out;
}

Array reduced_sum_error(const ErrorContext& c) {
  const DType t = c.value.dtype();
  if (!is_float(t)) return exact_error(c);
  const Array sizes = with_doubles(c, {magnitude(c.operands[0])});
  Array out = with_doubles(c, {c.errors[0]});
  for (std::int64_t i = 0; i < out.size(); ++i)
    out.set(i, out.at(i) + count_folded(c) * epsilon(accumulator(t)) * sizes.at(i) + rounding(c.value.at(i), t) +
                   overflow(sizes.at(i), t));
  return out;
}

Array reduced_product_error(const ErrorContext& c) {
  const DType t = c.value.dtype(), inside = accumulator(t);
  if (!is_float(t)) return exact_error(c);
  const double count = count_folded(c);
  // In another order a partial product may be as large as that of all factors above 1: it may overflow before a
  // factor of 0 comes, and what an underflow of the others loses is multiplied by it.
  const Array size = magnitude(c.operands[0]);
  Array grown = size, above = size;
  for (std::int64_t i = 0; i < size.size(); ++i) {
    grown.set(i, size.at(i) + c.errors[0].at(i));
    above.set(i, std::max(grown.at(i), 1.0));
  }
  const Array small = with_doubles(c, {size}), big = with_doubles(c, {grown}), most = with_doubles(c, {above});
  Array out = no_error(c.value);
  for (std::int64_t i = 0; i < out.size(); ++i)
    out.set(i, big.at(i) - small.at(i) + count * epsilon(inside) * big.at(i) + tiny(inside) * count * (1 + most.at(i)) +
                   rounding(c.value.at(i), t) + overflow(most.at(i), t));
  return out;
}

Array contracted_error(const ErrorContext& c) {
  const DType t = c.value.dtype();
  if (!is_float(t)) return exact_error(c);
  const Array a = magnitude(c.operands[0]), b = magnitude(c.operands[1]);
  const Array sizes = with_doubles(c, {a, b}), ab = with_doubles(c, {c.errors[0], b}),
              ba = with_doubles(c, {a, c.errors[1]}), both = with_doubles(c, {c.errors[0], c.errors[1]});
  double terms = 1;
  for (const Dim& extent : std::get<ContractLowering>(c.node.op->lower).sums(c.node))
    terms *= static_cast<double>(extent.evaluate(c.dims));
  Array out = no_error(c.value);
  for (std::int64_t i = 0; i < out.size(); ++i)
    out.set(i, ab.at(i) + ba.at(i) + both.at(i) + (terms + 1) * epsilon(accumulator(t)) * sizes.at(i) +
                   tiny(accumulator(t)) * terms + rounding(c.value.at(i), t) + overflow(sizes.at(i), t));
  return out;
}

}  // namespace gcompile::ir
