// The anchored nest: see lower.h and design's chapter on it. One loop over tiles of 16 samples; a value per sample is a
// lane vector per feature, a sum over samples is 16 partial sums per element in the frame.
#include <algorithm>
#include <set>

#include "gcompile/base/error.h"
#include "gcompile/ir/op.h"
#include "gcompile/passes/fuse.h"
#include "gcompile/passes/lower.h"
#include "gcompile/passes/places.h"

namespace gcompile::passes {
namespace {

using ir::Index;
using ir::Node;
using ir::Value;

constexpr std::int64_t kUnroll = 64;            // feature loops up to this extent are wished unrolled
constexpr std::int64_t kTransposeColumns = 64;  // wider rows of an input are read with strides

class Nest {
 public:
  Nest(BodyLowering& c, const ir::Graph& body, const std::vector<std::int64_t>& anchor,
       const std::vector<Output>& outputs)
      : c_(c), b_(c.builder()), outputs_(outputs), nodes_(body.topological()), classes_(nodes_) {
    for (std::size_t i = 0; i < anchor.size(); ++i)
      if (anchor[i] >= 0) anchor_class_ = classes_.of(body.inputs[i].value, static_cast<int>(anchor[i]));
    std::string why;
    const auto plan = legal_nest(nodes_, classes_, anchor_class_, &why);
    if (!plan) throw InternalError("a nest that is none: " + why);
    plan_ = *plan;
    for (const auto& i : body.inputs) inputs_.push_back(i.value);
    std::vector<Value> values;
    for (const Output& o : outputs) values.push_back(o.value);
    placed_ = placed_nodes(nodes_, values);
    for (const Node* n : nodes_)
      for (const Value& v : n->operands) {
        readers_[v.node].push_back(n);
        // What no sample changes is computed before the loop, and sums over samples have memory.
        if (!is_cheap(*v.node) && category(v.node) != category(n)) placed_.insert(v.node);
      }
    for (const Node* n : nodes_)
      if (sums_samples(n)) placed_.insert(n);
  }

  void lower() {
    for (const Node* n : nodes_)
      if (category(n) == Category::kUniform && is_read(n)) place_whole(n);
    for (const Node* n : nodes_)
      if (sums_samples(n)) start_sum(n);
    c_.loop("t", ceildiv(plan_.extent, ir::kLanes), ir::LoopKind::kSerial, [&](const Dim& t) { tile(t); });
    for (const Node* n : nodes_)
      if (sums_samples(n)) finish_sum(n);
    for (const Node* n : nodes_)
      if (category(n) == Category::kReduced && !sums_samples(n) && is_read(n)) place_whole(n);
    for (const Output& o : outputs_)
      if (category(o.value.node) != Category::kCarried) emit_value(c_, o.value, o.buffer, false);
  }

 private:
  Category category(const Node* n) const { return plan_.category.at(n); }
  bool is_read(const Node* n) const { return readers_.count(n) != 0; }
  int anchor_axis(Value v) const { return classes_.find(v, anchor_class_); }

  bool sums_samples(const Node* n) const {
    return category(n) == Category::kReduced && !n->operands.empty() &&
           category(n->operands[0].node) == Category::kCarried;
  }

  // The extents of a value without the anchor.
  std::vector<Dim> features(Value v) const {
    std::vector<Dim> dims;
    const int p = anchor_axis(v);
    for (int a = 0; a < v.type().rank(); ++a)
      if (a != p) dims.push_back(v.type().dim(a));
    return dims;
  }
  static std::int64_t count(const std::vector<Dim>& dims) { return product(dims).constant(); }

  // A value that no sample enters, in row-major scratch; a scalar simply stays a value of the kernel.
  void place_whole(const Node* n) {
    const Value v{n, 0};
    if (!placed_.count(n) || c_.is_placed(v)) return;
    const BodyLowering::At here(c_, *n);
    if (n->types[0].rank() == 0) {
      c_.element(v, {});
      return;
    }
    const std::string name = c_.scratch("u", n->types[0].dtype, {std::max<std::int64_t>(count(n->types[0].dims), 1)},
                                        ir::Scratch::Kind::kStack);
    emit_value(c_, v, name, true);
    c_.place_linear(v, name);
  }

