// Loop nests for values without an anchor: see lower.h.
#include <algorithm>
#include <set>

#include "gcompile/base/error.h"
#include "gcompile/ir/op.h"
#include "gcompile/passes/lower.h"
#include "gcompile/passes/lower_body.h"
#include "gcompile/passes/places.h"

namespace gcompile::passes {
namespace {

using ir::Index;
using ir::Node;
using ir::Value;

constexpr std::int64_t kUnroll = 8;  // loops up to this extent are wished unrolled

std::int64_t elements(const Type& t) { return t.size().is_constant() ? t.size().constant() : -1; }

// Whether the element of a value at a row-major offset needs only elements at that offset: equal shapes all the way, or
// scalars. A value that many read is looked at once.
class Flat {
 public:
  explicit Flat(const BodyLowering& c) : c_(c) {}

  bool is(Value v) { return is(v, v.type().dims); }
  // Nodes that were looked at.
  std::size_t size() const { return known_.size(); }

 private:
  bool is(Value v, const std::vector<Dim>& dims) {
    const Type& t = v.type();
    if (t.size().is(1) && c_.is_placed(v)) return t.rank() == 0;
    if (c_.is_placed(v)) return t.dims == dims;
    const Node& n = *v.node;
    if (n.op->name == "constant") return n.attrs.get<Array>("value").size() == 1;
    if (n.op->is(ir::kLeaf)) return t.rank() == 0;
    if (const auto it = known_.find(v); it != known_.end()) return it->second;
    bool flat = false;
    if (n.op->is(ir::kRepeating))
      flat = n.operands[0].type().rank() == 0 && is(n.operands[0], dims);
    else if (n.op->is(ir::kRowMajor))
      flat = is(n.operands[0], n.operands[0].type().dims);
    else if (n.op->is(ir::kElementwise))
      flat = std::all_of(n.operands.begin(), n.operands.end(), [&](Value o) { return is(o, dims); });
    known_[v] = flat;
    return flat;
  }

