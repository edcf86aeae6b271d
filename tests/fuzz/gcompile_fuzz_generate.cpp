#include "gcompile_fuzz_generate.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <unordered_set>

#include "gcompile/base/error.h"
#include "gcompile/codegen/check/sample.h"
#include "gcompile/ir/op.h"
#include "gcompile_fuzz_pool.h"
#include "gcompile_fuzz_transforms.h"

namespace gcompile::fuzz {
namespace {

using ir::OpDef;
using ir::Value;

class Generator : private ValuePool {
 public:
  Generator(RandomStream& random, bool with_fma) : ValuePool(random), with_fma_(with_fma) {}

  Sample run() {
    begin();
    // Many small graphs find more than few large ones do; what needs many neighbours is in the large ones.
    const std::int64_t wanted = chance(r_, 20) ? between(r_, 8, 34) : between(r_, 3, 14);
    for (int tries = 0; static_cast<std::int64_t>(made_.size()) < wanted && tries < 400; ++tries) {
      try {
        transform_.reset();
        if (!add(grow()) || !transform_) continue;
        ++sample_.transforms[std::string(transform_->name)];
        if (transform_->twin) must_be_same(transform_->value, transform_->twin);
      } catch (const ModelError&) {  // shape inference refuses what was tried
        continue;
      }
    }
    finish();
    return std::move(sample_);
  }

 private:
  static bool admits(const OpDef& op, DType t) {
    return op.dtypes.empty() || std::find(op.dtypes.begin(), op.dtypes.end(), t) != op.dtypes.end();
  }

  // Making nodes -----------------------------------------------------------------------------------------------------

  // A new value, or nothing when the choice does not fit what there is.
  std::optional<Value> grow() {
    line();
    const std::int64_t what = between(r_, 1, 100);
    if (what <= 46) return elementwise();
    if (what <= 62) return view();
    if (what <= 74) return reduction();
    if (what <= 82) return contraction();
    if (what <= 90) return structure();
    if (what <= 97) {
      transform_ = transformed(r_, b_, made_.empty() ? pool_ : made_, [this](const Type& t) { return like(t); });
      return transform_ ? std::optional(transform_->value) : std::nullopt;
    }
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
    // Polynomials are what takes longest to compile.
    if (!admits(op, DType::kI32) && chance(r_, 40)) return std::nullopt;
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
    if ((op.name == "div" || op.name == "rem" || op.name == "floor_div") && is_float(a->type().dtype))
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
    if (largest(v) > std::max(std::abs(op.domain.low), std::abs(op.domain.high)) && chance(r_, 80)) {
      const ir::V x{&b_, v}, one = ir::zeros_like(x) + 1.0;
      return chance(r_, 30) ? ir::unary("tanh", x).v : ir::binary("max", ir::binary("min", x, one), -one).v;
    }
    return v;
  }

  std::optional<Value> view() {
    const Value v = any();
    const Type& t = v.type();
    const std::int64_t what = between(r_, 0, 4);
    if (what == 0) return chance(r_, 25) ? b_.make("barrier", {v, any()}) : broadcast_anew(v);
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
    const auto a = any_where([](const Type& t) { return t.dtype != DType::kBool && t.rank() > 0; });
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
    const std::int64_t what = between(r_, 0, 4);
    if (what == 3) return along_an_axis(v, axis);
    if (what == 4) return moving_window(v);
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
    if (chance(r_, 60)) return gather(v, *indices, axis);
    return scatter_add(*indices);
  }

  std::optional<Value> along_an_axis(Value v, std::int64_t axis) {
    if (v.type().dtype == DType::kBool) return std::nullopt;
    if (chance(r_, 40)) return b_.make("argsort", {v}, {{"axis", axis}, {"descending", chance(r_, 50)}});
    if (is_float(v.type().dtype) && chance(r_, 20))
      return b_.make("recurrence", {ir::unary("tanh", {&b_, v}), like(v.type())},
                     {{"axis", axis}, {"reverse", chance(r_, 50)}, {"delayed", chance(r_, 50)}});
    return b_.make("cumsum", {v}, {{"axis", axis}, {"reverse", chance(r_, 40)}, {"exclusive", chance(r_, 40)}});
  }

