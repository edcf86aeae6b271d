#include "gcompile/frontend/bodies.h"

#include <algorithm>

namespace gcompile {

std::vector<ir::Value> make_placeholders(const Making& making, const std::vector<Placeholder>& list) {
  // Leaves of the trace's arena, which are no inputs of its graph.
  ir::Graph scratch;
  scratch.arena = making.trace().graph().arena;
  ir::Builder b(scratch);
  std::vector<ir::Value> leaves;
  for (const Placeholder& p : list) {
    leaves.push_back(b.input(p.name, p.type));
    making.builder().graph().add_locations(leaves.back().node, making.builder().where);
  }
  return leaves;
}

ir::Closure trace_body(const Making& making, const std::string& name, const std::vector<Placeholder>& list,
                       const TensorFunction& f, Invariants invariants) {
  const std::vector<ir::Value> leaves = make_placeholders(making, list);
  std::vector<Tensor> arguments;
  for (const ir::Value& v : leaves) arguments.push_back(making.tensor(v));
  const std::size_t updates = making.trace().update_count();
  const auto first = static_cast<int>(making.trace().graph().arena->size());
  const std::vector<Location> where = making.builder().where;  // the loop's or branch's own line, no line of its body
  const std::vector<Tensor> results = f(arguments);
  making.builder().where = where;
  if (making.trace().update_count() != updates)
    making.fail("a state is set in the body; a state is set once in a call, after every read, so carry the value and "
                "set the state to the result");
  const std::vector<ir::Value> values = values_of(making, results);
  std::vector<std::pair<std::string, ir::Value>> parameters;
  for (std::size_t i = 0; i < list.size(); ++i) parameters.emplace_back(list[i].name, leaves[i]);
  return invariants == Invariants::kInside ? ir::close_over(making.trace().graph(), values, parameters, name, first)
                                           : ir::close_over(making.trace().graph(), values, parameters, name);
}

std::vector<ir::Value> share_captures(std::vector<ir::Closure*> closures, std::size_t own) {
  std::vector<ir::Value> all;
  for (const ir::Closure* c : closures)
    for (const ir::Value& v : c->captured)
      if (std::find(all.begin(), all.end(), v) == all.end()) all.push_back(v);
  for (ir::Closure* c : closures) {
    ir::Builder b(*c->body);
    std::vector<ir::Graph::Input> inputs(c->body->inputs.begin(),
                                         c->body->inputs.begin() + static_cast<std::ptrdiff_t>(own));
    for (const ir::Value& v : all) {
      const auto it = std::find(c->captured.begin(), c->captured.end(), v);
      if (it == c->captured.end()) {
        b.input("unused", v.type());
        inputs.push_back(c->body->inputs.back());
      } else {
        inputs.push_back(c->body->inputs[own + static_cast<std::size_t>(it - c->captured.begin())]);
      }
    }
    c->body->inputs = std::move(inputs);
    c->captured = all;
  }
  return all;
}

std::vector<ir::Value> values_of(const Making& making, const std::vector<Tensor>& tensors) {
  std::vector<ir::Value> values;
  for (const Tensor& t : tensors) values.push_back(making.value(t));
  return values;
}

std::vector<Tensor> results_of(const Making& making, ir::Value first) {
  std::vector<Tensor> results;
  for (int r = 0; r < static_cast<int>(first.node->types.size()); ++r)
    results.push_back(making.tensor({first.node, r}));
  return results;
}

}  // namespace gcompile
