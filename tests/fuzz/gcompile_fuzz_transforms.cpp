#include "gcompile_fuzz_transforms.h"

#include <algorithm>

#include "gcompile/ir/build.h"
#include "gcompile/ir/inline.h"
#include "gcompile/ir/op.h"
#include "gcompile/ir/ops/scan.h"
#include "gcompile/passes/batch.h"
#include "gcompile/passes/gradient.h"
#include "gcompile_fuzz_generate.h"

namespace gcompile::fuzz {
namespace {

using ir::Value;

constexpr std::size_t kMostNodes = 40;  // of a piece

constexpr std::string_view kNames[] = {"map",      "carry",   "branch", "checkpoint", "batch",
                                       "gradient", "tangent", "while",  "custom_vjp"};

class Transformer {
 public:
  Transformer(RandomStream& random, ir::Builder& b, const std::vector<Value>& pool,
              const std::function<Value(const Type&)>& like)
      : r_(random), b_(b), pool_(pool), like_(like) {}

  std::optional<Transformed> run() {
    const Value result = pick(r_, pool_);
    const auto given = below(result);
    if (!given) return std::nullopt;
    const auto what = static_cast<std::size_t>(between(r_, 0, std::ssize(kNames) - 1));
    Value twin;
    const auto made = make(what, *given, result, twin);
    if (!made) return std::nullopt;
    return Transformed{kNames[what], *made, twin};
  }

 private:
  std::optional<Value> make(std::size_t what, Value given, Value result, Value& twin) {
    switch (what) {
      case 0: return mapped(given, result);
      case 1: return carried(given, result);
      case 2: return branch(given, result);
      case 3: return again(given, result);
      case 4: return batched(given, result);
      case 5: return gradient(given, result);
      case 6: return tangent(given, result);
      case 7: return repeated(given, result);
      default: return custom(given, result, twin);
    }
  }

  // A value that `result` is made of.
  std::optional<Value> below(Value result) {
    std::vector<Value> found, todo{result};
    while (!todo.empty() && found.size() < kMostNodes) {
      const Value v = todo.back();
      todo.pop_back();
      for (const Value& o : v.node->operands)
        if (std::find(found.begin(), found.end(), o) == found.end() && o.node->types.size() == 1) {
          found.push_back(o);
          todo.push_back(o);
        }
    }
    std::erase_if(found, [](Value v) { return v.node->op->is(ir::kLeaf) && !ir::is_argument(*v.node); });
    if (found.empty()) return std::nullopt;
    return pick(r_, found);
  }

  Type with_leading(const Type& t, const Dim& extent) {
    Type more = t;
    more.dims.insert(more.dims.begin(), extent);
    return more;
  }
  Dim steps() { return Dim(pick(r_, std::vector<std::int64_t>{0, 1, 2, 3, 5})); }
  ir::Closure closure(Value given, Value result) {
    return ir::close_over(b_.graph(), {&result, 1}, {{"p", given}}, "body");
  }

  Value scan(const std::vector<Value>& front, std::size_t carries, std::size_t sequences, const Dim& length,
             const ir::Closure& c, int result) {
    std::vector<Value> operands = front;
    operands.insert(operands.end(), c.captured.begin(), c.captured.end());
    const Value made = ir::make_scan(b_, std::move(operands), carries, sequences, length, chance(r_, 40), c.body);
    return {made.node, result};
  }

  // The piece for each element of a sequence.
  std::optional<Value> mapped(Value given, Value result) {
    const Dim length = steps();
    return scan({like_(with_leading(given.type(), length))}, 0, 1, length, closure(given, result), 0);
  }

  // The piece as a step whose result is the next carry; what is stacked is the carry too, or nothing.
  std::optional<Value> carried(Value given, Value result) {
    if (!(given.type() == result.type())) return std::nullopt;
    ir::Closure c = closure(given, result);
    const bool stacks = chance(r_, 50);
    if (stacks)
      c.body->results.push_back(chance(r_, 50) ? c.body->results[0] : ir::Graph::Result{c.body->inputs[0].value, ""});
    return scan({like_(given.type())}, 1, 0, steps(), c, stacks && chance(r_, 60) ? 1 : 0);
  }

  // The piece a number of times, as a while.
  std::optional<Value> repeated(Value given, Value result) {
    if (!(given.type() == result.type())) return std::nullopt;
    ir::Closure c = closure(given, result);
    const Type count{DType::kI32, {}};
    ir::Builder step(*c.body);
    const Value n = step.input("n", count);
    std::rotate(c.body->inputs.begin(), c.body->inputs.end() - 1, c.body->inputs.end());
    c.body->results.insert(c.body->results.begin(), {(ir::V{&step, n} + 1).v, ""});
    auto test = std::make_shared<ir::Graph>("condition");
    test->bounds = c.body->bounds;
    ir::Builder t(*test);
    const ir::V at{&t, t.input("n", count)};
    for (std::size_t i = 1; i < c.body->inputs.size(); ++i) t.input("v", c.body->inputs[i].value.type());
    test->results.push_back({ir::compare("lt", at, ir::zeros_like(at) + static_cast<double>(between(r_, 0, 3))), ""});
    std::vector<Value> operands{b_.scalar(DType::kI32, 0), like_(given.type())};
    operands.insert(operands.end(), c.captured.begin(), c.captured.end());
    const Value made = b_.make("while", std::move(operands), {{"carries", std::int64_t{2}}}, {test, c.body});
    return Value{made.node, 1};
  }

