// W4 and W5: one step of the 8-6-4-1 network on 759 and on 32 rows, by gcompile and by hand; the same on the ragged
// last batch of 23; and an epoch of 768 rows through the loader.
#include <functional>

#include "verify.h"

namespace gcompile::bench {
namespace {

constexpr float kRate = 0.1f;

void by_gcompile(benchmark::State& state, std::int64_t rows) {
  guarded(state, [&] {
    const data::Table table = diabetes_rows(rows);
    Diabetes model;
    TrainStep step(model, nn::BCELoss{}, optim::SGD{.lr = kRate});
    const auto begin = Clock::now();
    step.compiled(table.inputs(), table.labels());
    const double compile_ms = milliseconds_since(begin);
    verify_diabetes(step, model, table.inputs(), table.labels(), kRate);

    const double seconds = timed(state, [&] {
      Array loss = step(table.inputs(), table.labels());
      benchmark::DoNotOptimize(loss);
    });
    report(state, rows, step.compiled(), compile_ms, seconds);
  });
}

void by_hand(benchmark::State& state, std::int64_t rows,
             const std::function<float(Weights&, const float*, const float*)>& step) {
  guarded(state, [&] {
    const data::Table table = diabetes_rows(rows);
    const float *x = table.inputs().data<float>().data(), *y = table.labels().data<float>().data();
    const Weights initial = weights_of(Diabetes());
    Weights weights = initial, reference = initial;
    for (int i = 0; i < 100; ++i)
      require_near("the loss", static_cast<double>(step(weights, x, y)),
                   static_cast<double>(step_by_loops(reference, x, y, rows, kRate)), 1e-5);
    require_near("the largest difference of a weight", largest_difference(weights, reference), 0, 1e-5);

    weights = initial;
    for (auto _ : state) benchmark::DoNotOptimize(step(weights, x, y));
    state.counters["samples/s"] =
        benchmark::Counter(static_cast<double>(rows), benchmark::Counter::kIsIterationInvariantRate);
  });
}

void by_eigen(benchmark::State& state, std::int64_t rows) {
  EigenNet net;
  by_hand(state, rows, [&](Weights& w, const float* x, const float* y) { return net.step(w, x, y, rows, kRate); });
}

void by_function(benchmark::State& state, std::int64_t rows, HandStep step) {
  by_hand(state, rows, [&](Weights& w, const float* x, const float* y) { return step(w, x, y, rows, kRate); });
}

BENCHMARK_CAPTURE(by_gcompile, w4, 759)->Name("W4/gcompile");
BENCHMARK_CAPTURE(by_function, w4_loops, 759, step_by_loops)->Name("W4/loops");
BENCHMARK_CAPTURE(by_function, w4_lanes, 759, step_by_lanes)->Name("W4/lanes");
BENCHMARK_CAPTURE(by_eigen, w4, 759)->Name("W4/eigen");
BENCHMARK_CAPTURE(by_gcompile, w5, 32)->Name("W5/gcompile");
BENCHMARK_CAPTURE(by_function, w5_loops, 32, step_by_loops)->Name("W5/loops");
BENCHMARK_CAPTURE(by_function, w5_lanes, 32, step_by_lanes)->Name("W5/lanes");
BENCHMARK_CAPTURE(by_eigen, w5, 32)->Name("W5/eigen");

// The step was compiled for batches of 32 and is called with 23 rows.
void ragged(benchmark::State& state) {
  guarded(state, [&] {
    const data::Table full = diabetes_rows(32), rest = diabetes_rows(23);
    Diabetes model;
    TrainStep step(model, nn::BCELoss{}, optim::SGD{.lr = kRate});
    step.compiled(full.inputs(), full.labels());
    verify_diabetes(step, model, rest.inputs(), rest.labels(), kRate);
    if (step.variant_count() != 1) throw std::runtime_error("the ragged batch was compiled for");
    const double seconds = timed(state, [&] {
      Array loss = step(rest.inputs(), rest.labels());
      benchmark::DoNotOptimize(loss);
    });
    report(state, 23, step.compiled(), 0, seconds);
    state.counters.erase("compile_ms");
  });
}
BENCHMARK(ragged)->Name("W5_ragged_23/gcompile");

// 24 shuffled mini-batches of 32; the argument is the number of workers asked for.
void epoch(benchmark::State& state) {
  guarded(state, [&] {
    const data::Table table = diabetes_rows(768);
    const data::DataLoader loader(table, {.batch_size = 32, .num_workers = static_cast<int>(state.range(0))});
    Diabetes model;
    TrainStep step(model, nn::BCELoss{}, optim::SGD{.lr = kRate});
    const auto train = [&] {
      double sum = 0;
      for (auto [i, inputs, labels] : loader.enumerate()) sum += step(inputs, labels).item();
      return sum / static_cast<double>(loader.size());
    };
    const double first = train();
    double last = first;
    for (int i = 0; i < 50; ++i) last = train();
    if (!(last < first)) throw std::runtime_error("the loss does not fall: " + std::to_string(last));
    for (auto _ : state) benchmark::DoNotOptimize(train());
    state.counters["batches"] = static_cast<double>(loader.size());
    state.counters["samples/s"] = benchmark::Counter(768, benchmark::Counter::kIsIterationInvariantRate);
  });
}
BENCHMARK(epoch)->Name("epoch/workers")->Arg(0)->Arg(2)->UseRealTime()->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace gcompile::bench
