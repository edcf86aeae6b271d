// State: a named tensor that outlives the functions that read and set it; Parameter: one that is trained. Both are
// handles: a copy names the same data. In a traced function a State is read as a Tensor (the value from before the
// call), and set() records the value it has after the call.
#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <string>

#include "gcompile/base/state.h"
#include "gcompile/frontend/trace.h"
#include "gcompile/frontend/weak_number.h"

namespace gcompile {

class Operand;
namespace nn {
class Module;
}

// The values that a member of a module begins with: a function of the seed and its full name ("linear1.weight").
using Initializer = std::function<Array(std::uint64_t seed, const std::string& name)>;

class State {
 public:
  State(std::string name, const Array& initial) : State(std::move(name), initial, false) {}
  // A scalar, f32 unless it is given as an Array.
  template <Number T>
  State(std::string name, T initial) : State(std::move(name), weak(initial), false) {}
  // A member of a module, which saves, loads and initializes it: its name becomes the module's name, ".", and `name`.
  State(nn::Module* owner, const std::string& name, const Array& initial);
  State(nn::Module* owner, const std::string& name, const Initializer& initial) : State(owner, name, initial, false) {}
  template <Number T>
  State(nn::Module* owner, const std::string& name, T initial) : State(owner, name, weak(initial)) {}

  // Another handle of a storage.
  explicit State(std::shared_ptr<StateStorage> storage) : storage_(std::move(storage)) {}

  const std::string& name() const { return storage_->name(); }
  DType dtype() const { return storage_->dtype(); }
  const Shape& shape() const { return storage_->shape(); }
  const std::shared_ptr<StateStorage>& storage() const { return storage_; }

  // The data as it is now: a copy; the only element, as double (ModelError when there are several).
  Array value() const { return storage_->value(); }
  double item() const;
  // Sets the data now, outside of any function. CallError when dtype or shape differ. A number sets every element;
  // CallError when the dtype does not hold it.
  void assign(const Array& value) { storage_->assign(value); }
  void assign(const WeakNumber& number);
  template <Number T>
  void assign(T number) {
    assign(WeakNumber(number));
  }

  // In a traced function: the value after the call. A number sets every element. ModelError outside of a trace, for
  // another dtype or shape, and for a second set of the same state; the update itself reads only old values.
  void set(const Operand& value) const;

 protected:
  State(std::string name, const Array& initial, bool trainable)
      : storage_(std::make_shared<StateStorage>(std::move(name), initial, trainable)) {}
  State(nn::Module* owner, const std::string& name, const Initializer& initial, bool trainable);
  template <Number T>
  static Array weak(T number) {
    return Array(static_cast<float>(number));
  }

 private:
  std::shared_ptr<StateStorage> storage_;
};

class Parameter : public State {
 public:
  Parameter(std::string name, const Array& initial) : State(std::move(name), initial, true) {}
  template <Number T>
  Parameter(std::string name, T initial) : State(std::move(name), weak(initial), true) {}
  Parameter(nn::Module* owner, const std::string& name, const Array& initial);
  Parameter(nn::Module* owner, const std::string& name, const Initializer& initial);
  template <Number T>
  Parameter(nn::Module* owner, const std::string& name, T initial) : Parameter(owner, name, weak(initial)) {}

  explicit Parameter(std::shared_ptr<StateStorage> storage) : State(std::move(storage)) {}

  // A frozen parameter is left alone by training steps, from their next call on.
  void freeze() const { storage()->set_trainable(false); }
  void unfreeze() const { storage()->set_trainable(true); }
  bool frozen() const { return !storage()->trainable(); }
};

}  // namespace gcompile
