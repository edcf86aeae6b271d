// Every graph pass that declares no tolerance keeps the interpreter's results bit for bit (a NaN is a NaN), on random
// graphs over values at which identities break: zeros of both signs, infinities, NaN, ties, subnormals.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <random>

#include "gcompile/ir/build.h"
#include "gcompile/ir/op.h"
#include "gcompile/ir/print.h"
#include "gcompile/passes/check_nan.h"
#include "gcompile/passes/cse.h"
#include "gcompile/passes/dce.h"
#include "gcompile/passes/fold.h"
#include "gcompile/passes/simplify.h"
#include "graph_testing.h"

namespace gcompile::passes {
namespace {

using ir::Builder;
using ir::Graph;
using ir::V;
using ir::Value;
using testing::evaluate;

class RandomGraph {
 public:
  explicit RandomGraph(unsigned seed) : random_(seed) {
    for (DType dtype : {DType::kF32, DType::kI32, DType::kBool})
      for (const std::vector<Dim>& dims : {std::vector<Dim>{3, 4}, {4}, {}}) {
        const std::string name = "x" + std::to_string(pool_.size());
        pool_.push_back({&b_, b_.input(name, {dtype, dims})});
        inputs_.push_back(random_array(pool_.back().type()));
      }
    for (int i = 0; i < 24; ++i) pool_.push_back(next());
    for (std::size_t i = 0; i < 8; ++i) graph_.results.push_back({pool_[pool_.size() - 1 - i], ""});
  }

  const Graph& graph() const { return graph_; }
  const std::vector<Array>& inputs() const { return inputs_; }

 private:
  int pick(int n) { return std::uniform_int_distribution<int>(0, n - 1)(random_); }
  template <class T>
  const T& one_of(const std::vector<T>& all) {
    return all[static_cast<std::size_t>(pick(static_cast<int>(all.size())))];
  }

  Array random_array(const Type& type) {
    constexpr float kInf = std::numeric_limits<float>::infinity();
    static const std::vector<double> kFloats{0.0, -0.0, 1, -1, 2, 0.5, -0.1, 3.7, 1e-39, 3e38, kInf, -kInf, NAN};
    static const std::vector<double> kInts{0, 1, -1, 2, 5, -7, 2147483647.0, -2147483648.0};
    Array a(type.dtype, type.shape());
    for (std::int64_t i = 0; i < a.size(); ++i)
      a.set(i, type.dtype == DType::kBool ? pick(2) : one_of(type.dtype == DType::kI32 ? kInts : kFloats));
    return a;
  }

  // Recent values are likelier: chains grow deep, and rules meet their patterns.
  V any() { return pick(2) ? pool_[pool_.size() - 1 - static_cast<std::size_t>(pick(6))] : one_of(pool_); }
  V any(DType dtype) {
    for (;;)
      if (V v = any(); v.type().dtype == dtype) return v;
  }
  V number() { return any(pick(4) ? DType::kF32 : DType::kI32); }
  // A value of the same type: from the pool, itself, or a constant.
  V like(V v) {
    std::vector<V> same;
    for (V p : pool_)
      if (p.type() == v.type()) same.push_back(p);
    if (pick(3) != 0) return one_of(same);
    if (v.type().dtype == DType::kBool) return {&b_, ir::splat(b_, v.type(), pick(2))};
    static const std::vector<double> kFloats{0.0, -0.0, 1, -1, 2, 0.25, 3}, kInts{0, 1, -1, 2, 3};
    return {&b_, ir::splat(b_, v.type(), one_of(v.type().dtype == DType::kI32 ? kInts : kFloats))};
  }

