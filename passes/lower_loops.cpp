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

ir::LoopKind wish(const Dim& extent) {
  return extent.is_constant() && extent.constant() <= kUnroll ? ir::LoopKind::kUnroll : ir::LoopKind::kSerial;
}

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

}  // namespace

void over_lanes(BodyLowering& c, const Dim& extent, const std::function<void(const Dim&)>& body) {
  constexpr int kLanes = ir::kLanes;
  c.loop("j", ceildiv(extent, kLanes), wish(ceildiv(extent, kLanes)), [&](const Dim& j) {
    const Dim first = Dim(kLanes) * j;
    const bool whole = extent.is_constant() && extent.constant() % kLanes == 0;
    KernelBuilder& b = c.builder();
    c.lanes = true;
    c.mask = whole ? -1 : b.op("lt", {b.index(Dim(ir::kLaneSymbol)), b.index(extent - first)});
    body(first + Dim(ir::kLaneSymbol));
    c.lanes = false;
    c.mask = -1;
  });
}

namespace {

// A reduction that folds the last axis: 16 partial results over that axis, then a tree.
void emit_lane_reduction(BodyLowering& c, const Node& n, const ir::ReduceLowering& r, const std::string& memory,
                         bool linear) {
  KernelBuilder& b = c.builder();
  const auto& axes = n.attrs.ints("axes");
  const Type &from = n.operands[0].type(), &to = n.types[0];
  // Always over the last axis, also when it is short: which one is not chosen by an extent, or a constant and a
  // symbolic extent would sum in different orders.
  const std::size_t lane_axis = axes.size() - 1;
  const std::string partial = c.scratch("partial", to.dtype, {1, ir::kLanes}, ir::Scratch::Kind::kStack);
  const std::string total = c.scratch("total", to.dtype, {1}, ir::Scratch::Kind::kStack);
  const Dim lane = Dim(ir::kLaneSymbol);
  c.loops("i", to.dims, kUnroll, [&](const Index& at) {
    b.store(partial, {Dim(0), lane}, b.literal(to.dtype, r.identity(to.dtype)));
    std::vector<Dim> outer;
    for (std::size_t i = 0; i < axes.size(); ++i) outer.push_back(i == lane_axis ? Dim(1) : from.dim(axes[i]));
    c.loops("k", outer, 1, [&](const Index& folded) {
      over_lanes(c, from.dim(axes[lane_axis]), [&](const Dim& j) {
        Index full;
        std::size_t kept = 0, gone = 0;
        for (int a = 0; a < from.rank(); ++a) {
          if (std::find(axes.begin(), axes.end(), a) == axes.end()) {
            full.push_back(at[kept++]);
          } else {
            full.push_back(gone == lane_axis ? j : folded[gone]);
            ++gone;
          }
        }
        const int before = b.load(partial, to.dtype, {Dim(0), lane});
        const int after = b.op(r.combine, {before, c.value(n.operands[0], full)});
        b.store(partial, {Dim(0), lane}, c.mask < 0 ? after : b.op("select", {c.mask, after, before}));
      });
    });
    b.lane_reduce(total, partial, r.combine, 1);
    b.store(memory, stored_at(at, to, linear), b.load(total, to.dtype, {Dim(0)}));
  });
}

}  // namespace

Index stored_at(const Index& index, const Type& type, bool linear) {
  if (!linear) return index;
  return {type.rank() == 0 ? Dim(0) : linear_offset(index, type.dims)};
}

