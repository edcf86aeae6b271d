// Parts of shape inference that the families share: reading attributes that a user or a text may have got wrong, and
// the rule of elementwise ops. All refuse through InferContext::fail, with the shapes at hand and what was expected.
#pragma once

#include <string>
#include <vector>

#include "gcompile/ir/op.h"

namespace gcompile::ir {

using Ints = std::vector<std::int64_t>;
using Dims = std::vector<Dim>;

// The attribute; refuses when it is missing or of another type.
template <class T>
const T& attribute(const InferContext& c, std::string_view key);
// Refuses any attribute not listed.
void only_attributes(const InferContext& c, std::initializer_list<std::string_view> keys);

// The attribute `key`, an axis in 0 .. rank-1.
std::int64_t axis_attribute(const InferContext& c, std::string_view key, int rank);
// The attribute `key`: axes in 0 .. rank-1, strictly ascending when `sorted`, otherwise without repetition.
const Ints& axes_attribute(const InferContext& c, std::string_view key, int rank, bool sorted);

// Refuses an attribute `order`, how kernels go over what is summed where that is not theirs to choose, that is not
// "features": as a nest goes over the features of a sample.
void check_order(const InferContext& c);

// "f32[2,3] and f32[3]".
std::string operand_list(const InferContext& c);
// "(f32, f64)" of a list of dtypes: "f32, f64 and i32".
std::string dtype_list(const std::vector<DType>& dtypes);

// Refuses unless operand i's dtype is one that the record admits.
void admit_dtype(const InferContext& c, std::size_t i = 0);
// Refuses unless all operands from `first` on have one dtype and one shape.
void same_operands(const InferContext& c, std::size_t first = 0);
// Refuses an axis of operand 0 with more elements than an i32 counts.
void check_counted(const InferContext& c, std::int64_t axis);
// Refuses extents that are negative constants.
void check_dims(const InferContext& c, const Dims& dims);

// Elementwise ops: all operands have one type, which is the result's; or its shape with dtype bool.
std::vector<Type> same_type(const InferContext& c);
std::vector<Type> bool_result(const InferContext& c);

}  // namespace gcompile::ir
