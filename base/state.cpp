#include "gcompile/base/state.h"

#include <cstring>
#include <new>

#include "gcompile/base/error.h"

namespace gcompile {

StateStorage::StateStorage(std::string name, const Array& initial, bool trainable)
    : name_(std::move(name)), dtype_(initial.dtype()), shape_(initial.shape()), trainable_(trainable) {
  constexpr std::align_val_t kAlignment{64};
  auto* p = static_cast<std::byte*>(::operator new(bytes() ? bytes() : 1, kAlignment, std::nothrow));
  if (!p)
    throw MemoryError("no memory for the state '" + name_ + "' " + std::string(gcompile::name(dtype_)) + shape_.str() +
                      " of " + std::to_string(bytes()) + " bytes");
  data_ = {p, [](std::byte* q) { ::operator delete(q, kAlignment); }};
  std::memcpy(p, initial.raw(), bytes());
}

std::optional<AxisOrder> StateStorage::pinned_order() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return is_pinned_ ? std::optional(order_) : std::nullopt;
}

bool StateStorage::pin_order(const AxisOrder& order) {
  if (!is_axis_order(order, shape_.rank()))
    throw InternalError("state '" + name_ + "' is " + shape_.str() + ", which has no" + print_order(order));
  const std::lock_guard<std::mutex> lock(mutex_);
  if (is_pinned_) return order_ == order;
  if (!order.empty()) {
    Array now = Array::uninitialized(dtype_, shape_);
    std::memcpy(now.raw(), raw(), bytes());
    std::memcpy(raw(), in_order(now, order).raw(), bytes());
  }
  order_ = order;
  is_pinned_ = true;
  return true;
}

Array StateStorage::value() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const std::vector<std::int64_t> extents(shape_.begin(), shape_.end());
  Array a = Array::uninitialized(dtype_, Shape(in_order(extents, order_)));
  std::memcpy(a.raw(), raw(), bytes());
  return in_order(a, inverse(order_));
}

void StateStorage::assign(const Array& value) {
  if (value.dtype() != dtype_ || !(value.shape() == shape_))
    throw CallError("state '" + name_ + "' is " + std::string(gcompile::name(dtype_)) + shape_.str() +
                    ", assigned a value of " + std::string(gcompile::name(value.dtype())) + value.shape().str());
  const std::lock_guard<std::mutex> lock(mutex_);
  std::memcpy(raw(), in_order(value, order_).raw(), bytes());
}

}  // namespace gcompile
