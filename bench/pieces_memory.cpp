// Elementwise chains, row-wise functions, sums and transposes in f32, one thread, beside Eigen and oneDNN: "GB/s"
// counts what must be read and written, "copy" is what a copy of as many bytes reached just before. Times are the
// processor's.
#include <vector>

#include "by_hand_pieces.h"
#include "by_onednn.h"
#include "verify.h"

namespace gcompile::bench {
namespace {

struct Case {
  std::string name;
  std::int64_t rows, columns;
  int operands;
  Tensor (*by_gcompile)(Tensor a, Tensor b);
  Piece by_eigen;
  OnednnCall (*by_onednn)(std::int64_t rows, std::int64_t columns);  // null: it has no such function
  bool symbolic = false;  // the number of rows is not known when the program is compiled
};

Tensor normalized(const Tensor& x) {
  const Tensor centred = x - mean(x, {-1}, true);
  return centred * rsqrt(mean(square(centred), {-1}, true) + 1e-5f);
}
Tensor gelu_by_tanh(const Tensor& x) { return 0.5f * x * (1 + tanh(0.7978845608f * (x + 0.044715f * x * x * x))); }

const std::vector<Case> kCases = {
    {"softmax/1024x1024", 1024, 1024, 1, [](Tensor a, Tensor) { return softmax(a); }, softmax_by_eigen,
     softmax_by_onednn},
    {"softmax/rows", 1024, 1024, 1, [](Tensor a, Tensor) { return softmax(a); }, softmax_by_eigen, softmax_by_onednn,
     true},
    {"softmax/4096x10", 4096, 10, 1, [](Tensor a, Tensor) { return softmax(a); }, softmax_by_eigen, softmax_by_onednn},
    {"layer_norm/1024x1024", 1024, 1024, 1, [](Tensor a, Tensor) { return normalized(a); }, layer_norm_by_eigen,
     layer_norm_by_onednn},
    {"layer_norm/1000x100", 1000, 100, 1, [](Tensor a, Tensor) { return normalized(a); }, layer_norm_by_eigen,
     layer_norm_by_onednn},
    {"gelu/1024x1024", 1024, 1024, 1, [](Tensor a, Tensor) { return gelu_by_tanh(a); }, gelu_by_eigen, gelu_by_onednn},
    {"chain/1024x1024", 1024, 1024, 2, [](Tensor a, Tensor b) { return sigmoid(tanh(exp(a * b + a)) * 2 + b) - a; },
     chain_by_eigen, nullptr},
    {"row_sums/1024x1024", 1024, 1024, 1, [](Tensor a, Tensor) { return sum(a, {1}); }, row_sums_by_eigen,
     row_sums_by_onednn},
    {"column_sums/1024x1024", 1024, 1024, 1, [](Tensor a, Tensor) { return sum(a, {0}); }, column_sums_by_eigen,
     column_sums_by_onednn},
    {"column_sums/64x512", 64, 512, 1, [](Tensor a, Tensor) { return sum(a, {0}); }, column_sums_by_eigen,
     column_sums_by_onednn},
    {"transpose/1024x1024", 1024, 1024, 1, [](Tensor a, Tensor) { return T(a); }, transpose_by_eigen,
     transpose_by_onednn},
    {"transpose/300x500", 300, 500, 1, [](Tensor a, Tensor) { return T(a); }, transpose_by_eigen, transpose_by_onednn},
    {"add/64x64", 64, 64, 2, [](Tensor a, Tensor b) { return a + b; }, add_by_eigen, add_by_onednn},
    {"add/8192x1024", 8192, 1024, 2, [](Tensor a, Tensor b) { return a + b; }, add_by_eigen, add_by_onednn},
};

void report(benchmark::State& state, const Case& c, std::int64_t results, double seconds, double copy) {
  const double bytes = 4e-9 * static_cast<double>(c.operands * c.rows * c.columns + results);
  state.counters["GB/s"] = bytes / seconds;
  state.counters["copy"] = copy;
}

void check(const Array& result, const std::vector<float>& reference) {
  if (result.size() != static_cast<std::int64_t>(reference.size())) throw std::runtime_error("another shape");
  for (std::int64_t i = 0; i < result.size(); ++i) {
    const double r = static_cast<double>(reference[static_cast<std::size_t>(i)]);
    require_near("element " + std::to_string(i), result.at(i), r, 1e-5 + 1e-4 * std::abs(r));
  }
}

enum class By { kGcompile, kEigen, kOnednn };

void measure(benchmark::State& state, const Case& c, By who) {
  guarded(state, [&] {
    const Array a = random_matrix(c.rows, c.columns, 2, 1), b = random_matrix(c.rows, c.columns, 2, 2);
    const float *from_a = a.data<float>().data(), *from_b = b.data<float>().data();
    const Dim rows = c.symbolic ? Dim("M") : Dim(c.rows);
    const auto begin = Clock::now();
    auto compiled = compile([&c](Tensor x, Tensor y) { return c.by_gcompile(x, y); },
                            {f32(rows, c.columns), f32(rows, c.columns)}, {.threads = 1});
    const double compile_ms = milliseconds_since(begin);
    Array result = compiled(a, b);
    const std::int64_t results = result.size();

    std::vector<float> to(static_cast<std::size_t>(results));
    OnednnCall reference = [&c](const float* x, const float* y, float* out) {
      c.by_eigen(c.rows, c.columns, x, y, out);
    };
    if (who == By::kOnednn) reference = c.by_onednn(c.rows, c.columns);
    reference(from_a, from_b, to.data());
    check(result, to);

    const double copy = copy_rate(4 * (c.operands * c.rows * c.columns + results));
    const double seconds = timed(state, [&] {
      if (who == By::kGcompile) {
        result = Array();
        result = compiled(a, b);
        benchmark::DoNotOptimize(result);
      } else {
        reference(from_a, from_b, to.data());
        benchmark::ClobberMemory();
      }
    });
    report(state, c, results, seconds, copy);
    if (who != By::kGcompile) return;
    state.counters["compile_ms"] = compile_ms;
    report_estimate(state, compiled.compiled(), seconds);
  });
}

const bool kRegistered = [] {
  for (const Case& c : kCases) {
    const auto line = [&c](const char* name, By who) {
      benchmark::RegisterBenchmark((c.name + name).c_str(), [&c, who](benchmark::State& s) { measure(s, c, who); });
    };
    line("/gcompile", By::kGcompile);
    if (c.symbolic) continue;
    line("/eigen", By::kEigen);
    if (c.by_onednn && !onednn_version().empty()) line("/onednn", By::kOnednn);
  }
  return true;
}();

}  // namespace
}  // namespace gcompile::bench
