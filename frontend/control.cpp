#include "gcompile/frontend/control.h"

#include <algorithm>

#include "gcompile/frontend/functions.h"
#include "gcompile/ir/op.h"
#include "gcompile/ir/ops/scan.h"

namespace gcompile {
namespace {

void require_arity(const Making& making, std::size_t arity, std::size_t given, const std::string& of,
                   const std::string& function = "function") {
  if (arity != given)
    making.fail("the " + function + " takes " + std::to_string(arity) + (arity == 1 ? " argument" : " arguments") +
                ", it is given " + std::to_string(given) + " (" + of + ")");
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

namespace {

// The function takes as many arguments as it will be given.
Step scan_of(const Making& making, const TensorFunction& function, const std::vector<Tensor>& carries,
             const std::vector<Tensor>& given_sequences, const ScanOptions& options, Where where) {
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
  for (const Tensor& t : sequences) inside.push_back({"element", making.value(t).type().without_leading()});
  const ir::Closure step = trace_body(making, "step", inside, f);
  check_carries(making, *step.body, carries);
  const ir::ScanOf scan{values_of(making, carries), values_of(making, sequences), step.captured, step.body,
                        options.reverse};
  std::vector<ir::Value> made;
  if (options.checkpoint_every < 0) making.fail("checkpoint_every is " + std::to_string(options.checkpoint_every));
  if (options.checkpoint_every > 0) {
    if (!steps.is_constant()) making.fail("checkpoint_every needs a constant number of steps, not " + steps.str());
    made = ir::make_chunked_scan(making.builder(), scan, steps.constant(), options.checkpoint_every);
  } else {
    made = ir::make_scan(making.builder(), scan, steps);
  }
  Step result;
  for (std::size_t i = 0; i < made.size(); ++i)
    (i < carries.size() ? result.carries : result.stacked).push_back(making.tensor(made[i]));
  return result;
}

}  // namespace

Step scan_function(const CountedFunction& f, const std::vector<Tensor>& carries, const std::vector<Tensor>& sequences,
                   const ScanOptions& options, Where where) {
  const Making making("scan", where);
  require_arity(making, f.arity, carries.size() + sequences.size(), "carries, then an element of each sequence");
  return scan_of(making, f.call, carries, sequences, options, where);
}

Tensor for_function(const CountedFunction& f, const Dim& count, const Tensor& initial, Where where) {
  const Making making("for_loop", where);
  require_arity(making, f.arity, 2, "the number of the step, then the value");
  if (count.is_constant() && count.constant() < 0) making.fail("the number of steps is " + count.str());
  const auto swapped = [&](const std::vector<Tensor>& a) { return f.call({a[1], a[0]}); };
  const Tensor numbers = arange(count, DType::kI32, where);
  return scan_of(making, swapped, {initial}, {numbers}, {.length = count}, where).carries[0];
}

std::vector<Tensor> while_function(const CountedFunction& condition, const CountedFunction& body,
                                   const std::vector<Tensor>& carries, Where where) {
  const Making making("while_loop", where);
  if (carries.empty()) making.fail("there is no carry; a condition that cannot change holds for ever or never");
  std::vector<Placeholder> inside;
  for (const Tensor& t : carries) inside.push_back({"carry", making.value(t).type()});
  require_arity(making, condition.arity, carries.size(), "the carries", "condition");
  require_arity(making, body.arity, carries.size(), "the carries", "body");
  ir::Closure test = trace_body(making, "condition", inside, condition.call),
              step = trace_body(making, "step", inside, body.call);
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

std::vector<Tensor> custom_vjp_function(const TensorFunction& f, const CountedFunction& gradient,
                                        const std::vector<Tensor>& arguments, Where where) {
  const Making making("custom_vjp", where);
  std::vector<Placeholder> inside;
  for (const Tensor& t : arguments) inside.push_back({"argument", making.value(t).type()});
  ir::Closure primal = trace_body(making, "custom_vjp", inside, f, Invariants::kInside);
  std::vector<Placeholder> back = inside;
  for (const char* what : {"result", "cotangent"})
    for (const auto& r : primal.body->results) back.push_back({what, r.value.type()});
  require_arity(making, gradient.arity, back.size(), "the arguments, the results, the cotangents of the results",
                "gradient");
  ir::Closure rule = trace_body(making, "gradient", back, gradient.call, Invariants::kInside);
  for (const ir::Closure* c : {&primal, &rule})
    for (const ir::Value& v : c->captured)
      if (is_float(v.type().dtype) && !v.node->op->is(ir::kStopsGradient))
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
