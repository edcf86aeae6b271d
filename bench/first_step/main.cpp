// gcompile-first-step: a process that makes the network of W5, reads 32 rows, and trains one step (or more, to see what
// memory it holds). When the first step is done it prints one line:
//   loss L compile_ms C rss_kb R peak_kb P
// gcompile-first-step STEPS CACHE: the number of steps, and the folder of the compile cache ("off", the default, for
// none). gcompile-first-step --nothing ends at once: what starting a process with the library costs by itself.
#include <gcompile/gcompile.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>

#include "../networks.h"

namespace gc = gcompile;

namespace {

// A figure of /proc/self/status in KiB ("VmRSS", "VmHWM"); -1 where there is none.
long status_kb(const std::string& key) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(key + ":")) return std::stol(line.substr(key.size() + 1));
  return -1;
}

int train(int steps, const std::string& cache) {
  const gc::data::Table table = gc::bench::diabetes_rows(32);
  gc::bench::Diabetes model;
  gc::TrainStep step(model, gc::nn::BCELoss{}, gc::optim::SGD{.lr = 0.1}, {.cache = cache});
  const auto begin = std::chrono::steady_clock::now();
  step.compiled(table.inputs(), table.labels());
  const std::chrono::duration<double, std::milli> compile = std::chrono::steady_clock::now() - begin;
  double loss = 0;
  for (int i = 0; i < steps; ++i) loss = step(table.inputs(), table.labels()).item();
  std::printf("loss %.9g compile_ms %.3f rss_kb %ld peak_kb %ld\n", loss, compile.count(), status_kb("VmRSS"),
              status_kb("VmHWM"));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "--nothing") == 0) return 0;
  try {
    return train(argc > 1 ? std::stoi(argv[1]) : 1, argc > 2 ? argv[2] : "off");
  } catch (const std::exception& e) {
    std::fprintf(stderr, "gcompile-first-step: %s\n", e.what());
    return 1;
  }
}
