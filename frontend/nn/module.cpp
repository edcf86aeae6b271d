#include "gcompile/frontend/nn/module.h"

#include <algorithm>

#include "gcompile/frontend/predict.h"
#include "gcompile/runtime/checkpoint.h"
#include "gcompile/runtime/random.h"

namespace gcompile::nn {

Module::Module() : caches_(std::make_unique<detail::ForwardCaches>()) {}

Module::Module(Module* owner, const std::string& name) : Module() {
  owner->require_new(name);
  owner_ = owner;
  name_ = name;
  path_ = owner->full_name(name);
  owner->entries_.push_back({name, Entry{nullptr, this, {}, false}});
}

Module::~Module() {
  for (auto& [name, entry] : entries_)
    if (entry.part) entry.part->owner_ = nullptr;
  if (owner_) std::erase_if(owner_->entries_, [this](const auto& e) { return e.second.part == this; });
}

std::string Module::full_name(const std::string& member) const { return path_.empty() ? member : path_ + "." + member; }

void Module::require_new(const std::string& name) const {
  for (const auto& [taken, entry] : entries_)
    if (taken == name)
      throw ModelError("module '" + (path_.empty() ? "(model)" : path_) + "' has two members named '" + name + "'");
}

void Module::add_state(const std::string& name, const State& state, const Initializer& initial, bool parameter) {
  require_new(name);
  entries_.push_back({name, Entry{state.storage(), nullptr, initial, parameter}});
}

template <class Visit>
void Module::for_each_entry(const Visit& visit) const {
  for (const auto& [name, entry] : entries_) {
    if (entry.part)
      entry.part->for_each_entry(visit);
    else
      visit(entry);
  }
}

std::vector<Parameter> Module::parameters() const {
  std::vector<Parameter> found;
  for_each_entry([&](const Entry& e) {
    if (e.parameter) found.push_back(Parameter(e.state));
  });
  return found;
}

std::vector<std::pair<std::string, Parameter>> Module::named_parameters() const {
  std::vector<std::pair<std::string, Parameter>> found;
  for (const Parameter& p : parameters()) found.emplace_back(p.name(), p);
  return found;
}

std::vector<State> Module::states() const {
  std::vector<State> found;
  for_each_entry([&](const Entry& e) { found.push_back(State(e.state)); });
  return found;
}

void Module::freeze() {
  for (const Parameter& p : parameters()) p.freeze();
}

void Module::unfreeze() {
  for (const Parameter& p : parameters()) p.unfreeze();
}

void Module::initialize(std::uint64_t seed) {
  for_each_entry([&](const Entry& e) { e.state->assign(e.initial(seed, e.state->name())); });
}

std::vector<std::shared_ptr<StateStorage>> storages(const std::vector<State>& states) {
  std::vector<std::shared_ptr<StateStorage>> list;
  for (const State& s : states) list.push_back(s.storage());
  return list;
}

void Module::save(const std::string& path) const { save_checkpoint(path, storages(states())); }
void Module::load(const std::string& path) { load_checkpoint(path, storages(states())); }

Initializer uniform(double low, double high, const Shape& shape, DType dtype) {
  return [=](std::uint64_t seed, const std::string& name) {
    Array values = Array::uninitialized(dtype, shape);
    fill_uniform(values, low, high, random_key(seed, name));
    return values;
  };
}

}  // namespace gcompile::nn
