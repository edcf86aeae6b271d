// Containers: Sequential applies modules one after the other, ModuleList holds many of one type.
#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gcompile/frontend/nn/module.h"

namespace gcompile::nn {

// gc::nn::Sequential net{this, "net"};  net.add<Linear>(8, 6); net.add<Sigmoid>();
// Its parts are named by their number: "net.0.weight".
class Sequential : public Module {
 public:
  using Module::Module;

  // Makes an M at the end: a module by M(owner, name, arguments...), anything else with forward by M(arguments...).
  template <class M, class... Arguments>
  Sequential& add(Arguments&&... arguments) {
    std::shared_ptr<M> made;
    if constexpr (std::derived_from<M, Module>)
      made = std::make_shared<M>(this, std::to_string(steps_.size()), std::forward<Arguments>(arguments)...);
    else
      made = std::make_shared<M>(M{std::forward<Arguments>(arguments)...});
    steps_.push_back([made](const Tensor& x, Where where) { return call_forward(*made, x, where); });
    return *this;
  }
  std::size_t size() const { return steps_.size(); }

  Tensor forward(const Tensor& x, Where where = Where::current()) const {
    Tensor y = x;
    for (const auto& step : steps_) y = step(y, where);
    return y;
  }
  Tensor operator()(const Tensor& x, Where where = Where::current()) const { return forward(x, where); }

 private:
  std::vector<std::function<Tensor(const Tensor&, Where)>> steps_;
};

template <std::derived_from<Module> M>
class ModuleList : public Module {
 public:
  using Module::Module;

  template <class... Arguments>
  M& add(Arguments&&... arguments) {
    parts_.push_back(std::make_unique<M>(this, std::to_string(parts_.size()), std::forward<Arguments>(arguments)...));
    return *parts_.back();
  }
  std::size_t size() const { return parts_.size(); }
  M& operator[](std::size_t i) { return *parts_.at(i); }
  const M& operator[](std::size_t i) const { return *parts_.at(i); }

 private:
  std::vector<std::unique_ptr<M>> parts_;
};

}  // namespace gcompile::nn
