// Training steps of small networks of any width, depth, activation and head, as graphs, written in the DSL: for the
// fuzzer and for tests of structure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gcompile/codegen/check/sample.h"
#include "gcompile/gcompile.h"

namespace gcompile::testing {

struct Network {
  enum class Activation { kSigmoid, kTanh, kRelu };
  enum class Head { kBinaryCrossEntropy, kMeanSquaredError, kSoftmaxCrossEntropy };

  std::int64_t inputs = 8;
  std::vector<std::int64_t> hidden;  // widths
  std::int64_t outputs = 1;
  Activation activation = Activation::kSigmoid;
  Head head = Head::kBinaryCrossEntropy;
  double momentum = 0;
  bool adam = false;

  std::string str() const {
    constexpr const char* kActivations[] = {"sigmoid", "tanh", "relu"};
    constexpr const char* kHeads[] = {"binary cross-entropy", "mean squared error", "softmax cross-entropy"};
    std::string text = std::to_string(inputs);
    for (const std::int64_t w : hidden) text += "-" + std::to_string(w);
    return text + "-" + std::to_string(outputs) + " " + kActivations[static_cast<int>(activation)] + ", " +
           kHeads[static_cast<int>(head)];
  }
};

inline Tensor activate(Network::Activation activation, const Tensor& x) {
  switch (activation) {
    case Network::Activation::kSigmoid: return sigmoid(x);
    case Network::Activation::kTanh: return tanh(x);
    case Network::Activation::kRelu: return relu(x);
  }
  return x;
}

// Inputs x and y, results loss, states and updates of the parameters and the optimizer. `batch`: Dim("N") or a number.
inline ir::Graph training_graph(const Network& net, const Dim& batch, std::uint64_t seed = 0) {
  Trace trace("step");
  std::vector<Parameter> parameters;
  const auto parameter = [&](const std::string& name, const Shape& shape) {
    parameters.emplace_back(name, codegen::sample(Type::of(DType::kF32, shape), {}, seed, name));
    return parameters.back();
  };
  const bool classes = net.head == Network::Head::kSoftmaxCrossEntropy;
  const Type target = classes ? Type{DType::kI32, {batch}} : Type{DType::kF32, {batch, net.outputs}};
  Tensor x = trace.input("x", {DType::kF32, {batch, net.inputs}}, Where::current());
  const Tensor y = trace.input("y", target, Where::current());
  std::int64_t width = net.inputs;
  std::vector<std::int64_t> widths = net.hidden;
  widths.push_back(net.outputs);
  for (std::size_t i = 0; i < widths.size(); ++i) {
    const std::string name = "layer" + std::to_string(i);
    const Parameter weight = parameter(name + ".weight", {widths[i], width});
    const Parameter bias = parameter(name + ".bias", {widths[i]});
    x = matmul(x, T(weight)) + bias;
    if (i + 1 < widths.size()) x = activate(net.activation, x);
    width = widths[i];
  }
  Tensor loss;
  switch (net.head) {
    case Network::Head::kBinaryCrossEntropy: loss = nn::BCELoss{}(sigmoid(x), y); break;
    case Network::Head::kMeanSquaredError: loss = nn::MSELoss{}(x, y); break;
    case Network::Head::kSoftmaxCrossEntropy: loss = nn::CrossEntropyLoss{}(x, y); break;
  }
  const std::vector<Tensor> gradients = grad(loss, parameters);
  std::vector<optim::Change> changes;
  for (std::size_t i = 0; i < parameters.size(); ++i) changes.push_back({i, gradients[i]});
  const optim::Rule rule =
      net.adam ? optim::Adam{}.start(parameters) : optim::SGD{.lr = 0.1, .momentum = net.momentum}.start(parameters);
  {
    const LocationScope scope(Where::current());  // as TrainStep does: the update belongs to the line that asks for it
    rule.update(changes);
  }
  const std::vector<Tensor> results{loss};
  ir::Graph graph = trace.finish(results, Where::current());
  graph.results[0].name = "loss";
  return graph;
}

}  // namespace gcompile::testing
