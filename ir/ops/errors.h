// Rules for a record's `error`: by how much compiled code may be off where its operands are, by running error analysis.
// Every result may be off by its record's tolerance, and what comes in off goes on: by evaluating the op at the corners
// of what its operands may be (elementwise ops), with the elements that are moved, or by the standard bounds for sums
// and products (Higham, Accuracy and Stability of Numerical Algorithms, chapters 3 and 4). Where a comparison, a
// rounding to an integer or an index could go either way the bound is infinite: nothing can be said there.
#pragma once

#include <limits>

#include "gcompile/ir/op.h"

namespace gcompile::ir {

inline constexpr double kUnknown = std::numeric_limits<double>::infinity();

// By the record's traits; null where they do not say it.
ErrorBound default_error(const OpDef& op);

// Of a float: the distance from 1 to the next number, the largest one, and what results may be off by near 0, where
// they may be flushed, or rounded coarsely.
double epsilon(DType t);
double largest(DType t);
double tiny(DType t);

// No operand, or not this one, is off.
bool is_certain(const ErrorContext& c);
bool is_certain(const Array& error);
Array no_error(const Array& value);
Array unknown_error(const Array& value);
// The op on arrays of doubles in place of its operands; and an operand without its signs, as such.
Array with_doubles(const ErrorContext& c, const std::vector<Array>& operands);
Array magnitude(const Array& operand);

// ---- rules for whole values

// Nothing is computed in floats: certain where all operands are.
Array exact_error(const ErrorContext& c);
// Elements move, and their errors go with them.
Array moved_error(const ErrorContext& c);
// Sums of no more terms than the op itself makes of ones in place of operand 0, in the result's dtype.
Array summed_error(const ErrorContext& c);
// Sums over axes that are folded away, and sums of products: partial sums in any order.
Array reduced_sum_error(const ErrorContext& c);
Array contracted_error(const ErrorContext& c);
Array reduced_product_error(const ErrorContext& c);
// Infinite where a sum of this size could leave the range of the dtype.
double overflow(double size, DType t);
// The dtype in which sums and products are accumulated, and what rounding their result to `t` adds.
DType accumulator(DType t);
double rounding(double result, DType t);

// ---- rules for elements

// One element of an elementwise op: operands that may be off by up to e, and what the interpreter made of them.
struct ElementError {
  const OpDef& op;
  std::span<const double> x, e;
  double value;
  DType dtype;  // of the result
};
bool is_exact(const ElementError& c);
// The op at every corner of its operands' ranges, and its tolerance.
double corners_error(const ElementError& c);
// The same where it is known how far the result moves with its operands.
double moved_and_computed(const ElementError& c, double moved);
// How far the result moves, by the corners; finite only where all of e are.
double moved_at_corners(const ElementError& c);

using ElementErrorRule = double (*)(const ElementError&);
Array error_of_each_element(const ErrorContext& c, ElementErrorRule rule);

template <ElementErrorRule Rule>
Array error_of_elements(const ErrorContext& c) {
  return error_of_each_element(c, Rule);
}

}  // namespace gcompile::ir
