#include "gcompile_fuzz_generate.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <unordered_set>

#include "gcompile/base/error.h"
#include "gcompile/codegen/check/error_bounds.h"
#include "gcompile/codegen/check/sample.h"
#include "gcompile/ir/build.h"
#include "gcompile/ir/op.h"

namespace gcompile::fuzz {
namespace {

using codegen::Bounded;
using ir::OpDef;
using ir::Value;
using Ints = std::vector<std::int64_t>;

constexpr double kLargest = 1e4;          // of values that are kept
constexpr double kLoose = 1e-3;           // relative error of values that are kept
constexpr std::int64_t kElements = 1000;  // of a value

class Generator {
 public:
  Generator(RandomStream& random, bool with_fma) : r_(random), with_fma_(with_fma), b_(sample_.graph) {}

  Sample run() {
    begin();
    const std::int64_t wanted = between(r_, 8, 34);
    for (int tries = 0; static_cast<std::int64_t>(made_.size()) < wanted && tries < 400; ++tries) {
      try {
        add(grow());
      } catch (const ModelError&) {  // shape inference refuses what was tried
        continue;
      }
    }
    finish();
    return std::move(sample_);
  }

 private:
  // Shapes -----------------------------------------------------------------------------------------------------------

  std::int64_t extent() { return pick(r_, Ints{1, 2, 3, 4, 5, 7, 8, 16, 17, 19}); }
  Type random_type(DType t) {
    Type type{t, {}};
    const std::int64_t rank = pick(r_, Ints{0, 1, 1, 2, 2, 2, 3});
    for (std::int64_t i = 0; i < rank; ++i) type.dims.push_back(i == 0 && chance(r_, 70) ? lead_ : Dim(extent()));
    return type;
  }
  DType random_dtype() {
    return pick(r_, std::vector<DType>{DType::kF32, DType::kF32, DType::kF32, DType::kF64, DType::kI32, DType::kBool});
  }
  std::int64_t size_of_type(const Type& t) const { return t.size().evaluate(dims()); }
  const codegen::DimValues& dims() const { return sample_.sizes[0]; }

  void begin() {
    sample_.data_seed = r_.next();
    const Ints sizes{1, 2, 3, 5, 15, 16, 17, 31, 33, 40};
    if (chance(r_, 60)) {
      lead_ = Dim("N");
      sample_.sizes = {{{"N", pick(r_, sizes)}}, {{"N", pick(r_, sizes)}}};
      sample_.graph.bounds["N"] = {1, 4096};
    } else {
      lead_ = Dim(pick(r_, sizes));
      sample_.sizes = {{}};
    }
    line();
    // One input that has the symbol, whatever else there is.
    leaf("x", {DType::kF32, {lead_, extent()}}, false);
    for (std::int64_t n = between(r_, 0, 3); n > 0; --n) leaf("i", random_type(random_dtype()), false);
    for (std::int64_t n = between(r_, 0, 3); n > 0; --n) {
      Type t = random_type(random_dtype());
      for (Dim& d : t.dims)
        if (!d.is_constant()) d = Dim(extent());
      leaf("s", t, true);
      if (chance(r_, 50)) leaf("s", t, true);
    }
  }

  void leaf(const std::string& name, const Type& type, bool state) {
    if (size_of_type(type) > kElements) return;
    const Value v = state ? b_.state(name, type, nullptr) : b_.input(name, type);
    const std::string& full = state ? sample_.graph.states.back().name : sample_.graph.inputs.back().name;
    Array value = codegen::sample(type, dims(), sample_.data_seed, full);
    Array none(DType::kF64, value.shape());
    known_[v] = {std::move(value), std::move(none)};
    pool_.push_back(v);
  }

  void line() { b_.where = {{"fuzz.cpp", ++line_}}; }

  // Choosing operands ------------------------------------------------------------------------------------------------

