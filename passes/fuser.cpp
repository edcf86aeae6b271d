#include "gcompile/passes/fuser.h"

#include <algorithm>

#include "gcompile/ir/op.h"

namespace gcompile::passes {

using ir::Graph;
using ir::Node;
using ir::Value;

Fuser::Body Fuser::body_of(const Nodes& nodes, const std::vector<Value>& outputs) const {
  Body body{std::make_shared<Graph>("fusion"), {}, {}, {}};
  body.graph->bounds = source_.bounds;
  ir::Builder inner(*body.graph);
  ir::ValueMap<Value> map;
  const auto inside = [&](Value v) {
    if (const auto it = map.find(v); it != map.end()) return it->second;
    if (v.node->op->is(ir::kLeaf) && !ir::is_argument(*v.node)) return map[v] = clone(inner, *v.node, {});
    inner.where = source_.where(v.node);
    const std::string name = ir::is_argument(*v.node) ? v.node->attrs.get<std::string>("name") : "t";
    body.inputs.push_back(v);
    return map[v] = inner.input(name, v.type());
  };
  for (const Node* n : nodes) {
    std::vector<Value> args;
    for (const Value& v : n->operands) args.push_back(inside(v));
    map[{n, 0}] = clone(inner, *n, std::move(args));
    for (const Location& l : source_.where(n))
      if (std::find(body.where.begin(), body.where.end(), l) == body.where.end()) body.where.push_back(l);
  }
  for (const Value& v : outputs) body.graph->results.push_back({map.at(v), ""});
  body.nodes = nodes;
  return body;
}

void Fuser::add(Body body, const std::vector<Value>& outputs, Form form) {
  std::vector<Value> operands;
  for (const Value& v : body.inputs) operands.push_back(outer(v));
  if (form.anchor.empty()) form.anchor.assign(operands.size(), -1);
  b_.where = std::move(body.where);
  ir::Attrs attrs{{"kind", form.kind}, {"anchor", form.anchor}, {"reason", form.reason}};
  if (form.rows > 0) attrs.set("rows", std::int64_t{form.rows});
  const Value fusion = b_.make("fusion", operands, std::move(attrs), {body.graph});
  made_.push_back({fusion, std::move(body.nodes), outputs});
  for (std::size_t i = 0; i < outputs.size(); ++i) map_[outputs[i]] = {fusion.node, static_cast<int>(i)};
}

Graph Fuser::finish() {
  for (auto& r : out_.results) r.value = outer(r.value);
  for (auto& u : out_.updates) u.value = outer(u.value);
  return std::move(out_);
}

Value Fuser::outer(Value v) const {
  const auto it = map_.find(v);
  return it == map_.end() ? v : it->second;
}

Value Fuser::clone(ir::Builder& b, const Node& n, std::vector<Value> operands) const {
  b.where = source_.where(&n);
  ir::Attrs attrs = n.attrs;
  if (ordered_.count(&n)) attrs.set("order", std::string("features"));
  return b.make(*n.op, std::move(operands), std::move(attrs), n.bodies);
}

}  // namespace gcompile::passes
