// The families of ops: each function returns the records of one file of this folder. ir/op.cpp joins them to the table.
// A new elementwise op is one record in one of them and nothing else: inference, gradient, reference semantics and
// lowering stand in the record, and the registry-driven tests feed it from its domain.
#pragma once

#include <vector>

#include "gcompile/ir/op.h"

namespace gcompile::ir {

std::vector<OpDef> leaf_ops();        // input state constant iota dim
std::vector<OpDef> unary_ops();       // neg abs sign sqrt rsqrt floor ceil round_even not is_finite stop_gradient
std::vector<OpDef> math_ops();        // exp expm1 log log1p tanh sigmoid erf sin cos atan atan2 pow
std::vector<OpDef> binary_ops();      // add sub mul div floor_div rem max min fma
std::vector<OpDef> compare_ops();     // eq ne lt le gt ge
std::vector<OpDef> logic_ops();       // and or xor, and the bit operations of kernels
std::vector<OpDef> select_ops();      // select cast
std::vector<OpDef> view_ops();        // reshape transpose broadcast slice reverse
std::vector<OpDef> structure_ops();   // concat pad
std::vector<OpDef> indexed_ops();     // gather scatter_add
std::vector<OpDef> reduce_ops();      // reduce_sum reduce_max reduce_min reduce_prod
std::vector<OpDef> arg_reduce_ops();  // argmax argmin
std::vector<OpDef> cumsum_ops();      // cumsum
std::vector<OpDef> recurrence_ops();  // recurrence
std::vector<OpDef> sort_ops();        // argsort
std::vector<OpDef> dot_ops();         // dot
std::vector<OpDef> random_ops();      // rng_bits
std::vector<OpDef> scan_ops();        // scan
std::vector<OpDef> control_ops();     // cond while
std::vector<OpDef> call_ops();        // checkpoint custom_vjp
std::vector<OpDef> window_ops();      // windows window_sum
std::vector<OpDef> conv_ops();        // conv
std::vector<OpDef> fusion_ops();      // fusion

}  // namespace gcompile::ir
