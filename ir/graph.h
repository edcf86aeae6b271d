// Graph: pure, immutable tensor SSA. Nodes live in an arena that the graphs derived from one another share; a pass is a
// function Graph -> Graph, and what it did not change is the same node. A graph has inputs, states (leaves with storage
// that outlives it), results and updates. Updates are parallel assignments: every read of a state in the graph sees the
// value from before all updates.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "gcompile/base/axis_order.h"
#include "gcompile/base/location.h"
#include "gcompile/base/state.h"
#include "gcompile/ir/attr.h"
#include "gcompile/ir/requirement.h"
#include "gcompile/ir/type.h"

namespace gcompile::ir {

struct OpDef;
struct Node;
class Graph;

// One result of a node. Values are compared by identity.
struct Value {
  const Node* node = nullptr;
  int index = 0;

  explicit operator bool() const { return node != nullptr; }
  const Type& type() const;
  friend bool operator==(const Value&, const Value&) = default;
};

struct ValueHash {
  std::size_t operator()(const Value& v) const {
    return std::hash<const void*>{}(v.node) * 31 + static_cast<std::size_t>(v.index);
  }
};
template <class T>
using ValueMap = std::unordered_map<Value, T, ValueHash>;

// Graphs that a node holds: the body of a fusion or of a loop, the branches of a condition. What they read comes in by
// their inputs; they have neither states nor updates.
using Bodies = std::vector<std::shared_ptr<const Graph>>;

struct Node {
  int id;  // position in the arena: operands have smaller ids than their users
  const OpDef* op;
  std::vector<Value> operands;
  Attrs attrs;
  std::vector<Type> types;  // one per result
  Bodies bodies = {};       // as many as the op says

  Value result(int i = 0) const { return {this, i}; }
  const Graph& body(std::size_t i = 0) const { return *bodies.at(i); }
};

inline const Type& Value::type() const { return node->types[static_cast<std::size_t>(index)]; }

// Owns nodes; their addresses never change.
class Arena {
 public:
  const Node* add(Node node) {
    node.id = static_cast<int>(nodes_.size());
    return &nodes_.emplace_back(std::move(node));
  }
  std::size_t size() const { return nodes_.size(); }

 private:
  std::deque<Node> nodes_;
};

// Values that a symbol of the graph may take.
struct DimBounds {
  std::int64_t min = 0;
  std::int64_t max = std::int64_t{1} << 31;
  friend bool operator==(const DimBounds&, const DimBounds&) = default;
};

class Graph {
 public:
  struct Input {
    Value value;  // an `input` node
    std::string name;
  };
  struct State {
    Value value;  // a `state` node
    std::string name;
    std::shared_ptr<StateStorage> storage;  // null in parsed text: the tool then makes one, filled from the name
    bool trainable = true;
    AxisOrder order = {};  // in which the storage's axes are those of the value (layout)

    // Of the storage; the value's axes are in the order.
    Type logical_type() const { return {value.type().dtype, in_order(value.type().dims, inverse(order))}; }
  };
  struct Result {
    Value value;
    std::string name;  // may be empty
  };
  struct Update {
    int state;  // index into states
    Value value;
  };

  explicit Graph(std::string graph_name = "main") : name(std::move(graph_name)), arena(std::make_shared<Arena>()) {}

  std::string name;
  std::shared_ptr<Arena> arena;
  std::vector<Input> inputs;
  std::vector<State> states;
  std::vector<Result> results;
  std::vector<Update> updates;
  std::map<std::string, DimBounds> bounds;  // of symbols; a symbol that is missing has the default bounds
  std::vector<Requirement> requirements;    // what a call must satisfy beside
  std::unordered_map<const Node*, std::vector<Location>> locations;
  std::vector<std::string> reasons;           // what passes decided about the whole graph, for --explain
  std::vector<std::pair<int, int>> backward;  // ids [begin, end) of the nodes that each run of gradient() made

  // The locations of a node; empty when there are none.
  const std::vector<Location>& where(const Node* node) const;
  // The first of them, which errors name; an unknown one when there are none.
  Location first_location(const Node* node) const;
  // Unites the locations of two nodes, when one replaces the other or both went into a third.
  void add_locations(const Node* to, const std::vector<Location>& from);
  // Made by gradient(). Known of the graph that was traced: nodes that passes make in their place are not marked.
  bool is_backward(const Node* node) const;
  // Index into states of the leaf; -1 when the value is no state of this graph.
  int state_index(Value v) const;
  int find_state(std::string_view state_name) const;

  // All nodes that results and updates depend on, and all inputs and states, operands before users, in a deterministic
  // order (ids ascend). Does not recurse, so the depth of the graph does not matter.
  std::vector<const Node*> topological() const;
  // The symbols that occur in the types of inputs and states, sorted.
  std::vector<std::string> symbols() const;
};

// Makes nodes in a graph. Each node gets the types its op infers and the builder's current locations.
class Builder {
 public:
  explicit Builder(Graph& graph) : graph_(&graph) {}
  Graph& graph() { return *graph_; }

  // Locations given to the nodes made from now on.
  std::vector<Location> where;

  // Throws ModelError (with the first location) when the op refuses these operands.
  Value make(const OpDef& op, std::vector<Value> operands, Attrs attrs = {}, Bodies bodies = {});
  Value make(std::string_view op, std::vector<Value> operands, Attrs attrs = {}, Bodies bodies = {});

  // Leaves. Names of inputs and states must be unique in the graph; a clash gets a suffix "_2", "_3", ...
  Value input(std::string name, Type type);
  Value state(std::string name, Type type, std::shared_ptr<StateStorage> storage, bool trainable = true);
  Value constant(Array value);              // as it is
  Value scalar(DType dtype, double value);  // a constant f32[] ...

 private:
  Graph* graph_;
};

// Rebuilds a graph node by node: the frame of most passes. `replace(node, operands, builder)` returns the values that
// stand for the node's results, or nothing to keep the node (rebuilt only if an operand changed). The new graph shares
// the arena; locations of a replaced node go to all nodes that replace it.
using Replacement = std::vector<Value>;
Graph rewrite(const Graph& graph,
              const std::function<std::optional<Replacement>(const Node&, const std::vector<Value>& operands,
                                                             Builder&)>& replace);

}  // namespace gcompile::ir
