#include <algorithm>
#include <cmath>
#include <numeric>

#include "gcompile/base/error.h"
#include "gcompile/runtime/data/dataset.h"
#include "gcompile/runtime/data/rows.h"
#include "gcompile/runtime/random.h"

namespace gcompile::data {
namespace {

std::string type_of(const Array& a) { return std::string(name(a.dtype())) + a.shape().str(); }

void check_names(const Location& at, const std::vector<std::string>& names, const Array& columns, const char* what) {
  if (names.empty()) return;
  const std::int64_t count = columns.rank() > 1 ? columns.shape()[columns.rank() - 1] : 1;
  if (static_cast<std::int64_t>(names.size()) != count)
    throw CallError(at, "table: " + std::to_string(names.size()) + " names for the columns of " + what + " " +
                            type_of(columns));
}

void check_indices(std::span<const std::int64_t> indices, std::int64_t size) {
  for (std::int64_t index : indices)
    if (index < 0 || index >= size)
      throw CallError("table: row " + std::to_string(index) + " of a table of " + std::to_string(size) + " rows");
}

// Row `index` without the leading dimension.
Array row_of(const Array& a, std::int64_t index) {
  return a.rows(index, index + 1).reshaped(Shape(a.shape().dims().subspan(1)));
}

}  // namespace

Table::Table(Array inputs, Array labels, TableNames names, const std::source_location& where)
    : inputs_(std::move(inputs)), labels_(std::move(labels)), names_(std::move(names)) {
  const Location at = Location::from(where);
  if (inputs_.rank() == 0 || labels_.rank() == 0 || inputs_.shape()[0] != labels_.shape()[0])
    throw CallError(at, "table: inputs " + type_of(inputs_) + " and labels " + type_of(labels_) +
                            " do not have one row for each sample");
  check_names(at, names_.inputs, inputs_, "inputs");
  check_names(at, names_.labels, labels_, "labels");
  if (names_.classes.empty()) return;
  if (labels_.dtype() != DType::kI32)
    throw CallError(at, "table: class names need labels of class indices (i32), these are " + type_of(labels_));
  const auto classes = static_cast<std::int64_t>(names_.classes.size());
  for (std::int32_t label : std::as_const(labels_).data<std::int32_t>())
    if (label < 0 || label >= classes)
      throw CallError(at, "table: class index " + std::to_string(label) + " among the labels, but there are " +
                              std::to_string(classes) + " class names");
}

Example Table::get(std::int64_t index) const {
  check_indices({&index, 1}, size());
  return {row_of(inputs_, index), row_of(labels_, index)};
}

void Table::gather(std::span<const std::int64_t> indices, Batch& batch) const {
  check_indices(indices, size());
  gather_rows(inputs_, indices, batch.inputs);
  gather_rows(labels_, indices, batch.labels);
}

std::int64_t Table::bytes_in_memory() const {
  return size() ? static_cast<std::int64_t>(inputs_.bytes() + labels_.bytes()) / size() : 0;
}

Table Table::take(std::span<const std::int64_t> indices) const {
  Batch batch;
  gather(indices, batch);
  return {std::move(batch.inputs), std::move(batch.labels), names_};
}

Table Table::rows(std::int64_t begin, std::int64_t end, const std::source_location& where) const {
  if (begin < 0 || end < begin || end > size())
    throw CallError(Location::from(where), "table: rows " + std::to_string(begin) + " to " + std::to_string(end) +
                                               " of a table of " + std::to_string(size()) + " rows");
  return {inputs_.rows(begin, end), labels_.rows(begin, end), names_};
}

std::pair<Table, Table> Table::split(double fraction, std::uint64_t seed, const std::source_location& where) const {
  const double wanted = std::round(fraction * static_cast<double>(size()));
  if (!(wanted >= 1 && wanted <= static_cast<double>(size()) - 1))
    throw CallError(Location::from(where), "table: a split at the fraction " + std::to_string(fraction) + " of " +
                                               std::to_string(size()) + " rows leaves a part without rows");
  std::vector<std::int64_t> order(static_cast<std::size_t>(size()));
  std::iota(order.begin(), order.end(), 0);
  shuffle(order, random_key(seed, "data.split"));
  const std::span<const std::int64_t> all(order);
  const auto first = static_cast<std::size_t>(wanted);
  return {take(all.first(first)), take(all.subspan(first))};
}

}  // namespace gcompile::data
