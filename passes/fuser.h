// Fuser: makes the fusion nodes of a graph, one after the other, and the graph that has them in place of what they
// hold.
#pragma once

#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "gcompile/ir/graph.h"

namespace gcompile::passes {

using Nodes = std::vector<const ir::Node*>;

class Fuser {
 public:
  explicit Fuser(const ir::Graph& graph) : source_(graph), out_(graph), b_(out_) {}

  // Nodes as a graph of their own, whose inputs stand for values of the source graph.
  struct Body {
    std::shared_ptr<ir::Graph> graph;
    std::vector<ir::Value> inputs;
    std::vector<Location> where;
    Nodes nodes = {};  // of the source graph
  };
  // `nodes` are in order and hold no arguments; other leaves are copied. `outputs` become the results.
  Body body_of(const Nodes& nodes, const std::vector<ir::Value>& outputs) const;
  // Reductions and dots that get the attribute order = "features" in bodies made from now on.
  void keep_order(const ir::Node* sum) { ordered_.insert(sum); }

  // What is said of a fusion besides its body (ir/ops/fusion.cpp).
  struct Form {
    std::string kind;
    std::string reason;
    std::vector<std::int64_t> anchor = {};  // none: no input has one
    int rows = 0;
  };
  // What the body reads of nodes elsewhere was an output of a fusion made before.
  void add(Body body, const std::vector<ir::Value>& outputs, Form form);
  ir::Graph finish();

  // What was added so far.
  struct Made {
    ir::Value fusion;
    Nodes nodes;
    std::vector<ir::Value> outputs;
  };
  std::vector<Made>& made() { return made_; }

 private:
  ir::Value outer(ir::Value v) const;
  ir::Value clone(ir::Builder& b, const ir::Node& n, std::vector<ir::Value> operands) const;

  const ir::Graph& source_;
  ir::Graph out_;
  ir::Builder b_;
  ir::ValueMap<ir::Value> map_;
  std::vector<Made> made_;
  std::unordered_set<const ir::Node*> ordered_;
};

}  // namespace gcompile::passes
