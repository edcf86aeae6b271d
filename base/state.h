// StateStorage: the identity and the data of a named tensor that outlives the graphs that read and update it: a
// parameter, a moment of an optimizer, a learning rate. Graphs and executables share ownership, so a compiled step
// stays valid when the model that made the state is gone. The buffer's address never changes.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "gcompile/base/array.h"
#include "gcompile/base/axis_order.h"

namespace gcompile {

class StateStorage {
 public:
  StateStorage(std::string name, const Array& initial, bool trainable);
  StateStorage(const StateStorage&) = delete;
  StateStorage& operator=(const StateStorage&) = delete;

  const std::string& name() const { return name_; }
  // Before the first trace only: a module gives its members their full names ("linear1.weight").
  void rename(std::string name) { name_ = std::move(name); }
  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  std::size_t bytes() const { return static_cast<std::size_t>(shape_.size()) * size_of(dtype_); }
  bool trainable() const { return trainable_; }
  void set_trainable(bool on) { trainable_ = on; }

  // For compiled code: 64-byte aligned, the axes in the pinned order.
  void* raw() { return data_.get(); }
  const void* raw() const { return data_.get(); }
  // The order of axes in memory that the first compiled function to use this state chose, for all after it; nothing
  // before. Values go in and out in the order of the shape.
  std::optional<AxisOrder> pinned_order() const;
  // Pins an order, and lays the data out so, if none is pinned. Returns whether this one is pinned now.
  bool pin_order(const AxisOrder& order);
  // A copy of the data as it is now.
  Array value() const;
  // Throws CallError unless dtype and shape are this state's (a weak scalar is the caller's business).
  void assign(const Array& value);

 private:
  std::string name_;
  DType dtype_;
  Shape shape_;
  bool trainable_;
  mutable std::mutex mutex_;  // of the order, and of data that is laid out anew
  AxisOrder order_;
  bool is_pinned_ = false;
  std::shared_ptr<std::byte> data_;
};

}  // namespace gcompile
