// Interval arithmetic on index expressions, and their simplification with it.
#include "gcompile/ir/simplify_dim.h"

#include <algorithm>
#include <numeric>

namespace gcompile {
namespace {

using Kind = Dim::Opaque::Kind;

bool bounded(std::int64_t x) { return x != INT64_MIN && x != INT64_MAX; }

std::int64_t floor_quotient(std::int64_t a, std::int64_t c) {
  const std::int64_t q = a / c;
  return a % c < 0 ? q - 1 : q;
}

// Sums and products of ends, where an overflow is the lack of a bound in that direction.
std::int64_t plus(std::int64_t a, std::int64_t b) {
  if (!bounded(a)) return a;
  if (!bounded(b)) return b;
  std::int64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) return a > 0 ? INT64_MAX : INT64_MIN;
  return sum;
}

std::int64_t times(std::int64_t a, std::int64_t b) {
  if (a == 0 || b == 0) return 0;
  std::int64_t product = 0;
  if (!bounded(a) || !bounded(b) || __builtin_mul_overflow(a, b, &product))
    return (a > 0) == (b > 0) ? INT64_MAX : INT64_MIN;
  return product;
}

Interval operator+(Interval a, Interval b) { return {plus(a.min, b.min), plus(a.max, b.max)}; }

Interval operator*(Interval a, Interval b) {
  const auto [low, high] =
      std::minmax({times(a.min, b.min), times(a.min, b.max), times(a.max, b.min), times(a.max, b.max)});
  return {low, high};
}

Interval bounds_of_atom(const Dim::Atom& atom, const Ranges& ranges) {
  if (!atom.opaque) {
    const auto it = ranges.find(atom.text);
    return it == ranges.end() ? kAnyInteger : it->second;
  }
  const std::int64_t c = atom.opaque->divisor;
  const Interval inner = bounds_of(atom.opaque->argument, ranges);
  if (atom.opaque->kind == Kind::kMin) return {std::min(inner.min, c), std::min(inner.max, c)};
  const auto quotient = [&](std::int64_t end) { return bounded(end) ? floor_quotient(end, c) : end; };
  if (atom.opaque->kind == Kind::kFloorDiv) return {quotient(inner.min), quotient(inner.max)};
  if (bounded(inner.min) && bounded(inner.max) && quotient(inner.min) == quotient(inner.max))
    return {inner.min - quotient(inner.min) * c, inner.max - quotient(inner.max) * c};
  return {0, c - 1};
}

Dim as_dim(const Dim::Atom& a) {
  if (!a.opaque) return Dim(a.text);
  return opaque(a.opaque->kind, a.opaque->argument, a.opaque->divisor);
}

Dim as_dim(const Dim::Term& t) {
  Dim d(t.coefficient);
  for (const Dim::Atom& a : t.factors) d *= as_dim(a);
  return d;
}

// e = g * high + low with 0 <= low < g, for the largest g that divides c and is less than c; g = 1 when there is none.
struct Digits {
  std::int64_t g = 1;
  Dim high, low;
};

Digits split_digits(const Dim& e, std::int64_t c, const Ranges& ranges) {
  std::vector<std::int64_t> candidates;
  for (const auto& t : e.terms())
    if (const std::int64_t g = std::gcd(t.coefficient, c); g > 1 && g < c) candidates.push_back(g);
  std::sort(candidates.rbegin(), candidates.rend());
  for (std::int64_t g : candidates) {
    const std::int64_t q = floor_quotient(e.constant(), g);
    Digits d{g, Dim(q), Dim(e.constant() - q * g)};
    for (const auto& t : e.terms()) {
      const Dim::Term part{t.coefficient % g == 0 ? t.coefficient / g : t.coefficient, t.factors};
      (t.coefficient % g == 0 ? d.high : d.low) += as_dim(part);
    }
    const Interval low = bounds_of(d.low, ranges);
    if (low.min >= 0 && low.max < g) return d;
  }
  return {};
}

Dim quotient(const Dim& e, std::int64_t c, const Ranges& ranges);

Dim remainder(const Dim& e, std::int64_t c, const Ranges& ranges) {
  const Interval range = bounds_of(e, ranges);
  if (bounded(range.min) && bounded(range.max) && floor_quotient(range.min, c) == floor_quotient(range.max, c))
    return e - Dim(floor_quotient(range.min, c) * c);
  const Digits d = split_digits(e, c, ranges);
  if (d.g > 1) return Dim(d.g) * remainder(d.high, c / d.g, ranges) + d.low;
  // mod(mod(x, c * n), c) = mod(x, c)
  Dim shorter(e.constant());
  bool changed = false;
  for (const auto& t : e.terms()) {
    const Dim::Atom& a = t.factors.front();
    const bool inner = t.factors.size() == 1 && a.opaque && a.opaque->kind == Kind::kMod && a.opaque->divisor % c == 0;
    shorter += inner ? Dim(t.coefficient) * a.opaque->argument : as_dim(t);
    changed |= inner;
  }
  return changed ? simplify(mod(shorter, c), ranges) : mod(e, c);
}

Dim quotient(const Dim& e, std::int64_t c, const Ranges& ranges) {
  const Interval range = bounds_of(e, ranges);
  if (bounded(range.min) && bounded(range.max) && floor_quotient(range.min, c) == floor_quotient(range.max, c))
    return Dim(floor_quotient(range.min, c));
  const Digits d = split_digits(e, c, ranges);
  if (d.g > 1) return quotient(d.high, c / d.g, ranges);
  // floordiv(floordiv(x, a), c) = floordiv(x, a * c)
  if (e.constant() == 0 && e.terms().size() == 1 && e.terms()[0].coefficient == 1 && e.terms()[0].factors.size() == 1) {
    const Dim::Atom& a = e.terms()[0].factors[0];
    if (a.opaque && a.opaque->kind == Kind::kFloorDiv)
      return simplify(floordiv(a.opaque->argument, a.opaque->divisor * c), ranges);
  }
  return floordiv(e, c);
}

// The multiples of c in e, which floordiv and mod split off, are gone from the arguments of atoms that Dim made; what
// simplification of the argument brings up again is split off here.
Dim simplify_atom(const Dim::Atom& a, const Ranges& ranges) {
  if (!a.opaque) return Dim(a.text);
  const std::int64_t c = a.opaque->divisor;
  const Dim e = simplify(a.opaque->argument, ranges);
  if (a.opaque->kind == Kind::kMin) {
    const Interval range = bounds_of(e, ranges);
    return range.max <= c ? e : range.min >= c ? Dim(c) : at_most(e, c);
  }
  Dim multiple(floor_quotient(e.constant(), c)), rest(e.constant() - floor_quotient(e.constant(), c) * c);
  for (const auto& t : e.terms()) {  // 9*i = 8*i + i; towards zero, so that -i stays -i
    if (t.coefficient / c != 0) multiple += as_dim({t.coefficient / c, t.factors});
    if (t.coefficient % c != 0) rest += as_dim({t.coefficient % c, t.factors});
  }
  return a.opaque->kind == Kind::kFloorDiv ? multiple + quotient(rest, c, ranges) : remainder(rest, c, ranges);
}

// k*c*m*floordiv(e, c) + k*m*mod(e, c) = k*m*e
Dim rejoin(const Dim& d) {
  for (const auto& t : d.terms())
    for (std::size_t f = 0; f < t.factors.size(); ++f) {
      const Dim::Atom& a = t.factors[f];
      if (!a.opaque || a.opaque->kind != Kind::kMod) continue;
      Dim others(t.coefficient);
      for (std::size_t o = 0; o < t.factors.size(); ++o)
        if (o != f) others *= as_dim(t.factors[o]);
      const Dim partner = others * Dim(a.opaque->divisor) * floordiv(a.opaque->argument, a.opaque->divisor);
      if (partner.terms().size() != 1) continue;
      const auto& terms = d.terms();
      if (std::find(terms.begin(), terms.end(), partner.terms()[0]) == terms.end()) continue;
      return rejoin(d - partner - as_dim(t) + others * a.opaque->argument);
    }
  return d;
}

}  // namespace

Interval bounds_of(const Dim& d, const Ranges& ranges) {
  Interval sum{d.constant(), d.constant()};
  for (const auto& t : d.terms()) {
    Interval product{t.coefficient, t.coefficient};
    for (const auto& a : t.factors) product = product * bounds_of_atom(a, ranges);
    sum = sum + product;
  }
  return sum;
}

Dim simplify(const Dim& d, const Ranges& ranges) {
  Dim result(d.constant());
  bool opaque = false;
  for (const auto& t : d.terms()) {
    Dim product(t.coefficient);
    for (const auto& a : t.factors) {
      opaque |= a.opaque != nullptr;
      product *= simplify_atom(a, ranges);
    }
    result += product;
  }
  return opaque ? rejoin(result) : d;
}

}  // namespace gcompile
