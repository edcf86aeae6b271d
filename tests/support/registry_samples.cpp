#include <algorithm>
#include <functional>

#include "gcompile/ir/build.h"
#include "tests/registry/samples.h"

namespace gcompile::registry {
namespace {

using ir::Attrs;
using ir::Builder;
using ir::Graph;
using ir::OpDef;
using ir::V;
using ir::Value;
using Ints = std::vector<std::int64_t>;
using Dims = std::vector<Dim>;

const Dim kN("N");

class Maker {
 public:
  Maker(const OpDef& op, DType dtype) : op_(op), dtype_(dtype), graph_("sample"), b_(graph_) {
    graph_.bounds["N"] = {1, 64};
    b_.where = {{"sample.cpp", 1}};
  }

  // An input with elements of the record's domain. What is drawn for floats is in [-1, 1).
  V input(const Dims& dims, DType dtype) {
    const V raw{&b_, b_.input("x" + std::to_string(graph_.inputs.size()), {dtype, dims})};
    if (!is_float(dtype)) return raw;
    const double middle = (op_.domain.low + op_.domain.high) / 2, half = (op_.domain.high - op_.domain.low) / 2;
    const V x = raw * half + middle;
    return op_.domain.integers ? ir::unary("round_even", x) : x;
  }
  V input(const Dims& dims) { return input(dims, dtype_); }
  // An input that no op reads, so that the symbol N has a value.
  Maker& with_n() {
    b_.input("n", {DType::kF32, {kN}});
    return *this;
  }
  Builder& builder() { return b_; }
  DType dtype() const { return dtype_; }

  V make(std::vector<Value> operands, Attrs attrs = {}) {
    b_.where = {{"sample.cpp", 2}};
    return {&b_, b_.make(op_, std::move(operands), std::move(attrs))};
  }

  // The loss weights every element differently, so that no two errors cancel.
  Sample finish(V result, const std::string& text) {
    Sample s;
    s.name = std::string(op_.name) + " " + text;
    const Type& t = result.type();
    // The gradient of stop_gradient is by intention not its derivative.
    s.loss = is_float(t.dtype) && op_.differentiable() && op_.name != "stop_gradient";
    if (s.loss) {
      Ints axes;
      V weighted = result;
      for (int a = 0; a < t.rank(); ++a) {
        axes.push_back(a);
        const V position{&b_, b_.make("iota", {}, {{"dtype", t.dtype}, {"dims", t.dims}, {"axis", std::int64_t{a}}})};
        weighted = weighted * (position * 0.25 + 0.5);
      }
      const V loss = axes.empty() ? weighted : ir::reduce("reduce_sum", weighted, axes);
      graph_.results.push_back({loss, "loss"});
    }
    graph_.results.push_back({result, "result"});
    s.graph = graph_;
    return s;
  }

