// The anchored nest: see lower.h and design's chapter on it. Loops over vectors of 16 samples, cut into strips and
// stages by nest_cut.h; a value per sample is a lane vector per feature, in registers where one stage makes and reads
// it and in the frame otherwise; sums over samples are those of nest_sums.h.
#include <algorithm>

#include "gcompile/base/error.h"
#include "gcompile/ir/op.h"
#include "gcompile/passes/fuse.h"
#include "gcompile/passes/lower.h"
#include "gcompile/passes/nest_cut.h"
#include "gcompile/passes/nest_sums.h"
#include "gcompile/passes/places.h"

namespace gcompile::passes {
namespace {

using ir::Index;
using ir::Node;
using ir::Value;

constexpr std::int64_t kUnroll = 64;            // feature loops up to this extent are wished unrolled
constexpr std::int64_t kTransposeColumns = 64;  // wider rows of an input are read with strides
constexpr std::size_t kTransposedBytes = 4;     // and those of smaller elements

using NodeSet = std::unordered_set<const Node*>;

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
    Ranges ranges;
    for (const std::string& s : plan_.extent.symbols()) {
      const auto known = body.bounds.find(s);
      const ir::DimBounds bounds = known == body.bounds.end() ? ir::DimBounds{} : known->second;
      ranges[s] = {bounds.min, bounds.max};
    }
    may_be_empty_ = bounds_of(plan_.extent, ranges).min < 1;
    for (const auto& i : body.inputs)
      if (category(i.value.node) == Category::kCarried && is_transposed(i.value)) {
        rows_.push_back(i.value);
        row_buffers_[i.value.node] = c.buffer_of(i.value);
      }
    place(outputs);
    for (const Node* n : nodes_) {
      if (sums_samples(n)) sums_.push_back(n);
      if (category(n) == Category::kCarried && placed_.count(n)) carried_.push_back(n);
    }
  }

  void lower() {
    for (const Node* n : nodes_)
      if (category(n) == Category::kUniform && is_read(n)) place_whole(n);
    NestSums sums(c_, classes_, anchor_class_, sums_);
    const NestCut cut = cut_nest(work(), c_.context().target);
    b_.kernel().reasons.push_back("nest: " + cut.reason);
    c_.of_sample = true;
    if (cut.vectors == 0)
      one_loop(cut, sums);
    else
      strips(cut, sums);
    c_.of_sample = false;
    sums.finish();
    for (const Node* n : nodes_)
      if (category(n) == Category::kReduced && !sums_samples(n) && is_read(n)) place_whole(n);
    for (const Output& o : outputs_)
      if (category(o.value.node) != Category::kCarried) emit_value(c_, o.value, {o.buffer});
  }

 private:
  Category category(const Node* n) const { return plan_.category.at(n); }
  bool is_read(const Node* n) const { return read_.count(n) != 0; }
  int anchor_axis(Value v) const { return classes_.find(v, anchor_class_); }

  bool sums_samples(const Node* n) const {
    return category(n) == Category::kReduced && !n->operands.empty() &&
           category(n->operands[0].node) == Category::kCarried;
  }

  // Rows of an input whose samples become lane vectors, one per column.
  bool is_transposed(Value v) const {
    const Type& t = v.type();
    return t.rank() == 2 && anchor_axis(v) == 0 && !t.dim(1).is(1) && !t.dim(1).is(0) &&
           t.dim(1).constant() <= kTransposeColumns && size_of(t.dtype) >= kTransposedBytes;
  }

  // What has memory: beside what places.h says, what no sample changes and a sample reads, and what is summed, so that
  // a block of sums only loads.
  void place(const std::vector<Output>& outputs) {
    std::vector<Value> values;
    for (const Output& o : outputs) values.push_back(o.value);
    placed_ = placed_nodes(nodes_, values);
    for (const Node* n : nodes_) {
      if (sums_samples(n)) placed_.insert(n);
      for (const Value& v : n->operands) {
        read_.insert(v.node);
        if (!is_cheap(*v.node) && category(v.node) != category(n)) placed_.insert(v.node);
      }
    }
  }

  // The extents of a value without the anchor.
  std::vector<Dim> features(Value v) const {
    std::vector<Dim> dims;
    const int p = anchor_axis(v);
    for (int a = 0; a < v.type().rank(); ++a)
      if (a != p) dims.push_back(v.type().dim(a));
    return dims;
  }
  std::int64_t count(Value v) const { return std::max<std::int64_t>(product(features(v)).constant(), 1); }

  NestWork work() const {
    NestWork w{carried_, sums_, [this](const Node* n) { return placed_.count(n) != 0; },
               [this](const Node* n) {
                 return count({n, 0});
               }};
    for (const Value& v : rows_) w.input_columns += v.type().dim(1).constant();
    // Results of samples are stored through registers of which there is one set.
    w.abreast = std::none_of(outputs_.begin(), outputs_.end(),
                             [this](const Output& o) { return category(o.value.node) == Category::kCarried; });
    return w;
  }

