// A softmax classifier: three species of iris by four measurements of their flowers; labels are read as text.
#include <gcompile/gcompile.h>

#include <iostream>

#include "data_path.h"

namespace gc = gcompile;

struct Iris : gc::nn::Module {
  gc::nn::Linear hidden{this, "hidden", 4, 16}, scores{this, "scores", 16, 3};
  gc::Tensor forward(gc::Tensor x) const { return scores(gc::relu(hidden(x))); }
};

int main() {
  const auto table = gc::data::read_csv(data_path("iris.csv"), {.label_columns = {-1}});
  const auto [train_rows, test_rows] = table.split(0.8, /*seed=*/1);
  const gc::data::StandardScaler scaler(train_rows);
  const gc::data::Table train = scaler.transform(train_rows), test = scaler.transform(test_rows);

  Iris model;
  gc::TrainStep step(model, gc::nn::CrossEntropyLoss{}, gc::optim::Adam{.lr = 0.01});
  gc::fit(step, gc::data::DataLoader(train, {.batch_size = 30}), {.epochs = 100, .validation = test});

  const gc::Array scores = gc::predict(model, test.inputs());
  const gc::Array confusion = gc::confusion_matrix(scores, test.labels());
  std::cout << "rows: the true species, columns: the predicted one\n";
  for (int64_t row = 0; row < 3; ++row) {
    for (int64_t column = 0; column < 3; ++column) std::cout << confusion.at(row * 3 + column) << '\t';
    std::cout << test.class_names()[static_cast<size_t>(row)] << '\n';
  }
  std::cout << "test accuracy " << 100 * gc::accuracy(scores, test.labels()) << " %\n";
}
