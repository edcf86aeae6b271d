#include "gcompile/runtime/data/rows.h"

#include <cstring>

namespace gcompile::data {
namespace {

// A size known at compile time makes memcpy a few moves instead of a call; kBytes = 0 is any size.
template <std::size_t kBytes>
void copy_rows(const std::byte* from, std::span<const std::int64_t> indices, std::size_t any, std::byte* out) {
  const std::size_t bytes = kBytes ? kBytes : any;
  for (std::int64_t index : indices) {
    std::memcpy(out, from + static_cast<std::size_t>(index) * bytes, bytes);
    out += bytes;
  }
}

}  // namespace

void make_writable(Array& a, DType dtype, const Shape& shape) {
  if (a.dtype() != dtype || !(a.shape() == shape) || a.shared()) a = Array::uninitialized(dtype, shape);
}

void gather_rows(const Array& from, std::span<const std::int64_t> indices, Array& out) {
  Shape shape = from.shape();
  shape[0] = 1;
  const std::size_t bytes = static_cast<std::size_t>(shape.size()) * size_of(from.dtype());
  shape[0] = static_cast<std::int64_t>(indices.size());
  make_writable(out, from.dtype(), shape);
  const auto* source = static_cast<const std::byte*>(from.raw());
  auto* target = static_cast<std::byte*>(out.raw());
  switch (bytes) {
    case 0: break;
    case 4: copy_rows<4>(source, indices, bytes, target); break;
    case 8: copy_rows<8>(source, indices, bytes, target); break;
    case 16: copy_rows<16>(source, indices, bytes, target); break;
    case 32: copy_rows<32>(source, indices, bytes, target); break;
    case 64: copy_rows<64>(source, indices, bytes, target); break;
    default: copy_rows<0>(source, indices, bytes, target);
  }
}

}  // namespace gcompile::data
