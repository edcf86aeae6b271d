#include "gcompile/codegen/check/call.h"

#include <set>

#include "gcompile/base/error.h"
#include "gcompile/codegen/check/error_bounds.h"
#include "gcompile/codegen/check/sample.h"
#include "gcompile/codegen/compile.h"
#include "gcompile/ir/interpreter.h"
#include "gcompile/passes/region_memory.h"

namespace gcompile::codegen {
namespace {

std::vector<Array> state_values(const ir::Graph& graph, const Call& call) {
  std::vector<Array> values;
  for (const auto& s : graph.states) values.push_back(call.states.at(s.name));
  return values;
}

}  // namespace

Call sample_call(const ir::Graph& graph, const DimValues& dims, std::uint64_t seed) {
  Call call;
  call.dims = dims;
  for (const auto& i : graph.inputs) call.inputs.push_back(sample(i.value.type(), dims, seed, i.name));
  for (const auto& s : graph.states)
    call.states[s.name] = s.storage ? s.storage->value() : sample(s.logical_type(), dims, seed, s.name);
  return call;
}

Outcome interpret(const ir::Graph& graph, const Call& call) {
  ir::Evaluation evaluation = ir::interpret(graph, call.inputs, state_values(graph, call), call.dims);
  Outcome out;
  out.results = std::move(evaluation.results);
  for (const auto& u : graph.updates) {
    const auto state = static_cast<std::size_t>(u.state);
    out.states[graph.states[state].name] = evaluation.new_states[state];
  }
  return out;
}

BoundedOutcome interpret_with_bounds(const ir::Graph& graph, const Call& call) {
  const auto values = evaluate_with_bounds(graph, call.inputs, state_values(graph, call), call.dims);
  BoundedOutcome out;
  for (const auto& r : graph.results) {
    out.values.results.push_back(values.at(r.value).value);
    out.errors.results.push_back(values.at(r.value).error);
  }
  for (const auto& u : graph.updates) {
    const auto& [value, name, storage, trainable, order] = graph.states[static_cast<std::size_t>(u.state)];
    out.values.states[name] = in_order(values.at(u.value).value, inverse(order));
    out.errors.states[name] = in_order(values.at(u.value).error, inverse(order));
  }
  return out;
}

Compiled::Compiled(ir::Program program, const Target& target, int threads, bool quick) {
  for (ir::Buffer& b : program.module.buffers)
    if (b.role == ir::BufferRole::kState) {
      if (!b.type.is_static()) throw Error("state '" + b.name + "' is " + b.type.str() + ", not of constant extents");
      b.storage = states_[b.name] =
          std::make_shared<StateStorage>(b.name, Array(b.type.dtype, b.logical_type().shape()), b.trainable);
    }
  runtime::NativeCode code = jit(program, target, {.threads = threads, .quick = quick});
  executable_ = std::make_unique<runtime::Executable>(std::move(program), std::move(code));
  executable_->set_threads(threads);
}

Outcome Compiled::run(const Call& call) {
  for (const auto& [name, storage] : states_) storage->assign(call.states.at(name));
  std::vector<const Array*> arguments;
  for (const Array& a : call.inputs) arguments.push_back(&a);
  Outcome out;
  out.results.resize(executable_->result_count());
  executable_->run(arguments, out.results);
  std::set<std::string> updated;
  for (const auto& u : program().module.updates) updated.insert(u.state);
  for (const auto& [name, storage] : states_) {
    if (updated.count(name))
      out.states[name] = storage->value();
    else if (!same_bits(storage->value(), call.states.at(name)))
      throw InternalError("state '" + name + "' has no update but changed in a call");
  }
  return out;
}

ir::Program without_sharing(ir::Program program) {
  const passes::RegionMemory regions(program.module);
  program.slots.clear();
  program.copies.clear();
  for (std::size_t i = 0; i < program.module.buffers.size(); ++i) {
    ir::Buffer& b = program.module.buffers[i];
    if (b.role != ir::BufferRole::kTemp || regions.is_borrowed(static_cast<int>(i))) continue;
    b.alias = -1;
    program.placements[i].slot = static_cast<int>(program.slots.size());
    const Dim bytes =
        regions.is_double(static_cast<int>(i)) ? ir::aligned_bytes(b.type) * Dim(2) : ir::aligned_bytes(b.type);
    program.slots.push_back({{bytes}, b.per_worker});
  }
  for (const auto& u : program.module.updates)
    program.copies.push_back({program.module.find_buffer(u.state), program.module.find_buffer(u.value)});
  return program;
}

}  // namespace gcompile::codegen
