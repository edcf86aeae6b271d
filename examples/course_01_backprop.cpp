// Lesson 1, back-propagation: y = w x, one sample at a time. The gradient is symbolic, and the update of w is part of
// the compiled step.
#include <gcompile/gcompile.h>

#include <iostream>
#include <vector>

namespace gc = gcompile;

int main() {
  const std::vector<float> xs{1, 2, 3}, ys{2, 4, 6};
  gc::Parameter w{"w", 1.0f};

  auto forward = gc::jit([&](gc::Tensor x) { return x * w; });
  auto step = gc::jit([&](gc::Tensor x, gc::Tensor y) {
    gc::Tensor loss = gc::square(x * w - y);
    gc::Tensor dw = gc::grad(loss, w);
    w.set(w - 0.01f * dw);
    return gc::outputs(loss, dw);
  });

  std::cout << "predict before training 4 " << forward(4.0f).item() << '\n';
  for (int epoch = 0; epoch < 100; ++epoch) {
    double last = 0;
    for (size_t i = 0; i < xs.size(); ++i) {
      auto [loss, dw] = step(xs[i], ys[i]);
      std::cout << "\tgrad: " << xs[i] << ' ' << ys[i] << ' ' << dw.item() << '\n';
      last = loss.item();
    }
    std::cout << "progress: " << epoch << ' ' << last << '\n';
  }
  std::cout << "predict after training 4 " << forward(4.0f).item() << '\n';
}
