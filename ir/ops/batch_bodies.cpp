#include "gcompile/ir/ops/batch_bodies.h"

#include <algorithm>
#include <unordered_set>

#include "gcompile/ir/inline.h"
#include "gcompile/ir/ops/batch.h"
#include "gcompile/ir/ops/guard.h"
#include "gcompile/ir/ops/scan.h"

namespace gcompile::ir {
namespace {

using Flags = std::vector<bool>;

// Which results of a body depend on the inputs that are batched.
Flags dependent_results(const Graph& body, const Flags& inputs) {
  std::unordered_set<const Node*> depends;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (inputs[i]) depends.insert(body.inputs[i].value.node);
  for (const Node* n : body.topological())
    if (std::any_of(n->operands.begin(), n->operands.end(), [&](Value v) { return depends.count(v.node) > 0; }))
      depends.insert(n);
  Flags results;
  for (const auto& r : body.results) results.push_back(depends.count(r.value.node) > 0);
  return results;
}

// The body with a leading axis at the inputs that are batched, and at these results.
std::shared_ptr<const Graph> batched_body(const BatchContext& c, const Graph& body, const Flags& inputs,
                                          const Flags& results) {
  auto made = std::make_shared<Graph>(body.name);
  made->bounds = c.b.graph().bounds;
  Builder b(*made);
  Graph scratch;  // whose inputs stand for one member
  scratch.arena = made->arena;
  Builder members(scratch);
  std::vector<Value> given;
  std::vector<std::pair<Value, Value>> leaves;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Graph::Input& input = body.inputs[i];
    b.where = body.where(input.value.node);
    if (!inputs[i]) {
      given.push_back(b.input(input.name, input.value.type()));
      continue;
    }
    given.push_back(members.input(input.name, input.value.type()));
    leaves.emplace_back(given.back(), b.input(input.name, input.value.type().with_leading(c.size)));
  }
  const std::vector<Value> one = inline_graph(b, body, given);
  std::vector<Value> chosen;
  for (std::size_t i = 0; i < one.size(); ++i)
    if (results[i]) chosen.push_back(one[i]);
  const std::vector<Value> all = c.batch(b, chosen, leaves, c.size);
  std::size_t next = 0;
  for (std::size_t i = 0; i < one.size(); ++i) made->results.push_back({results[i] ? all[next++] : one[i], ""});
  return made;
}

Flags flags_of(const BatchContext& c) { return {c.batched.begin(), c.batched.end()}; }

// Marks carries whose next value depends on a batched input, until no more do.
void spread(const Graph& body, std::size_t carries, Flags& inputs) {
  for (bool more = true; more;) {
    more = false;
    const Flags results = dependent_results(body, inputs);
    for (std::size_t i = 0; i < carries; ++i)
      if (results[i] && !inputs[i]) inputs[i] = more = true;
  }
}

// A result with the leading axis, which it may have.
Value with_axis(BatchContext& c, Value v, bool has) {
  return has ? v : BatchContext{c.b, *v.node, {&v, 1}, {&has, 1}, c.size, c.batch}.operand(0);
}

V exchanged(V x) {
  Ints permutation{1, 0};
  for (int a = 2; a < x.type().rank(); ++a) permutation.push_back(a);
  return transpose(x, permutation);
}

// The condition of a choice between values of a type.
V as_condition(V condition, const Type& t) {
  Ints axes;
  for (int a = 0; a < condition.type().rank(); ++a) axes.push_back(a);
  return t.dims == condition.type().dims ? condition : broadcast(condition, t.dims, axes);
}

// A branch for all members, of which `chosen` take it.
std::vector<Value> branch_for_all(BatchContext& c, const std::shared_ptr<const Graph>& branch, V chosen) {
  std::vector<Value> given(c.operands.begin() + 1, c.operands.end());
  Flags inputs(c.batched.begin() + 1, c.batched.end());
  const Flags every(branch->results.size(), true);
  if (!has_while(*branch)) return inline_graph(c.b, *batched_body(c, *branch, inputs, every), given);
  const std::shared_ptr<const Graph> guard = guarded(*branch, inputs.size());
  given.push_back(chosen);
  inputs.push_back(true);
  return inline_graph(c.b, *batched_body(c, *guard, inputs, every), given);
}

// The step of a while loop in which loops go on only for members that take the step.
std::shared_ptr<const Graph> step_of_goers(const Node& loop) {
  const Graph& step = loop.body(1);
  auto made = std::make_shared<Graph>(step.name);
  made->bounds = step.bounds;
  Builder b(*made);
  std::vector<Value> given;
  for (const Graph::Input& i : step.inputs) {
    b.where = step.where(i.value.node);
    given.push_back(b.input(i.name, i.value.type()));
  }
  const Value goes_on = inline_graph(b, loop.body(0), given)[0];
  const std::shared_ptr<const Graph> guard = guarded(step, given.size());
  given.push_back(goes_on);
  for (const Value& v : inline_graph(b, *guard, given)) made->results.push_back({v, ""});
  return made;
}

}  // namespace

