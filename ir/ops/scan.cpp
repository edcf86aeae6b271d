// scan: a body run once for each element of the leading axes of its sequences, which hands carries on from step to
// step. Its gradient is a scan over the same steps the other way round: the carries that came into each step are saved,
// and the step is computed again from them.
#include "gcompile/ir/ops/scan.h"

#include "gcompile/ir/control.h"
#include "gcompile/ir/inline.h"
#include "gcompile/ir/interpreter.h"
#include "gcompile/ir/ops/batch_bodies.h"
#include "gcompile/ir/ops/bodies.h"
#include "gcompile/ir/ops/eval.h"
#include "gcompile/ir/ops/families.h"
#include "gcompile/ir/ops/rules.h"

namespace gcompile::ir {
namespace {

std::size_t count_attribute(const InferContext& c, std::string_view key) {
  const std::int64_t n = attribute<std::int64_t>(c, key);
  if (n < 0 || static_cast<std::size_t>(n) > c.operands.size())
    c.fail("attribute '" + std::string(key) + "' is " + std::to_string(n) + " of " + std::to_string(c.operands.size()) +
           " operands");
  return static_cast<std::size_t>(n);
}

std::vector<Type> infer_scan(const InferContext& c) {
  only_attributes(c, {"carries", "sequences", "length", "reverse"});
  const std::size_t carries = count_attribute(c, "carries"), sequences = count_attribute(c, "sequences");
  attribute<bool>(c, "reverse");
  const Dims& length = attribute<Dims>(c, "length");
  if (length.size() != 1) c.fail("attribute 'length' is one extent");
  check_dims(c, length);
  if (carries + sequences > c.operands.size())
    c.fail(std::to_string(carries) + " carries and " + std::to_string(sequences) + " sequences of " +
           std::to_string(c.operands.size()) + " operands");
  std::vector<Type> given;
  for (std::size_t i = 0; i < c.operands.size(); ++i) {
    const Type& t = c.operands[i];
    const bool is_sequence = i >= carries && i < carries + sequences;
    if (is_sequence && (t.rank() == 0 || !(t.dim(0) == length[0])))
      c.fail("sequence " + std::to_string(i - carries) + " is " + t.str() + "; its leading axis must be the " +
             length[0].str() + " steps");
    given.push_back(is_sequence ? t.without_leading() : t);
  }
  const Graph& body = body_for(c, 0, given);
  if (body.results.size() < carries)
    c.fail("the body returns " + std::to_string(body.results.size()) + " values for " + std::to_string(carries) +
           " carries");
  std::vector<Type> types;
  for (std::size_t i = 0; i < body.results.size(); ++i) {
    const Type& t = body.results[i].value.type();
    if (i < carries && !(t == c.operands[i]))
      c.fail("carry " + std::to_string(i) + " is " + c.operands[i].str() + " before a step and " + t.str() +
             " after it; a carry keeps its type");
    types.push_back(i < carries ? t : t.with_leading(length[0]));
  }
  return types;
}

std::vector<Array> eval_scan(const EvalContext& c) {
  const ScanParts s(c.node);
  const std::int64_t steps = s.length.evaluate(c.dims);
  std::vector<Array> carried(c.operands.begin(), c.operands.begin() + static_cast<std::ptrdiff_t>(s.carries));
  std::vector<Array> stacked;
  for (std::size_t i = 0; i < s.stacked; ++i) {
    const int r = static_cast<int>(s.carries + i);
    stacked.push_back(Array::uninitialized(c.dtype(r), c.shape(r)));
  }
  for (std::int64_t step = 0; step < steps; ++step) {
    const std::int64_t t = s.reverse ? steps - 1 - step : step;
    std::vector<Array> given;
    for (std::size_t i = 0; i < c.operands.size(); ++i)
      given.push_back(s.is_carry(i)      ? carried[i]
                      : s.is_sequence(i) ? leading_element(c.operands[i], t)
                                         : c.operands[i]);
    std::vector<Array> made = interpret(s.body(), given, {}, c.dims).results;
    for (std::size_t i = 0; i < s.carries; ++i) carried[i] = std::move(made[i]);
    for (std::size_t i = 0; i < s.stacked; ++i) set_leading_element(stacked[i], t, made[s.carries + i]);
  }
  carried.insert(carried.end(), stacked.begin(), stacked.end());
  return carried;
}

// ---- gradient

// The same scan, which also returns what carries came into each step.
Value saving_scan(VjpContext& c, const ScanParts& s) {
  auto body = std::make_shared<Graph>(s.body());
  for (std::size_t i = 0; i < s.carries; ++i) body->results.push_back({body->inputs[i].value, ""});
  return make_scan(c.b, c.node.operands, s.carries, s.sequences, s.length, s.reverse, std::move(body));
}

// The scan of the gradient while it is put together: operands beside the inputs of its body, in order.
struct BackwardScan {
  explicit BackwardScan(VjpContext& context, const ScanParts& s) : c(context), parts(s), b(*body) {
    body->bounds = c.b.graph().bounds;
    b.where = c.b.where;
  }

  VjpContext& c;
  const ScanParts& parts;
  std::shared_ptr<Graph> body = std::make_shared<Graph>("backward");
  Builder b;
  std::vector<Value> operands = {};

