#include "gcompile/ir/dim.h"

#include <algorithm>
#include <limits>

#include "gcompile/base/error.h"

namespace gcompile {
namespace {

// Extents that do not fit are the model's fault, or the text's: they are refused, never wrapped. The smallest int64 is
// left out, so that negation is safe.
std::int64_t in_range(std::int64_t x, bool overflow) {
  if (overflow || x == std::numeric_limits<std::int64_t>::min())
    throw ModelError("an extent or its number of elements does not fit in 63 bits");
  return x;
}

std::int64_t checked_add(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  const bool overflow = __builtin_add_overflow(a, b, &sum);
  return in_range(sum, overflow);
}

std::int64_t checked_multiply(std::int64_t a, std::int64_t b) {
  std::int64_t p = 0;
  const bool overflow = __builtin_mul_overflow(a, b, &p);
  return in_range(p, overflow);
}

// Of a product of two polynomials, before like terms are merged.
constexpr std::size_t kMaxProductTerms = 1024, kMaxDegree = 64;

std::int64_t floor_division(std::int64_t a, std::int64_t c) {
  const std::int64_t q = a / c;
  return a % c < 0 ? q - 1 : q;
}

std::int64_t apply(Dim::Opaque::Kind kind, std::int64_t a, std::int64_t c) {
  if (kind == Dim::Opaque::Kind::kMin) return std::min(a, c);
  const std::int64_t q = floor_division(a, c);
  return kind == Dim::Opaque::Kind::kFloorDiv ? q : a - q * c;
}

void require_positive(const char* function, const Dim& a, std::int64_t c, const std::source_location& where) {
  if (c <= 0)
    throw ModelError(Location::from(where), std::string(function) + "(" + a.str() + ", " + std::to_string(c) +
                                                "): the second number must be positive");
}

}  // namespace

void Dim::refuse(std::uint64_t value, const std::source_location& where) {
  throw ModelError(Location::from(where), "the extent " + std::to_string(value) + " does not fit in 63 bits");
}

std::optional<std::string> Dim::as_symbol() const {
  if (constant_ != 0 || terms_.size() != 1 || terms_[0].coefficient != 1 || terms_[0].factors.size() != 1 ||
      terms_[0].factors[0].opaque)
    return std::nullopt;
  return terms_[0].factors[0].text;
}

Dim Dim::atom(Atom a) {
  Dim d;
  d.terms_.push_back({1, {std::move(a)}});
  return d;
}

void Dim::add_term(std::int64_t coefficient, const std::vector<Atom>& factors) {
  if (coefficient == 0) return;
  if (factors.empty()) {
    constant_ = checked_add(constant_, coefficient);
    return;
  }
  auto it = std::lower_bound(terms_.begin(), terms_.end(), factors,
                             [](const Term& t, const std::vector<Atom>& f) { return t.factors < f; });
  if (it == terms_.end() || it->factors != factors) {
    terms_.insert(it, {coefficient, factors});
  } else if ((it->coefficient = checked_add(it->coefficient, coefficient)) == 0) {
    terms_.erase(it);
  }
}

Dim operator+(const Dim& a, const Dim& b) {
  Dim sum = a;
  sum.constant_ = checked_add(a.constant_, b.constant_);
  for (const auto& t : b.terms_) sum.add_term(t.coefficient, t.factors);
  return sum;
}

Dim operator-(const Dim& a, const Dim& b) { return a + Dim(-1) * b; }

Dim operator*(const Dim& a, const Dim& b) {
  if (a.terms_.size() * b.terms_.size() > kMaxProductTerms)
    throw ModelError("a product of extents has more than " + std::to_string(kMaxProductTerms) + " terms");
  Dim result(checked_multiply(a.constant_, b.constant_));
  for (const auto& t : a.terms_) result.add_term(checked_multiply(t.coefficient, b.constant_), t.factors);
  for (const auto& t : b.terms_) result.add_term(checked_multiply(t.coefficient, a.constant_), t.factors);
  for (const auto& s : a.terms_)
    for (const auto& t : b.terms_) {
      if (s.factors.size() + t.factors.size() > kMaxDegree)
        throw ModelError("a product of extents has more than " + std::to_string(kMaxDegree) + " factors");
      std::vector<Dim::Atom> factors;
      std::merge(s.factors.begin(), s.factors.end(), t.factors.begin(), t.factors.end(), std::back_inserter(factors));
      result.add_term(checked_multiply(s.coefficient, t.coefficient), factors);
    }
  return result;
}

bool operator<(const Dim& a, const Dim& b) {
  if (a.is_constant() && b.is_constant()) return a.constant_ < b.constant_;
  return a.str() < b.str();
}

std::optional<Dim> Dim::divided_by(const Dim& b) const {
  if (b.is_constant()) {
    if (b.constant_ == 0 || constant_ % b.constant_ != 0) return std::nullopt;
    Dim q(constant_ / b.constant_);
    for (const auto& t : terms_) {
      if (t.coefficient % b.constant_ != 0) return std::nullopt;
      q.add_term(t.coefficient / b.constant_, t.factors);
    }
    return q;
  }
  // Division by a monomial: what the products of extents of a shape are made of.
  if (b.constant_ != 0 || b.terms_.size() != 1 || constant_ != 0)
    return *this == b ? std::optional<Dim>(1) : std::nullopt;
  const Term& divisor = b.terms_[0];
  Dim q;
  for (const auto& t : terms_) {
    if (t.coefficient % divisor.coefficient != 0 ||
        !std::includes(t.factors.begin(), t.factors.end(), divisor.factors.begin(), divisor.factors.end()))
      return std::nullopt;
    std::vector<Atom> rest;
    std::set_difference(t.factors.begin(), t.factors.end(), divisor.factors.begin(), divisor.factors.end(),
                        std::back_inserter(rest));
    q.add_term(t.coefficient / divisor.coefficient, rest);
  }
  return q;
}

std::set<std::string> Dim::symbols() const {
  std::set<std::string> names;
  for (const auto& t : terms_)
    for (const auto& f : t.factors) {
      if (f.opaque)
        names.merge(f.opaque->argument.symbols());
      else
        names.insert(f.text);
    }
  return names;
}

bool Dim::uses(std::string_view symbol) const {
  for (const auto& t : terms_)
    for (const auto& f : t.factors)
      if (f.opaque ? f.opaque->argument.uses(symbol) : f.text == symbol) return true;
  return false;
}

std::optional<Dim> Dim::coefficient_of(const std::string& symbol) const {
  Dim c;
  for (const auto& t : terms_) {
    const auto n =
        std::count_if(t.factors.begin(), t.factors.end(), [&](const Atom& f) { return !f.opaque && f.text == symbol; });
    for (const auto& f : t.factors)
      if (f.opaque && f.opaque->argument.uses(symbol)) return std::nullopt;
    if (n == 0) continue;
    if (n > 1) return std::nullopt;
    std::vector<Atom> rest;
    for (const auto& f : t.factors)
      if (f.opaque || f.text != symbol) rest.push_back(f);
    c.add_term(t.coefficient, rest);
  }
  return c;
}

Dim Dim::substitute(const std::function<std::optional<Dim>(const std::string&)>& f) const {
  Dim result(constant_);
  for (const auto& t : terms_) {
    Dim factor(t.coefficient);
    for (const auto& a : t.factors) {
      if (a.opaque) {
        factor *= opaque(a.opaque->kind, a.opaque->argument.substitute(f), a.opaque->divisor);
      } else {
        const auto value = f(a.text);
        factor *= value ? *value : atom(a);
      }
    }
    result += factor;
  }
  return result;
}

Dim Dim::substitute(const std::map<std::string, Dim>& values) const {
  return substitute([&](const std::string& s) -> std::optional<Dim> {
    const auto it = values.find(s);
    return it == values.end() ? std::nullopt : std::optional<Dim>(it->second);
  });
}

std::int64_t Dim::evaluate(const std::function<std::int64_t(const std::string&)>& lookup) const {
  std::int64_t sum = constant_;
  for (const auto& t : terms_) {
    std::int64_t p = t.coefficient;
    for (const auto& f : t.factors)
      p *= f.opaque ? apply(f.opaque->kind, f.opaque->argument.evaluate(lookup), f.opaque->divisor) : lookup(f.text);
    sum += p;
  }
  return sum;
}

std::int64_t Dim::evaluate(const std::map<std::string, std::int64_t>& values) const {
  return evaluate([&](const std::string& s) {
    const auto it = values.find(s);
    if (it == values.end()) throw InternalError("no value for the symbol " + s + " in " + str());
    return it->second;
  });
}

std::string Dim::str() const {
  if (terms_.empty()) return std::to_string(constant_);
  std::string text;
  for (const auto& t : terms_) {
    std::int64_t c = t.coefficient;
    if (text.empty()) {
      if (c < 0) text += "-";
    } else {
      text += c < 0 ? " - " : " + ";
    }
    c = c < 0 ? -c : c;
    if (c != 1) text += std::to_string(c) + "*";
    for (std::size_t i = 0; i < t.factors.size(); ++i) text += (i ? "*" : "") + t.factors[i].text;
  }
  if (constant_ != 0) text += (constant_ < 0 ? " - " : " + ") + std::to_string(constant_ < 0 ? -constant_ : constant_);
  return text;
}

namespace {

// Splits a into c * multiple + rest, the rest holding what c does not divide and a constant in [0, c).
struct Split {
  Dim multiple, rest;
};

Split split(const Dim& a, std::int64_t c) {
  const std::int64_t q = floor_division(a.constant(), c);
  Split s{Dim(q), Dim(a.constant() - q * c)};
  for (const auto& t : a.terms()) {
    Dim monomial = 1;
    for (const auto& f : t.factors)
      monomial *= f.opaque ? opaque(f.opaque->kind, f.opaque->argument, f.opaque->divisor) : Dim(f.text);
    if (t.coefficient % c == 0)
      s.multiple += Dim(t.coefficient / c) * monomial;
    else
      s.rest += Dim(t.coefficient) * monomial;
  }
  return s;
}

}  // namespace

Dim floordiv(const Dim& a, std::int64_t c, std::source_location where) {
  require_positive("floordiv", a, c, where);
  if (c == 1) return a;
  const Split s = split(a, c);
  if (s.rest.is_constant()) return s.multiple;
  auto opaque = std::make_shared<Dim::Opaque>(Dim::Opaque{Dim::Opaque::Kind::kFloorDiv, s.rest, c});
  return s.multiple + Dim::atom({"floordiv(" + s.rest.str() + ", " + std::to_string(c) + ")", opaque});
}

Dim mod(const Dim& a, std::int64_t c, std::source_location where) {
  require_positive("mod", a, c, where);
  if (c == 1) return 0;
  const Split s = split(a, c);
  if (s.rest.is_constant()) return s.rest;
  auto opaque = std::make_shared<Dim::Opaque>(Dim::Opaque{Dim::Opaque::Kind::kMod, s.rest, c});
  return Dim::atom({"mod(" + s.rest.str() + ", " + std::to_string(c) + ")", opaque});
}

Dim at_most(const Dim& a, std::int64_t c, std::source_location where) {
  require_positive("min", a, c, where);
  if (a.is_constant()) return std::min(a.constant(), c);
  auto made = std::make_shared<Dim::Opaque>(Dim::Opaque{Dim::Opaque::Kind::kMin, a, c});
  return Dim::atom({"min(" + a.str() + ", " + std::to_string(c) + ")", made});
}

Dim opaque(Dim::Opaque::Kind kind, const Dim& a, std::int64_t c) {
  switch (kind) {
    case Dim::Opaque::Kind::kFloorDiv: return floordiv(a, c);
    case Dim::Opaque::Kind::kMod: return mod(a, c);
    case Dim::Opaque::Kind::kMin: break;
  }
  return at_most(a, c);
}

bool is_dim_function(std::string_view name) { return name == "floordiv" || name == "mod" || name == "min"; }

Dim product(const std::vector<Dim>& dims) {
  Dim p = 1;
  for (const Dim& d : dims) p *= d;
  return p;
}

}  // namespace gcompile