  void start_sum(const Node* n) {
    const BodyLowering::At here(c_, *n);
    const Type& t = n->types[0];
    const std::int64_t k = std::max<std::int64_t>(count(t.dims), 1);
    const std::string name = c_.scratch("sum", t.dtype, {k, ir::kLanes}, ir::Scratch::Kind::kStack);
    sums_[n] = name;
    const int zero = b_.literal(t.dtype, identity(n));
    c_.loop("i", Dim(k), ir::LoopKind::kSerial, [&](const Dim& i) { b_.store(name, {i, lane()}, zero); });
  }

  static double identity(const Node* n) {
    const auto* r = std::get_if<ir::ReduceLowering>(&n->op->lower);
    return r ? r->identity(n->types[0].dtype) : 0;
  }
  static std::string_view combine(const Node* n) {
    const auto* r = std::get_if<ir::ReduceLowering>(&n->op->lower);
    return r ? r->combine : "add";
  }
  static Dim lane() { return Dim(ir::kLaneSymbol); }

  void finish_sum(const Node* n) {
    const BodyLowering::At here(c_, *n);
    const Value v{n, 0};
    const std::int64_t k = std::max<std::int64_t>(count(n->types[0].dims), 1);
    const std::string name = c_.scratch("total", n->types[0].dtype, {k}, ir::Scratch::Kind::kStack);
    b_.lane_reduce(name, sums_.at(n), combine(n), Dim(k));
    c_.place_linear(v, name);
  }

  void tile(const Dim& t) {
    const Dim first = Dim(ir::kLanes) * t;
    sample_ = first + lane();
    const Dim& extent = plan_.extent;
    c_.lanes = true;
    c_.mask = extent.is_constant() && extent.constant() % ir::kLanes == 0
                  ? -1
                  : b_.op("lt", {b_.index(lane()), b_.index(extent - first)});
    for (const Value& v : inputs_)
      if (category(v.node) == Category::kCarried) load_input(v, first);
    for (const Node* n : nodes_) {
      if (category(n) == Category::kCarried && placed_.count(n))
        carried(n);
      else if (sums_samples(n))
        add_to_sum(n);
    }
    c_.lanes = false;
    c_.mask = -1;
  }

  // Rows of an input become lane vectors, one per column.
  void load_input(Value v, const Dim& first) {
    const Type& t = v.type();
    if (t.rank() != 2 || anchor_axis(v) != 0 || t.dim(1).is(1) || t.dim(1).is(0) ||
        t.dim(1).constant() > kTransposeColumns || t.dtype == DType::kBool)
      return;
    const BodyLowering::At here(c_, *v.node);
    const std::string name = c_.scratch("x", t.dtype, {t.dim(1).constant(), ir::kLanes}, ir::Scratch::Kind::kRegister);
    b_.load_transposed(name, c_.buffer_of(v), first, 0, t.dim(1), c_.mask);
    c_.place_lanes(v, name, 0);
  }

  // The full index of a carried value for an index of its features.
  Index with_sample(Value v, const Index& feature) const {
    Index at = feature;
    at.insert(at.begin() + anchor_axis(v), sample_);
    return at;
  }

  void carried(const Node* n) {
    const BodyLowering::At here(c_, *n);
    const Value v{n, 0};
    const auto dims = features(v);
    const auto output = std::find_if(outputs_.begin(), outputs_.end(), [&](const Output& o) { return o.value == v; });
    if (is_read(n)) {
      const std::string name = c_.scratch("v", n->types[0].dtype, {std::max<std::int64_t>(count(dims), 1), ir::kLanes},
                                          ir::Scratch::Kind::kRegister);
      c_.loops("i", dims, kUnroll, [&](const Index& f) {
        b_.store(name, {dims.empty() ? Dim(0) : linear_offset(f, dims), lane()}, c_.value(v, with_sample(v, f)));
      });
      c_.place_lanes(v, name, anchor_axis(v));
    }
    if (output != outputs_.end())
      c_.loops("i", dims, kUnroll, [&](const Index& f) {
        const Index at = with_sample(v, f);
        b_.store(output->buffer, at, c_.value(v, at), c_.mask);
      });
  }

