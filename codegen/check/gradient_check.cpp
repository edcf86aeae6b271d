#include "gcompile/codegen/check/gradient_check.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "gcompile/codegen/check/sample.h"
#include "gcompile/codegen/compile.h"
#include "gcompile/ir/op.h"
#include "gcompile/passes/gradient.h"

namespace gcompile::codegen {
namespace {

using ir::Graph;
using ir::Value;

Type wider(Type t) {
  if (is_float(t.dtype)) t.dtype = DType::kF64;
  return t;
}
Array wider(const Array& a) { return is_float(a.dtype()) ? a.cast(DType::kF64) : a; }

const Graph::Result* loss_of(const Graph& graph) {
  const auto it = std::find_if(graph.results.begin(), graph.results.end(), [](const Graph::Result& r) {
    return r.value.type().rank() == 0 && is_float(r.value.type().dtype);
  });
  return it == graph.results.end() ? nullptr : &*it;
}

// Where one leaf stands in a call.
struct Leaf {
  std::string name;
  int input;  // -1: a state
  Array& in(Call& call) const {
    return input >= 0 ? call.inputs[static_cast<std::size_t>(input)] : call.states.at(name);
  }
};

// In the order of the gradients that the pass adds.
std::vector<Leaf> leaves_of(const Graph& graph) {
  std::vector<Leaf> leaves;
  for (const auto& s : graph.states)
    if (s.trainable && is_float(s.value.type().dtype)) leaves.push_back({s.name, -1});
  for (std::size_t i = 0; i < graph.inputs.size(); ++i)
    if (is_float(graph.inputs[i].value.type().dtype)) leaves.push_back({graph.inputs[i].name, static_cast<int>(i)});
  return leaves;
}

class Differences {
 public:
  Differences(const Graph& loss, const Call& call) : loss_(loss), call_(call) {}

  // Central difference along a direction.
  double at(const Leaf& leaf, const Array& direction, double step) const {
    const auto moved = [&](double by) {
      Call c = call_;
      Array& a = leaf.in(c);
      for (std::int64_t i = 0; i < a.size(); ++i) a.set(i, a.at(i) + by * direction.at(i));
      return interpret(loss_, c).results[0].item();
    };
    return (moved(step) - moved(-step)) / (2 * step);
  }

 private:
  const Graph& loss_;
  const Call& call_;
};

}  // namespace

Graph in_double(const Graph& graph) {
  Graph out(graph.name);
  out.bounds = graph.bounds;
  ir::Builder b(out);
  ir::ValueMap<Value> map;
  for (const auto& i : graph.inputs) {
    b.where = graph.where(i.value.node);
    map[i.value] = b.input(i.name, wider(i.value.type()));
  }
  for (const auto& s : graph.states) {
    b.where = graph.where(s.value.node);
    map[s.value] = b.state(s.name, wider(s.value.type()), nullptr, s.trainable);
  }
  for (const ir::Node* n : graph.topological()) {
    if (map.count({n, 0})) continue;
    ir::Attrs attrs = n->attrs;
    for (const auto& [key, value] : n->attrs.entries()) {
      if (const auto* t = std::get_if<DType>(&value); t && is_float(*t)) attrs.set(key, DType::kF64);
      if (const auto* a = std::get_if<Array>(&value)) attrs.set(key, wider(*a));
    }
    std::vector<Value> operands;
    for (const Value& v : n->operands) operands.push_back(map.at(v));
    b.where = graph.where(n);
    ir::Bodies bodies;
    for (const auto& body : n->bodies) bodies.push_back(std::make_shared<const Graph>(in_double(*body)));
    const Value made = b.make(*n->op, std::move(operands), std::move(attrs), std::move(bodies));
    for (int r = 0; r < static_cast<int>(n->types.size()); ++r) map[{n, r}] = {made.node, r};
  }
  for (const auto& r : graph.results) out.results.push_back({map.at(r.value), r.name});
  for (const auto& u : graph.updates) out.updates.push_back({u.state, map.at(u.value)});
  return out;
}

bool has_loss(const Graph& graph) { return loss_of(graph) != nullptr; }

std::vector<GradientCheck> check_gradient(const Graph& graph, const Call& call) {
  Graph loss = in_double(graph);
  loss.results = {*loss_of(loss)};
  loss.updates.clear();
  Call wide = call;
  for (Array& a : wide.inputs) a = wider(a);
  for (auto& [name, a] : wide.states) a = wider(a);
  const std::vector<Leaf> leaves = leaves_of(loss);
  const Outcome gradients = interpret(passes::gradient_pass(loss, {default_target()}), wide);
  const Differences differences(loss, wide);

  std::vector<GradientCheck> checks;
  for (std::size_t k = 0; k < leaves.size(); ++k) {
    const Array& gradient = gradients.results[k + 1];
    const Array direction = sample(Type::of(DType::kF64, gradient.shape()), {}, 0, "direction of " + leaves[k].name);
    GradientCheck c{leaves[k].name, 0, 0, 0};
    double scale = 0;
    for (std::int64_t i = 0; i < gradient.size(); ++i) {
      c.analytic += gradient.at(i) * direction.at(i);
      scale += std::abs(gradient.at(i) * direction.at(i));
    }
    // The step that suits best: large ones meet kinks and curvature, small ones cancellation. Where two steps disagree
    // with each other there is a kink.
    double best = std::numeric_limits<double>::infinity(), spread = 0, first = 0;
    for (const double step : {1e-4, 1e-5, 1e-6}) {
      const double numeric = differences.at(leaves[k], direction, step);
      if (step == 1e-4) first = numeric;
      spread = std::max(spread, std::abs(numeric - first));
      if (std::abs(numeric - c.analytic) < best) {
        best = std::abs(numeric - c.analytic);
        c.numeric = numeric;
      }
    }
    const double size = scale + std::abs(c.numeric);
    c.allowed = 1e-5 * size + 1e-7;
    if (!std::isfinite(spread) || !std::isfinite(c.analytic) || spread > 1e-3 * size + 1e-5)
      c.allowed = std::numeric_limits<double>::infinity();
    checks.push_back(c);
  }
  return checks;
}

}  // namespace gcompile::codegen
