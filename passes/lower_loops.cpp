// Loop nests for values without an anchor: see lower.h.
#include <algorithm>
#include <set>

#include "gcompile/base/error.h"
#include "gcompile/ir/op.h"
#include "gcompile/passes/lower.h"
#include "gcompile/passes/places.h"

namespace gcompile::passes {
namespace {

using ir::Index;
using ir::Node;
using ir::Value;

constexpr std::int64_t kUnroll = 8;    // loops up to this extent are wished unrolled
constexpr std::int64_t kFewLanes = 4;  // an axis with fewer elements is not worth lanes

std::int64_t elements(const Type& t) { return t.size().is_constant() ? t.size().constant() : -1; }

// Whether the element at a row-major offset needs only elements at that offset: equal shapes all the way, or scalars.
bool is_flat(const BodyLowering& c, Value v, const std::vector<Dim>& dims) {
  const Type& t = v.type();
  if (t.size().is(1) && c.is_placed(v)) return t.rank() == 0;
  if (c.is_placed(v)) return t.dims == dims;
  const Node& n = *v.node;
  if (n.op->name == "constant") return n.attrs.get<Array>("value").size() == 1;
  if (n.op->name == "dim") return true;
  if (n.op->name == "broadcast") return n.operands[0].type().rank() == 0 && is_flat(c, n.operands[0], dims);
  if (n.op->name == "reshape") return is_flat(c, n.operands[0], n.operands[0].type().dims);
  if (!n.op->is(ir::kElementwise)) return false;
  return std::all_of(n.operands.begin(), n.operands.end(), [&](Value o) { return is_flat(c, o, dims); });
}

bool is_long(const Dim& extent) { return !extent.is_constant() || extent.constant() >= kFewLanes; }

// What a reduction folds by lanes: its last axis, others, or nothing (also where the value is no reduction, or its
// elements come one after the other).
enum class Folds { kNothing, kLast, kOthers };
Folds folds(const BodyLowering& c, Value v) {
  if (c.is_placed(v) || !std::holds_alternative<ir::ReduceLowering>(v.node->op->lower)) return Folds::kNothing;
  const auto& axes = v.node->attrs.ints("axes");
  if (axes.empty()) return Folds::kNothing;
  if (v.node->attrs.has("order") && axes.back() == v.node->operands[0].type().rank() - 1) return Folds::kNothing;
  return axes.back() == v.node->operands[0].type().rank() - 1 ? Folds::kLast : Folds::kOthers;
}

}  // namespace

Index Destination::at(const Index& index, const Type& type) const {
  return linear ? Index{row_offset(index, type.dims, row.size())} : index;
}

void emit_value(BodyLowering& c, Value v, const Destination& to) {
  const Type& t = v.type();
  KernelBuilder& b = c.builder();
  if (v.node->op->name == "scatter_add" && !c.is_placed(v)) return emit_scatter(c, v, to);
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
  const auto store = [&](const Index& inner) {
    const Index at = whole(inner);
    b.store(to.memory, to.at(at, t), c.value(v, at), to.padded && one_row ? -1 : c.mask);
  };
  const Folds folded = folds(c, v);
  if (folded == Folds::kLast)
    return c.loops("i", extents, kUnroll, [&](const Index& inner) {
      b.store(to.memory, to.at(whole(inner), t), lane_reduction(c, v, whole(inner)));
    });
  if (size.is_constant() && size.constant() < kFewLanes) return c.loops("i", extents, kFewLanes, store);
  if (to.row.empty() && is_flat(c, v, t.dims))
    return over_lanes(c, t.size(), [&](const Dim& offset) {
      b.store(to.memory, {offset}, c.value(v, {offset}), to.padded ? -1 : c.mask);
    });
  // Lanes over the last axis unless it is too short; then over the longest of the constant axes, or a symbolic one.
  std::size_t lane_axis = extents.size() - 1;
  const auto length = [&](std::size_t a) { return extents[a].is_constant() ? extents[a].constant() : INT64_MAX; };
  if (is_long(extents[lane_axis]) && folded == Folds::kOthers) return emit_column_reduction(c, v, to);
  if (is_long(extents[lane_axis]) && emit_transposed(c, v, to)) return;
  if (is_long(extents[lane_axis]) && emit_with_tails(c, v, to)) return;
  if (length(lane_axis) < kFewLanes)
    for (std::size_t a = extents.size(); a-- > 0;)
      if (length(a) > length(lane_axis)) lane_axis = a;
  std::vector<Dim> outer = extents;
  outer[lane_axis] = 1;
  c.loops("i", outer, kUnroll, [&](const Index& at) {
    over_lanes(c, extents[lane_axis], [&](const Dim& j) {
      Index full = at;
      full[lane_axis] = j;
      store(full);
    });
  });
}

namespace {

// The outputs of a body that ride on its first one, when nothing else is placed in it.
std::vector<std::size_t> riders_on_first(const std::vector<const Node*>& nodes, const std::vector<Value>& outputs,
                                         const std::unordered_set<const Node*>& placed) {
  std::vector<std::size_t> riders;
  for (const Node* n : nodes)
    if (!n->op->is(ir::kLeaf) && placed.count(n) &&
        std::find(outputs.begin(), outputs.end(), Value{n, 0}) == outputs.end())
      return riders;
  std::vector<const Node*> stored{outputs[0].node};
  for (std::size_t i = 1; i < outputs.size(); ++i) {
    if (!rides_on(*outputs[i].node, stored, placed, [](const Node*) { return false; })) continue;
    riders.push_back(i);
    stored.push_back(outputs[i].node);
  }
  return riders;
}

// For so many elements and, where these have lanes, whole vectors: neither stores nor loads of the last one need a
// mask. A processor hands what a masked store wrote to no load before it has reached the cache.
std::string padded_scratch(BodyLowering& c, DType dtype, std::int64_t size) {
  constexpr std::int64_t kVector = ir::kLanes;
  const std::int64_t whole =
      size < kFewLanes ? std::max<std::int64_t>(size, 1) : (size + kVector - 1) / kVector * kVector;
  return c.scratch("v", dtype, {whole}, ir::Scratch::Kind::kStack);
}

// What of a body gets memory, in order, and the scalars of scalars, which are made before the loops that read them.
class Body {
 public:
  Body(BodyLowering& c, const ir::Graph& body, const std::vector<Output>& outputs)
      : nodes(body.topological()), c_(c), outputs_(outputs) {
    for (const Output& o : outputs) values.push_back(o.value);
    placed = placed_for_loops(nodes, values);
    for (const Node* n : nodes)
      for (const Value& v : n->operands) read.insert(v.node);
    for (const Node* n : nodes) make_scalar(n);
  }

