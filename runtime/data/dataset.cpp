#include "gcompile/runtime/data/dataset.h"

#include <cstring>
#include <exception>

#include "gcompile/base/error.h"
#include "gcompile/runtime/data/rows.h"

namespace gcompile::data {
namespace {

std::string type_of(const Array& a) { return std::string(name(a.dtype())) + a.shape().str(); }

// get(index), with the index in whatever it throws.
Example example_at(const Dataset& dataset, std::int64_t index) {
  const std::string call = "data set: get(" + std::to_string(index) + ") of " + std::to_string(dataset.size());
  try {
    return dataset.get(index);
  } catch (const std::exception& e) {
    std::throw_with_nested(DataError(call + ": " + e.what()));
  } catch (...) {
    std::throw_with_nested(DataError(call + " threw what is no std::exception"));
  }
}

// Writes one sample's part to its place in the stack; the first of a batch decides dtype and shape.
void stack(const Array& part, const char* what, std::span<const std::int64_t> indices, std::size_t place, Array& out) {
  if (place == 0) {
    if (part.rank() == kMaxRank)
      throw DataError("data set: the " + std::string(what) + " of sample " + std::to_string(indices[0]) + " is " +
                      type_of(part) + ": no rank is left for the batch dimension");
    Shape shape{static_cast<std::int64_t>(indices.size())};
    std::vector<std::int64_t> dims(shape.begin(), shape.end());
    dims.insert(dims.end(), part.shape().begin(), part.shape().end());
    make_writable(out, part.dtype(), Shape(dims));
  }
  const std::span<const std::int64_t> sample = out.shape().dims().subspan(1);
  if (part.dtype() != out.dtype() || !(part.shape() == Shape(sample)))
    throw DataError("data set: the " + std::string(what) + " of sample " + std::to_string(indices[place]) + " is " +
                    type_of(part) + ", that of sample " + std::to_string(indices[0]) + " in the same batch is " +
                    std::string(name(out.dtype())) + Shape(sample).str() + "; all must have one dtype and shape");
  std::memcpy(static_cast<std::byte*>(out.raw()) + place * part.bytes(), part.raw(), part.bytes());
}

}  // namespace

void Dataset::gather(std::span<const std::int64_t> indices, Batch& batch) const {
  for (std::size_t place = 0; place < indices.size(); ++place) {
    const Example example = example_at(*this, indices[place]);
    stack(example.input, "input", indices, place, batch.inputs);
    stack(example.label, "label", indices, place, batch.labels);
  }
}

}  // namespace gcompile::data
