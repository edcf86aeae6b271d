// Derivatives that are more than a training step: the Hessian of a small network's loss in all its parameters, and the
// price and five Greeks of a million European call options (Black and Scholes, 1973) - by differentiating the price,
// and for comparison by the closed forms.
#include <cmath>

#include "verify.h"

namespace gcompile::bench {
namespace {

constexpr std::int64_t kOptions = 1000000;

Tensor normal_cdf(const Tensor& x) { return 0.5 * (1.0 + erf(x * std::sqrt(0.5))); }
Tensor normal_pdf(const Tensor& x) { return std::sqrt(0.5 / 3.14159265358979) * exp(-0.5 * x * x); }

struct Market {
  Tensor spot, strike, volatility, time, rate;

  Tensor d1() const {
    return (log(spot / strike) + (rate + 0.5 * volatility * volatility) * time) / (volatility * sqrt(time));
  }
  Tensor price() const {
    const Tensor a = d1(), b = a - volatility * sqrt(time);
    return spot * normal_cdf(a) - strike * exp(-rate * time) * normal_cdf(b);
  }
};

std::array<Tensor, 6> by_gradients(const Market& m) {
  const Tensor price = m.price();
  const auto g = grad(sum(price), {m.spot, m.volatility, m.time, m.rate});
  return {price, g[0], grad(sum(g[0]), m.spot), g[1], -g[2], g[3]};
}

std::array<Tensor, 6> by_closed_forms(const Market& m) {
  const Tensor a = m.d1(), root = sqrt(m.time), b = a - m.volatility * root, density = normal_pdf(a),
               discounted = m.strike * exp(-m.rate * m.time), covered = discounted * normal_cdf(b),
               delta = normal_cdf(a), vega = m.spot * density * root;
  return {m.spot * delta - covered,
          delta,
          density / (m.spot * m.volatility * root),
          vega,
          -0.5 * vega * m.volatility / m.time - m.rate * covered,
          m.time * covered};
}

Array between(float low, float high, unsigned seed) {
  Array x = random_matrix(1, kOptions, 1, seed).reshaped({kOptions});
  for (float& f : x.mutable_data<float>()) f = low + (high - low) * 0.5F * (f + 1);
  return x;
}

// The last figure that is checked: of one option, against closed forms in double.
void check_greeks(const std::array<Array, 6>& made, const std::array<Array, 5>& given) {
  const auto cdf = [](double x) { return 0.5 * std::erfc(-x * std::sqrt(0.5)); };
  for (const std::int64_t i : {std::int64_t{0}, kOptions / 2, kOptions - 1}) {
    const double s = given[0].at(i), k = given[1].at(i), v = given[2].at(i), t = given[3].at(i), r = given[4].at(i);
    const double d1 = (std::log(s / k) + (r + 0.5 * v * v) * t) / (v * std::sqrt(t)), d2 = d1 - v * std::sqrt(t);
    const double density = std::exp(-0.5 * d1 * d1) / std::sqrt(2 * 3.14159265358979323846);
    const double covered = k * std::exp(-r * t) * cdf(d2);
    const double wanted[] = {s * cdf(d1) - covered,
                             cdf(d1),
                             density / (s * v * std::sqrt(t)),
                             s * density * std::sqrt(t),
                             -0.5 * s * density * v / std::sqrt(t) - r * covered,
                             t * covered};
    for (std::size_t g = 0; g < 6; ++g)
      require_near("figure " + std::to_string(g), made[g].at(i), wanted[g], 1e-4 * (1 + std::abs(wanted[g])));
  }
}

void black_scholes(benchmark::State& state, bool gradients) {
  guarded(state, [&] {
    auto compiled = compile(
        [gradients](Tensor s, Tensor k, Tensor v, Tensor t, Tensor r) {
          const Market m{s, k, v, t, r};
          return gradients ? by_gradients(m) : by_closed_forms(m);
        },
        {f32(kOptions), f32(kOptions), f32(kOptions), f32(kOptions), f32(kOptions)}, {.threads = 1});
    const std::array<Array, 5> given{between(80, 120, 1), between(80, 120, 2), between(0.1F, 0.5F, 3),
                                     between(0.2F, 2, 4), between(0, 0.05F, 5)};
    std::array<Array, 6> made;
    const auto call = [&] { made = compiled(given[0], given[1], given[2], given[3], given[4]); };
    call();
    check_greeks(made, given);
    const double seconds = timed(state, call);
    state.counters["options/s"] = static_cast<double>(kOptions) / seconds;
    report_estimate(state, compiled.compiled(), seconds);
  });
}

// The loss of a network of these layers by all its parameters, which are one vector.
Tensor loss_of(const Tensor& parameters, const Tensor& x, const Tensor& y) {
  const std::int64_t widths[] = {8, 6, 4, 1};
  Tensor h = x;
  std::int64_t at = 0;
  for (int layer = 0; layer < 3; ++layer) {
    const std::int64_t in = widths[layer], out = widths[layer + 1];
    const Tensor w = parameters.slice(0, at, at + in * out).reshape({in, out});
    at += in * out;
    h = sigmoid(h.matmul(w) + parameters.slice(0, at, at + out));
    at += out;
  }
  return -mean(y * log(h) + (1.0 - y) * log(1.0 - h));
}

void network_hessian(benchmark::State& state) {
  guarded(state, [&] {
    constexpr std::int64_t kParameters = 8 * 6 + 6 + 6 * 4 + 4 + 4 + 1, kRows = 32;
    auto compiled =
        compile([](Tensor p, Tensor x, Tensor y) { return hessian([&](Tensor v) { return loss_of(v, x, y); })(p); },
                {f32(kParameters), f32(kRows, 8), f32(kRows, 1)}, {.threads = 1});
    const Array p = random_matrix(1, kParameters, 0.5F, 1).reshaped({kParameters}), x = random_matrix(kRows, 8, 1, 2);
    Array y = random_matrix(kRows, 1, 1, 3), h;
    for (float& f : y.mutable_data<float>()) f = f > 0 ? 1.0F : 0.0F;
    const auto call = [&] { h = compiled(p, x, y); };
    call();
    for (std::int64_t i = 0; i < kParameters; ++i)
      for (std::int64_t j = 0; j < i; ++j)
        require_near("symmetry", h.at(i * kParameters + j), h.at(j * kParameters + i), 1e-5);
    const double seconds = timed(state, call);
    report_estimate(state, compiled.compiled(), seconds);
  });
}

const bool kRegistered = [] {
  benchmark::RegisterBenchmark("calculus/black_scholes/gradients", black_scholes, true)->Unit(benchmark::kMicrosecond);
  benchmark::RegisterBenchmark("calculus/black_scholes/closed_forms", black_scholes, false)
      ->Unit(benchmark::kMicrosecond);
  benchmark::RegisterBenchmark("calculus/hessian_8_6_4_1", network_hessian)->Unit(benchmark::kMicrosecond);
  return true;
}();

}  // namespace
}  // namespace gcompile::bench