  // Newer values more often, so that graphs get deep.
  Value any() { return pool_[std::max(r_.below(pool_.size()), r_.below(pool_.size()))]; }
  template <class F>
  std::optional<Value> any_where(F&& good) {
    for (int tries = 0; tries < 12; ++tries)
      if (const Value v = any(); good(v.type())) return v;
    return std::nullopt;
  }
  static bool admits(const OpDef& op, DType t) {
    return op.dtypes.empty() || std::find(op.dtypes.begin(), op.dtypes.end(), t) != op.dtypes.end();
  }
  // Another value of that type: one there is, or one made from what there is.
  Value like(const Type& type) {
    if (chance(r_, 85))
      if (const auto v = any_where([&](const Type& t) { return t == type; })) return *v;
    if (type.dtype == DType::kBool) return ir::splat(b_, type, static_cast<double>(between(r_, 0, 1)));
    if (chance(r_, 60))  // a smaller one, broadcast
      for (int tries = 0; tries < 12; ++tries)
        if (const auto v = broadcast_to(any(), type)) return *v;
    const double number = static_cast<double>(between(r_, -8, 8)) / (type.dtype == DType::kI32 ? 1 : 4);
    return ir::splat(b_, type, number);
  }
  std::optional<Value> broadcast_to(Value v, const Type& type) {
    if (v.type().dtype != type.dtype || v.type().rank() >= type.rank()) return std::nullopt;
    Ints axes;
    int next = 0;
    for (const Dim& d : v.type().dims) {
      while (next < type.rank() && !(type.dim(next) == d)) ++next;
      if (next == type.rank()) return std::nullopt;
      axes.push_back(next++);
    }
    return ir::broadcast({&b_, v}, type.dims, axes).v;
  }
  int random_axis(Value v) { return static_cast<int>(r_.below(static_cast<std::uint64_t>(v.type().rank()))); }

  // Making nodes -----------------------------------------------------------------------------------------------------

  // A new value, or nothing when the choice does not fit what there is.
  std::optional<Value> grow() {
    line();
    const std::int64_t what = between(r_, 1, 100);
    if (what <= 50) return elementwise();
    if (what <= 68) return view();
    if (what <= 80) return reduction();
    if (what <= 88) return contraction();
    if (what <= 96) return structure();
    return made_from_nothing();
  }

  std::optional<Value> elementwise() {
    static const std::vector<const OpDef*> ops = [] {
      std::vector<const OpDef*> list;
      for (const OpDef& op : ir::all_ops())
        if (op.is(ir::kElementwise) && !op.is(ir::kKernelOnly)) list.push_back(&op);
      return list;
    }();
    const OpDef& op = *pick(r_, ops);
    if (op.name == "fma" && !with_fma_) return std::nullopt;
    if (op.name == "select") {
      const auto condition = any_where([](const Type& t) { return t.dtype == DType::kBool; });
      if (!condition) return std::nullopt;
      const Value a = like({random_dtype(), condition->type().dims});
      return b_.make(op, {*condition, a, like(a.type())});
    }
    const auto a = any_where([&](const Type& t) { return admits(op, t.dtype); });
    if (!a) return std::nullopt;
    if (op.name == "cast") return b_.make(op, {*a}, {{"dtype", random_dtype()}});
    std::vector<Value> operands{in_domain(op, *a)};
    while (static_cast<int>(operands.size()) < op.arity) operands.push_back(like(a->type()));
    if (op.name == "pow") operands[0] = positive(operands[0]);
    if ((op.name == "div" || op.name == "rem" || op.name == "floor_div") && a->type().dtype != DType::kI32)
      operands[1] = positive(operands[1]);
    return b_.make(op, operands);
  }

  Value positive(Value v) {
    if (!is_float(v.type().dtype) || chance(r_, 5)) return v;
    return (ir::unary("abs", {&b_, v}) + 0.25).v;
  }
  // Mostly where the op is defined and tame.
  Value in_domain(const OpDef& op, Value v) {
    if (!is_float(v.type().dtype)) return v;
    if (op.domain.low >= 0 && chance(r_, 95)) return positive(v);
    const double worst = largest(known_.count(v) ? known_.at(v).value : Array());
    if (worst > std::max(std::abs(op.domain.low), std::abs(op.domain.high)) && chance(r_, 80))
      return ir::unary("tanh", {&b_, v}).v;
    return v;
  }

  std::optional<Value> view() {
    const Value v = any();
    const Type& t = v.type();
    const std::int64_t what = between(r_, 0, 4);
    if (what == 0) return broadcast_anew(v);
    if (t.rank() == 0) return std::nullopt;
    if (what == 1) {
      Ints permutation;
      for (int i = 0; i < t.rank(); ++i) permutation.push_back(i);
      shuffle(permutation, RandomKey{r_.next(), r_.next()});
      return ir::transpose({&b_, v}, permutation).v;
    }
    if (what == 2) {
      Ints axes;
      for (int i = 0; i < t.rank(); ++i)
        if (chance(r_, 60)) axes.push_back(i);
      return b_.make("reverse", {v}, {{"axes", axes}});
    }
    return what == 3 ? reshape(v) : slice(v);
  }

  Value broadcast_anew(Value v) {
    std::vector<Dim> to = v.type().dims;
    const std::int64_t at = between(r_, 0, v.type().rank());
    to.insert(to.begin() + at, at == 0 && chance(r_, 60) ? lead_ : Dim(extent()));
    Ints axes;
    for (int i = 0; i < v.type().rank(); ++i) axes.push_back(i < at ? i : i + 1);
    return ir::broadcast({&b_, v}, to, axes).v;
  }

