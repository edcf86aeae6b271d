// Standard scaling: columns of mean 0 and standard deviation 1, with the figures of the table it was fitted on, so that
// a test set is seen through the training set's figures.
#pragma once

#include <source_location>

#include "gcompile/base/array.h"
#include "gcompile/runtime/data/dataset.h"

namespace gcompile::data {

class StandardScaler {
 public:
  // Fits the columns of inputs [N,F], f32 or f64, N >= 1. Throws CallError for other inputs, and for an input that is
  // not finite (row and column named).
  explicit StandardScaler(const Table& table, const std::source_location& where = std::source_location::current());
  // From figures that were kept: mean and std f64[F], std > 0. Throws CallError for others.
  StandardScaler(Array mean, Array std, const std::source_location& where = std::source_location::current());

  // (x - mean) / std by columns, computed in double and rounded to the dtype of x: [N,F], or one sample [F]; of a table
  // the inputs. A column that was constant is centred only. Throw CallError when x has another number of columns.
  Array transform(const Array& x, const std::source_location& where = std::source_location::current()) const;
  Table transform(const Table& table, const std::source_location& where = std::source_location::current()) const;

  // f64[F] each; std is that of the population (divided by N), and 1 for a constant column.
  const Array& mean() const { return mean_; }
  const Array& std() const { return std_; }

 private:
  Array mean_;
  Array std_;
};

}  // namespace gcompile::data
