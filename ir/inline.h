// Graphs as functions: the nodes of a body put into another graph, and a piece of a graph made a body of its own.
#pragma once

#include <limits>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gcompile/ir/graph.h"

namespace gcompile::ir {

// The results of `body` for these arguments, one for each of its inputs, as nodes of the builder's graph. The nodes
// carry the locations that they have in the body; those of the builder stay as they are.
std::vector<Value> inline_graph(Builder& b, const Graph& body, std::span<const Value> arguments);

// A piece of a graph as a graph of its own.
struct Closure {
  std::shared_ptr<Graph> body;  // its inputs: the parameters, in order, then one for each captured value
  std::vector<Value> captured;  // of the graph around, which the piece reads
};
// What makes `results` of `parameters` (leaves that stand for what the piece is given; names are those of the body's
// inputs). Of what does not depend on a parameter, constants and views are made inside and everything else is captured,
// so that a loop does not make it again - but for nodes from the id `first_inside` on, which stay inside: a branch that
// is not taken must not be made.
Closure close_over(const Graph& source, std::span<const Value> results,
                   const std::vector<std::pair<std::string, Value>>& parameters, const std::string& name,
                   int first_inside = std::numeric_limits<int>::max());

// The same graph with other bodies in its loops, branches and calls, not in what these hold in turn: for passes that
// work on graphs and know nothing of what is around them.
Graph with_bodies(const Graph& graph, const std::function<Graph(const Graph&)>& change);

}  // namespace gcompile::ir