void emit_value(BodyLowering& c, Value v, const std::string& memory, bool linear) {
  const Node& n = *v.node;
  const Type& t = v.type();
  KernelBuilder& b = c.builder();
  if (n.op->name == "scatter_add" && !c.is_placed(v)) return emit_scatter(c, n, memory, linear);
  if (emit_contract(c, v, memory, linear)) return;
  const BodyLowering::At here(c, n);
  const auto* reduce = std::get_if<ir::ReduceLowering>(&n.op->lower);
  if (reduce && !c.is_placed(v) && !n.attrs.ints("axes").empty() &&
      n.attrs.ints("axes").back() == n.operands[0].type().rank() - 1)
    return emit_lane_reduction(c, n, *reduce, memory, linear);
  const auto store = [&](const Index& at) { b.store(memory, stored_at(at, t, linear), c.value(v, at), c.mask); };
  const std::int64_t size = elements(t);
  if (size >= 0 && size < kFewLanes) return c.loops("i", t.dims, kFewLanes, store);
  if (t.rank() > 0 && is_flat(c, v, t.dims))
    return over_lanes(c, t.size(), [&](const Dim& offset) { b.store(memory, {offset}, c.value(v, {offset}), c.mask); });
  // Lanes over the last axis unless it is too short; then over the longest of the constant axes, or a symbolic one.
  int lane_axis = t.rank() - 1;
  const auto length = [&](int a) { return t.dim(a).is_constant() ? t.dim(a).constant() : INT64_MAX; };
  if (length(lane_axis) < kFewLanes)
    for (int a = t.rank() - 1; a >= 0; --a)
      if (length(a) > length(lane_axis)) lane_axis = a;
  std::vector<Dim> outer = t.dims;
  outer[static_cast<std::size_t>(lane_axis)] = 1;
  c.loops("i", outer, kUnroll, [&](const Index& at) {
    over_lanes(c, t.dim(lane_axis), [&](const Dim& j) {
      Index full = at;
      full[static_cast<std::size_t>(lane_axis)] = j;
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

}  // namespace

void lower_loops(BodyLowering& c, const ir::Graph& body, const std::vector<Output>& outputs) {
  const auto nodes = body.topological();
  std::vector<Value> values;
  for (const Output& o : outputs) values.push_back(o.value);
  const auto placed = placed_for_loops(nodes, values);
  std::unordered_set<const Node*> read;
  for (const Node* n : nodes)
    for (const Value& v : n->operands) read.insert(v.node);
  // Scalars of scalars are values of the kernel, made before the loops that read them.
  std::unordered_set<const Node*> made;
  const auto make_scalar = [&](const Node* n) {
    if (!is_scalar_expression(*n) || placed.count(n) || !read.count(n)) return;
    for (const Value& v : n->operands)
      if (!made.count(v.node) && !c.is_placed(v) && !v.node->op->is(ir::kLeaf)) return;
    c.element({n, 0}, {});
    made.insert(n);
  };
  for (const Node* n : nodes) make_scalar(n);
  if (const auto riders = riders_on_first(nodes, values, placed); !riders.empty()) {
    std::vector<Output> more;
    for (const std::size_t i : riders) more.push_back(outputs[i]);
    if (more.size() + 1 == outputs.size() && emit_contract(c, values[0], outputs[0].buffer, false, more)) return;
  }
  std::set<std::string> written;
  for (const Node* n : nodes) {
    const Value v{n, 0};
    make_scalar(n);
    if (!placed.count(n) || c.is_placed(v) || !read.count(n)) continue;
    const std::int64_t size = elements(n->types[0]);
    const auto output = std::find_if(outputs.begin(), outputs.end(), [&](const Output& o) { return o.value == v; });
    if (size < 0 && output != outputs.end()) {  // too large for a frame: others read it from where it goes
      emit_value(c, v, output->buffer, false);
      c.place_buffer(v, output->buffer);
      written.insert(output->buffer);
      continue;
    }
    if (size < 0) throw InternalError("a value of symbolic size inside a kernel: " + n->types[0].str());
    const std::string name =
        c.scratch("v", n->types[0].dtype, {std::max<std::int64_t>(size, 1)}, ir::Scratch::Kind::kStack);
    emit_value(c, v, name, true);
    c.place_linear(v, name);
  }
  for (const Output& o : outputs)
    if (!written.count(o.buffer)) emit_value(c, o.value, o.buffer, false);
}

}  // namespace gcompile::passes
