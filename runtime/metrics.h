// Figures of merit of a classifier. Predictions come in two forms:
//   binary:  probabilities [N,1] or [N], f32 or f64; class 1 where >= 0.5. Labels 0 or 1, [N,1] or [N], any dtype.
//   classes: scores [N,C], C >= 2, f32 or f64; the class with the largest score, the first of equals. Labels are class
//            indices in [0, C), integers [N] or [N,1].
// All throw CallError, naming both types, when predictions and labels do not fit, N is 0, or a label is out of range.
#pragma once

#include <source_location>

#include "gcompile/base/array.h"

namespace gcompile {

// The share of samples, 0 to 1, whose predicted class is the label. A sample with a NaN among its scores is a miss.
double accuracy(const Array& predictions, const Array& labels,
                const std::source_location& where = std::source_location::current());

// i32[C,C] (binary: [2,2]): how many samples of class `row` were predicted as class `column`. Throws CallError for NaN.
Array confusion_matrix(const Array& predictions, const Array& labels,
                       const std::source_location& where = std::source_location::current());

// The share, 0 to 1, of the most frequent value among labels [N] or [N,1]: the accuracy of always guessing that.
double majority_class_accuracy(const Array& labels,
                               const std::source_location& where = std::source_location::current());

}  // namespace gcompile