  // A value that no sample enters, in row-major scratch; a scalar simply stays a value of the kernel.
  void place_whole(const Node* n) {
    const Value v{n, 0};
    if (!placed_.count(n) || c_.is_placed(v)) return;
    const BodyLowering::At here(c_, *n);
    if (n->types[0].rank() == 0) {
      c_.element(v, {});
      return;
    }
    const std::string name = c_.scratch("u", n->types[0].dtype, {count(v)}, ir::Scratch::Kind::kStack);
    emit_value(c_, v, {name, true});
    c_.place_linear(v, name);
  }

  static Dim lane() { return Dim(ir::kLaneSymbol); }

  Dim vectors() const { return ceildiv(plan_.extent, ir::kLanes); }

  // Makes the vector at hand the one whose first sample is `first`.
  void begin(const Dim& first) {
    sample_ = first + lane();
    const Dim& extent = plan_.extent;
    c_.mask = extent.is_constant() && extent.constant() % ir::kLanes == 0
                  ? -1
                  : b_.op("lt", {b_.index(lane()), b_.index(extent - first)});
  }

  // Whole vectors side by side first; then one after the other, with a mask.
  void one_loop(const NestCut& cut, NestSums& sums) {
    c_.lanes = true;
    std::vector<int> now = sums.initial();
    Dim done = 0;
    if (cut.abreast > 1) {
      const Dim blocks = floordiv(plan_.extent, ir::kLanes * cut.abreast);
      if (!blocks.is(0))
        now = c_.loop("t", blocks, ir::LoopKind::kSerial, std::move(now), sums.types(),
                      [&](const Dim& t, std::span<const int> before) {
                        return abreast(Dim(cut.abreast) * t, cut.abreast, sums, {before.begin(), before.end()});
                      });
      done = Dim(cut.abreast) * blocks;
    }
    if (const Dim rest = vectors() - done; !rest.is(0))
      now = c_.loop("t", rest, ir::LoopKind::kSerial, std::move(now), sums.types(),
                    [&](const Dim& t, std::span<const int> before) {
                      begin(Dim(ir::kLanes) * (done + t));
                      for (const Value& v : rows_) load_rows(v, {});
                      for (const Node* n : carried_) carried(n, {});
                      return sums.add(before, sample_);
                    });
    c_.lanes = false;
    c_.mask = -1;
    sums.keep(now);
  }

  // So many whole vectors, instruction by instruction: each has slots of its own, in registers.
  std::vector<int> abreast(const Dim& first, std::int64_t count_abreast, NestSums& sums, std::vector<int> now) {
    std::unordered_map<const Node*, std::string> memory;
    const auto give_registers = [&](Value v) {
      memory[v.node] =
          c_.scratch("v", v.type().dtype, {count_abreast, count(v), ir::kLanes}, ir::Scratch::Kind::kRegister);
    };
    for (const Value& v : rows_) give_registers(v);
    for (const Node* n : carried_) give_registers({n, 0});
    const auto begin_whole = [&](const Dim& vector) {
      c_.slot = vector;
      c_.mask = -1;
      sample_ = Dim(ir::kLanes) * (first + vector) + lane();
    };
    for (std::int64_t k = 0; k < count_abreast; ++k) {
      begin_whole(k);
      for (const Value& v : rows_) load_rows(v, memory.at(v.node));
    }
    c_.loop("u", count_abreast, ir::LoopKind::kInterleave, [&](const Dim& u) {
      begin_whole(u);
      for (const Node* n : carried_) carried(n, memory.at(n));
    });
    for (std::int64_t k = 0; k < count_abreast; ++k) {
      begin_whole(k);
      now = sums.add(now, sample_);
    }
    for (const Node* n : carried_) c_.displace({n, 0});
    return now;
  }

  void strips(const NestCut& cut, NestSums& sums) {
    const NodeSet across = read_across(cut);
    std::unordered_map<const Node*, std::string> memory;
    const auto give_memory = [&](Value v) {
      memory[v.node] = c_.scratch("v", v.type().dtype, {cut.vectors, count(v), ir::kLanes}, ir::Scratch::Kind::kStack);
    };
    for (const Value& v : rows_) give_memory(v);
    for (const Node* n : carried_)
      if (across.count(n)) give_memory({n, 0});
    // The first strip is what gives sums their value, so there is one where there are no samples.
    Dim strips = ceildiv(vectors(), cut.vectors);
    if (may_be_empty_) strips = strips + Dim(1) - at_most(strips, 1);
    c_.loop("s", strips, ir::LoopKind::kSerial, [&](const Dim& s) {
      const Dim before = Dim(cut.vectors) * s;
      const Dim here = at_most(vectors() - before, cut.vectors);
      const auto begin_vector = [&](const Dim& v) {
        c_.slot = v;
        begin(Dim(ir::kLanes) * (before + v));
        return sample_;
      };
      c_.lanes = true;
      for (std::size_t i = 0; i < cut.stages.size(); ++i)
        c_.loop("v", here, ir::LoopKind::kSerial, [&](const Dim& v) {
          begin_vector(v);
          if (i == 0)
            for (const Value& r : rows_) load_rows(r, memory.at(r.node));
          for (const Node* n : cut.stages[i]) carried(n, across.count(n) ? memory.at(n) : "");
        });
      sums.add_strip(s, here, begin_vector);
      c_.lanes = false;
      c_.mask = -1;
    });
  }

