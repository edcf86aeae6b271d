// What compiling costs, nothing cached: the whole way from the C++ function to native code for W1, W4, W5 and W6
// ("total"), and where it goes: tracing (with the gradient), every pass of the pipeline, LLVM. The shares come from the
// same graph, sent through the passes once more with a clock beside each. Beside them W5 from the compile cache.
#include <map>

#include "gcompile/codegen/compile.h"
#include "gcompile/ir/parse.h"
#include "gcompile/passes/pipeline.h"
#include "gcompile/runtime/thread_pool.h"
#include "verify.h"

namespace gcompile::bench {
namespace {

// Milliseconds of every pass and of LLVM for the graph of a compiled program.
std::map<std::string, double> shares(const Program& program) {
  std::map<std::string, double> ms;
  const ir::Graph graph = ir::parse_graph(program.dump("graph"));
  passes::PipelineOptions options;
  options.after_pass = [&](const passes::Pass& pass, const passes::Stage&, double seconds) {
    ms[std::string(pass.name)] += 1e3 * seconds;
  };
  const Target target = codegen::default_target();
  const ir::Program planned = passes::run_pipeline(graph, {target}, options);
  const auto begin = Clock::now();
  const runtime::NativeCode code = codegen::jit(planned, target, {.threads = runtime::ThreadPool::hardware_threads()});
  ms["llvm"] = milliseconds_since(begin);
  if (!code.entry) throw std::runtime_error("no code was made");
  return ms;
}

// `make` makes the function anew, compiles it, and returns the program; what it does before and after is small.
template <class Make>
void compile_cold(benchmark::State& state, const Make& make) {
  guarded(state, [&] {
    std::map<std::string, double> sum;
    double total = 0;
    std::int64_t rounds = 0;
    for (auto _ : state) {
      const auto begin = Clock::now();
      const Program program = make();
      const double ms = milliseconds_since(begin);
      state.SetIterationTime(ms / 1e3);
      total += ms;
      ++rounds;
      for (const auto& [name, share] : shares(program)) sum[name] += share;
    }
    double known = 0;
    for (const auto& [name, share] : sum) {
      state.counters[name + "_ms"] = share / static_cast<double>(rounds);
      known += share;
    }
    state.counters["trace_ms"] = std::max(0.0, total - known) / static_cast<double>(rounds);
  });
}

void w1(benchmark::State& state) {
  compile_cold(state, [] {
    Parameter w{"w", 1.0f};
    auto step = jit([&](Tensor x, Tensor y) {
      Tensor loss = square(x * w - y);
      w.set(w - 0.01f * grad(loss, w));
      return loss;
    });
    return step.compiled(1.0f, 2.0f);
  });
}

// W4 and W5 differ in the number of rows alone, and the batch is symbolic.
void diabetes(benchmark::State& state, std::int64_t rows) {
  const data::Table table = diabetes_rows(rows);
  Diabetes model;
  compile_cold(state, [&] {
    TrainStep step(model, nn::BCELoss{}, optim::SGD{.lr = 0.1});
    return step.compiled(table.inputs(), table.labels());
  });
}

// Many kernels: what several threads may share.
void w6(benchmark::State& state) {
  constexpr std::int64_t kWidths[] = {784, 512, 256, 128, 64, 10};
  nn::Sequential net;
  for (std::size_t i = 1; i < std::size(kWidths); ++i) {
    net.add<nn::Linear>(kWidths[i - 1], kWidths[i]);
    if (i + 1 < std::size(kWidths)) net.add<nn::ReLU>();
  }
  const Array x(DType::kF32, {64, 784}), y(DType::kI32, {64});
  compile_cold(state, [&] {
    TrainStep step(net, nn::CrossEntropyLoss{}, optim::SGD{.lr = 0.01, .momentum = 0.9});
    return step.compiled(x, y);
  });
}

// Tracing, key, file, linking.
void cached(benchmark::State& state) {
  guarded(state, [&] {
    const CacheFolder folder;
    const data::Table table = diabetes_rows(32);
    Diabetes model;
    const auto compile = [&](bool filling) {
      TrainStep step(model, nn::BCELoss{}, optim::SGD{.lr = 0.1}, {.cache = folder.path()});
      const auto begin = Clock::now();
      const Program program = step.compiled(table.inputs(), table.labels());
      const double ms = milliseconds_since(begin);
      if (filling) return;
      state.SetIterationTime(ms / 1e3);
      if (!program.from_cache()) throw std::runtime_error("not from the cache, not timed");
    };
    compile(true);
    for (auto _ : state) compile(false);
  });
}

BENCHMARK(w1)->Name("compile/W1")->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(diabetes, w4, 759)->Name("compile/W4")->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(diabetes, w5, 32)->Name("compile/W5")->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(w6)->Name("compile/W6")->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(cached)->Name("compile/W5_cached")->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace gcompile::bench
