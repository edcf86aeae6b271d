#include "gcompile/passes/element.h"

#include <algorithm>
#include <set>

#include "gcompile/base/error.h"
#include "gcompile/ir/op.h"
#include "gcompile/passes/feature_sums.h"

namespace gcompile::passes {
namespace {

using ir::Expr;
using ir::Index;
using ir::Node;
using ir::Value;

constexpr std::int64_t kUnrolledFold = 16;  // elements that are folded without a loop

bool uses_lane(const Index& index) {
  return std::any_of(index.begin(), index.end(), [](const Dim& d) { return d.uses(ir::kLaneSymbol); });
}

bool before(const std::pair<Value, std::string>& a, const std::pair<Value, std::string>& b) {
  if (a.first.node->id != b.first.node->id) return a.first.node->id < b.first.node->id;
  if (a.first.index != b.first.index) return a.first.index < b.first.index;
  return a.second < b.second;
}

std::string text(const Index& index) {
  std::string t;
  for (const Dim& d : index) t += d.str() + ";";
  return t;
}

// Whether lanes are neighbours that begin at a multiple of their number.
bool is_whole_vector(const Dim& d) {
  const auto step = d.coefficient_of(ir::kLaneSymbol);
  if (!step || !step->is(1)) return false;
  const Dim first = d - Dim(ir::kLaneSymbol);
  return std::all_of(first.terms().begin(), first.terms().end(),
                     [](const auto& term) { return term.coefficient % ir::kLanes == 0; }) &&
         first.constant() % ir::kLanes == 0;
}

// A literal is a double; an i64 that is none is loaded.
bool is_literal(const Array& scalar) {
  constexpr std::int64_t kExact = std::int64_t{1} << 53;
  return is_float(scalar.dtype()) || IntegerRange{-kExact, kExact}.holds(scalar.at_integer(0));
}

bool has_opaque(const Dim& d) {
  for (const auto& term : d.terms())
    for (const auto& f : term.factors)
      if (f.opaque) return true;
  return false;
}

}  // namespace

Dim linear_offset(const Index& index, const std::vector<Dim>& extents) {
  if (index.size() == 1) return index[0];
  Dim offset = 0;
  for (std::size_t i = 0; i < index.size(); ++i) offset = offset * extents[i] + index[i];
  return offset;
}

Dim row_offset(const Index& index, const std::vector<Dim>& extents, std::size_t skip) {
  Dim offset = 0;
  for (std::size_t i = skip; i < extents.size(); ++i) offset = offset * extents[i] + index[i];
  return offset;
}

BodyLowering::BodyLowering(KernelBuilder& builder, const ir::Graph& body, const PassContext& context,
                           AddConstant add_constant, AddTemporary add_temporary)
    : b_(builder), body_(body), context_(context), add_constant_(std::move(add_constant)),
      add_temporary_(std::move(add_temporary)) {
  memo_.emplace_back(before);
  for (const auto& [symbol, bounds] : body.bounds) ranges_[symbol] = {bounds.min, bounds.max};
  ranges_[ir::kLaneSymbol] = {0, ir::kLanes - 1};
  for (const auto& [symbol, bounds] : body.bounds) symbols_.insert(symbol);
  for (const Node* n : body.topological())
    for (const Type& t : n->types)
      for (const Dim& d : t.dims) symbols_.merge(d.symbols());
}

std::string BodyLowering::fresh_var(const std::string& stem) {
  std::string var = b_.fresh_var(stem);
  while (symbols_.count(var)) var = b_.fresh_var(stem);
  return var;
}

template <class F>
auto BodyLowering::scoped(F&& f) {
  memo_.emplace_back(before);
  struct Pop {
    std::vector<Memo>& memo;
    ~Pop() { memo.pop_back(); }
  } pop{memo_};
  return f();
}

void BodyLowering::loop(const std::string& stem, const Dim& extent, ir::LoopKind kind,
                        const std::function<void(const Dim&)>& body) {
  const std::string var = variable(stem, extent);
  b_.loop(var, extent, kind, [&] { scoped([&] { body(Dim(var)); }); });
}

std::vector<int> BodyLowering::loop(const std::string& stem, const Dim& extent, ir::LoopKind kind,
                                    std::vector<int> initial, const std::vector<ir::VType>& types,
                                    const CarryingBody& body) {
  const std::string var = fresh_var(stem);
  ranges_[var] = {0, bounds_of(extent, ranges_).max - 1};
  return b_.loop(
      var, extent, kind, std::move(initial),
      [&](std::span<const int> carried) { return scoped([&] { return body(Dim(var), carried); }); }, types);
}

void BodyLowering::loops(const std::string& stem, const std::vector<Dim>& extents, std::int64_t unroll_up_to,
                         const std::function<void(const Index&)>& body, ir::LoopKind unrolled) {
  Index index;
  const std::function<void(std::size_t)> nest = [&](std::size_t axis) {
    if (axis == extents.size()) return body(index);
    const Dim& e = extents[axis];
    if (e.is(1)) {
      index.push_back(0);
      nest(axis + 1);
    } else {
      const bool unroll = e.is_constant() && e.constant() <= unroll_up_to;
      loop(stem, e, unroll ? unrolled : ir::LoopKind::kSerial, [&](const Dim& var) {
        index.push_back(var);
        nest(axis + 1);
        index.pop_back();
      });
      return;
    }
    index.pop_back();
  };
  nest(0);
}

std::string BodyLowering::scratch(const std::string& stem, DType dtype, std::vector<std::int64_t> extents,
                                  ir::Scratch::Kind kind) {
  std::string name;
  do name = stem + "_" + std::to_string(scratch_count_++);
  while (reserved.count(name));
  b_.kernel().scratch.push_back({name, dtype, std::move(extents), kind});
  return name;
}

Index BodyLowering::simplified(const Index& index) const {
  Index out;
  for (const Dim& d : index) out.push_back(has_opaque(d) ? simplify(d, ranges_) : d);
  return out;
}

BodyLowering::At::At(BodyLowering& c, const Node& node) : builder_(c.b_), before_(c.b_.where) {
  if (const auto& locations = c.body_.where(&node); !locations.empty())
    builder_.where = builder_.location(locations.front());
}

Expr BodyLowering::element(Value v, const Index& raw) {
  const Index at = simplified(raw);
  const std::pair<Value, std::string> key{v, text(at)};
  for (auto scope = memo_.rbegin(); scope != memo_.rend(); ++scope)
    if (const auto it = scope->find(key); it != scope->end()) return {it->second};
  const At here(*this, *v.node);
  const Expr e = make(v, at);
  memo_.back()[key] = e.id;
  return e;
}

Expr BodyLowering::make(Value v, const Index& at) {
  if (const auto place = places_.find(v); place != places_.end()) return load(place->second, v.type(), at);
  const Node& n = *v.node;
  if (n.op->name == "constant") {
    const Array& value = n.attrs.get<Array>("value");
    if (value.size() == 1 && is_literal(value)) return literal(value.dtype(), value.at(0));
    place_buffer(v, add_constant_(value));
    return load(places_.at(v), v.type(), at);
  }
  if (n.op->is(ir::kRowMajor)) {
    const Source source = source_of_reshape(n, std::get<ir::ViewLowering>(n.op->lower), at);
    return element(source.value, source.index);
  }
  if (std::holds_alternative<ir::ElementLowering>(n.op->lower)) {
    std::vector<int> operands;
    for (const Value& o : n.operands) operands.push_back(element(o, at).id);
    return {b_.op(*n.op, std::move(operands), n.attrs)};
  }
  if (const auto* view = std::get_if<ir::ViewLowering>(&n.op->lower)) return element(n.operands[0], view->map(n, at));
  if (const auto* r = std::get_if<ir::ReduceLowering>(&n.op->lower)) return reduce(n, *r, at);
  if (std::holds_alternative<ir::ContractLowering>(n.op->lower)) return contract(n, at);
  if (const auto* scatter = std::get_if<ir::ScatterLowering>(&n.op->lower)) return scatter->element(*this, n, at);
  if (const auto* custom = std::get_if<ir::CustomLowering>(&n.op->lower)) return custom->element(*this, n, at);
  throw InternalError(std::string(n.op->name) + " has no lowering");
}

// A reshape of something that lies in memory row by row is the same memory; otherwise the record's index arithmetic.
BodyLowering::Source BodyLowering::source_of_reshape(const Node& n, const ir::ViewLowering& view,
                                                     const Index& at) const {
  Value source = n.operands[0];
  while (!is_placed(source) && source.node->op->is(ir::kRowMajor)) source = source.node->operands[0];
  const auto place = places_.find(source);
  const bool flat = at.size() == 1 && n.types[0].rank() != 1;
  if (place != places_.end() && place->second.is_whole() && !flat)
    return {source, simplified({linear_offset(at, n.types[0].dims)})};
  return {n.operands[0], flat ? at : view.map(n, at)};
}

std::optional<ir::Access> BodyLowering::access(Value v, const Index& raw) {
  const Index at = simplified(raw);
  const Node& n = *v.node;
  if (n.op->name == "constant" && v.type().rank() > 0 && !is_placed(v))
    place_buffer(v, add_constant_(n.attrs.get<Array>("value")));
  if (const auto place = places_.find(v); place != places_.end())
    return ir::Access{place->second.memory, simplified(index_into(place->second, v.type(), at))};
  const auto* view = std::get_if<ir::ViewLowering>(&n.op->lower);
  if (!view) return std::nullopt;
  if (!n.op->is(ir::kRowMajor)) return access(n.operands[0], view->map(n, at));
  const Source source = source_of_reshape(n, *view, at);
  return access(source.value, source.index);
}

void BodyLowering::bind(Value v, const Index& index, int value) { memo_.back()[{v, text(simplified(index))}] = value; }

void BodyLowering::in_scope(const std::function<void()>& body) { scoped(body); }

std::string BodyLowering::variable(const std::string& stem, const Dim& extent) {
  std::string var = fresh_var(stem);
  ranges_[var] = {0, bounds_of(extent, ranges_).max - 1};
  return var;
}

Index BodyLowering::index_into(const Place& place, const Type& type, const Index& at) const {
  Index index = at;
  const bool flat = at.size() == 1 && type.rank() != 1;
  if (place.skip > 0) {
    if (flat) throw InternalError("a flat index into a value of one row");
    index = {row_offset(at, type.dims, place.skip)};
  } else if (place.form == Form::kLinear) {
    index = {(type.rank() == 0 ? Dim(0) : linear_offset(at, type.dims)) + Dim(place.offset)};
  } else if (place.by_lanes()) {
    if (flat) throw InternalError("a flat index into a value of one tile");
    std::vector<Dim> features, extents;
    for (int a = 0; a < type.rank(); ++a)
      if (a != place.anchor) {
        features.push_back(at[static_cast<std::size_t>(a)]);
        extents.push_back(type.dim(a));
      }
    index = {features.empty() ? Dim(0) : linear_offset(features, extents), Dim(ir::kLaneSymbol)};
    if (place.form == Form::kStrip) index.insert(index.begin(), slot);
  }
  return index;
}

Expr BodyLowering::load(const Place& place, const Type& type, const Index& at) {
  Index index = index_into(place, type, at);
  // "$i" of this kernel become "$0", "$1", ... of this load.
  std::set<std::string> used;
  for (const Dim& d : index)
    for (const std::string& s : d.symbols())
      if (s[0] == '$') used.insert(s);
  std::vector<int> operands;
  std::map<std::string, Dim> renamed;
  bool lane_operands = false;
  for (const std::string& s : used) {
    renamed.emplace(s, Dim("$" + std::to_string(operands.size())));
    operands.push_back(bindings_[static_cast<std::size_t>(std::stoi(s.substr(1)))]);
    lane_operands |= b_.type(operands.back()).lanes;
  }
  if (!used.empty())
    for (Dim& d : index) d = d.substitute(renamed);
  const bool lane_access = uses_lane(index) || lane_operands;
  // Lanes beyond the end read nothing: strided, they would reach far behind the memory. Those of a tile are all there,
  // and so are whole vectors of scratch that is made of such.
  const ir::Scratch* frame = place.form == Form::kLinear ? b_.kernel().find_scratch(place.memory) : nullptr;
  const bool whole = frame && !lane_operands && frame->extents.at(0) % ir::kLanes == 0 && is_whole_vector(index[0]);
  const int m = lane_access && !place.by_lanes() && !whole ? b_.both(mask, predicate_) : predicate_;
  return {b_.load(place.memory, type.dtype, simplified(index), std::move(operands), m)};
}

Expr BodyLowering::element_at(Value v, const Index& index, const std::vector<Expr>& values) {
  std::map<std::string, Dim> names;
  for (std::size_t i = 0; i < values.size(); ++i) {
    names.emplace("$" + std::to_string(i), Dim("$" + std::to_string(bindings_.size())));
    bindings_.push_back(values[i].id);
  }
  Index at;
  for (const Dim& d : index) at.push_back(d.substitute(names));
  return element(v, at);
}

Expr BodyLowering::index(const Dim& d, DType dtype) {
  bool bound = false;
  for (const std::string& s : d.symbols()) bound |= s[0] == '$';
  if (!bound) return {b_.index(has_opaque(d) ? simplify(d, ranges_) : d, dtype)};
  // A polynomial over values of this kernel, which are i32: sums of products.
  Expr sum = literal(dtype, static_cast<double>(d.constant()));
  for (const auto& term : d.terms()) {
    Expr p = literal(dtype, static_cast<double>(term.coefficient));
    for (const auto& f : term.factors) {
      if (f.opaque) throw InternalError("an index over gathered values with a division: " + d.str());
      const Expr factor = f.text[0] == '$'
                              ? cast({bindings_[static_cast<std::size_t>(std::stoi(f.text.substr(1)))]}, dtype)
                              : Expr{b_.index(Dim(f.text), dtype)};
      p = op("mul", {p, factor});
    }
    sum = op("add", {sum, p});
  }
  return sum;
}

Expr BodyLowering::guarded(Expr predicate, const std::function<Expr()>& f, Expr otherwise) {
  const int outer = predicate_;
  predicate_ = b_.both(outer, predicate.id);
  const Expr e = scoped(f);
  predicate_ = outer;
  return op("select", {predicate, e, otherwise});
}

std::vector<Expr> BodyLowering::fold(const std::vector<Dim>& extents, std::vector<Expr> initial,
                                     const std::function<std::vector<Expr>(const Index&, std::vector<Expr>)>& step) {
  return fold(extents, initial, step, kUnrolledFold);
}

std::vector<Expr> BodyLowering::fold(const std::vector<Dim>& extents, const std::vector<Expr>& initial,
                                     const Step& step, std::int64_t unroll_up_to) {
  Index index;
  std::vector<ir::VType> types;
  for (const Expr& e : initial) types.push_back({b_.type(e.id).dtype, lanes || b_.type(e.id).lanes});
  const std::function<std::vector<int>(std::size_t, std::vector<int>)> nest = [&](std::size_t axis,
                                                                                  std::vector<int> carried) {
    if (axis == extents.size()) {
      std::vector<Expr> values;
      for (const int id : carried) values.push_back({id});
      std::vector<int> out;
      for (const Expr& e : step(index, std::move(values))) out.push_back(e.id);
      return out;
    }
    const Dim& e = extents[axis];
    const std::string var = variable("k", e);
    const auto kind = e.is_constant() && e.constant() <= unroll_up_to ? ir::LoopKind::kUnroll : ir::LoopKind::kSerial;
    index.push_back(Dim(var));
    auto result = b_.loop(
        var, e, kind, std::move(carried),
        [&](std::span<const int> c) {
          return scoped([&] { return nest(axis + 1, std::vector<int>(c.begin(), c.end())); });
        },
        types);
    index.pop_back();
    return result;
  };
  std::vector<int> ids;
  for (const Expr& e : initial) ids.push_back(e.id);
  std::vector<Expr> out;
  for (const int id : nest(0, std::move(ids))) out.push_back({id});
  return out;
}

Expr BodyLowering::fold_parts(const std::vector<Dim>& extents, int partials, Expr initial, std::string_view combine,
                              const std::function<Expr(const Index&, Expr)>& step) {
  if (partials == 1)
    return fold(extents, {initial},
                [&](const Index& k, std::vector<Expr> sum) { return std::vector<Expr>{step(k, sum[0])}; })[0];
  const std::int64_t terms = extents[0].constant(), rounds = terms / partials;
  const auto add = [&](const Dim& first, std::int64_t count, std::vector<Expr> sums) {
    for (std::int64_t p = 0; p < count; ++p) {
      Expr& sum = sums[static_cast<std::size_t>(p)];
      sum = step({first + Dim(p)}, sum);
    }
    return sums;
  };
  std::vector<Expr> sums = fold(
      {Dim(rounds)}, std::vector<Expr>(static_cast<std::size_t>(partials), initial),
      [&](const Index& round, std::vector<Expr> before) {
        return add(Dim(partials) * round[0], partials, std::move(before));
      },
      kUnrolledFold / partials);
  sums = add(rounds * partials, terms % partials, std::move(sums));
  return pairwise(std::move(sums), [&](Expr a, Expr b) { return op(combine, {a, b}); });
}

Expr BodyLowering::op(std::string_view name, std::vector<Expr> operands) {
  std::vector<int> ids;
  for (const Expr& e : operands) ids.push_back(e.id);
  return {b_.op(name, std::move(ids))};
}

Expr BodyLowering::reduce(const Node& n, const ir::ReduceLowering& r, const Index& at) {
  const auto& axes = n.attrs.ints("axes");
  const Type& from = n.operands[0].type();
  std::vector<Dim> extents;
  for (const std::int64_t a : axes) extents.push_back(from.dim(a));
  const DType dtype = n.types[0].dtype;
  const auto operand = [&](const Index& folded) {
    Index full;
    std::size_t kept = 0, gone = 0;
    for (int a = 0; a < from.rank(); ++a)
      full.push_back(std::find(axes.begin(), axes.end(), a) != axes.end() ? folded[gone++] : at[kept++]);
    return element(n.operands[0], full);
  };
  if (r.any_order && extents.size() == 1 && extents[0].is_constant() && extents[0].constant() > 0 &&
      extents[0].constant() <= kUnrolledFold) {
    const std::function<Expr(std::int64_t, std::int64_t)> pairs = [&](std::int64_t first, std::int64_t count) {
      if (count == 1) return operand({Dim(first)});
      const std::int64_t half = (count + 1) / 2;
      const Expr left = pairs(first, half);
      return op(r.combine, {left, pairs(first + half, count - half)});
    };
    return pairs(0, extents[0].constant());
  }
  return fold_parts(extents, has_feature_order(n) ? partial_sums_of_elements(extents) : 1,
                    literal(dtype, r.identity(dtype)), r.combine, [&](const Index& folded, Expr sum) {
                      return op(r.combine, {sum, operand(folded)});
                    });
}

Expr BodyLowering::contract(const Node& n, const Index& at) {
  const DType dtype = n.types[0].dtype;
  const auto& rule = std::get<ir::ContractLowering>(n.op->lower);
  const std::vector<Dim> extents = rule.sums(n);
  return fold_parts(
      extents, has_feature_order(n) ? partial_sums_of_products(extents) : 1, literal(dtype, 0), "add",
      [&](const Index& k, Expr sum) {
        const ir::ContractIndices index = rule.operands(n, at, k);
        const Expr a = element(n.operands[0], index.left), b = element(n.operands[1], index.right);
        return is_float(dtype) && has_fma() ? op("fma", {a, b, sum}) : op("add", {sum, op("mul", {a, b})});
      });
}

}  // namespace gcompile::passes