  // Merges two axes, splits a constant one, or adds or drops one of extent 1.
  Value reshape(Value v) {
    std::vector<Dim> to = v.type().dims;
    const int axis = random_axis(v);
    const std::int64_t what = between(r_, 0, 2);
    if (what == 0 && axis + 1 < v.type().rank()) {
      to[static_cast<std::size_t>(axis)] = to[static_cast<std::size_t>(axis)] * to[static_cast<std::size_t>(axis) + 1];
      to.erase(to.begin() + axis + 1);
    } else if (const Dim& d = to[static_cast<std::size_t>(axis)]; what == 1 && d.is_constant() && d.constant() > 3) {
      const std::int64_t n = d.constant(), by = n % 4 == 0 ? 4 : n % 2 == 0 ? 2 : n;
      to[static_cast<std::size_t>(axis)] = Dim(n / by);
      to.insert(to.begin() + axis + 1, Dim(by));
    } else {
      to.insert(to.begin() + axis, Dim(1));
    }
    return ir::reshape({&b_, v}, to).v;
  }

  std::optional<Value> slice(Value v) {
    Ints starts, steps;
    std::vector<Dim> stops;
    for (const Dim& d : v.type().dims) {
      const bool fixed = d.is_constant();
      if (fixed && d.constant() == 0) return std::nullopt;
      starts.push_back(fixed ? between(r_, 0, d.constant() - 1) : 0);
      stops.push_back(fixed ? Dim(between(r_, starts.back() + 1, d.constant())) : d);
      steps.push_back(fixed || chance(r_, 15) ? between(r_, 1, 3) : 1);
    }
    return b_.make("slice", {v}, {{"starts", starts}, {"stops", stops}, {"steps", steps}});
  }

  std::optional<Value> reduction() {
    const Value v = any();
    if (v.type().rank() == 0) return std::nullopt;
    if (chance(r_, 25))
      return b_.make(chance(r_, 50) ? "argmax" : "argmin", {v}, {{"axis", std::int64_t{random_axis(v)}}});
    static const std::vector<const OpDef*> ops = [] {
      std::vector<const OpDef*> list;
      for (const OpDef& op : ir::all_ops())
        if (std::holds_alternative<ir::ReduceLowering>(op.lower)) list.push_back(&op);
      return list;
    }();
    const OpDef& op = *pick(r_, ops);
    if (!admits(op, v.type().dtype)) return std::nullopt;
    Ints axes;
    for (int i = 0; i < v.type().rank(); ++i)
      if (chance(r_, 60)) axes.push_back(i);
    return b_.make(op, {v}, {{"axes", axes}});
  }

  // A dot of a value with itself or another one, over axes of equal extents.
  std::optional<Value> contraction() {
    const auto a = any_where([](const Type& t) { return is_float(t.dtype) && t.rank() > 0; });
    if (!a) return std::nullopt;
    const auto b = any_where([&](const Type& t) { return t.dtype == a->type().dtype && t.rank() > 0; });
    if (!b) return std::nullopt;
    Ints contract[2], batch[2];
    std::vector<bool> taken(static_cast<std::size_t>(b->type().rank()));
    for (int i = 0; i < a->type().rank(); ++i)
      for (int j = 0; j < b->type().rank(); ++j) {
        if (taken[static_cast<std::size_t>(j)] || !(a->type().dim(i) == b->type().dim(j)) || chance(r_, 30)) continue;
        taken[static_cast<std::size_t>(j)] = true;
        auto& lists = chance(r_, 75) ? contract : batch;
        lists[0].push_back(i);
        lists[1].push_back(j);
        break;
      }
    if (contract[0].empty() && chance(r_, 90)) return std::nullopt;
    return ir::dot({&b_, *a}, {&b_, *b}, contract[0], contract[1], batch[0], batch[1]).v;
  }

  std::optional<Value> structure() {
    const Value v = any();
    if (v.type().rank() == 0) return std::nullopt;
    const std::int64_t axis = random_axis(v);
    const std::int64_t what = between(r_, 0, 2);
    if (what == 0) {
      std::vector<Value> parts{v};
      for (std::int64_t n = between(r_, 1, 2); n > 0; --n) {
        const auto other = any_where([&](const Type& t) {
          if (t.dtype != v.type().dtype || t.rank() != v.type().rank()) return false;
          for (int i = 0; i < t.rank(); ++i)
            if (i != axis && !(t.dim(i) == v.type().dim(i))) return false;
          return true;
        });
        parts.push_back(other ? *other : v);
      }
      return b_.make("concat", parts, {{"axis", axis}});
    }
    if (what == 1) {
      Ints low, high;
      for (int i = 0; i < v.type().rank(); ++i) {
        low.push_back(between(r_, 0, 2));
        high.push_back(between(r_, 0, 2));
      }
      return b_.make("pad", {v, like({v.type().dtype, {}})}, {{"low", low}, {"high", high}});
    }
    const auto indices = any_where([](const Type& t) { return t.dtype == DType::kI32; });
    if (!indices) return std::nullopt;
    return b_.make("gather", {v, *indices}, {{"axis", axis}});
  }

