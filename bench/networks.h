// The networks of W1 to W5 as a user writes them, and their data.
#pragma once

#include <gcompile/gcompile.h>

#include <string>

namespace gcompile::bench {

// W2: y = w x + b.
struct Linear : nn::Module {
  nn::Linear linear{this, "linear", 1, 1};
  Tensor forward(Tensor x) const { return linear(x); }
};

// W3.
struct Logistic : nn::Module {
  nn::Linear linear{this, "linear", 1, 1};
  Tensor forward(Tensor x) const { return sigmoid(linear(x)); }
};

// W4 and W5.
struct Diabetes : nn::Module {
  nn::Linear linear1{this, "linear1", 8, 6}, linear2{this, "linear2", 6, 4}, linear3{this, "linear3", 4, 1};
  Tensor forward(Tensor x) const {
    x = sigmoid(linear1(x));
    x = sigmoid(linear2(x));
    return sigmoid(linear3(x));
  }
};

// The first rows of data/diabetes.csv.
inline data::Table diabetes_rows(std::int64_t rows) {
  return data::read_csv(std::string(GCOMPILE_BENCH_DATA) + "/diabetes.csv").rows(0, rows);
}

}  // namespace gcompile::bench
