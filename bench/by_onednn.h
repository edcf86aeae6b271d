// oneDNN, where it is installed, as what pieces are measured against: one thread, row-major f32, primitives made before
// anything is timed. Without it (by_onednn_absent.cpp is built instead) the version is empty and so is every function.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "by_hand_matmul.h"

namespace gcompile::bench {

// "2.6.3"; empty where gcompile-bench is built without oneDNN.
std::string onednn_version();

// b is not read by what has one operand. Not for two threads at a time.
using OnednnCall = std::function<void(const float* a, const float* b, float* out)>;

OnednnCall matmul_by_onednn(const MatmulShape& shape);
OnednnCall softmax_by_onednn(std::int64_t rows, std::int64_t columns);
OnednnCall layer_norm_by_onednn(std::int64_t rows, std::int64_t columns);
OnednnCall gelu_by_onednn(std::int64_t rows, std::int64_t columns);
OnednnCall row_sums_by_onednn(std::int64_t rows, std::int64_t columns);
OnednnCall column_sums_by_onednn(std::int64_t rows, std::int64_t columns);
OnednnCall transpose_by_onednn(std::int64_t rows, std::int64_t columns);
OnednnCall add_by_onednn(std::int64_t rows, std::int64_t columns);

}  // namespace gcompile::bench
