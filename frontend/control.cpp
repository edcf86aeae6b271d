#include "gcompile/frontend/control.h"

#include <algorithm>

#include "gcompile/frontend/functions.h"
#include "gcompile/ir/op.h"
#include "gcompile/ir/ops/scan.h"

namespace gcompile {
namespace {

Type without_leading(Type t) {
  t.dims.erase(t.dims.begin());
  return t;
}

void require_arity(const Making& making, std::size_t arity, std::size_t given, const char* of) {
  if (arity != given)
    making.fail("the function takes " + std::to_string(arity) + " arguments, it is given " + std::to_string(given) +
                " (" + of + ")");
}

// A scan of a body that was traced: what it is made of.
struct TracedScan {
  const Making& making;
  ir::Closure closure;
  std::vector<ir::Value> carries, sequences;
  bool reverse;

  // Over these sequences, from these carries.
  ir::Value make(ir::Builder& b, std::vector<ir::Value> from, const std::vector<ir::Value>& over,
                 const std::vector<ir::Value>& captured, const Dim& length) const {
    from.insert(from.end(), over.begin(), over.end());
    from.insert(from.end(), captured.begin(), captured.end());
    return ir::make_scan(b, std::move(from), carries.size(), over.size(), length, reverse, closure.body);
  }
};

std::vector<ir::Value> all_results(ir::Value first) {
  std::vector<ir::Value> values;
  for (int r = 0; r < static_cast<int>(first.node->types.size()); ++r) values.push_back({first.node, r});
  return values;
}

ir::V part(ir::Builder& b, ir::Value v, std::int64_t begin, std::int64_t end) {
  std::vector<std::int64_t> starts(v.type().dims.size(), 0), steps(v.type().dims.size(), 1);
  std::vector<Dim> stops = v.type().dims;
  starts[0] = begin;
  stops[0] = Dim(end);
  return {&b, b.make("slice", {v}, {{"starts", starts}, {"stops", stops}, {"steps", steps}})};
}

// The steps in chunks of `every`, a scan of scans, and those that are left: the carries that the gradient keeps are
// those between chunks, and of one chunk at a time those between its steps.
std::vector<ir::Value> in_chunks(const TracedScan& s, std::int64_t steps, std::int64_t every) {
  ir::Builder& b = s.making.builder();
  const std::int64_t chunks = steps / every, left = steps - chunks * every;
  // Chunks come first in the order of the steps: at the end of the sequences when these are gone through backwards.
  const std::int64_t begin = s.reverse ? left : 0;
  std::vector<ir::Value> carries = s.carries, over, stacked;
  if (chunks > 0) {
    auto body = std::make_shared<ir::Graph>("chunk");
    body->bounds = b.graph().bounds;
    ir::Builder inner(*body);
    inner.where = b.where;
    std::vector<ir::Value> from, along, captured;
    for (std::size_t i = 0; i < carries.size(); ++i) from.push_back(inner.input("carry", carries[i].type()));
    for (const ir::Value& v : s.sequences) {
      std::vector<Dim> dims = v.type().dims;
      dims[0] = Dim(every);
      along.push_back(inner.input("chunk", {v.type().dtype, dims}));
      dims.insert(dims.begin(), Dim(chunks));
      over.push_back(ir::reshape(part(b, v, begin, begin + chunks * every), dims));
    }
    for (const ir::Value& v : s.closure.captured) captured.push_back(inner.input("c", v.type()));
    for (const ir::Value& v : all_results(s.make(inner, from, along, captured, Dim(every))))
      body->results.push_back({v, ""});
    std::vector<ir::Value> operands = carries;
    operands.insert(operands.end(), over.begin(), over.end());
    operands.insert(operands.end(), s.closure.captured.begin(), s.closure.captured.end());
    const std::vector<ir::Value> made = all_results(
        ir::make_scan(b, std::move(operands), carries.size(), over.size(), Dim(chunks), s.reverse, std::move(body)));
    for (std::size_t i = 0; i < made.size(); ++i) {
      if (i < carries.size()) {
        carries[i] = made[i];
        continue;
      }
      std::vector<Dim> dims = made[i].type().dims;
      dims.erase(dims.begin());
      dims[0] = Dim(chunks * every);
      stacked.push_back(ir::reshape({&b, made[i]}, dims));
    }
  }
  if (left > 0 || chunks == 0) {
    std::vector<ir::Value> rest;
    const std::int64_t from = s.reverse ? 0 : chunks * every;
    for (const ir::Value& v : s.sequences) rest.push_back(part(b, v, from, from + left));
    const std::vector<ir::Value> made = all_results(s.make(b, carries, rest, s.closure.captured, Dim(left)));
    for (std::size_t i = 0; i < made.size(); ++i) {
      if (i < carries.size()) {
        carries[i] = made[i];
      } else if (ir::Value& all = chunks > 0 ? stacked[i - carries.size()] : stacked.emplace_back(made[i]);
                 chunks > 0) {
        all = b.make("concat", s.reverse ? std::vector<ir::Value>{made[i], all} : std::vector<ir::Value>{all, made[i]},
                     {{"axis", std::int64_t{0}}});
      }
    }
  }
  carries.insert(carries.end(), stacked.begin(), stacked.end());
  return carries;
}

// `mask` is of the leading axis; x where it holds, else y.
Tensor where_leading(const Tensor& mask, const Tensor& x, const Operand& y, Where at) {
  std::vector<Dim> dims(static_cast<std::size_t>(x.rank(at)), Dim(1));
  if (dims.empty()) return where(mask, x, y);
  dims[0] = mask.dim(0, at);
  return where(reshape(mask, dims, at), x, y);
}

// Values that lengths hold have the batch in front.
void require_batch(const Tensor& x, const Tensor& lengths, const char* what, Where at) {
  const Making making("scan", at);
  const Type &t = making.value(x).type(), &l = making.value(lengths).type();
  if (t.rank() == 0 || !(t.dim(0) == l.dim(0)))
    making.fail("with lengths, the leading axis of a " + std::string(what) + " is the batch of " + l.dim(0).str() +
                    ", not " + t.str(),
                {{what, x}, {"lengths", lengths}});
}

// The function with one more sequence, of step numbers, which holds members of the batch whose steps are done.
TensorFunction masked(const TensorFunction& f, const Tensor& lengths, std::size_t carries, Where at) {
  return [=](const std::vector<Tensor>& arguments) {
    std::vector<Tensor> own(arguments.begin(), arguments.end() - 1);
    std::vector<Tensor> made = f(own);
    const LocationScope scope(at);
    const Tensor goes_on = Operand(broadcast_to(arguments.back(), lengths.shape(at), at), at) < Operand(lengths, at);
    for (std::size_t i = 0; i < made.size(); ++i) {
      require_batch(made[i], lengths, i < carries ? "carry" : "stacked value", at);
      made[i] = where_leading(goes_on, made[i], i < carries ? Operand(own[i], at) : Operand(0, at), at);
    }
    return made;
  };
}

Dim steps_of(const Making& making, const std::vector<Tensor>& sequences, const ScanOptions& options) {
  for (const Tensor& t : sequences)
    if (making.value(t).type().rank() == 0)
      making.fail("a sequence is a scalar; a scan goes over the leading axis of its sequences", {{"sequence", t}});
  if (sequences.empty() && !options.length)
    making.fail("there is no sequence and no length, so nothing says how many steps there are");
  const Dim steps = options.length ? *options.length : making.value(sequences[0]).type().dim(0);
  for (std::size_t i = 0; i < sequences.size(); ++i)
    if (!(making.value(sequences[i]).type().dim(0) == steps))
      making.fail("sequence " + std::to_string(i) + " has " + making.value(sequences[i]).type().dim(0).str() +
                      " elements along its leading axis, there are " + steps.str() + " steps",
                  {{"sequence", sequences[i]}});
  return steps;
}

// The carries that a body returned have the types of those it was given.
void check_carries(const Making& making, const ir::Graph& body, const std::vector<Tensor>& carries) {
  if (body.results.size() < carries.size())
    making.fail("the body returns " + std::to_string(body.results.size()) + " values for " +
                std::to_string(carries.size()) + " carries");
  for (std::size_t i = 0; i < carries.size(); ++i) {
    const Type &before = making.value(carries[i]).type(), &after = body.results[i].value.type();
    if (!(before == after))
      making.fail("carry " + std::to_string(i) + " is " + before.str() + " before a step and " + after.str() +
                      " after it; a carry keeps its shape and dtype",
                  {{"carry", carries[i]}});
  }
}

}  // namespace

void check_step(std::size_t carries, std::size_t given, Where where) {
  if (carries != given)
    Making("scan", where)
        .fail("the step returns " + std::to_string(carries) + " carries, it was given " + std::to_string(given));
}

Step scan_function(const TensorFunction& function, std::size_t arity, const std::vector<Tensor>& carries,
                   const std::vector<Tensor>& given_sequences, const ScanOptions& options, Where where) {
  const Making making("scan", where);
  require_arity(making, arity, carries.size() + given_sequences.size(), "carries, then an element of each sequence");
  const Dim steps = steps_of(making, given_sequences, options);
  std::vector<Tensor> sequences = given_sequences;
  TensorFunction f = function;
  if (options.lengths) {
    const std::vector<std::pair<std::string, Tensor>> operands{{"lengths", *options.lengths}};
    const ir::V lengths = index_value(making, *options.lengths, "lengths", operands);
    if (lengths.type().rank() != 1)
      making.fail("lengths are " + lengths.type().str() + "; they must be i32[batch]", operands);
    sequences.push_back(arange(steps, DType::kI32, where));
    f = masked(function, making.tensor(lengths), carries.size(), where);
  }
  std::vector<Placeholder> inside;
  for (const Tensor& t : carries) inside.push_back({"carry", making.value(t).type()});
  for (const Tensor& t : sequences) inside.push_back({"element", without_leading(making.value(t).type())});
  TracedScan scan{making, trace_body(making, "step", inside, f), values_of(making, carries),
                  values_of(making, sequences), options.reverse};
  check_carries(making, *scan.closure.body, carries);
  std::vector<ir::Value> made;
  if (options.checkpoint_every < 0) making.fail("checkpoint_every is " + std::to_string(options.checkpoint_every));
  if (options.checkpoint_every > 0) {
    if (!steps.is_constant()) making.fail("checkpoint_every needs a constant number of steps, not " + steps.str());
    made = in_chunks(scan, steps.constant(), options.checkpoint_every);
  } else {
    made = all_results(scan.make(making.builder(), scan.carries, scan.sequences, scan.closure.captured, steps));
  }
  Step result;
  for (std::size_t i = 0; i < made.size(); ++i)
    (i < carries.size() ? result.carries : result.stacked).push_back(making.tensor(made[i]));
  return result;
}

std::vector<Tensor> while_function(const TensorFunction& condition, const TensorFunction& body,
                                   const std::vector<Tensor>& carries, Where where) {
  const Making making("while_loop", where);
  if (carries.empty()) making.fail("there is no carry; a condition that cannot change holds for ever or never");
  std::vector<Placeholder> inside;
  for (const Tensor& t : carries) inside.push_back({"carry", making.value(t).type()});
  ir::Closure test = trace_body(making, "condition", inside, condition),
              step = trace_body(making, "step", inside, body);
  if (test.body->results.size() != 1 || !(test.body->results[0].value.type() == Type{DType::kBool, {}}))
    making.fail("the condition must be a bool scalar, not " +
                (test.body->results.empty() ? "nothing" : test.body->results[0].value.type().str()));
  check_carries(making, *step.body, carries);
  std::vector<ir::Value> operands = values_of(making, carries);
  const std::vector<ir::Value> captured = share_captures({&test, &step}, carries.size());
  operands.insert(operands.end(), captured.begin(), captured.end());
  return results_of(making, making.builder().make("while", std::move(operands),
                                                  {{"carries", static_cast<std::int64_t>(carries.size())}},
                                                  {test.body, step.body}));
}

std::vector<Tensor> cond_function(const Tensor& condition, const TensorFunction& on_true,
                                  const TensorFunction& on_false, Where where) {
  const Making making("cond", where);
  if (!(making.value(condition).type() == Type{DType::kBool, {}}))
    making.fail("the condition must be a bool scalar, not " + making.value(condition).type().str() +
                    "; for a choice element by element use gc::where",
                {{"condition", condition}});
  ir::Closure yes = trace_body(making, "then", {}, on_true, Invariants::kInside),
              no = trace_body(making, "else", {}, on_false, Invariants::kInside);
  std::vector<ir::Value> operands{making.value(condition)};
  const std::vector<ir::Value> captured = share_captures({&yes, &no}, 0);
  operands.insert(operands.end(), captured.begin(), captured.end());
  return results_of(making, making.builder().make("cond", std::move(operands), {}, {yes.body, no.body}));
}

std::vector<Tensor> checkpoint_function(const TensorFunction& f, const std::vector<Tensor>& arguments, Where where) {
  const Making making("checkpoint", where);
  std::vector<Placeholder> inside;
  for (const Tensor& t : arguments) inside.push_back({"argument", making.value(t).type()});
  const ir::Closure closure = trace_body(making, "checkpoint", inside, f, Invariants::kInside);
  std::vector<ir::Value> operands = values_of(making, arguments);
  operands.insert(operands.end(), closure.captured.begin(), closure.captured.end());
  return results_of(making, making.builder().make("checkpoint", std::move(operands), {}, {closure.body}));
}

std::vector<Tensor> custom_vjp_function(const TensorFunction& f, const TensorFunction& gradient,
                                        const std::vector<Tensor>& arguments, Where where) {
  const Making making("custom_vjp", where);
  std::vector<Placeholder> inside;
  for (const Tensor& t : arguments) inside.push_back({"argument", making.value(t).type()});
  ir::Closure primal = trace_body(making, "custom_vjp", inside, f, Invariants::kInside);
  std::vector<Placeholder> back = inside;
  for (const char* what : {"result", "cotangent"})
    for (const auto& r : primal.body->results) back.push_back({what, r.value.type()});
  ir::Closure rule = trace_body(making, "gradient", back, gradient, Invariants::kInside);
  for (const ir::Closure* c : {&primal, &rule})
    for (const ir::Value& v : c->captured)
      if (is_float(v.type().dtype) && v.node->op->name != "stop_gradient")
        making.fail(
            "the function uses a value from around it, and its gradient speaks of its arguments alone; pass the "
            "value as an argument, or wrap it in stop_gradient()",
            {{"used", making.tensor(v)}});
  // The rule takes the operands of the function, its results, their cotangents: captured values are operands.
  const std::size_t results = primal.body->results.size();
  const std::vector<ir::Graph::Input> all = rule.body->inputs;
  const auto behind_arguments = all.begin() + static_cast<std::ptrdiff_t>(arguments.size());
  const auto own_captures = behind_arguments + static_cast<std::ptrdiff_t>(2 * results);
  std::vector<ir::Graph::Input>& inputs = rule.body->inputs;
  inputs.assign(all.begin(), behind_arguments);
  inputs.insert(inputs.end(), own_captures, all.end());
  const std::vector<ir::Value> captured = share_captures({&primal, &rule}, arguments.size());
  inputs.insert(inputs.end(), behind_arguments, own_captures);
  ir::Builder b(*rule.body);
  b.where = making.builder().where;
  for (const ir::Value& v : captured)
    if (is_float(v.type().dtype)) rule.body->results.push_back({ir::splat(b, v.type(), 0), ""});
  std::vector<ir::Value> operands = values_of(making, arguments);
  operands.insert(operands.end(), captured.begin(), captured.end());
  return results_of(making, making.builder().make("custom_vjp", std::move(operands), {}, {primal.body, rule.body}));
}

}  // namespace gcompile