  V next() {
    using Names = std::vector<const char*>;
    static const Names kUnary{"neg", "neg", "neg", "abs", "floor", "sqrt", "tanh", "stop_gradient"};
    static const Names kBinary{"add", "sub", "mul", "div", "max", "min", "pow"}, kInts{"add", "sub", "mul", "max"};
    static const Names kCompare{"eq", "ne", "lt", "le", "gt", "ge"}, kLogic{"and", "or", "xor"};
    static const Names kReduce{"reduce_sum", "reduce_max", "reduce_min", "reduce_prod"};
    switch (pick(13)) {
      case 0:
      case 1: return ir::unary(one_of(kUnary), any(DType::kF32));
      case 2:
      case 3: {
        const V v = number();
        return ir::binary(one_of(v.type().dtype == DType::kI32 ? kInts : kBinary), v, like(v));
      }
      case 4: {
        const V v = number();
        return ir::compare(one_of(kCompare), v, like(v));
      }
      case 5: {
        const V v = any(DType::kBool);
        return pick(2) ? ir::unary("not", v) : ir::binary(one_of(kLogic), v, like(v));
      }
      case 6: {
        const V v = number();
        const V w = like(v);
        const V condition = pick(2) ? ir::compare("lt", v, w) : ir::unary("not", ir::compare("eq", v, w));
        return ir::select(condition, pick(3) ? v : like(v), w);
      }
      case 7: return ir::cast(any(), one_of(std::vector<DType>{DType::kF32, DType::kI32, DType::kF64, DType::kBool}));
      case 8: return view(any());
      case 9: return view(view(any()));
      case 10: {
        const V v = any();
        std::vector<Dim> dims{2};
        std::vector<std::int64_t> axes;
        for (int i = 0; i < v.type().rank(); ++i) {
          dims.push_back(v.type().dim(i));
          axes.push_back(i + 1);
        }
        return v.type().rank() > 2 ? v : ir::broadcast(v, dims, axes);
      }
      case 11: {
        const V v = number();
        if (v.type().rank() == 0) return v;
        return ir::reduce(one_of(kReduce), v, {pick(v.type().rank())});
      }
      default: {
        const V v = any(DType::kF32);
        if (v.type().rank() != 2) return v;
        const V product = ir::dot(v, ir::transpose(like(v), {1, 0}), {1}, {0});
        return pick(2) ? product : ir::transpose(product, {1, 0});
      }
    }
  }

  V view(V v) {
    const int rank = v.type().rank();
    std::vector<std::int64_t> axes;
    for (int i = 0; i < rank; ++i) axes.push_back(i);
    std::shuffle(axes.begin(), axes.end(), random_);
    switch (pick(5)) {
      case 0: return ir::transpose(v, axes);
      case 1: return ir::reshape(v, {v.type().size()});
      case 2:
        return ir::reshape(v, pick(2) ? std::vector<Dim>{1, v.type().size()} : std::vector<Dim>{v.type().size(), 1});
      case 3: {
        if (rank == 0) return v;
        const std::vector<std::int64_t> some(axes.begin(), axes.begin() + 1);
        return {&b_, b_.make("reverse", {v}, {{"axes", some}})};
      }
      default: {
        const std::size_t n = static_cast<std::size_t>(rank);
        std::vector<std::int64_t> starts(n, 0), steps(n, 1);
        if (n && pick(2) && !v.type().dim(0).is(1)) {
          starts[0] = pick(2);
          steps[0] = 1 + pick(2);
        }
        return {&b_, b_.make("slice", {v}, {{"starts", starts}, {"stops", v.type().dims}, {"steps", steps}})};
      }
    }
  }

