// Data sets: Dataset is what a loader reads, and what a user derives from (get and size, as in the usual course); Table
// is one held in memory as two Arrays, as the CSV reader makes it.
#pragma once

#include <cstdint>
#include <source_location>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gcompile/base/array.h"

namespace gcompile::data {

// One sample, without a batch dimension: for a Table input f32[F] and label f32[1] or i32[].
struct Example {
  Array input;
  Array label;
};

// Several samples, stacked along a new leading dimension.
struct Batch {
  Array inputs;
  Array labels;
};

class Dataset {
 public:
  virtual ~Dataset() = default;

  // The sample at an index in [0, size()). Called by several workers of a loader at once: it must change nothing that
  // they share, and depend on the index alone if epochs are to repeat. Anything it throws reaches the loop over the
  // loader as a DataError that names the index, with the original nested in it.
  virtual Example get(std::int64_t index) const = 0;
  virtual std::int64_t size() const = 0;

  // Sets `batch` to the samples at the indices, in their order, writing into its Arrays where they have the shape and
  // are not shared. The default stacks what get() returns and throws DataError, naming the index, where a sample
  // differs from the first in dtype or shape. Override it where a whole batch can be had at less cost.
  virtual void gather(std::span<const std::int64_t> indices, Batch& batch) const;

  // For data held in memory, the bytes of one sample: all that gather copies. 0, the default, where a sample takes
  // work. A loader assembles small batches of the former itself: to hand one from thread to thread takes longer.
  virtual std::int64_t bytes_in_memory() const { return 0; }

 protected:
  Dataset() = default;
  Dataset(const Dataset&) = default;
  Dataset& operator=(const Dataset&) = default;
};

// Names of a table's parts; each list is empty when unknown.
struct TableNames {
  std::vector<std::string> inputs = {};   // one per input column
  std::vector<std::string> labels = {};   // one per label column
  std::vector<std::string> classes = {};  // of the class indices that the labels hold
};

// Rows in memory: inputs [N, ...] (from CSV f32[N,F]) and labels [N, ...] (f32[N,1], or i32[N] class indices).
// A value: copies are cheap, because they share the data.
class Table final : public Dataset {
 public:
  // Throws CallError when inputs and labels differ in their number of rows, or names do not fit them.
  Table(Array inputs, Array labels, TableNames names = {},
        const std::source_location& where = std::source_location::current());

  const Array& inputs() const { return inputs_; }
  const Array& labels() const { return labels_; }
  const TableNames& names() const { return names_; }
  // Names by class index; empty when the labels are no classes with names.
  const std::vector<std::string>& class_names() const { return names_.classes; }

  std::int64_t size() const override { return inputs_.shape()[0]; }
  Example get(std::int64_t index) const override;
  void gather(std::span<const std::int64_t> indices, Batch& batch) const override;
  std::int64_t bytes_in_memory() const override;

  // Two tables of disjoint rows: round(fraction * N) in the first, the others in the second, drawn and ordered by a
  // permutation that depends on (seed, N) alone. Throws CallError when either would be empty.
  std::pair<Table, Table> split(double fraction, std::uint64_t seed = 0,
                                const std::source_location& where = std::source_location::current()) const;
  // Rows [begin, end), and the rows at the indices in their order. Throw CallError outside [0, N].
  Table rows(std::int64_t begin, std::int64_t end,
             const std::source_location& where = std::source_location::current()) const;
  Table take(std::span<const std::int64_t> indices) const;

 private:
  Array inputs_;
  Array labels_;
  TableNames names_;
};

// The name of the usual course for a data set made of two tensors.
using TensorDataset = Table;

}  // namespace gcompile::data