  void make_scalar(const Node* n) {
    if (!is_scalar_expression(*n) || placed.count(n) || !read.count(n)) return;
    for (const Value& v : n->operands)
      if (!made_.count(v.node) && !c_.is_placed(v) && !v.node->op->is(ir::kLeaf)) return;
    c_.element({n, 0}, {});
    made_.insert(n);
  }

  // The buffers that a value goes to.
  std::vector<std::string> buffers_of(Value v) const {
    std::vector<std::string> names;
    for (const Output& o : outputs_)
      if (o.value == v) names.push_back(o.buffer);
    return names;
  }

  std::vector<const Node*> nodes;
  std::vector<Value> values;  // of the outputs
  std::unordered_set<const Node*> placed, read;

 private:
  BodyLowering& c_;
  const std::vector<Output>& outputs_;
  std::unordered_set<const Node*> made_;
};

}  // namespace

void lower_loops(BodyLowering& c, const ir::Graph& graph, const std::vector<Output>& outputs) {
  Body body(c, graph, outputs);
  if (const auto riders = riders_on_first(body.nodes, body.values, body.placed); !riders.empty()) {
    std::vector<Output> more;
    for (const std::size_t i : riders) more.push_back(outputs[i]);
    const Value first = outputs[0].value;
    if (more.size() + 1 == outputs.size()) {
      if (emit_contract(c, first, {outputs[0].buffer}, more)) return;
      if (folds(c, first) == Folds::kOthers && is_long(first.type().dims.back())) {
        const BodyLowering::At here(c, *first.node);
        return emit_column_reduction(c, first, {outputs[0].buffer}, more);
      }
    }
  }
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

void lower_rows(BodyLowering& c, const ir::Graph& graph, int rows, const std::vector<Output>& outputs) {
  Body body(c, graph, outputs);
  KernelBuilder& b = c.builder();
  const std::vector<Dim>& dims = outputs[0].value.type().dims;
  c.loops("row", {dims.begin(), dims.begin() + rows}, 1, [&](const Index& row) {
    for (const Node* n : body.nodes) {
      const Value v{n, 0};
      if (!body.placed.count(n) || c.is_placed(v)) continue;
      const BodyLowering::At here(c, *n);
      const Type& t = v.type();
      Dim size = 1;
      for (int a = rows; a < t.rank(); ++a) size *= t.dim(a);
      const auto buffers = body.buffers_of(v);
      if (size.is(1)) {  // one element of the row stays a value
        Index at = row;
        at.resize(t.dims.size(), Dim(0));
        const int value = folds(c, v) == Folds::kLast ? lane_reduction(c, v, at) : c.value(v, at);
        c.bind(v, at, value);
        for (const std::string& buffer : buffers) b.store(buffer, at, value);
        continue;
      }
      if (buffers.empty()) {
        if (!size.is_constant()) throw InternalError("a row of symbolic size inside a kernel: " + t.str());
        const std::string name = padded_scratch(c, t.dtype, size.constant());
        emit_value(c, v, {name, true, row, true});
        c.place_linear(v, name, 0, static_cast<std::size_t>(rows));
        continue;
      }
      for (const std::string& buffer : buffers) emit_value(c, v, {buffer, false, row});
      c.place_buffer(v, buffers[0]);
    }
  });
}

}  // namespace gcompile::passes
