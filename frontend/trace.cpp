#include "gcompile/frontend/trace.h"

#include <algorithm>
#include <atomic>

#include "gcompile/frontend/describe.h"
#include "gcompile/frontend/tensor.h"
#include "gcompile/frontend/unbound.h"
#include "gcompile/ir/build.h"
#include "gcompile/ir/op.h"

namespace gcompile {

namespace {

thread_local Trace* current_trace = nullptr;

// Serials only have to differ: nothing depends on their values.
std::uint64_t next_serial() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

}  // namespace

Trace::Trace(std::string name)
    : graph_(std::move(name)), builder_(graph_), serial_(next_serial()), outer_(current_trace) {
  current_trace = this;
}

Trace::~Trace() { current_trace = outer_; }

Trace* Trace::current() { return current_trace; }

Trace& Trace::required(std::string_view what, Where where) {
  if (current_trace) return *current_trace;
  throw ModelError(Location::from(where),
                   std::string(what) + ": nothing is being traced here; a Tensor is a value inside of a function given "
                                       "to gc::jit, gc::compile or gc::TrainStep (data outside of it is a gc::Array)");
}

ir::Builder& Trace::at(Where where) {
  builder_.where = {Location::from(user_line(where))};
  return builder_;
}

Tensor Trace::input(std::string name, Type type, Where where) {
  return tensor(at(where).input(std::move(name), std::move(type)), where);
}

ir::Value Trace::state(const std::shared_ptr<StateStorage>& storage, Where where) {
  ir::Value& leaf = leaves_[storage.get()];
  if (leaf)
    graph_.add_locations(leaf.node, {Location::from(user_line(where))});
  else
    leaf =
        at(where).state(storage->name(), Type::of(storage->dtype(), storage->shape()), storage, storage->trainable());
  return leaf;
}

bool Trace::updates(const StateStorage& storage) const {
  return std::any_of(updates_.begin(), updates_.end(), [&](const Update& u) { return u.storage.get() == &storage; });
}

void Trace::update(const std::shared_ptr<StateStorage>& storage, const Tensor& tensor, Where where) {
  const Location line = Location::from(user_line(where));
  const std::string what = "set(" + storage->name() + ")";
  for (const Update& u : updates_)
    if (u.storage == storage)
      throw ModelError(line, what + ": the state is set twice in one function, first at " + u.where.str() +
                                 "; all updates happen at once, after every read, so there can be one only");
  const ir::Value v = value(tensor, what, where);
  const Type type = Type::of(storage->dtype(), storage->shape());
  if (v.type() != type)
    throw ModelError(line, what + ": the state is " + type.str() + ", the new value " + v.type().str() +
                               operand_lines({{"value", v, tensor.made_at()}}));
  updates_.push_back({storage, v, line});
}

std::uint32_t Trace::count_call(const std::shared_ptr<StateStorage>& counter) {
  for (auto& [known, asked] : counters_)
    if (known == counter) return asked++;
  counters_.emplace_back(counter, 1);
  return 0;
}

void Trace::require_nonempty(const std::string& symbol) {
  ir::DimBounds& bounds = graph_.bounds[symbol];
  bounds.min = std::max<std::int64_t>(bounds.min, 1);
}

void Trace::require_at_least(const Dim& extent, std::int64_t least, std::string what, Where where) {
  if (extent.is_constant()) return;
  graph_.requirements.push_back({extent, least, std::move(what), Location::from(user_line(where))});
}

ir::Value Trace::value(const Tensor& tensor, std::string_view what, Where where) const {
  const Location line = Location::from(user_line(where));
  if (tensor.serial_ == 0) throw ModelError(line, std::string(what) + ": a Tensor without a value (default-made)");
  if (tensor.serial_ != serial_)
    throw ModelError(line, std::string(what) + ": a Tensor is used outside of the trace it belongs to: made at " +
                               Location::from(tensor.made_).str() + ", used at " + line.str() +
                               ". Tensors live only while their function is traced; keep data in an Array, and what "
                               "must outlive a call in a State");
  return values_[static_cast<std::size_t>(tensor.index_)];
}

Tensor Trace::tensor(ir::Value value, Where where) {
  Tensor t;
  t.serial_ = serial_;
  t.index_ = static_cast<std::int32_t>(values_.size());
  t.made_ = user_line(where);
  values_.push_back(value);
  return t;
}

ir::Graph Trace::finish(std::span<const Tensor> results, Where where) {
  for (const Tensor& t : results) graph_.results.push_back({value(t, "result of the function", where), ""});
  for (const auto& [counter, asked] : counters_) {
    const ir::V before{&at(where), state(counter, where)};
    update(counter, tensor(before + 1.0, where), where);
  }
  for (const Update& u : updates_) {
    const ir::Value leaf = state(u.storage, where);
    graph_.updates.push_back({graph_.state_index(leaf), u.value});
  }
  refuse_placeholders();
  refuse_unbound_symbols(graph_);
  ir::settle_requirements(graph_);
  return std::move(graph_);
}

// A leaf that is no input of the graph stands for what the body of a loop is given.
void Trace::refuse_placeholders() const {
  for (const ir::Node* n : graph_.topological()) {
    if (n->op->name != "input") continue;
    const bool declared =
        std::any_of(graph_.inputs.begin(), graph_.inputs.end(), [&](const auto& i) { return i.value.node == n; });
    if (declared) continue;
    const auto& where = graph_.where(n);
    throw ModelError(where.empty() ? Location{} : where.front(),
                     "a value that was made inside of the body of a loop, a branch or a transform (of its argument '" +
                         n->attrs.get<std::string>("name") + "') is used outside; return it from the body");
  }
}

TrainingScope::TrainingScope(bool on, Where where)
    : trace_(&Trace::required("TrainingScope", where)), before_(trace_->is_training_) {
  trace_->is_training_ = on;
}

LocationScope::LocationScope(Where where) {
  Trace* trace = Trace::current();
  if (!trace || trace->scope_) return;
  trace->scope_ = where;
  trace_ = trace;
}

LocationScope::~LocationScope() {
  if (trace_) trace_->scope_.reset();
}

}  // namespace gcompile
