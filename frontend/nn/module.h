// Module: a part of a model, with parameters, states and parts of its own. Members register themselves:
//
//   struct Net : gc::nn::Module {
//     gc::nn::Linear linear1{this, "linear1", 8, 6}, linear2{this, "linear2", 6, 1};
//     gc::Tensor forward(gc::Tensor x) const { return linear2(gc::relu(linear1(x))); }
//   };
//
// A parameter's full name ("linear1.weight") is its name in checkpoints, and with the seed determines its initial
// values. forward is not virtual: a module of your own is called as block.forward(x), or as block(x) when it derives
// from nn::Block<Itself>. Modules are neither copied nor moved.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gcompile/frontend/state.h"
#include "gcompile/frontend/tensor.h"

namespace gcompile {

namespace detail {
class FunctionCache;
struct ForwardCaches;
}  // namespace detail

namespace nn {

class Module {
 public:
  // A whole model.
  Module();
  // A part of another module. ModelError when that has a member of this name already.
  Module(Module* owner, const std::string& name);
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;
  ~Module();

  // The parameters of this module and its parts, in the order of their declaration; frozen ones too.
  std::vector<Parameter> parameters() const;
  std::vector<std::pair<std::string, Parameter>> named_parameters() const;
  // The same and all other states.
  std::vector<State> states() const;

  void freeze();
  void unfreeze();
  // Sets all states anew: values are a function of the seed and the full name. Modules are made with seed 0.
  void initialize(std::uint64_t seed);

  // All states, in the safetensors format. load changes nothing unless the file fits: DataError lists all that does
  // not.
  void save(const std::string& path) const;
  void load(const std::string& path);

  // Name in the owner, "" for a whole model; full names join with ".".
  const std::string& name() const { return name_; }
  std::string full_name(const std::string& member) const;

  // Compiled functions of this model, kept while it lives (predict, evaluate). Internal.
  detail::ForwardCaches& caches() const { return *caches_; }

 private:
  friend class gcompile::State;
  struct Entry {  // one of both
    std::shared_ptr<StateStorage> state;
    Module* part = nullptr;
    Initializer initial;
    bool parameter = false;
  };
  void add_state(const std::string& name, const State& state, const Initializer& initial, bool parameter);
  void require_new(const std::string& name) const;
  template <class Visit>
  void for_each_entry(const Visit& visit) const;

  Module* owner_ = nullptr;
  std::string name_, path_;
  std::vector<std::pair<std::string, Entry>> entries_;
  std::unique_ptr<detail::ForwardCaches> caches_;
};

// Calls forward of a module, which may take the user's line or not.
template <class M>
Tensor call_forward(const M& module, const Tensor& x, Where where) {
  if constexpr (requires { module.forward(x, where); })
    return module.forward(x, where);
  else
    return module.forward(x);
}

// A module that can be called: struct Residual : gc::nn::Block<Residual> { ... forward ... }; then block(x).
template <class Derived>
class Block : public Module {
 public:
  using Module::Module;
  Tensor operator()(const Tensor& x, Where where = Where::current()) const {
    return call_forward(static_cast<const Derived&>(*this), x, where);
  }
};

// What save and load of checkpoints take.
std::vector<std::shared_ptr<StateStorage>> storages(const std::vector<State>& states);

// Initial values.
Initializer uniform(double low, double high, const Shape& shape, DType dtype = DType::kF32);

}  // namespace nn
}  // namespace gcompile