  // The piece, or what has its type.
  std::optional<Value> branch(Value given, Value result) {
    ir::Closure c = closure(given, result);
    const Value other = like_(result.type());
    std::vector<Value> operands{like_({DType::kBool, {}}), like_(given.type())};
    operands.insert(operands.end(), c.captured.begin(), c.captured.end());
    operands.push_back(other);
    auto no = std::make_shared<ir::Graph>("else");
    no->bounds = c.body->bounds;
    ir::Builder yes_inputs(*c.body), no_inputs(*no);
    for (const auto& i : c.body->inputs) no_inputs.input("v", i.value.type());
    yes_inputs.input("unused", other.type());
    no->results.push_back({no_inputs.input("other", other.type()), ""});
    return b_.make("cond", std::move(operands), {}, {c.body, no});
  }

  std::optional<Value> again(Value given, Value result) {
    const ir::Closure c = closure(given, result);
    std::vector<Value> operands{given};
    operands.insert(operands.end(), c.captured.begin(), c.captured.end());
    return b_.make("checkpoint", std::move(operands), {}, {c.body});
  }

  std::optional<Value> batched(Value given, Value result) {
    const Dim size(pick(r_, std::vector<std::int64_t>{1, 2, 3}));
    const std::pair<Value, Value> leaf{given, like_(with_leading(given.type(), size))};
    return passes::batch(b_, {&result, 1}, {&leaf, 1}, size)[0];
  }

  std::optional<Value> gradient(Value given, Value result) {
    if (!is_float(given.type().dtype) || !is_float(result.type().dtype)) return std::nullopt;
    const Value cotangent = like_(result.type());
    const Value g = passes::cotangents_of(b_, {&result, 1}, {&cotangent, 1}, {&given, 1})[0];
    return g ? std::optional(g) : std::nullopt;
  }

  // Reverse mode twice, by a cotangent that there is.
  std::optional<Value> tangent(Value given, Value result) {
    if (!is_float(given.type().dtype) || !is_float(result.type().dtype)) return std::nullopt;
    const Value cotangent = like_(result.type());
    const Value g = passes::cotangents_of(b_, {&result, 1}, {&cotangent, 1}, {&given, 1})[0];
    if (!g) return std::nullopt;
    const Value along = like_(given.type());
    const Value t = passes::cotangents_of(b_, {&g, 1}, {&along, 1}, {&cotangent, 1})[0];
    return t ? std::optional(t) : std::nullopt;
  }

  // The piece with its true derivative as a rule of its own; or its cotangent by that rule, with the twin that comes of
  // the piece itself.
  std::optional<Value> custom(Value given, Value result, Value& twin) {
    const ir::Closure c = closure(given, result);
    std::vector<Value> operands{given};
    operands.insert(operands.end(), c.captured.begin(), c.captured.end());
    const auto is_float_value = [](Value v) { return is_float(v.type().dtype); };
    if (!std::all_of(operands.begin(), operands.end(), is_float_value) || !is_float_value(result)) return std::nullopt;
    const Value made = b_.make("custom_vjp", operands, {}, {c.body, rule_of(*c.body)});
    if (chance(r_, 50)) return made;
    const Value cotangent = like_(result.type());
    const std::vector<Value> plain = ir::inline_graph(b_, *c.body, operands);
    const Value g = passes::cotangents_of(b_, {&made, 1}, {&cotangent, 1}, {&given, 1})[0];
    twin = passes::cotangents_of(b_, plain, {&cotangent, 1}, {&given, 1})[0];
    return g ? std::optional(g) : std::nullopt;
  }

  static std::shared_ptr<ir::Graph> rule_of(const ir::Graph& body) {
    auto rule = std::make_shared<ir::Graph>("gradient");
    rule->bounds = body.bounds;
    ir::Builder b(*rule);
    std::vector<Value> given;
    for (const auto& i : body.inputs) given.push_back(b.input("v", i.value.type()));
    const Type type = body.results[0].value.type();
    b.input("y", type);
    const Value cotangent = b.input("g", type);
    const std::vector<Value> again = ir::inline_graph(b, body, given);
    const std::vector<Value> gradients = passes::cotangents_of(b, again, {&cotangent, 1}, given);
    for (std::size_t i = 0; i < given.size(); ++i)
      rule->results.push_back({gradients[i] ? gradients[i] : ir::splat(b, given[i].type(), 0), ""});
    return rule;
  }

  RandomStream& r_;
  ir::Builder& b_;
  const std::vector<Value>& pool_;
  const std::function<Value(const Type&)>& like_;
};

}  // namespace

std::optional<Transformed> transformed(RandomStream& random, ir::Builder& b, const std::vector<Value>& pool,
                                       const std::function<Value(const Type&)>& like) {
  return Transformer(random, b, pool, like).run();
}

std::span<const std::string_view> transform_names() { return kNames; }

}  // namespace gcompile::fuzz
