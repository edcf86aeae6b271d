// Matrix products in f32, one thread, beside Eigen and oneDNN: "GF/s" counts multiplications and additions, "peak" is
// what a loop of nothing but fma reached just before and after, and "share" the quotient of the two. Times are the
// processor's.
#include <vector>

#include "by_hand_matmul.h"
#include "by_onednn.h"
#include "verify.h"

namespace gcompile::bench {
namespace {

struct Case {
  std::string name;
  MatmulShape shape;
  bool symbolic = false;  // the number of rows is not known when the program is compiled
};

const std::vector<Case> kCases = {
    {"64", {64, 64, 64, false, false}},
    {"256", {256, 256, 256, false, false}},
    {"512", {512, 512, 512, false, false}},
    {"1024", {1024, 1024, 1024, false, false}},
    {"32x784x512", {32, 784, 512, false, false}},
    {"100", {100, 100, 100, false, false}},
    {"256/nt", {256, 256, 256, false, true}},
    {"256/tn", {256, 256, 256, true, false}},
    {"256/tt", {256, 256, 256, true, true}},
    {"32x784x512/nt", {32, 784, 512, false, true}},
    {"64/rows", {64, 64, 64, false, false}, true},
    {"256/rows", {256, 256, 256, false, false}, true},
};

struct Operands {
  explicit Operands(const MatmulShape& s)
      : a(s.a_transposed ? random_matrix(s.k, s.m, 1, 1) : random_matrix(s.m, s.k, 1, 1)),
        b(s.b_transposed ? random_matrix(s.n, s.k, 1, 2) : random_matrix(s.k, s.n, 1, 2)) {}
  Array a, b;
};

// Some elements, in double.
void check(const MatmulShape& s, const Operands& o, const float* c) {
  for (std::int64_t n = 0; n < 1000; ++n) {
    const std::int64_t i = n * 7919 % s.m, j = n * 104729 % s.n;
    double sum = 0;
    for (std::int64_t k = 0; k < s.k; ++k)
      sum += o.a.at(s.a_transposed ? k * s.m + i : i * s.k + k) * o.b.at(s.b_transposed ? j * s.k + k : k * s.n + j);
    require_near("an element", static_cast<double>(c[i * s.n + j]), sum, 1e-5 * static_cast<double>(s.k));
  }
}

template <class Step>
double measure(benchmark::State& state, const MatmulShape& s, const Step& step) {
  double peak = fma_peak();
  const double seconds = timed(state, step);
  peak = std::max(peak, fma_peak());
  const double work = 2e-9 * static_cast<double>(s.m * s.k * s.n);
  state.counters["GF/s"] = work / seconds;
  state.counters["peak"] = peak;
  state.counters["share"] = work / seconds / peak;
  return seconds;
}

void by_gcompile(benchmark::State& state, const Case& c, int threads) {
  guarded(state, [&] {
    const MatmulShape& s = c.shape;
    const Operands o(s);
    const Dim rows = c.symbolic ? Dim("M") : Dim(s.m);
    const auto begin = Clock::now();
    auto product =
        compile([&s](Tensor a, Tensor b) { return matmul(s.a_transposed ? T(a) : a, s.b_transposed ? T(b) : b); },
                {s.a_transposed ? f32(s.k, rows) : f32(rows, s.k), s.b_transposed ? f32(s.n, s.k) : f32(s.k, s.n)},
                {.threads = threads});
    const double compile_ms = milliseconds_since(begin);
    check(s, o, product(o.a, o.b).template data<float>().data());
    const double seconds = measure(state, s, [&] {
      Array result = product(o.a, o.b);
      benchmark::DoNotOptimize(result);
    });
    state.counters["compile_ms"] = compile_ms;
    if (threads == 1) report_estimate(state, product.compiled(), seconds);  // they are the processor's
  });
}

// `step` writes the product of a and b where its third argument is.
void by_reference(benchmark::State& state, const MatmulShape& s, const OnednnCall& step) {
  const Operands o(s);
  Array result(DType::kF32, {s.m, s.n});
  const float *a = o.a.data<float>().data(), *b = o.b.data<float>().data();
  float* to = result.mutable_data<float>().data();
  step(a, b, to);
  check(s, o, to);
  measure(state, s, [&] {
    step(a, b, to);
    benchmark::ClobberMemory();
  });
}

void by_eigen(benchmark::State& state, const MatmulShape& s) {
  guarded(state, [&] {
    by_reference(state, s, [&s](const float* a, const float* b, float* c) { matmul_by_eigen(s, a, b, c); });
  });
}

void by_onednn(benchmark::State& state, const MatmulShape& s) {
  guarded(state, [&] { by_reference(state, s, matmul_by_onednn(s)); });
}

const bool kRegistered = [] {
  for (const Case& c : kCases) {
    benchmark::RegisterBenchmark(("matmul/" + c.name + "/gcompile").c_str(),
                                 [&c](benchmark::State& s) { by_gcompile(s, c, 1); });
    if (c.shape.m * c.shape.n * c.shape.k >= 256 * 256 * 256)
      benchmark::RegisterBenchmark(("matmul/" + c.name + "/gcompile/threads:2").c_str(), [&c](benchmark::State& s) {
        by_gcompile(s, c, 2);
      })->UseRealTime();
    if (c.symbolic) continue;
    benchmark::RegisterBenchmark(("matmul/" + c.name + "/eigen").c_str(),
                                 [&c](benchmark::State& s) { by_eigen(s, c.shape); });
    if (onednn_version().empty()) continue;
    benchmark::RegisterBenchmark(("matmul/" + c.name + "/onednn").c_str(),
                                 [&c](benchmark::State& s) { by_onednn(s, c.shape); });
  }
  return true;
}();

}  // namespace
}  // namespace gcompile::bench
