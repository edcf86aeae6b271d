#include "gcompile/frontend/state.h"

#include "gcompile/frontend/nn/module.h"
#include "gcompile/frontend/tensor.h"

namespace gcompile {

namespace {

Initializer always(const Array& value) {
  return [value](std::uint64_t, const std::string&) { return value; };
}

}  // namespace

State::State(nn::Module* owner, const std::string& name, const Array& initial)
    : State(owner, name, always(initial), false) {}

State::State(nn::Module* owner, const std::string& name, const Initializer& initial, bool trainable) {
  const std::string full = owner->full_name(name);
  storage_ = std::make_shared<StateStorage>(full, initial(0, full), trainable);
  owner->add_state(name, *this, initial, trainable);
}

Parameter::Parameter(nn::Module* owner, const std::string& name, const Array& initial)
    : State(owner, name, always(initial), true) {}
Parameter::Parameter(nn::Module* owner, const std::string& name, const Initializer& initial)
    : State(owner, name, initial, true) {}

double State::item() const {
  if (storage_->shape().size() != 1)
    throw ModelError("state '" + name() + "' has the shape " + shape().str() + ": item() is for one element");
  return value().item();
}

void State::assign(const WeakNumber& number) {
  if (!number.fits(dtype()))
    throw CallError("state '" + name() + "' is " + Type::of(dtype(), shape()).str() + ", assigned the number " +
                    number.str() + ": " + WeakNumber::held_by(dtype()));
  storage_->assign(number.full(dtype(), shape()));
}

void State::set(const Operand& value) const {
  Trace& trace = Trace::required("set(" + name() + ")", value.where());
  trace.update(storage_, value.as(Type::of(dtype(), shape())), value.where());
}

}  // namespace gcompile
