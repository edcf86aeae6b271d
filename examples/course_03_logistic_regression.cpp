// Lesson 3, logistic regression: the probability of passing after so many hours of study.
#include <gcompile/gcompile.h>

#include <iostream>

namespace gc = gcompile;

struct LogisticRegression : gc::nn::Module {
  gc::nn::Linear linear{this, "linear", 1, 1};
  gc::Tensor forward(gc::Tensor x) const { return gc::sigmoid(linear(x)); }
};

int main() {
  const gc::Array x{{1.0f}, {2.0f}, {3.0f}}, y{{0.0f}, {0.0f}, {1.0f}};

  LogisticRegression model;
  gc::TrainStep step(model, gc::nn::BCELoss{gc::Reduction::Sum}, gc::optim::SGD{.lr = 0.01});
  for (int epoch = 0; epoch < 1000; ++epoch) std::cout << epoch << ' ' << step(x, y) << '\n';

  std::cout << "w = " << model.linear.weight.item() << "\nb = " << model.linear.bias.item() << '\n';
  std::cout << "y_pred = " << gc::predict(model, gc::Array{{4.0f}}) << '\n';
}
