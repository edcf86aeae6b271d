// Graphs that tests of whole-program properties share: training steps that become one nest, one that cannot (batch
// normalisation: samples need sums over all samples), and updates that read each other.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tests/support/network.h"

namespace gcompile::testing {

// Normalises over the samples, keeps a running mean: several kernels with temporaries of symbolic size.
inline ir::Graph batch_norm_graph(const Dim& batch) {
  Trace trace("batch_norm");
  const Tensor x = trace.input("x", {DType::kF32, {batch, 6}}, Where::current());
  const Tensor y = trace.input("y", {DType::kF32, {batch, 3}}, Where::current());
  const auto values = [](const std::string& name, const Shape& shape) {
    return codegen::sample(Type::of(DType::kF32, shape), {}, 0, name);
  };
  const Parameter w("w", values("w", {6, 3})), scale("scale", values("scale", {3}));
  const State running("running", values("running", {3}));
  const Tensor z = matmul(tanh(x), w);
  const Tensor m = mean(z, {0});
  const Tensor centered = z - m;
  const Tensor normal = centered * rsqrt(mean(square(centered), {0}) + 0.01) * scale;
  const Tensor loss = mean(square(sigmoid(normal) - y));
  const std::vector<Tensor> d = grad(loss, std::vector<Parameter>{w, scale});
  w.set(w - 0.1 * d[0]);
  scale.set(scale - 0.1 * d[1]);
  running.set(0.9 * running + 0.1 * m);
  const std::vector<Tensor> results{loss, normal};
  return trace.finish(results, Where::current());
}

// v and w change places, u becomes their old sum, t the product of the old u with a row of the input's sums.
inline ir::Graph swap_graph(const Dim& batch) {
  Trace trace("swap");
  const Tensor x = trace.input("x", {DType::kF32, {batch, 5}}, Where::current());
  const auto state = [](const std::string& name) {
    return State(name, codegen::sample(Type::of(DType::kF32, Shape{5}), {}, 0, name));
  };
  const State v = state("v"), w = state("w"), u = state("u"), t = state("t");
  v.set(w);
  w.set(v);
  u.set(v + w);
  t.set(u * sum(x, {0}));
  const std::vector<Tensor> results{sum(Tensor(v) * Tensor(t))};
  return trace.finish(results, Where::current());
}

struct NamedGraph {
  std::string name;
  ir::Graph graph;
};
inline std::vector<NamedGraph> whole_program_graphs(const Dim& batch) {
  using Activation = Network::Activation;
  using Head = Network::Head;
  std::vector<Network> nets(4);
  nets[0].hidden = {6, 4};
  nets[1] = {5, {9}, 1, Activation::kTanh, Head::kMeanSquaredError, 0.9, false};
  nets[2] = {8, {7, 3}, 3, Activation::kRelu, Head::kSoftmaxCrossEntropy, 0, false};
  nets[3] = {3, {4}, 2, Activation::kSigmoid, Head::kMeanSquaredError, 0, true};
  std::vector<NamedGraph> graphs;
  for (const Network& n : nets) graphs.push_back({n.str(), training_graph(n, batch)});
  graphs.push_back({"batch normalisation", batch_norm_graph(batch)});
  graphs.push_back({"swap", swap_graph(batch)});
  return graphs;
}

}  // namespace gcompile::testing