  void add_to_sum(const Node* n) {
    const BodyLowering::At here(c_, *n);
    const Type& t = n->types[0];
    const std::string& sum = sums_.at(n);
    c_.loops("i", t.dims, kUnroll, [&](const Index& at) {
      const Index place{t.dims.empty() ? Dim(0) : linear_offset(at, t.dims), lane()};
      const int before = b_.load(sum, t.dtype, place);
      const int after = add_sample(n, at, before);
      b_.store(sum, place, c_.mask < 0 ? after : b_.op("select", {c_.mask, after, before}));
    });
  }

  // The partial sums of one element of the result with one sample more: folds over the other folded axes, if any.
  int add_sample(const Node* n, const Index& at, int before) {
    const auto folded = folded_axes(*n);
    std::vector<Dim> extents;  // of the folded axes that are not the anchor
    std::vector<std::size_t> groups;
    for (std::size_t g = 0; g < folded.size(); ++g) {
      const auto [operand, axis] = folded[g][0];
      const Value v = n->operands[static_cast<std::size_t>(operand)];
      if (anchor_axis(v) == axis) continue;
      extents.push_back(v.type().dim(axis));
      groups.push_back(g);
    }
    const auto step = [&](const Index& k, int sum) {
      std::vector<int> elements;
      for (std::size_t o = 0; o < n->operands.size(); ++o)
        elements.push_back(c_.value(n->operands[o], operand_index(n, static_cast<int>(o), at, folded, groups, k)));
      if (elements.size() == 1) return b_.op(combine(n), {sum, elements[0]});
      return is_float(n->types[0].dtype) && c_.has_fma() ? b_.op("fma", {elements[0], elements[1], sum})
                                                         : b_.op("add", {sum, b_.op("mul", elements)});
    };
    if (extents.empty()) return step({}, before);
    return c_
        .fold(extents, {{before}},
              [&](const Index& k, std::vector<ir::Expr> carried_sum) {
                return std::vector<ir::Expr>{{step(k, carried_sum[0].id)}};
              })[0]
        .id;
  }

  Index operand_index(const Node* n, int o, const Index& at,
                      const std::vector<std::vector<std::pair<int, int>>>& folded,
                      const std::vector<std::size_t>& groups, const Index& k) const {
    const Value v = n->operands[static_cast<std::size_t>(o)];
    Index index(v.type().dims.size());
    for (const AxisRelation& r : axis_relations(*n))
      if (r.operand == o) index[static_cast<std::size_t>(r.operand_axis)] = at[static_cast<std::size_t>(r.result_axis)];
    for (std::size_t g = 0; g < groups.size(); ++g)
      for (const auto& [operand, axis] : folded[groups[g]])
        if (operand == o) index[static_cast<std::size_t>(axis)] = k[g];
    index[static_cast<std::size_t>(anchor_axis(v))] = sample_;
    return index;
  }

  BodyLowering& c_;
  KernelBuilder& b_;
  const std::vector<Output>& outputs_;
  std::vector<const Node*> nodes_;
  AxisClasses classes_;
  int anchor_class_ = -1;
  NestPlan plan_;
  std::vector<Value> inputs_;
  std::unordered_set<const Node*> placed_;
  std::unordered_map<const Node*, std::vector<const Node*>> readers_;
  std::unordered_map<const Node*, std::string> sums_;
  Dim sample_ = 0;
};

}  // namespace

void lower_nest(BodyLowering& c, const ir::Graph& body, const std::vector<std::int64_t>& anchor,
                const std::vector<Output>& outputs) {
  Nest(c, body, anchor, outputs).lower();
}

}  // namespace gcompile::passes