 private:
  const OpDef& op_;
  DType dtype_;
  Graph graph_;
  Builder b_;
};

std::string text(DType dtype, const Dims& dims) { return Type{dtype, dims}.str(); }

Sample elementwise(const OpDef& op, DType dtype, const Dims& dims) {
  Maker m(op, dtype);
  std::vector<Value> operands;
  for (int i = 0; i < op.arity; ++i) operands.push_back(m.input(dims));
  return m.finish(m.make(operands), text(dtype, dims));
}

using Case = std::function<V(Maker&)>;

// What structured ops take: one line per case.
std::vector<std::pair<std::string, Case>> cases_of(std::string_view op) {
  const Dims matrix{kN, 5}, cube{3, kN, 4};
  const auto axes = [](Dims dims, Ints list) {
    return [=](Maker& m) { return m.make({m.input(dims)}, {{"axes", list}}); };
  };
  const auto axis = [](Dims dims, std::int64_t a) {
    return [=](Maker& m) { return m.make({m.input(dims)}, {{"axis", a}}); };
  };
  const auto dot = [](Dims a, Dims b, Ints lc, Ints rc, Ints lb, Ints rb) {
    return [=](Maker& m) {
      return m.make({m.input(a), m.input(b)},
                    {{"lhs_contract", lc}, {"rhs_contract", rc}, {"lhs_batch", lb}, {"rhs_batch", rb}});
    };
  };
  const auto gather = [](Dims x, Dims i, std::int64_t a) {
    return [=](Maker& m) { return m.make({m.input(x), m.input(i, DType::kI32)}, {{"axis", a}}); };
  };
  if (op.starts_with("reduce_"))
    return {{"over columns", axes(matrix, {1})},
            {"over rows", axes(matrix, {0})},
            {"over all", axes(matrix, {0, 1})},
            {"of a cube", axes(cube, {0, 2})},
            {"over nothing", axes(matrix, {})}};
  if (op == "argmax" || op == "argmin")
    return {{"over columns", axis(matrix, 1)}, {"over rows", axis(matrix, 0)}, {"of a cube", axis(cube, 2)}};
  if (op == "dot")
    return {{"nn", dot(matrix, {5, 3}, {1}, {0}, {}, {})},
            {"nt", dot(matrix, {7, 5}, {1}, {1}, {}, {})},
            {"tn", dot(matrix, {kN, 3}, {0}, {0}, {}, {})},
            {"vector", dot(matrix, {5}, {1}, {0}, {}, {})},
            {"outer", dot({3}, {kN}, {}, {}, {}, {})},
            {"batched", dot(cube, {3, 4, 6}, {2}, {1}, {0}, {0})},
            {"two contracted", dot(cube, {4, 3, 2}, {2, 0}, {0, 1}, {}, {})}};
  if (op == "gather")
    return {{"rows", gather({6, 3}, {kN}, 0)}, {"columns", gather(matrix, {2, 3}, 1)}, {"one", gather({6}, {}, 0)}};
  const auto scatter = [](Dims updates, Dims i, Dims to, std::int64_t a) {
    return [=](Maker& m) {
      return m.with_n().make({m.input(updates), m.input(i, DType::kI32)}, {{"axis", a}, {"dims", to}});
    };
  };
  if (op == "scatter_add")
    return {{"rows", scatter({kN, 3}, {kN}, {6, 3}, 0)},
            {"many rows", scatter({kN, 40}, {kN}, {50, 40}, 0)},
            {"columns", scatter({kN, 2, 3}, {2, 3}, matrix, 1)},
            {"in the middle", scatter({2, kN, 4}, {kN}, {2, 5, 4}, 1)},
            {"histogram", scatter({kN}, {kN}, {7}, 0)},
            {"to a symbolic axis", scatter({4, 3}, {4}, {kN, 3}, 0)},
            {"one", scatter({}, {}, {6}, 0)}};
  if (op == "concat")
    return {{"columns",
             [=](Maker& m) {
               return m.make({m.input(matrix), m.input({kN, 2}), m.input({kN, 9})}, {{"axis", std::int64_t{1}}});
             }},
            {"rows", [=](Maker& m) {
               return m.make({m.input({2, 5}), m.input(matrix)}, {{"axis", std::int64_t{0}}});
             }}};
  if (op == "pad")
    return {{"both",
             [=](Maker& m) {
               return m.make({m.input(matrix), m.input({})}, {{"low", Ints{2, 1}}, {"high", Ints{1, 3}}});
             }},
            {"low", [=](Maker& m) {
               return m.make({m.input(matrix), m.input({})}, {{"low", Ints{0, 1}}, {"high", Ints{0, 0}}});
             }}};
  if (op == "reshape")
    return {{"flat",
             [=](Maker& m) {
               return m.make({m.input({kN, 4, 8})}, {{"dims", Dims{kN, 32}}});
             }},
            {"split",
             [=](Maker& m) {
               return m.make({m.input({kN, 12})}, {{"dims", Dims{kN, 3, 4}}});
             }},
            {"one", [=](Maker& m) {
               return m.make({m.input({kN, 1})}, {{"dims", Dims{kN}}});
             }}};
  if (op == "transpose")
    return {{"matrix",
             [=](Maker& m) {
               return m.make({m.input(matrix)}, {{"permutation", Ints{1, 0}}});
             }},
            {"cube", [=](Maker& m) {
               return m.make({m.input(cube)}, {{"permutation", Ints{2, 0, 1}}});
             }}};
  if (op == "broadcast")
    return {{"scalar",
             [=](Maker& m) {
               return m.with_n().make({m.input({})}, {{"axes", Ints{}}, {"dims", matrix}});
             }},
            {"row",
             [=](Maker& m) {
               return m.with_n().make({m.input({5})}, {{"axes", Ints{1}}, {"dims", matrix}});
             }},
            {"column", [=](Maker& m) {
               return m.make({m.input({kN})}, {{"axes", Ints{0}}, {"dims", matrix}});
             }}};
  if (op == "slice")
    return {
        {"columns",
         [=](Maker& m) {
           return m.make({m.input(matrix)}, {{"starts", Ints{0, 1}}, {"stops", Dims{kN, 4}}, {"steps", Ints{1, 1}}});
         }},
        {"stepped", [=](Maker& m) {
           return m.make({m.input({kN, 9})}, {{"starts", Ints{0, 1}}, {"stops", Dims{kN, 9}}, {"steps", Ints{1, 3}}});
         }}};
  if (op == "reverse") return {{"rows", axes(matrix, {0})}, {"both", axes(matrix, {0, 1})}};
  if (op == "iota")
    return {{"rows",
             [=](Maker& m) {
               return m.with_n().make({}, {{"dtype", m.dtype()}, {"dims", matrix}, {"axis", std::int64_t{0}}});
             }},
            {"columns", [=](Maker& m) {
               return m.with_n().make({}, {{"dtype", m.dtype()}, {"dims", matrix}, {"axis", std::int64_t{1}}});
             }}};
  if (op == "dim")
    return {{"value", [](Maker& m) {
               return m.with_n().make({}, {{"dtype", m.dtype()}, {"value", Dims{kN * Dim(3) + Dim(1)}}});
             }}};
  if (op == "constant")
    return {{"matrix", [](Maker& m) { return m.make({}, {{"value", Array{{1, 2, 3}, {4, 5, 0}}.cast(m.dtype())}}); }}};
  if (op == "input") return {{"matrix", [=](Maker& m) { return m.input(matrix); }}};
  if (op == "state")
    return {{"matrix", [=](Maker& m) {
               const Array a = Array{{1, 2, 3}, {4, 5, 0}}.cast(m.dtype());
               return V{&m.builder(), m.builder().state("s", Type::of(a.dtype(), a.shape()),
                                                        std::make_shared<StateStorage>("s", a, true))};
             }}};
  if (op == "select")
    return {{"by comparison", [=](Maker& m) {
               const V a = m.input(matrix), b = m.input(matrix),
                       condition{&m.builder(), m.builder().input("c", {DType::kBool, matrix})};
               return m.make({condition, a, b});
             }}};
  return {};
}

// These differ from another dtype in their elements alone: the shapes are that one's business.
bool is_like_another(DType t) { return t == DType::kF16 || t == DType::kI64 || t == DType::kU32 || t == DType::kU8; }

}  // namespace

std::vector<Sample> samples_of(const OpDef& op) {
  std::vector<Sample> samples;
  if (op.is(ir::kKernelOnly) || op.name == "fusion") return samples;
  std::vector<DType> dtypes = op.dtypes;
  // select's record lists what its condition may be.
  if (dtypes.empty() || op.name == "select") dtypes.assign(std::begin(kAllDTypes), std::end(kAllDTypes));
  for (const DType dtype : dtypes) {
    if (dtype == DType::kBool && (op.name == "iota" || op.name == "dim" || op.name == "pad")) continue;
    if (op.name == "cast") {
      for (const DType to : kAllDTypes) {
        Maker m(op, dtype);
        samples.push_back(m.finish(m.make({m.input({kN, 5})}, {{"dtype", to}}),
                                   std::string(name(dtype)) + " to " + std::string(name(to))));
      }
      continue;
    }
    auto cases = cases_of(op.name);
    if (is_like_another(dtype) && cases.size() > 2) cases.resize(2);
    for (const auto& [what, make] : cases) {
      Maker m(op, dtype);
      const V result = make(m);
      samples.push_back(m.finish(result, std::string(name(dtype)) + " " + what));
    }
    if (cases.empty()) {
      samples.push_back(elementwise(op, dtype, {kN, 5}));
      if (is_like_another(dtype)) continue;
      samples.push_back(elementwise(op, dtype, {}));
      samples.push_back(elementwise(op, dtype, {7, 19}));
    }
  }
  return samples;
}

}  // namespace gcompile::registry
