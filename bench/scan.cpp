// A scan and its gradient over 10, 100 and 1000 steps: the code and the time to compile it are the same for all, memory
// is linear in the carries that are kept, and near the square root of the steps with checkpoint_every. A recurrent
// layer of 64 units, a batch of 8. "code_lines" are lines of assembly, "arena_bytes" exact.
#include <algorithm>

#include "verify.h"

namespace gcompile::bench {
namespace {

constexpr std::int64_t kBatch = 8, kUnits = 64;

struct Layer {
  Parameter w{"w", random_matrix(kUnits, kUnits, 0.2F, 1)}, u{"u", random_matrix(kUnits, kUnits, 0.2F, 2)};

  Tensor loss(const Tensor& xs, const ScanOptions& options) const {
    const Tensor last = scan(
                            [this](Tensor h, Tensor x) {
                              h = tanh(x.matmul(w) + h.matmul(u));
                              return outputs(h, h.slice(1, 0, 1));
                            },
                            zeros({kBatch, kUnits}), xs, options)
                            .first;
    return sum(square(last));
  }
};

void recurrent(benchmark::State& state, std::int64_t steps, bool gradient, std::int64_t every) {
  guarded(state, [&] {
    const Layer layer;
    const auto f = [&](Tensor xs) {
      const Tensor loss = layer.loss(xs, {.checkpoint_every = every});
      return gradient ? grad(loss, layer.u) : loss;
    };
    JitOptions options;
    options.threads = 1;
    options.cache = "off";
    const auto begin = Clock::now();
    auto compiled = compile(f, {f32(steps, kBatch, kUnits)}, options);
    const double compile_ms = milliseconds_since(begin);
    const Array x = random_matrix(steps, kBatch * kUnits, 1, 3).reshaped({steps, kBatch, kUnits});
    const auto call = [&] { benchmark::DoNotOptimize(compiled(x)); };
    call();
    const double seconds = timed(state, call);
    const std::string code = compiled.compiled().dump("asm");
    state.counters["compile_ms"] = compile_ms;
    state.counters["code_lines"] = static_cast<double>(std::count(code.begin(), code.end(), '\n'));
    state.counters["arena_bytes"] = static_cast<double>(compiled.compiled().peak_bytes());
    state.counters["us/step"] = 1e6 * seconds / static_cast<double>(steps);
    report_estimate(state, compiled.compiled(), seconds);
  });
}

const bool kRegistered = [] {
  for (const std::int64_t steps : {10, 100, 1000}) {
    const std::string name = "scan/" + std::to_string(steps);
    const auto add = [&](const std::string& what, bool gradient, std::int64_t every) {
      benchmark::RegisterBenchmark((name + "/" + what).c_str(), recurrent, steps, gradient, every)
          ->Unit(benchmark::kMicrosecond);
    };
    add("forward", false, 0);
    add("gradient", true, 0);
    add("gradient_checkpointed", true, steps == 10 ? 5 : steps == 100 ? 10 : 40);
  }
  return true;
}();

}  // namespace
}  // namespace gcompile::bench