  // Windows along constant axes, sometimes with their sums or largest elements; or a conv with a window of its own,
  // where there are axes enough.
  std::optional<Value> moving_window(Value v) {
    if (v.type().dtype == DType::kBool || v.type().rank() > 5) return std::nullopt;
    const auto is_fixed = [](const Dim& d) { return d.is_constant() && d.constant() > 0; };
    const auto& dims = v.type().dims;
    const bool convolves = is_float(v.type().dtype) && dims.size() > 2 &&
                           std::all_of(dims.begin() + 1, dims.end(), is_fixed) && chance(r_, 80);
    Ints axes, strides, dilations, folded;
    std::vector<Dim> sizes;
    for (std::size_t a = convolves ? 2 : 0; a < dims.size(); ++a) {
      if (!is_fixed(dims[a]) || (!convolves && chance(r_, 40))) continue;
      const std::int64_t size = between(r_, 1, std::min<std::int64_t>(dims[a].constant(), 3));
      axes.push_back(static_cast<std::int64_t>(a));
      sizes.emplace_back(size);
      strides.push_back(between(r_, 1, 3));
      dilations.push_back(size > 1 ? between(r_, 1, std::min<std::int64_t>((dims[a].constant() - 1) / (size - 1), 2))
                                   : 1);
    }
    if (axes.empty()) return std::nullopt;
    if (convolves) {
      std::vector<Dim> x = dims, w{1, Dim(between(r_, 1, 5)), dims[1]};
      x.insert(x.begin() + 1, Dim(1));
      w.insert(w.end(), sizes.begin(), sizes.end());
      return b_.make("conv", {ir::reshape({&b_, v}, x).v, like({v.type().dtype, w})},
                     {{"strides", strides}, {"dilations", dilations}});
    }
    const Value windows =
        b_.make("windows", {v}, {{"axes", axes}, {"sizes", sizes}, {"strides", strides}, {"dilations", dilations}});
    for (std::size_t i = 0; i < axes.size(); ++i) folded.push_back(axes[0] + static_cast<std::int64_t>(i));
    if (chance(r_, 30)) return windows;
    if (chance(r_, 50)) return b_.make("reduce_max", {windows}, {{"axes", folded}, {"ties", std::string("first")}});
    return b_.make("window_sum", {windows},
                   {{"axes", axes}, {"strides", strides}, {"dilations", dilations}, {"dims", dims}});
  }

  // With as many shared axes as the operands happen to have, or fewer.
  Value gather(Value v, Value indices, std::int64_t axis) {
    const auto &x = v.type().dims, &i = indices.type().dims;
    std::int64_t equal = 0;
    while (equal < axis && equal < std::ssize(i) &&
           x[static_cast<std::size_t>(equal)] == i[static_cast<std::size_t>(equal)])
      ++equal;
    return b_.make("gather", {v, indices}, {{"axis", axis}, {"batch_axes", between(r_, 0, equal)}});
  }

  // Of what has the indices' axes somewhere among its own; those in front of them may be shared.
  std::optional<Value> scatter_add(Value indices) {
    const auto& all = indices.type().dims;
    const std::int64_t shared = chance(r_, 50) ? 0 : between(r_, 0, std::ssize(all));
    const std::vector<Dim> along(all.begin() + shared, all.end());
    const auto found = [&](const std::vector<Dim>& dims) {
      if (std::ssize(dims) < shared || !std::equal(all.begin(), all.begin() + shared, dims.begin())) return dims.end();
      return std::search(dims.begin() + shared, dims.end(), along.begin(), along.end());
    };
    const auto updates = any_where(
        [&](const Type& t) { return t.dtype != DType::kBool && (all.empty() || found(t.dims) != t.dims.end()); });
    if (!updates) return std::nullopt;
    std::vector<Dim> dims = updates->type().dims;
    const std::int64_t axis = found(dims) - dims.begin();
    dims.erase(dims.begin() + axis, dims.begin() + axis + std::ssize(along));
    dims.insert(dims.begin() + axis, chance(r_, 20) ? lead_ : Dim(extent()));
    return b_.make("scatter_add", {*updates, indices}, {{"axis", axis}, {"dims", dims}, {"batch_axes", shared}});
  }

  std::optional<Value> made_from_nothing() {
    const std::int64_t what = between(r_, 0, 3);
    if (what == 3) return random_bits();
    const DType t = pick(r_, std::vector<DType>{DType::kF32, DType::kF64, DType::kF16, DType::kBF16, DType::kI32,
                                                DType::kI64, DType::kU32, DType::kU8});
    if (what == 0) {
      Type type = random_type(t);
      if (type.rank() == 0) type.dims = {lead_};
      return b_.make("iota", {}, {{"dtype", t}, {"dims", type.dims}, {"axis", between(r_, 0, type.rank() - 1)}});
    }
    if (what == 1) return b_.make("dim", {}, {{"dtype", t}, {"value", std::vector<Dim>{lead_ * Dim(2) + Dim(1)}}});
    const Type type = Type::of(t, Shape{extent(), extent()});
    return b_.constant(codegen::sample(type, {}, r_.next(), "constant"));
  }

  // Of a key, or of one for every index of a leading axis; the upper bits, as small numbers.
  Value random_bits() {
    Type key{DType::kU32, {}}, bits = random_type(DType::kU32);
    if (chance(r_, 30)) key.dims.push_back(lead_);
    key.dims.emplace_back(2);
    const ir::V all{&b_,
                    b_.make("rng_bits", {like(key), like(key)}, {{"dims", bits.dims}, {"word", between(r_, 0, 1)}})};
    return ir::binary("lshr", all, ir::zeros_like(all) + 29.0);
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

  const bool with_fma_;
  std::optional<Transformed> transform_;  // what was grown last, if it is one
};

}  // namespace

Sample random_ops(RandomStream& random, bool with_fma) { return Generator(random, with_fma).run(); }

}  // namespace gcompile::fuzz