  // Carried values that another stage than their own reads, or a sum.
  NodeSet read_across(const NestCut& cut) const {
    std::unordered_map<const Node*, std::size_t> stage;
    for (std::size_t i = 0; i < cut.stages.size(); ++i)
      for (const Node* n : cut.stages[i]) stage[n] = i;
    NodeSet across;
    const auto reads = [&](const Node* reader, std::size_t at) {
      NodeSet seen;
      std::vector<const Node*> todo{reader};
      while (!todo.empty()) {
        const Node* n = todo.back();
        todo.pop_back();
        for (const Value& v : n->operands) {
          const auto made = stage.find(v.node);
          if (made != stage.end() && made->second != at) across.insert(v.node);
          if (made == stage.end() && seen.insert(v.node).second) todo.push_back(v.node);
        }
      }
    };
    for (const auto& [n, at] : stage) reads(n, at);
    for (const Node* n : sums_) reads(n, cut.stages.size());
    return across;
  }

  // `memory`: [vector, column, lane] of a strip, or none when registers do.
  void load_rows(Value v, const std::string& memory) {
    const BodyLowering::At here(c_, *v.node);
    const Type& t = v.type();
    const std::string columns =
        c_.scratch("x", t.dtype, {t.dim(1).constant(), ir::kLanes}, ir::Scratch::Kind::kRegister);
    b_.load_transposed(columns, row_buffers_.at(v.node), {sample_, 0}, t.dim(1), c_.mask);
    c_.place_lanes(v, columns, 0);
    if (memory.empty()) return;
    c_.loops("i", {t.dim(1)}, kUnroll, [&](const Index& f) {
      b_.store(memory, {c_.slot, f[0], lane()}, b_.load(columns, t.dtype, {f[0], lane()}));
    });
    c_.place_strip(v, memory, 0);
  }

  // The full index of a carried value for an index of its features.
  Index with_sample(Value v, const Index& feature) const {
    Index at = feature;
    at.insert(at.begin() + anchor_axis(v), sample_);
    return at;
  }

  // `memory`: [vector, feature, lane] of a strip, or none when registers do.
  void carried(const Node* n, const std::string& memory) {
    const BodyLowering::At here(c_, *n);
    const Value v{n, 0};
    const auto dims = features(v);
    const auto output = std::find_if(outputs_.begin(), outputs_.end(), [&](const Output& o) { return o.value == v; });
    if (is_read(n)) {
      const std::string name =
          memory.empty() ? c_.scratch("v", n->types[0].dtype, {count(v), ir::kLanes}, ir::Scratch::Kind::kRegister)
                         : memory;
      c_.loops(
          "i", dims, kUnroll,
          [&](const Index& f) {
            Index at{dims.empty() ? Dim(0) : linear_offset(f, dims), lane()};
            if (!memory.empty()) at.insert(at.begin(), c_.slot);
            b_.store(name, at, c_.value(v, with_sample(v, f)));
          },
          ir::LoopKind::kInterleave);
      if (memory.empty())
        c_.place_lanes(v, name, anchor_axis(v));
      else
        c_.place_strip(v, name, anchor_axis(v));
    }
    if (output == outputs_.end()) return;
    const auto store = [&](const auto& to) {
      c_.loops("i", dims, kUnroll, [&](const Index& f) { to(f, c_.value(v, with_sample(v, f))); });
    };
    if (anchor_axis(v) != 0 || dims.size() != 1 || dims[0].constant() < 2)
      return store([&](const Index& f, int x) { b_.store(output->buffer, with_sample(v, f), x, c_.mask); });
    // Samples are rows in memory: what the lanes hold is transposed on its way there.
    const std::string columns =
        c_.scratch("out", n->types[0].dtype, {count(v), ir::kLanes}, ir::Scratch::Kind::kRegister);
    store([&](const Index& f, int x) { b_.store(columns, {f[0], lane()}, x); });
    b_.store_transposed(output->buffer, {sample_, 0}, columns, count(v), c_.mask);
  }

  BodyLowering& c_;
  KernelBuilder& b_;
  const std::vector<Output>& outputs_;
  std::vector<const Node*> nodes_;
  AxisClasses classes_;
  int anchor_class_ = -1;
  NestPlan plan_;
  bool may_be_empty_ = false;  // there may be no samples
  std::vector<Value> rows_;    // inputs whose rows are transposed, and where they are in memory
  std::unordered_map<const Node*, std::string> row_buffers_;
  NodeSet placed_, read_;
  std::vector<const Node*> carried_, sums_;  // carried values that have memory; sums over samples
  Dim sample_ = 0;
};

}  // namespace

void lower_nest(BodyLowering& c, const ir::Graph& body, const std::vector<std::int64_t>& anchor,
                const std::vector<Output>& outputs) {
  Nest(c, body, anchor, outputs).lower();
}

}  // namespace gcompile::passes
