// Graphs that are several kernels, with tiles, panels and temporaries, and loops that threads share.
#pragma once

#include "tests/support/graphs.h"

namespace gcompile::testing {

// Row-wise softmax of [n,37], its column maxima, and sums that it weights.
inline ir::Graph softmax_graph(const Dim& n) {
  Trace trace("softmax");
  const Tensor x = trace.input("x", {DType::kF32, {n, 37}}, Where::current());
  const Tensor y = softmax(x);
  const std::vector<Tensor> results{y, max(y, {0}), sum(x * y, {1})};
  return trace.finish(results, Where::current());
}

// Reductions of [n,130] over each axis and all, of every kind.
inline ir::Graph reductions_graph(const Dim& n) {
  Trace trace("reductions");
  const Tensor x = trace.input("x", {DType::kF32, {n, 130}}, Where::current());
  const std::vector<Tensor> results{sum(x, {0}), sum(x, {1}),  sum(x),           mean(exp(x), {1}),
                                    max(x, {0}), argmax(x, 1), variance(x, {0}), prod(tanh(x) + 1, {1})};
  return trace.finish(results, Where::current());
}

// A step of an embedding whose gradient is a scatter_add in loops.
inline ir::Graph embedding_graph(const Dim& n) {
  Trace trace("embedding");
  const Tensor words = trace.input("words", {DType::kI32, {n}}, Where::current());
  const Parameter table("table", codegen::sample(Type::of(DType::kF32, Shape{50, 24}), {}, 0, "table"));
  const Tensor loss = mean(square(tanh(take(table, words))));
  table.set(table - 0.1 * grad(loss, table));
  const std::vector<Tensor> results{loss};
  return trace.finish(results, Where::current());
}

inline std::vector<NamedGraph> mid_size_graphs(const Dim& n) {
  Network wide;
  wide.inputs = 96;
  wide.hidden = {200, 72};
  wide.outputs = 10;
  wide.activation = Network::Activation::kRelu;
  wide.head = Network::Head::kSoftmaxCrossEntropy;
  wide.momentum = 0.9;
  return {{"a step of a mid-size network", training_graph(wide, n)},
          {"softmax", softmax_graph(n)},
          {"reductions", reductions_graph(n)},
          {"embedding", embedding_graph(n)}};
}

}  // namespace gcompile::testing