  Value add(const std::string& name, Value operand, const Type& inside) {
    operands.push_back(operand);
    return b.input(name, inside);
  }
};

Values scan_rule(VjpContext& c) {
  const ScanParts s(c.node);
  const Graph& forward = s.body();
  const Value saved = saving_scan(c, s);
  BackwardScan back(c, s);
  const auto float_type = [](const Type& t) { return is_float(t.dtype); };

  // Carries of the gradient: cotangents of the carries, then sums of those of the invariants.
  std::vector<Value> carry_cotangents(s.carries), sums(c.node.operands.size());
  for (std::size_t i = 0; i < s.carries; ++i) {
    const Type& t = c.node.operands[i].type();
    if (!float_type(t)) continue;
    const Value last = c.cotangent(static_cast<int>(i));
    carry_cotangents[i] = back.add("d" + forward.inputs[i].name, last ? last : splat(c.b, t, 0), t);
  }
  for (std::size_t i = s.carries + s.sequences; i < c.node.operands.size(); ++i) {
    const Type& t = c.node.operands[i].type();
    if (c.wants(i)) sums[i] = back.add("d" + forward.inputs[i].name, splat(c.b, t, 0), t);
  }
  const std::size_t carries = back.operands.size();

  // Its sequences: the saved carries, the sequences, the cotangents of what the steps returned.
  std::vector<Value> given;
  for (std::size_t i = 0; i < s.carries; ++i)
    given.push_back(back.add(forward.inputs[i].name, {saved.node, static_cast<int>(c.node.types.size() + i)},
                             c.node.operands[i].type()));
  for (std::size_t i = s.carries; i < s.carries + s.sequences; ++i)
    given.push_back(back.add(forward.inputs[i].name, c.node.operands[i], c.node.operands[i].type().without_leading()));
  std::vector<Value> cotangents = carry_cotangents;
  for (std::size_t i = s.carries; i < c.node.types.size(); ++i) {
    const Value g = c.cotangent(static_cast<int>(i));
    cotangents.push_back(g ? back.add("d", g, g.type().without_leading()) : Value{});
  }
  const std::size_t sequences = back.operands.size() - carries;
  for (std::size_t i = s.carries + s.sequences; i < c.node.operands.size(); ++i)
    given.push_back(back.add(forward.inputs[i].name, c.node.operands[i], c.node.operands[i].type()));

  // One step: forward again, then backward.
  const std::vector<Value> again = inline_graph(back.b, forward, given);
  std::vector<Value> wrt;
  for (std::size_t i = 0; i < given.size(); ++i)
    wrt.push_back(s.is_carry(i) ? (carry_cotangents[i] ? given[i] : Value{}) : c.wants(i) ? given[i] : Value{});
  const std::vector<Value> gradients = c.differentiate(back.b, again, cotangents, wrt);
  const auto or_zeros = [&](std::size_t i) { return gradients[i] ? gradients[i] : splat(back.b, given[i].type(), 0); };
  std::vector<int> result_of(c.node.operands.size(), -1);
  const auto give_back = [&](std::size_t operand, Value v) {
    result_of[operand] = static_cast<int>(back.body->results.size());
    back.body->results.push_back({v, ""});
  };
  for (std::size_t i = 0; i < s.carries; ++i)
    if (carry_cotangents[i]) give_back(i, or_zeros(i));
  for (std::size_t i = s.carries + s.sequences; i < given.size(); ++i)
    if (sums[i]) give_back(i, gradients[i] ? back.b.make("add", {sums[i], gradients[i]}) : sums[i]);
  for (std::size_t i = s.carries; i < s.carries + s.sequences; ++i)
    if (wrt[i]) give_back(i, or_zeros(i));

  const Value made = make_scan(c.b, back.operands, carries, sequences, s.length, !s.reverse, std::move(back.body));
  Values result(c.node.operands.size());
  for (std::size_t i = 0; i < result.size(); ++i)
    if (result_of[i] >= 0) result[i] = {made.node, result_of[i]};
  return result;
}

ControlParts scan_control(const Node& n) {
  const ScanParts s(n);
  ControlParts parts{ControlParts::Kind::kLoop};
  parts.carries = s.carries;
  parts.sequences = s.sequences;
  parts.steps = s.length;
  parts.reverse = s.reverse;
  return parts;
}

}  // namespace

Value make_scan(Builder& b, std::vector<Value> operands, std::size_t carries, std::size_t sequences, const Dim& length,
                bool reverse, std::shared_ptr<const Graph> body) {
  return b.make("scan", std::move(operands),
                {{"carries", static_cast<std::int64_t>(carries)},
                 {"sequences", static_cast<std::int64_t>(sequences)},
                 {"length", Dims{length}},
                 {"reverse", reverse}},
                {std::move(body)});
}

std::vector<OpDef> scan_ops() {
  return {{.name = "scan",
           .arity = -1,
           .traits = kControl,
           .infer = infer_scan,
           .vjp = scan_rule,
           .eval = eval_scan,
           .batch = batch_scan,
           .doc = "The body once for each element of the leading axes of the sequences (last first with reverse); "
                  "carries go from step to step, invariants are the same for all.",
           .bodies = 1,
           .signature =
               "scan(carries.., sequences: T[length, ..].., invariants..) {carries, sequences, length, reverse} "
               "{body} -> carries.., stacked: T[length, ..]..",
           .control = scan_control}};
}

}  // namespace gcompile::ir
