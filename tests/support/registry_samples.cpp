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
  const auto& bounds() const { return graph_.bounds; }

  V make(std::vector<Value> operands, Attrs attrs = {}, ir::Bodies bodies = {}) {
    b_.where = {{"sample.cpp", 2}};
    return {&b_, b_.make(op_, std::move(operands), std::move(attrs), std::move(bodies))};
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

// A body of inputs of these types; `fill` returns its results.
std::shared_ptr<const Graph> body_of(const Maker& m, const std::vector<Type>& types,
                                     const std::function<std::vector<V>(std::vector<V>)>& fill) {
  auto body = std::make_shared<Graph>("body");
  body->bounds = m.bounds();
  Builder b(*body);
  b.where = {{"sample.cpp", 4}};
  std::vector<V> inputs;
  for (std::size_t i = 0; i < types.size(); ++i) inputs.push_back({&b, b.input("b" + std::to_string(i), types[i])});
  for (const V& v : fill(inputs)) body->results.push_back({v, ""});
  return body;
}

// Something of two values that every dtype has, and that is no sum of functions of one.
V mixed(V a, V b) {
  if (a.type().dtype == DType::kBool) return ir::binary("or", a, ir::unary("not", b));
  return is_float(a.type().dtype) ? a * 0.5 + ir::unary("tanh", b) * a : a * b + a;
}

V result(V node, int i) { return {node.b, {node.v.node, i}}; }

std::vector<std::pair<std::string, Case>> control_cases(std::string_view op) {
  // carry [5], sequence [N,5], invariant [5]
  const auto scan = [](Dim length, bool reverse, int which) {
    return [=](Maker& m) {
      const Type row{m.dtype(), {5}};
      const auto body = body_of(m, {row, row, row}, [](std::vector<V> x) {
        const V next = mixed(x[0], mixed(x[1], x[2]));
        return std::vector<V>{next, mixed(x[0], x[1]), next};
      });
      const V made = m.make({m.input({5}), m.input({length, 5}), m.input({5})},
                            {{"carries", std::int64_t{1}},
                             {"sequences", std::int64_t{1}},
                             {"length", Dims{length}},
                             {"reverse", reverse}},
                            {body});
      return result(made, which);
    };
  };
  if (op == "scan")
    return {{"last", scan(kN, false, 0)},
            {"stacked", scan(kN, false, 1)},
            {"stacked carry, in reverse", scan(kN, true, 2)},
            {"of four steps", scan(4, false, 2)}};
  if (op == "cond")
    return {{"of a flag", [](Maker& m) {
               const Type matrix{m.dtype(), {kN, 5}};
               const auto yes = body_of(m, {matrix, matrix}, [](auto x) { return std::vector<V>{mixed(x[0], x[1])}; });
               const auto no = body_of(m, {matrix, matrix}, [](auto x) { return std::vector<V>{x[1]}; });
               return m.make({m.input({}, DType::kBool), m.input({kN, 5}), m.input({kN, 5})}, {}, {yes, no});
             }}};
  if (op == "while")
    return {{"three times", [](Maker& m) {
               const Type count{DType::kI32, {}}, matrix{m.dtype(), {kN, 5}};
               const auto test = body_of(m, {count, matrix, matrix}, [](auto x) {
                 return std::vector<V>{ir::compare("lt", x[0], ir::zeros_like(x[0]) + 3)};
               });
               const auto step = body_of(m, {count, matrix, matrix}, [](auto x) {
                 return std::vector<V>{x[0] + 1, mixed(x[1], x[2])};
               });
               const V zero{&m.builder(), m.builder().scalar(DType::kI32, 0)};
               return result(
                   m.make({zero, m.input({kN, 5}), m.input({kN, 5})}, {{"carries", std::int64_t{2}}}, {test, step}), 1);
             }}};
  if (op == "barrier")
    return {{"after a scalar",
             [](Maker& m) {
               return m.make({m.input({kN, 5}), m.input({})});
             }},
            {"after its like", [](Maker& m) {
               return m.make({m.input({kN, 5}), m.input({kN, 5})});
             }}};
  const auto mixed_body = [](Maker& m, const Type& t) {
    return body_of(m, {t, t}, [](auto x) { return std::vector<V>{mixed(x[0], x[1])}; });
  };
  if (op == "checkpoint")
    return {{"of two", [=](Maker& m) {
               return m.make({m.input({kN, 5}), m.input({kN, 5})}, {}, {mixed_body(m, {m.dtype(), {kN, 5}})});
             }}};
  if (op == "custom_vjp")
    return {{"of two", [=](Maker& m) {
               const Type t{m.dtype(), {kN, 5}};
               const auto rule = body_of(m, {t, t, t, t}, [](auto x) {  // a, b, a / 2 + tanh(b) a, cotangent
                 const V tanh = ir::unary("tanh", x[1]);
                 return std::vector<V>{x[3] * (tanh + 0.5), x[3] * x[0] * (1 - tanh * tanh)};
               });
               return m.make({m.input({kN, 5}), m.input({kN, 5})}, {}, {mixed_body(m, t), rule});
             }}};
  return {};
}

// What structured ops take: one line per case.
std::vector<std::pair<std::string, Case>> cases_of(std::string_view op) {
  if (auto control = control_cases(op); !control.empty()) return control;
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
  const auto first_of_ties = [](Dims dims, Ints list) {
    return [=](Maker& m) { return m.make({m.input(dims)}, {{"axes", list}, {"ties", std::string("first")}}); };
  };
  if (op == "reduce_max" || op == "reduce_min")
    return {{"over columns", axes(matrix, {1})},
            {"over rows", axes(matrix, {0})},
            {"of a cube", axes(cube, {0, 2})},
            {"over nothing", axes(matrix, {})},
            {"the first over rows", first_of_ties(matrix, {0})},
            {"the first over all", first_of_ties(matrix, {0, 1})},
            {"the first of a cube", first_of_ties(cube, {0, 2})}};
  // Of some elements that are 0, in some lines two of them.
  const auto with_zeros = [](Dims dims, Ints list) {
    return [=](Maker& m) {
      V x = m.input(dims);
      for (std::int64_t a = 0; a < static_cast<std::int64_t>(dims.size()); ++a) {
        const V place{&m.builder(),
                      m.builder().make("iota", {}, {{"dtype", DType::kI32}, {"dims", dims}, {"axis", a}})};
        x = x * ir::cast(ir::compare("ne", place, ir::zeros_like(place) + (static_cast<double>(a) + 1)), m.dtype());
      }
      return m.make({x}, {{"axes", list}});
    };
  };
  if (op == "reduce_prod")
    return {{"over columns", axes(matrix, {1})},
            {"over rows", axes(matrix, {0})},
            {"of a cube", axes(cube, {0, 2})},
            {"over nothing", axes(matrix, {})},
            {"with a zero", with_zeros({5}, {0})},
            {"with zeros", with_zeros({kN, 5}, {1})},
            {"with zeros in rows", with_zeros({4, kN}, {0})}};
  if (op.starts_with("reduce_"))
    return {{"over columns", axes(matrix, {1})},
            {"over rows", axes(matrix, {0})},
            {"over all", axes(matrix, {0, 1})},
            {"of a cube", axes(cube, {0, 2})},
            {"over nothing", axes(matrix, {})}};
  const auto cumsum = [](Dims dims, std::int64_t a, bool reverse, bool exclusive) {
    return [=](Maker& m) {
      return m.make({m.input(dims)}, {{"axis", a}, {"reverse", reverse}, {"exclusive", exclusive}});
    };
  };
  const auto recurrence = [](Dims dims, std::int64_t a, bool reverse, bool delayed) {
    return [=](Maker& m) {
      return m.make({m.input(dims), m.input(dims)}, {{"axis", a}, {"reverse", reverse}, {"delayed", delayed}});
    };
  };
  if (op == "recurrence")
    return {{"down rows", recurrence(matrix, 0, false, false)},
            {"along rows, delayed", recurrence(matrix, 1, false, true)},
            {"backwards", recurrence(cube, 1, true, false)},
            {"backwards, delayed", recurrence({3, kN, 21}, 0, true, true)},
            {"of a vector", recurrence({kN}, 0, false, false)}};
  if (op == "cumsum")
    return {{"down rows", cumsum(matrix, 0, false, false)},
            {"along rows", cumsum(matrix, 1, false, true)},
            {"backwards", cumsum(cube, 1, true, false)},
            {"backwards without itself", cumsum({3, kN, 21}, 0, true, true)},
            {"of long rows", cumsum({kN, 40}, 1, false, false)},
            {"of a vector", cumsum({kN}, 0, false, false)}};
  const auto argsort = [](Dims dims, std::int64_t a, bool descending, std::int64_t count = -1) {
    return [=](Maker& m) {
      Attrs attrs{{"axis", a}, {"descending", descending}};
      if (count >= 0) attrs.set("count", count);
      return m.make({m.input(dims)}, attrs);
    };
  };
  if (op == "argsort")
    return {{"of a vector", argsort({kN}, 0, false)},
            {"of rows", argsort({kN, 21}, 1, true)},
            {"of columns", argsort({kN, 5}, 0, false)},
            {"in the middle", argsort({2, kN, 3}, 1, true)},
            {"of a long row", argsort({kN, 150}, 1, false)},
            {"the first of rows", argsort({kN, 21}, 1, false, 3)},
            {"the first of columns", argsort({40, kN}, 0, true, 2)},
            {"the first of long rows", argsort({2, 150}, 1, true, 35)},
            {"none", argsort({kN, 5}, 1, true, 0)},
            {"of one", argsort({kN, 1}, 1, false)}};
  const auto windows = [](Dims dims, Ints along, Dims sizes, Ints strides, Ints dilations) {
    return [=](Maker& m) {
      return m.with_n().make({m.input(dims)},
                             {{"axes", along}, {"sizes", sizes}, {"strides", strides}, {"dilations", dilations}});
    };
  };
  if (op == "windows")
    return {{"along the last axis", windows({kN, 9}, {1}, {3}, {1}, {1})},
            {"overlapping squares", windows({kN, 2, 8, 7}, {2, 3}, {3, 2}, {2, 1}, {1, 2})},
            {"apart", windows({11, kN}, {0}, {2}, {4}, {1})},
            {"along a symbolic axis", windows({kN + Dim(3), 2}, {0}, {4}, {1}, {1})}};
  const auto window_sum = [](Dims g, Dims to, Ints along, Ints strides, Ints dilations) {
    return [=](Maker& m) {
      return m.with_n().make({m.input(g)},
                             {{"axes", along}, {"strides", strides}, {"dilations", dilations}, {"dims", to}});
    };
  };
  if (op == "window_sum")
    return {{"along the last axis", window_sum({kN, 3, 7}, {kN, 9}, {1}, {1}, {1})},
            {"overlapping squares", window_sum({kN, 2, 3, 2, 3, 5}, {kN, 2, 8, 7}, {2, 3}, {2, 1}, {1, 2})},
            {"apart", window_sum({2, 3, kN}, {11, kN}, {0}, {4}, {1})},
            {"to a symbolic axis", window_sum({4, kN, 2}, {kN + Dim(3), 2}, {0}, {1}, {1})}};
  const auto conv = [](Dims x, Dims w, Ints strides, Ints dilations) {
    return [=](Maker& m) {
      return m.with_n().make({m.input(x), m.input(w)}, {{"strides", strides}, {"dilations", dilations}});
    };
  };
  if (op == "conv")
    return {{"along one axis", conv({kN, 1, 2, 7}, {1, 3, 2, 3}, {1}, {1})},
            {"of images", conv({kN, 1, 3, 6, 5}, {1, 4, 3, 3, 2}, {1, 1}, {1, 1})},
            {"with strides", conv({kN, 1, 2, 8, 7}, {1, 2, 2, 3, 3}, {2, 3}, {1, 1})},
            {"dilated", conv({2, 1, 2, 7, 9}, {1, kN, 2, 2, 3}, {1, 2}, {3, 2})},
            {"in groups", conv({kN, 3, 1, 5, 5}, {3, 2, 1, 2, 2}, {1, 1}, {1, 1})},
            {"of wide images", conv({kN, 1, 2, 4, 40}, {1, 3, 2, 3, 3}, {1, 1}, {1, 1})},
            {"along a symbolic axis", conv({1, 1, 2, kN + Dim(2)}, {1, 3, 2, 3}, {1}, {1})}};
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
  const auto shared_gather = [](Dims x, Dims i, std::int64_t a, std::int64_t shared) {
    return [=](Maker& m) {
      return m.make({m.input(x), m.input(i, DType::kI32)}, {{"axis", a}, {"batch_axes", shared}});
    };
  };
  if (op == "gather")
    return {{"rows", gather({6, 3}, {kN}, 0)},
            {"columns", gather(matrix, {2, 3}, 1)},
            {"one", gather({6}, {}, 0)},
            {"along an axis", shared_gather(matrix, {kN, 3}, 1, 1)},
            {"one of each row", shared_gather(matrix, {kN}, 1, 1)},
            {"batched rows", shared_gather({2, kN, 3, 4}, {2, 5}, 2, 1)},
            {"two shared axes", shared_gather({kN, 2, 6}, {kN, 2, 2, 3}, 2, 2)}};
  const auto scatter = [](Dims updates, Dims i, Dims to, std::int64_t a) {
    return [=](Maker& m) {
      return m.with_n().make({m.input(updates), m.input(i, DType::kI32)}, {{"axis", a}, {"dims", to}});
    };
  };
  const auto shared_scatter = [](Dims updates, Dims i, Dims to, std::int64_t a, std::int64_t shared) {
    return [=](Maker& m) {
      return m.with_n().make({m.input(updates), m.input(i, DType::kI32)},
                             {{"axis", a}, {"dims", to}, {"batch_axes", shared}});
    };
  };
  if (op == "scatter_add")
    return {{"along an axis", shared_scatter({kN, 3}, {kN, 3}, matrix, 1, 1)},
            {"one of each row", shared_scatter({kN}, {kN}, matrix, 1, 1)},
            {"batched rows", shared_scatter({2, kN, 3, 4}, {2, 3}, {2, kN, 5, 4}, 2, 1)},
            {"two shared axes", shared_scatter({kN, 2, 2, 3}, {kN, 2, 2, 3}, {kN, 2, 6}, 2, 2)},
            {"rows", scatter({kN, 3}, {kN}, {6, 3}, 0)},
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
  const auto bits = [](Dims keys, Dims dims, std::int64_t word) {
    return [=](Maker& m) {
      return m.with_n().make({m.input(keys, DType::kU32), m.input(keys, DType::kU32)},
                             {{"dims", dims}, {"word", word}});
    };
  };
  if (op == "rng_bits")
    return {{"matrix", bits({2}, matrix, 0)},
            {"second word", bits({2}, {kN}, 1)},
            {"one", bits({2}, {}, 0)},
            {"of many keys", bits({kN, 2}, {19}, 1)},
            {"of each key one", bits({3, kN, 2}, {}, 0)}};
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
