#include <algorithm>
#include <set>
#include <unordered_set>

#include "gcompile/base/error.h"
#include "gcompile/ir/check.h"
#include "gcompile/ir/lexer.h"
#include "gcompile/ir/op.h"
#include "gcompile/ir/print.h"

namespace gcompile::ir {
namespace {

using Symbols = std::set<std::string>;

// Found faults are thrown up to find_fault.
struct Found {
  GraphFault fault;
};
[[noreturn]] void fault(const Node* node, const std::string& message) { throw Found{{node, message}}; }

void check_value(Value v, const Node* at, const std::string& what) {
  if (!v.node) fault(at, what + " is empty");
  if (v.index < 0 || static_cast<std::size_t>(v.index) >= v.node->types.size())
    fault(at, what + " is result " + std::to_string(v.index) + " of " + std::string(v.node->op->name) + ", which has " +
                  std::to_string(v.node->types.size()));
}

// Inputs or states: leaves of that op, each once, named alike.
template <class List>
void check_leaves(const List& list, std::string_view op_name, std::unordered_set<const Node*>& declared) {
  std::set<std::string> names;
  for (const auto& leaf : list) {
    const std::string what = std::string(op_name) + " '" + leaf.name + "'";
    check_value(leaf.value, nullptr, what);
    const Node* n = leaf.value.node;
    if (n->op->name != op_name) fault(n, what + " is made by " + std::string(n->op->name));
    if (!names.insert(leaf.name).second || !declared.insert(n).second) fault(n, what + " is declared twice");
  }
}

void check_symbols(const Node& node, const Symbols& known) {
  const auto check = [&](const Dim& d) {
    for (const std::string& s : d.symbols())
      if (!known.count(s))
        fault(&node, "the symbol " + s + " in " + std::string(node.op->name) + " is in no type of an input or a state");
  };
  for (const Type& t : node.types)
    for (const Dim& d : t.dims) check(d);
  for (const auto& [key, value] : node.attrs.entries())
    if (const auto* dims = std::get_if<std::vector<Dim>>(&value))
      for (const Dim& d : *dims) check(d);
}

// The text of a symbol must read back as that symbol.
void check_symbol_names(const Graph& graph, const Symbols& symbols) {
  const auto check = [](const std::string& s) {
    if (!is_identifier(s) || is_dim_function(s) || s == kLaneSymbol)
      fault(nullptr, "'" + s + "' cannot be the name of a symbol");
  };
  for (const std::string& s : symbols) check(s);
  for (const auto& [s, b] : graph.bounds) {
    check(s);
    if (b.min < 0 || b.max < b.min)
      fault(nullptr, "the bounds of " + s + " are " + std::to_string(b.min) + " .. " + std::to_string(b.max));
  }
  for (const Requirement& r : graph.requirements)
    for (const std::string& s : r.extent.symbols())
      if (!symbols.count(s))
        fault(nullptr, "the symbol " + s + " of a requirement is in no type of an input or a state");
}

void check_types(const Node& node) {
  std::vector<Type> operands;
  for (const Value& v : node.operands) operands.push_back(v.type());
  if (node.op->arity >= 0 && operands.size() != static_cast<std::size_t>(node.op->arity))
    fault(&node, std::string(node.op->name) + ": takes " + std::to_string(node.op->arity) + " operands, got " +
                     std::to_string(operands.size()));
  std::vector<Type> inferred;
  std::string refusal;
  try {
    inferred = node.op->infer(InferContext{*node.op, operands, node.attrs, node.bodies});
  } catch (const Error& e) {
    refusal = e.what();
  }
  if (!refusal.empty()) fault(&node, refusal);
  const auto text = [](const std::vector<Type>& types) {
    std::string s;
    for (const Type& t : types) s += (s.empty() ? "" : ", ") + t.str();
    return s;
  };
  if (inferred != node.types)
    fault(&node, "the type of " + std::string(node.op->name) + " is " + text(node.types) + ", inferred again it is " +
                     text(inferred));
}

void check_graph(const Graph& graph, const Symbols* outer);

void check_bodies(const Node& node, const Symbols& known) {
  const std::string op(node.op->name);
  if (node.bodies.size() != static_cast<std::size_t>(node.op->bodies))
    fault(&node,
          op + " has " + std::to_string(node.bodies.size()) + " bodies, it takes " + std::to_string(node.op->bodies));
  for (const auto& body : node.bodies) {
    if (!body) fault(&node, "a body of " + op + " is empty");
    try {
      check_graph(*body, &known);
    } catch (Found& f) {
      if (!f.fault.node) f.fault.node = &node;
      f.fault.message = "in the body of " + op + ": " + f.fault.message;
      throw;
    }
    if (!body->states.empty() || !body->updates.empty()) fault(&node, "the body of " + op + " has states or updates");
  }
}

void check_ends(const Graph& graph) {
  for (const Graph::State& s : graph.states)
    if (!is_axis_order(s.order, s.value.type().rank()))
      fault(s.value.node,
            "state '" + s.name + "' is " + s.value.type().str() + ", which has no" + print_order(s.order));
  for (const Graph::Result& r : graph.results) check_value(r.value, nullptr, "a result");
  std::set<int> updated;
  for (const Graph::Update& u : graph.updates) {
    if (u.state < 0 || static_cast<std::size_t>(u.state) >= graph.states.size())
      fault(nullptr, "an update is of state " + std::to_string(u.state) + " of " + std::to_string(graph.states.size()));
    const Graph::State& state = graph.states[static_cast<std::size_t>(u.state)];
    check_value(u.value, nullptr, "the update of '" + state.name + "'");
    if (!updated.insert(u.state).second) fault(u.value.node, "state '" + state.name + "' is updated twice");
    if (u.value.type() != state.value.type())
      fault(u.value.node,
            "state '" + state.name + "' is " + state.value.type().str() + ", its update is " + u.value.type().str());
  }
}

void check_graph(const Graph& graph, const Symbols* outer) {
  std::unordered_set<const Node*> declared;
  check_leaves(graph.inputs, "input", declared);
  check_leaves(graph.states, "state", declared);
  check_ends(graph);
  const auto names = graph.symbols();
  Symbols known(names.begin(), names.end());
  check_symbol_names(graph, known);
  if (outer) {
    for (const std::string& s : known)
      if (!outer->count(s)) fault(nullptr, "the symbol " + s + " is not one of the graph around it");
    known = *outer;
  }
  for (const Node* node : graph.topological()) {
    for (const Value& v : node->operands) {
      check_value(v, node, "an operand of " + std::string(node->op->name));
      if (v.node->id >= node->id) fault(node, "an operand of " + std::string(node->op->name) + " is made after it");
    }
    const bool leaf = node->op->name == "input" || node->op->name == "state";
    if (leaf && !declared.count(node)) fault(node, std::string(node->op->name) + " is not declared in the graph");
    if (node->op->is(kKernelOnly)) fault(node, std::string(node->op->name) + " is an op for kernels");
    check_bodies(*node, known);  // before types: those of a fusion are read from its body
    check_types(*node);
    check_symbols(*node, known);
  }
}

}  // namespace

std::optional<GraphFault> find_fault(const Graph& graph) {
  try {
    check_graph(graph, nullptr);
  } catch (const Found& f) {
    return f.fault;
  }
  return std::nullopt;
}

void verify(const Graph& graph) {
  const auto found = find_fault(graph);
  if (!found) return;
  const auto& where = graph.where(found->node);
  const Location at = where.empty() ? Location{} : where.front();
  throw InternalError(at, "the graph does not verify: " + found->message + "\n" + print(graph));
}

}  // namespace gcompile::ir