  std::mt19937 random_;
  Graph graph_;
  Builder b_{graph_};
  std::vector<V> pool_;
  std::vector<Array> inputs_;
};

bool same_but_for_nan(const Array& a, const Array& b) {
  if (a.dtype() != b.dtype() || a.shape() != b.shape()) return false;
  for (std::int64_t i = 0; i < a.size(); ++i) {
    const double x = a.at(i), y = b.at(i);
    if (std::isnan(x) && std::isnan(y)) continue;
    if (!(x == y) || std::signbit(x) != std::signbit(y)) return false;
  }
  return true;
}

// How many of the graphs the pass changed.
int check_pass(const std::vector<GraphPass>& passes, unsigned seeds) {
  int changed = 0;
  for (unsigned seed = 0; seed < seeds; ++seed) {
    const RandomGraph random(seed);
    Graph out = random.graph();
    for (GraphPass pass : passes) out = pass(out, {});
    ir::verify(out);
    changed += ir::print(out) != ir::print(random.graph());
    const auto want = evaluate(random.graph(), random.inputs()), got = evaluate(out, random.inputs());
    for (std::size_t i = 0; i < want.size(); ++i) {
      EXPECT_TRUE(same_but_for_nan(want[i], got[i])) << "seed " << seed << ", result " << i << "\n"
                                                     << want[i] << "\n"
                                                     << got[i] << "\nbefore\n"
                                                     << ir::print(random.graph()) << "after\n"
                                                     << ir::print(out);
      if (::testing::Test::HasFailure()) return changed;
    }
  }
  return changed;
}

constexpr unsigned kSeeds = 600;

TEST(PassesKeepBits, Simplify) { EXPECT_GT(check_pass({simplify}, kSeeds), kSeeds / 2); }
TEST(PassesKeepBits, Cse) { EXPECT_GT(check_pass({cse}, kSeeds), kSeeds / 8); }
TEST(PassesKeepBits, Fold) { EXPECT_GT(check_pass({fold}, kSeeds), kSeeds / 20); }
TEST(PassesKeepBits, Dce) { check_pass({dce}, kSeeds); }
TEST(PassesKeepBits, AllTogether) { EXPECT_GT(check_pass({simplify, fold, simplify, cse, dce}, kSeeds), kSeeds / 2); }

bool has_nan(const Array& a) {
  bool found = false;
  for (std::int64_t i = 0; is_float(a.dtype()) && i < a.size(); ++i) found |= std::isnan(a.at(i));
  return found;
}

TEST(PassesKeepBits, CheckNan) { check_pass({check_nan}, kSeeds); }

// A status of 0 means: no result has a NaN, and nothing that makes no float of floats has read one, but for questions
// whether it is one.
TEST(CheckNan, NothingGetsPastIt) {
  int seen = 0, fine = 0;
  for (unsigned seed = 0; seed < 2 * kSeeds; ++seed) {
    const RandomGraph random(seed);
    const Graph& graph = random.graph();
    const Graph checked = check_nan(graph, {});
    if (checked.results.size() == graph.results.size()) continue;
    const bool status = evaluate(checked, random.inputs()).back().item() != 0;
    Graph all = graph;
    std::map<const ir::Node*, std::size_t> place;
    for (const ir::Node* n : graph.topological()) {
      place[n] = all.results.size();
      all.results.push_back({n->result(), ""});
    }
    const auto values = evaluate(all, random.inputs());
    bool expected = false;
    for (std::size_t i = 0; i < graph.results.size(); ++i) expected |= has_nan(values[i]);
    for (const auto& [n, i] : place) {
      const bool asks = n->op->name == "is_finite" || (n->operands.size() == 2 && n->operands[0] == n->operands[1]);
      for (const Value& v : n->operands)
        expected |= !asks && !is_float(n->types[0].dtype) && has_nan(values[place.at(v.node)]);
    }
    EXPECT_TRUE(status || !expected) << "seed " << seed << "\n" << ir::print(checked);
    ++(status ? seen : fine);
  }
  EXPECT_GT(seen, 100);
  EXPECT_GT(fine, 20);
}

TEST(PassesKeepBits, AFixpointIsAFixpoint) {
  for (unsigned seed = 0; seed < kSeeds; ++seed) {
    const Graph once = simplify(RandomGraph(seed).graph(), {});
    EXPECT_EQ(ir::print(simplify(once, {})), ir::print(once)) << "seed " << seed;
  }
}

}  // namespace
}  // namespace gcompile::passes