  std::optional<Value> made_from_nothing() {
    const std::int64_t what = between(r_, 0, 2);
    const DType t = pick(r_, std::vector<DType>{DType::kF32, DType::kF64, DType::kI32});
    if (what == 0) {
      Type type = random_type(t);
      if (type.rank() == 0) type.dims = {lead_};
      return b_.make("iota", {}, {{"dtype", t}, {"dims", type.dims}, {"axis", between(r_, 0, type.rank() - 1)}});
    }
    if (what == 1) return b_.make("dim", {}, {{"dtype", t}, {"value", std::vector<Dim>{lead_ * Dim(2) + Dim(1)}}});
    const Type type = Type::of(t, Shape{extent(), extent()});
    return b_.constant(codegen::sample(type, {}, r_.next(), "constant"));
  }

  // Keeping them -----------------------------------------------------------------------------------------------------

  static double largest(const Array& a) {
    double worst = 0;
    if (a.dtype() == DType::kBool) return 0;
    for (std::int64_t i = 0; i < a.size(); ++i)
      worst = std::isnan(a.at(i)) ? INFINITY : std::max(worst, std::abs(a.at(i)));
    return worst;
  }
  bool good(const Bounded& b) {
    if (largest(b.value) > kLargest) return chance(r_, 3);
    for (std::int64_t i = 0; i < b.value.size(); ++i)
      if (b.error.at(i) > kLoose * (std::abs(b.value.at(i)) + 1)) return chance(r_, 2);
    return true;
  }

  // Evaluates the value and what it needs that is new; keeps it when it is good.
  void add(const std::optional<Value>& v) {
    if (!v || size_of_type(v->type()) > kElements || known_.count(*v)) return;
    std::vector<const ir::Node*> todo{v->node}, fresh;
    while (!todo.empty()) {
      const ir::Node* n = todo.back();
      todo.pop_back();
      if (known_.count({n, 0}) || std::find(fresh.begin(), fresh.end(), n) != fresh.end()) continue;
      fresh.push_back(n);
      for (const Value& o : n->operands) todo.push_back(o.node);
    }
    std::sort(fresh.begin(), fresh.end(), [](const ir::Node* a, const ir::Node* b) { return a->id < b->id; });
    for (const ir::Node* n : fresh) {
      std::vector<const Bounded*> operands;
      for (const Value& o : n->operands) operands.push_back(&known_.at(o));
      Bounded result = codegen::evaluate_with_bounds(*n, operands, dims());
      if (!good(result)) return;
      known_[{n, 0}] = std::move(result);
    }
    pool_.push_back(*v);
    made_.push_back(*v);
  }

  // Updates of some states: with what has their type, other states' old values among it; then results: all that nobody
  // uses, as far as there are not too many.
  void finish() {
    auto& g = sample_.graph;
    std::unordered_set<const ir::Node*> used;
    for (const Value& v : made_)
      for (const Value& o : v.node->operands) used.insert(o.node);
    for (std::size_t s = 0; s < g.states.size(); ++s) {
      if (chance(r_, 20)) continue;
      std::vector<Value> fitting;
      for (const Value& v : pool_)
        if (v.type() == g.states[s].value.type() && !(v == g.states[s].value)) fitting.push_back(v);
      if (fitting.empty()) continue;
      const Value v = pick(r_, fitting);
      used.insert(v.node);
      g.updates.push_back({static_cast<int>(s), v});
    }
    for (auto it = made_.rbegin(); it != made_.rend() && g.results.size() < 6; ++it)
      if (!used.count(it->node)) g.results.push_back({*it, ""});
    if (chance(r_, 15)) g.results.push_back({any(), ""});  // also a leaf, or a result twice
    if (g.results.empty() && g.updates.empty()) g.results.push_back({pool_.back(), ""});
  }

  RandomStream& r_;
  const bool with_fma_;
  Sample sample_;
  ir::Builder b_;
  Dim lead_ = 1;
  std::uint32_t line_ = 0;
  ir::ValueMap<Bounded> known_;
  std::vector<Value> pool_, made_;
};

}  // namespace

Sample random_ops(RandomStream& random, bool with_fma) { return Generator(random, with_fma).run(); }

}  // namespace gcompile::fuzz
