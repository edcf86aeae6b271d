// Trace: one function being traced into a graph. It is the only context of the DSL: operators on Tensors, reads of a
// State and State::set all go into the innermost Trace that is alive on the calling thread. Nothing else is global.
// Internal to the frontend: users meet jit, compile and TrainStep, which make Traces.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <source_location>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "gcompile/base/error.h"
#include "gcompile/base/state.h"
#include "gcompile/ir/graph.h"

namespace gcompile {

using Where = std::source_location;  // a place in the user's program, taken by default arguments

class Tensor;

class Trace {
 public:
  // Becomes the thread's current trace until it is destroyed; traces nest like scopes.
  explicit Trace(std::string name = "main");
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;
  ~Trace();

  // Null when nothing is being traced on this thread.
  static Trace* current();
  // Throws ModelError that says that `what` belongs into a traced function.
  static Trace& required(std::string_view what, Where where);

  // Adds an argument of the function.
  Tensor input(std::string name, Type type, Where where);
  // The leaf for a state: one per storage, with the lines of all its uses.
  ir::Value state(const std::shared_ptr<StateStorage>& storage, Where where);
  // Records that the state has the value after the call. Throws ModelError for another type and for a second update.
  void update(const std::shared_ptr<StateStorage>& storage, const Tensor& value, Where where);
  // The graph refuses to run with an empty batch: for means and maxima over it.
  void require_nonempty(const std::string& symbol);
  // A call is refused where a symbolic extent is less; `what` says which function needs it of what.
  void require_at_least(const Dim& extent, std::int64_t least, std::string what, Where where);
  bool updates(const StateStorage& storage) const;
  std::size_t update_count() const { return updates_.size(); }
  // A state that counts calls: it is one more after this one, however often that is asked for, in bodies too. Returns
  // how often it was before.
  std::uint32_t count_call(const std::shared_ptr<StateStorage>& counter);
  // Whether what is made is part of a step of training (see TrainingScope).
  bool is_training() const { return is_training_; }

  // The value that a Tensor stands for; ModelError when the Tensor belongs to no trace, or to another one.
  ir::Value value(const Tensor& tensor, std::string_view what, Where where) const;
  Tensor tensor(ir::Value value, Where where);
  // The builder, which gives the nodes it makes from now on the user's line.
  ir::Builder& at(Where where);
  // Where an error is reported and a node is said to be made: the outermost LocationScope's line, or `where`.
  Where user_line(Where where) const { return scope_ ? *scope_ : where; }
  const ir::Graph& graph() const { return graph_; }

  // The finished graph; the trace is not used after it. ModelError when it reads a value that belongs into a body.
  ir::Graph finish(std::span<const Tensor> results, Where where);

 private:
  void refuse_placeholders() const;

  friend class LocationScope;
  friend class TrainingScope;
  struct Update {
    std::shared_ptr<StateStorage> storage;
    ir::Value value;
    Location where;
  };

  ir::Graph graph_;
  ir::Builder builder_;
  std::uint64_t serial_;
  Trace* outer_;
  std::optional<Where> scope_;
  std::vector<ir::Value> values_;  // what the Tensors of this trace stand for, by their index
  std::unordered_map<const StateStorage*, ir::Value> leaves_;
  std::vector<Update> updates_;
  std::vector<std::pair<std::shared_ptr<StateStorage>, std::uint32_t>> counters_;  // and how often they were asked for
  bool is_training_ = false;
};

// While it lives, everything that is made belongs to one line of the user's: that of the call of a composition
// (softmax, Linear). The outermost scope decides.
class LocationScope {
 public:
  explicit LocationScope(Where where);
  LocationScope(const LocationScope&) = delete;
  LocationScope& operator=(const LocationScope&) = delete;
  ~LocationScope();

 private:
  Trace* trace_ = nullptr;  // null when an outer scope decides
};

// While it lives, modules that differ in training (nn::Dropout) do what they do there. TrainStep has one around the
// model; a step that is written by hand begins with `gc::TrainingScope training;`. With false: what they do elsewhere.
class TrainingScope {
 public:
  // ModelError where nothing is traced.
  explicit TrainingScope(bool on = true, Where where = Where::current());
  TrainingScope(const TrainingScope&) = delete;
  TrainingScope& operator=(const TrainingScope&) = delete;
  ~TrainingScope() { trace_->is_training_ = before_; }

 private:
  Trace* trace_;
  bool before_;
};

}  // namespace gcompile
