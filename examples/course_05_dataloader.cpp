// Lesson 5, Dataset and DataLoader: the network of lesson 4, in shuffled mini-batches that two threads prepare.
#include <gcompile/gcompile.h>

#include <iostream>

#include "data_path.h"

namespace gc = gcompile;

struct DiabetesDataset : gc::data::Dataset {
  gc::data::Table table = gc::data::read_csv(data_path("diabetes.csv"), {.label_columns = {-1}});
  gc::data::Example get(int64_t index) const override { return table.get(index); }
  int64_t size() const override { return table.size(); }
};

struct Diabetes : gc::nn::Module {
  gc::nn::Linear linear1{this, "linear1", 8, 6}, linear2{this, "linear2", 6, 4}, linear3{this, "linear3", 4, 1};
  gc::Tensor forward(gc::Tensor x) const {
    x = gc::sigmoid(linear1(x));
    x = gc::sigmoid(linear2(x));
    return gc::sigmoid(linear3(x));
  }
};

int main() {
  const DiabetesDataset dataset;
  gc::data::DataLoader loader(dataset, {.batch_size = 32, .shuffle = true, .num_workers = 2});

  Diabetes model;
  gc::TrainStep step(model, gc::nn::BCELoss{}, gc::optim::SGD{.lr = 0.01});
  for (int epoch = 0; epoch < 100; ++epoch)
    for (auto [i, inputs, labels] : loader.enumerate())
      std::cout << epoch << ' ' << i << ' ' << step(inputs, labels) << '\n';
}
