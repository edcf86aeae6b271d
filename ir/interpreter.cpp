#include "gcompile/ir/interpreter.h"

#include <algorithm>

#include "gcompile/base/error.h"
#include "gcompile/ir/bind_symbols.h"
#include "gcompile/ir/op.h"

namespace gcompile::ir {
namespace {

using Dims = std::map<std::string, std::int64_t>;

[[noreturn]] void refuse(const std::string& what, const Type& wanted, const Array& given, const std::string& why) {
  throw CallError(what + " is " + std::string(name(given.dtype())) + given.shape().str() + ", expected " +
                  wanted.str() + ": " + why);
}

void bind_symbols(const std::string& what, const Type& type, const Array& value, Dims& dims) {
  if (value.dtype() != type.dtype) refuse(what, type, value, "the dtypes differ");
  if (value.rank() != type.rank()) refuse(what, type, value, "the ranks differ");
  for (int a = 0; a < type.rank(); ++a)
    if (const auto symbol = type.dim(a).as_symbol()) {
      const auto [it, fresh] = dims.emplace(*symbol, value.shape()[a]);
      if (!fresh && it->second != value.shape()[a])
        refuse(what, type, value, *symbol + " is " + std::to_string(it->second) + " elsewhere");
    }
}

void check_needs(const Graph& graph, const Node& n, const Dims& dims) {
  if (!n.op->needs) return;
  for (const Need& need : n.op->needs(n))
    if (!need.extent.is_constant())
      check_requirements(
          {{need.extent, need.least, std::string(n.op->name) + ": " + need.what, graph.first_location(&n)}}, dims);
}

// Those that are no extent by themselves.
void solve_symbols(const Graph& graph, const std::vector<Array>& inputs, Dims& dims) {
  std::vector<Type> types;
  std::vector<Shape> shapes;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    types.push_back(graph.inputs[i].value.type());
    shapes.push_back(inputs[i].shape());
  }
  ir::bind_symbols(types, shapes, dims);
}

void check(const std::string& what, const Type& type, const Array& value, const Dims& dims) {
  for (int a = 0; a < type.rank(); ++a)
    if (type.dim(a).evaluate(dims) != value.shape()[a])
      refuse(what, type, value, "axis " + std::to_string(a) + " differs");
}

// Runs an elementwise record over all elements: operands of one size, numbers as double or as exact integers.
template <class Number, class Function>
void over_elements(const std::vector<Array>& operands, Array& out, Function f,
                   Number (Array::*element)(std::int64_t) const, void (Array::*store)(std::int64_t, Number)) {
  std::vector<Number> v(operands.size());
  for (std::int64_t i = 0; i < out.size(); ++i) {
    for (std::size_t o = 0; o < operands.size(); ++o) v[o] = (operands[o].*element)(i);
    (out.*store)(i, f(std::span<const Number>(v)));
  }
}

bool any_float(const std::vector<Array>& operands) {
  return std::any_of(operands.begin(), operands.end(), [](const Array& a) { return is_float(a.dtype()); });
}

}  // namespace

std::vector<Array> evaluate(const Node& node, const std::vector<Array>& operands, const Dims& dims) {
  const EvalContext context{node, operands, dims};
  if (node.op->eval) return node.op->eval(context);
  if (!node.op->element) throw InternalError(std::string(node.op->name) + " has no reference semantics");
  Array out = Array::uninitialized(context.dtype(), context.shape());
  if (node.op->integer && !any_float(operands))
    over_elements<std::int64_t>(operands, out, node.op->integer, &Array::at_integer, &Array::set_integer);
  else
    over_elements<double>(operands, out, node.op->element, &Array::at, &Array::set);
  return {out};
}

Evaluation interpret(const Graph& graph, const std::vector<Array>& inputs, const std::vector<Array>& states) {
  return interpret(graph, inputs, states, {});
}

Evaluation interpret(const Graph& graph, const std::vector<Array>& inputs, const std::vector<Array>& given_states,
                     Dims dims) {
  if (inputs.size() != graph.inputs.size())
    throw CallError(graph.name + ": " + std::to_string(inputs.size()) + " inputs, expected " +
                    std::to_string(graph.inputs.size()));
  std::vector<Array> states = given_states;
  if (states.empty())
    for (const auto& s : graph.states) {
      if (!s.storage) throw CallError("state '" + s.name + "' has no value");
      states.push_back(s.storage->value());
    }
  if (states.size() != graph.states.size())
    throw CallError(graph.name + ": " + std::to_string(states.size()) + " states, expected " +
                    std::to_string(graph.states.size()));
  for (std::size_t i = 0; i < states.size(); ++i) {
    const AxisOrder& order = graph.states[i].order;
    if (!order.empty() && states[i].rank() != static_cast<int>(order.size()))
      throw CallError("state '" + graph.states[i].name + "' is " + graph.states[i].logical_type().str() + ", given " +
                      states[i].shape().str());
    states[i] = in_order(states[i], order);
  }
  for (std::size_t i = 0; i < inputs.size(); ++i)
    bind_symbols("input " + graph.inputs[i].name, graph.inputs[i].value.type(), inputs[i], dims);
  for (std::size_t i = 0; i < states.size(); ++i)
    bind_symbols("state " + graph.states[i].name, graph.states[i].value.type(), states[i], dims);
  solve_symbols(graph, inputs, dims);

  check_requirements(graph.requirements, dims);

  ValueMap<Array> values;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    check("input " + graph.inputs[i].name, graph.inputs[i].value.type(), inputs[i], dims);
    values.emplace(graph.inputs[i].value, inputs[i]);
  }
  for (std::size_t i = 0; i < states.size(); ++i) values.emplace(graph.states[i].value, states[i]);
  for (const Node* node : graph.topological()) {
    if (values.count({node, 0})) continue;
    check_needs(graph, *node, dims);
    std::vector<Array> operands;
    for (const Value& v : node->operands) operands.push_back(values.at(v));
    std::vector<Array> results = evaluate(*node, operands, dims);
    for (std::size_t r = 0; r < results.size(); ++r)
      values.emplace(Value{node, static_cast<int>(r)}, std::move(results[r]));
  }

  Evaluation out;
  for (const auto& r : graph.results) out.results.push_back(values.at(r.value));
  out.new_states = std::move(states);
  for (const auto& u : graph.updates) out.new_states[static_cast<std::size_t>(u.state)] = values.at(u.value);
  for (std::size_t i = 0; i < out.new_states.size(); ++i)
    out.new_states[i] = in_order(out.new_states[i], inverse(graph.states[i].order));
  return out;
}

}  // namespace gcompile::ir
