// The diabetes network as one would train it: a part of the rows kept for testing, columns scaled by the other part's
// figures, mini-batches, a progress bar and the loss curve. Its last line is "test accuracy P %".
#include <gcompile/gcompile.h>

#include <boost/program_options.hpp>
#include <iomanip>
#include <iostream>

#include "data_path.h"

namespace gc = gcompile;
namespace po = boost::program_options;

namespace {

struct Diabetes : gc::nn::Module {
  gc::nn::Linear linear1{this, "linear1", 8, 6}, linear2{this, "linear2", 6, 4}, linear3{this, "linear3", 4, 1};
  gc::Tensor forward(gc::Tensor x) const {
    x = gc::sigmoid(linear1(x));
    x = gc::sigmoid(linear2(x));
    return gc::sigmoid(linear3(x));
  }
};

struct Options {
  uint64_t seed = 1;
  int64_t epochs = 100;
  double lr = 1.0;
  std::string data, plot = "diabetes_loss.svg";
};

void train(const Options& options) {
  const auto table = gc::data::read_csv(options.data.empty() ? data_path("diabetes.csv") : options.data);
  const auto [train_rows, test_rows] = table.split(0.8, options.seed);
  const gc::data::StandardScaler scaler(train_rows);
  const gc::data::Table train = scaler.transform(train_rows), test = scaler.transform(test_rows);

  Diabetes model;
  model.initialize(options.seed);
  gc::TrainStep step(model, gc::nn::BCELoss{}, gc::optim::SGD{.lr = options.lr});
  const gc::data::DataLoader loader(train, {.batch_size = 32, .shuffle = true, .num_workers = 0, .seed = options.seed});
  const gc::History history =
      gc::fit(step, loader, {.epochs = options.epochs, .validation = test, .plot = options.plot});
  if (history.interrupted) std::cout << "interrupted after " << history.loss.size() << " epochs\n";

  const double right = gc::accuracy(gc::predict(model, test.inputs()), test.labels());
  std::cout << std::fixed << std::setprecision(1) << "majority class "
            << 100 * gc::majority_class_accuracy(test.labels()) << " %\ntest accuracy " << 100 * right << " %\n";
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  po::options_description flags("diabetes: trains the 8-6-4-1 network of the course on data/diabetes.csv");
  flags.add_options()("help,h", "this text")                                                                      //
      ("seed", po::value(&options.seed)->default_value(options.seed), "of the split, the weights and the order")  //
      ("epochs", po::value(&options.epochs)->default_value(options.epochs), "passes over the training part")      //
      ("lr", po::value(&options.lr)->default_value(options.lr), "learning rate")                                  //
      ("data", po::value(&options.data), "another CSV file of that form")                                         //
      ("plot", po::value(&options.plot)->default_value(options.plot), "where the loss curve goes; empty: nowhere");
  try {
    po::variables_map given;
    po::store(po::parse_command_line(argc, argv, flags), given);
    po::notify(given);
    if (given.count("help")) {
      std::cout << flags;
      return 0;
    }
  } catch (const po::error& e) {
    std::cerr << "diabetes: " << e.what() << '\n' << flags;
    return 2;
  }
  try {
    train(options);
  } catch (const gc::Error& e) {
    std::cerr << "diabetes: " << e.what() << '\n';
    return 1;
  }
}
