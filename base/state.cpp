#include "gcompile/base/state.h"

#include <cstring>
#include <new>

#include "gcompile/base/error.h"

namespace gcompile {

StateStorage::StateStorage(std::string name, const Array& initial, bool trainable)
    : name_(std::move(name)), dtype_(initial.dtype()), shape_(initial.shape()), trainable_(trainable) {
  constexpr std::align_val_t kAlignment{64};
  auto* p = static_cast<std::byte*>(::operator new(bytes() ? bytes() : 1, kAlignment));
  data_ = {p, [](std::byte* q) { ::operator delete(q, kAlignment); }};
  std::memcpy(p, initial.raw(), bytes());
}

Array StateStorage::value() const {
  Array a = Array::uninitialized(dtype_, shape_);
  std::memcpy(a.raw(), raw(), bytes());
  return a;
}

void StateStorage::assign(const Array& value) {
  if (value.dtype() != dtype_ || !(value.shape() == shape_))
    throw CallError("state '" + name_ + "' is " + std::string(gcompile::name(dtype_)) + shape_.str() +
                    ", assigned a value of " + std::string(gcompile::name(value.dtype())) + value.shape().str());
  std::memcpy(raw(), value.raw(), bytes());
}

}  // namespace gcompile
