// Lesson 4, several features: eight measurements of 768 women, and whether they were diagnosed with diabetes. The whole
// set is one batch; the loss curve is drawn as course_04_diabetes.svg.
#include <gcompile/gcompile.h>

#include <iostream>
#include <vector>

#include "data_path.h"

namespace gc = gcompile;

struct Diabetes : gc::nn::Module {
  gc::nn::Linear linear1{this, "linear1", 8, 6}, linear2{this, "linear2", 6, 4}, linear3{this, "linear3", 4, 1};
  gc::Tensor forward(gc::Tensor x) const {
    x = gc::sigmoid(linear1(x));
    x = gc::sigmoid(linear2(x));
    return gc::sigmoid(linear3(x));
  }
};

int main() {
  const auto table = gc::data::read_csv(data_path("diabetes.csv"), {.label_columns = {-1}});

  Diabetes model;
  gc::TrainStep step(model, gc::nn::BCELoss{}, gc::optim::SGD{.lr = 0.1});
  std::vector<double> losses;
  for (int epoch = 0; epoch < 100; ++epoch) {
    const gc::Array loss = step(table.inputs(), table.labels());
    std::cout << epoch << ' ' << loss << '\n';
    losses.push_back(loss.item());
  }
  gc::write_line_plot("course_04_diabetes.svg",
                      {.title = "Diabetes, full batch", .y_label = "loss", .series = {{"training", "", losses}}});
}