std::vector<Value> batch_scan(BatchContext& c) {
  const ScanParts s(c.node);
  Flags inputs = flags_of(c);
  spread(s.body(), s.carries, inputs);
  Flags results = dependent_results(s.body(), inputs);
  for (std::size_t i = 0; i < s.carries; ++i) results[i] = inputs[i];
  std::vector<Value> operands;
  for (std::size_t i = 0; i < c.operands.size(); ++i) {
    Value v = inputs[i] ? c.operand(static_cast<int>(i)) : c.operands[i];
    if (s.is_sequence(i) && inputs[i]) v = exchanged({&c.b, v});  // steps lead
    operands.push_back(v);
  }
  const Value made = make_scan(c.b, std::move(operands), s.carries, s.sequences, s.length, s.reverse,
                               batched_body(c, s.body(), inputs, results));
  std::vector<Value> out;
  for (std::size_t r = 0; r < results.size(); ++r) {
    Value v{made.node, static_cast<int>(r)};
    if (r >= s.carries && results[r]) v = exchanged({&c.b, v});
    out.push_back(with_axis(c, v, results[r]));
  }
  return out;
}

std::vector<Value> batch_cond(BatchContext& c) {
  const Flags all = flags_of(c);
  const Flags inputs(all.begin() + 1, all.end());
  const std::size_t count = c.node.types.size();
  if (all[0]) {
    const V condition{&c.b, c.operands[0]};
    const std::vector<Value> yes = branch_for_all(c, c.node.bodies[0], condition),
                             no = branch_for_all(c, c.node.bodies[1], unary("not", condition));
    std::vector<Value> out;
    for (std::size_t r = 0; r < count; ++r)
      out.push_back(select(as_condition(condition, yes[r].type()), {&c.b, yes[r]}, {&c.b, no[r]}));
    return out;
  }
  Flags results = dependent_results(c.node.body(0), inputs);
  const Flags others = dependent_results(c.node.body(1), inputs);
  for (std::size_t r = 0; r < count; ++r) results[r] = results[r] || others[r];
  const Value made =
      c.b.make("cond", {c.operands.begin(), c.operands.end()}, {},
               {batched_body(c, c.node.body(0), inputs, results), batched_body(c, c.node.body(1), inputs, results)});
  std::vector<Value> out;
  for (std::size_t r = 0; r < count; ++r) out.push_back(with_axis(c, {made.node, static_cast<int>(r)}, results[r]));
  return out;
}

std::vector<Value> batch_while(BatchContext& c) {
  const auto carries = static_cast<std::size_t>(c.node.attrs.get<std::int64_t>("carries"));
  Flags inputs = flags_of(c);
  spread(c.node.body(1), carries, inputs);
  const bool differs = dependent_results(c.node.body(0), inputs)[0];
  if (differs) std::fill(inputs.begin(), inputs.begin() + static_cast<std::ptrdiff_t>(carries), true);
  const Flags results(inputs.begin(), inputs.begin() + static_cast<std::ptrdiff_t>(carries));
  std::shared_ptr<const Graph> test = batched_body(c, c.node.body(0), inputs, {differs}),
                               own = differs && has_while(c.node.body(1)) ? step_of_goers(c.node) : c.node.bodies[1],
                               step = batched_body(c, *own, inputs, results);
  if (differs) {
    // As long as any goes on; who does not keeps its carries.
    auto any = std::make_shared<Graph>(*test);
    Builder b(*any);
    b.where = c.b.where;
    const V goes_on = cast({&b, any->results[0].value}, DType::kI32);
    any->results[0].value = compare("ne", reduce("reduce_sum", goes_on, {0}), {&b, b.scalar(DType::kI32, 0)});
    auto held = std::make_shared<Graph>(*step);
    Builder h(*held);
    h.where = c.b.where;
    std::vector<Value> given;
    for (const auto& i : held->inputs) given.push_back(i.value);
    const V mine{&h, inline_graph(h, *test, given)[0]};
    for (std::size_t i = 0; i < carries; ++i) {
      Value& next = held->results[i].value;
      next = select(as_condition(mine, next.type()), {&h, next}, {&h, given[i]});
    }
    test = any;
    step = held;
  }
  std::vector<Value> operands;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    operands.push_back(inputs[i] ? c.operand(static_cast<int>(i)) : c.operands[i]);
  const Value made = c.b.make("while", std::move(operands), c.node.attrs, {test, step});
  std::vector<Value> out;
  for (std::size_t r = 0; r < carries; ++r) out.push_back(with_axis(c, {made.node, static_cast<int>(r)}, results[r]));
  return out;
}

std::vector<Value> batch_call(BatchContext& c) {
  std::vector<Value> operands;
  for (std::size_t i = 0; i < c.operands.size(); ++i) operands.push_back(c.operand(static_cast<int>(i)));
  Bodies bodies;
  for (const auto& body : c.node.bodies)
    bodies.push_back(batched_body(c, *body, Flags(body->inputs.size(), true), Flags(body->results.size(), true)));
  const Value made = c.b.make(*c.node.op, std::move(operands), c.node.attrs, std::move(bodies));
  std::vector<Value> out;
  for (int r = 0; r < static_cast<int>(c.node.types.size()); ++r) out.push_back({made.node, r});
  return out;
}

}  // namespace gcompile::ir