  const BodyLowering& c_;
  ir::ValueMap<bool> known_;
};

bool is_long(const Dim& extent) { return !extent.is_constant() || extent.constant() >= kFewLanes; }

// What a reduction folds by lanes: its last axis, others, or nothing (also where the value is no reduction, or its
// elements come one after the other).
enum class Folds { kNothing, kLast, kOthers };
Folds folds(const BodyLowering& c, Value v) {
  if (c.is_placed(v) || !std::holds_alternative<ir::ReduceLowering>(v.node->op->lower)) return Folds::kNothing;
  const auto& axes = v.node->attrs.ints("axes");
  if (axes.empty() || (v.node->attrs.has("order") && reduces_last_axis(*v.node))) return Folds::kNothing;
  return reduces_last_axis(*v.node) ? Folds::kLast : Folds::kOthers;
}

// CustomLowering::steps of the axes behind the row; ones where these would make too many loops.
std::vector<std::int64_t> steps_of(const BodyLowering& c, Value v, std::size_t row) {
  constexpr std::int64_t kMost = 16;
  std::vector<std::int64_t> steps(v.type().dims.size() - row, 1);
  const auto* custom = std::get_if<ir::CustomLowering>(&v.node->op->lower);
  if (!custom || !custom->steps || c.is_placed(v)) return steps;
  const std::vector<std::int64_t> all = custom->steps(*v.node);
  std::int64_t loops = 1;
  for (const std::int64_t s : all) loops = s <= kMost ? loops * s : kMost + 1;
  if (loops <= kMost) std::copy(all.begin() + static_cast<std::ptrdiff_t>(row), all.end(), steps.begin());
  return steps;
}

// Every position in a box of such extents.
void for_each_position(const std::vector<std::int64_t>& extents,
                       const std::function<void(const std::vector<std::int64_t>&)>& f) {
  std::vector<std::int64_t> at(extents.size(), 0);
  for (std::size_t a = extents.size();;) {
    f(at);
    for (a = extents.size(); a > 0 && ++at[a - 1] == extents[a - 1]; --a) at[a - 1] = 0;
    if (a == 0) return;
  }
}

}  // namespace

bool reduces_last_axis(const Node& n) {
  if (!std::holds_alternative<ir::ReduceLowering>(n.op->lower)) return false;
  const auto& axes = n.attrs.ints("axes");
  return !axes.empty() && axes.back() == n.operands[0].type().rank() - 1;
}

Index Destination::at(const Index& index, const Type& type) const {
  return linear ? Index{row_offset(index, type.dims, row.size())} : index;
}

void emit_value(BodyLowering& c, Value v, const Destination& to) {
  const Type& t = v.type();
  KernelBuilder& b = c.builder();
  if (!c.is_placed(v) && std::holds_alternative<ir::ScatterLowering>(v.node->op->lower)) return emit_scatter(c, v, to);
  if (!c.is_placed(v) && std::holds_alternative<ir::LoopLowering>(v.node->op->lower)) return emit_own_loops(c, v, to);
  if (emit_contract(c, v, to)) return;
  const BodyLowering::At here(c, *v.node);
  const std::vector<Dim> extents(t.dims.begin() + static_cast<std::ptrdiff_t>(to.row.size()), t.dims.end());
  const auto whole = [&](const Index& inner) {
    Index at = to.row;
    at.insert(at.end(), inner.begin(), inner.end());
    return at;
  };
  Dim size = 1;
  for (const Dim& d : extents) size *= d;
  const bool one_row = !extents.empty() && size == extents.back();
  const std::vector<std::int64_t> steps = steps_of(c, v, to.row.size());
  const bool together = std::all_of(steps.begin(), steps.end(), [](std::int64_t s) { return s == 1; });
  const auto store = [&](const Index& inner) {
    const Index at = whole(inner);
    b.store(to.memory, to.at(at, t), c.value(v, at), to.padded && one_row && together ? -1 : c.mask);
  };
  const Folds folded = folds(c, v);
  if (folded == Folds::kLast)
    return c.loops("i", extents, kUnroll, [&](const Index& inner) {
      b.store(to.memory, to.at(whole(inner), t), lane_reduction(c, v, whole(inner)));
    });
  if (size.is_constant() && size.constant() < kFewLanes) return c.loops("i", extents, kFewLanes, store);
  if (to.row.empty() && Flat(c).is(v))
    return over_lanes(c, t.size(), [&](const Dim& offset) {
      b.store(to.memory, {offset}, c.value(v, {offset}), to.padded ? -1 : c.mask);
    });
  // Lanes over the last axis unless it is too short; then over the longest of the constant axes, or a symbolic one.
  std::size_t lane_axis = extents.size() - 1;
  const auto length = [&](std::size_t a) { return extents[a].is_constant() ? extents[a].constant() : INT64_MAX; };
  if (is_long(extents[lane_axis]) && folded == Folds::kOthers) return emit_column_reductions(c, {v}, {to});
  if (is_long(extents[lane_axis]) && emit_transposed(c, v, to)) return;
  if (is_long(extents[lane_axis]) && emit_with_tails(c, v, to)) return;
  if (length(lane_axis) < kFewLanes)
    for (std::size_t a = extents.size(); a-- > 0;)
      if (length(a) > length(lane_axis)) lane_axis = a;
  for_each_position(steps, [&](const std::vector<std::int64_t>& first) {
    std::vector<Dim> outer = extents;
    for (std::size_t a = 0; a < outer.size(); ++a) outer[a] = ceildiv(outer[a] - Dim(first[a]), steps[a]);
    const Dim lanes = std::exchange(outer[lane_axis], 1);
    c.loops("i", outer, kUnroll, [&](const Index& at) {
      over_lanes(c, lanes, [&](const Dim& j) {
        Index full = at;
        full[lane_axis] = j;
        for (std::size_t a = 0; a < full.size(); ++a) full[a] = full[a] * Dim(steps[a]) + Dim(first[a]);
        store(full);
      });
    });
  });
}

namespace {

// Whether nothing but outputs of the body gets memory: then one loop may store them all.
bool only_outputs(const LoweredBody& body) {
  return std::all_of(body.nodes.begin(), body.nodes.end(), [&](const Node* n) {
    return n->op->is(ir::kLeaf) || !body.placed.count(n) ||
           std::find(body.values.begin(), body.values.end(), Value{n, 0}) != body.values.end();
  });
}

// Values of one shape, each made element by element of the others and of memory. What only they read stays in
// registers.
bool emit_flat_together(BodyLowering& c, const LoweredBody& body, const std::vector<Output>& outputs) {
  const std::vector<Dim>& dims = outputs[0].value.type().dims;
  if (dims.empty()) return false;
  Flat flat(c);
  for (const Output& o : outputs)
    if (o.value.node->op->is(ir::kLeaf) || c.is_placed(o.value) || o.value.type().dims != dims ||
        !std::holds_alternative<ir::ElementLowering>(o.value.node->op->lower) || !flat.is(o.value))
      return false;
  // What is symbolic was joined within the limit, and has nowhere else to lie.
  if (flat.size() > kMostNodesTogether && outputs[0].value.type().is_static()) return false;
  over_lanes(c, outputs[0].value.type().size(), [&](const Dim& offset) {
    for (const Node* n : body.nodes)
      for (const Output& o : outputs)
        if (o.value.node == n) {
          const BodyLowering::At here(c, *n);
          c.builder().store(o.buffer, {offset}, c.value(o.value, {offset}), c.mask);
        }
  });
  return true;
}

// Reductions of equal extents and axes, and values that ride on them.
bool emit_sums_together(BodyLowering& c, const LoweredBody& body, const std::vector<Output>& outputs) {
  const Node& first = *outputs[0].value.node;
  const Folds folded = folds(c, outputs[0].value);
  if (folded == Folds::kNothing || (folded == Folds::kOthers && !is_long(first.types[0].dims.back()))) return false;
  const auto is_sum = [&](Value v) {
    return folds(c, v) == folded && v.node->operands[0].type().dims == first.operands[0].type().dims &&
           v.node->attrs.ints("axes") == first.attrs.ints("axes");
  };
  std::vector<Output> sums, more;
  for (const Output& o : outputs) (is_sum(o.value) ? sums : more).push_back(o);
  std::vector<const Node*> stored;
  for (const Output& o : sums) stored.push_back(o.value.node);
  for (const Output& o : more) {
    if (folded == Folds::kLast || !rides_on(*o.value.node, stored, body.placed, [](const Node*) { return false; }))
      return false;
    stored.push_back(o.value.node);
  }
  const BodyLowering::At here(c, first);
  std::vector<Value> values;
  std::vector<Destination> to;
  for (const Output& o : sums) {
    if (std::find(values.begin(), values.end(), o.value) != values.end()) return false;
    values.push_back(o.value);
    to.push_back({o.buffer});
  }
  if (folded == Folds::kOthers) {
    emit_column_reductions(c, values, to, more);
    return true;
  }
  c.loops("i", first.types[0].dims, kUnroll, [&](const Index& at) {
    const std::vector<int> totals = lane_reductions(c, {stored.begin(), stored.end()}, at);
    for (std::size_t i = 0; i < totals.size(); ++i) c.builder().store(to[i].memory, at, totals[i]);
  });
  return true;
}

// The values that ride on a contract, which the first output becomes.
bool emit_contract_with_riders(BodyLowering& c, const LoweredBody& body, const std::vector<Output>& outputs) {
  std::vector<const Node*> stored{outputs[0].value.node};
  for (std::size_t i = 1; i < outputs.size(); ++i) {
    if (!rides_on(*outputs[i].value.node, stored, body.placed, [](const Node*) { return false; })) return false;
    stored.push_back(outputs[i].value.node);
  }
  return emit_contract(c, outputs[0].value, {outputs[0].buffer}, {outputs.begin() + 1, outputs.end()});
}

}  // namespace

void lower_loops(BodyLowering& c, const ir::Graph& graph, const std::vector<Output>& outputs) {
  LoweredBody body(c, graph, outputs);
  if (outputs.size() > 1 && only_outputs(body) &&
      (emit_contract_with_riders(c, body, outputs) || emit_sums_together(c, body, outputs)))
    return;
  const bool shared = std::any_of(body.nodes.begin(), body.nodes.end(), [&](const Node* n) {
    return body.placed.count(n) && !n->op->is(ir::kLeaf) && body.read.count(n);
  });
  if ((outputs.size() > 1 || shared) && emit_flat_together(c, body, outputs)) return;
  std::set<std::string> written;
  for (const Node* n : body.nodes) {
    const Value v{n, 0};
    body.make_scalar(n);
    if (!body.placed.count(n) || c.is_placed(v) || !body.read.count(n)) continue;
    const std::int64_t size = elements(n->types[0]);
    const auto buffers = body.buffers_of(v);
    if (size < 0 && !buffers.empty()) {  // too large for a frame: others read it from where it goes
      emit_value(c, v, {buffers[0]});
      c.place_buffer(v, buffers[0]);
      written.insert(buffers[0]);
      continue;
    }
    if (size < 0) throw InternalError("a value of symbolic size inside a kernel: " + n->types[0].str());
    const std::string name = padded_scratch(c, n->types[0].dtype, size);
    emit_value(c, v, {name, true, {}, true});
    c.place_linear(v, name);
  }
  for (const Output& o : outputs)
    if (!written.count(o.buffer)) emit_value(c, o.value, {o.buffer});
}

}  // namespace gcompile::passes
