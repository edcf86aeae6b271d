// Rows of Arrays: the inner loop of a batch that is gathered from a table.
#pragma once

#include <cstdint>
#include <span>

#include "gcompile/base/array.h"

namespace gcompile::data {

// Gives `a` this dtype and shape: as it is when it has them and its buffer is its own, else anew; elements are not set.
void make_writable(Array& a, DType dtype, const Shape& shape);

// out[i] = from[indices[i]] along the leading dimension; `out` is made writable with shape [indices.size(), ...].
// The indices must be in [0, from.shape()[0]).
void gather_rows(const Array& from, std::span<const std::int64_t> indices, Array& out);

}  // namespace gcompile::data
