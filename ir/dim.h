// Dim: a canonical polynomial with integer coefficients over named symbols: the extents of symbolic shapes and the
// index expressions of kernels. Besides symbols a factor may be an opaque atom floordiv(e, c), mod(e, c) or min(e, c),
// c > 0. Two Dims are equal if and only if their canonical forms are identical, so the reshape [N,4,8] -> [N,32] is
// checked as the identity of two polynomials.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace gcompile {

class Dim {
 public:
  // floordiv(a, c) or mod(a, c), both rounding towards minus infinity, or min(a, c); c > 0.
  struct Opaque;
  // A symbol (opaque == nullptr) or an opaque atom; `text` is its canonical form and identifies it.
  struct Atom {
    std::string text;
    std::shared_ptr<const Opaque> opaque;
    friend bool operator==(const Atom& a, const Atom& b) { return a.text == b.text; }
    friend auto operator<=>(const Atom& a, const Atom& b) { return a.text <=> b.text; }
  };
  struct Term {
    std::int64_t coefficient;   // never 0
    std::vector<Atom> factors;  // sorted, repeated for powers, never empty (constants are apart)
    friend bool operator==(const Term&, const Term&) = default;
  };

  Dim() = default;
  // An integer of any type is a Dim. ModelError at the line for one that 63 bits do not hold.
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  Dim(T value, std::source_location where = std::source_location::current())  // NOLINT(google-explicit-constructor)
      : constant_(held(value, where)) {}
  explicit Dim(std::string symbol) : terms_{{1, {{std::move(symbol), nullptr}}}} {}
  explicit Dim(const char* symbol) : Dim(std::string(symbol)) {}

  bool is_constant() const { return terms_.empty(); }
  bool is(std::int64_t value) const { return terms_.empty() && constant_ == value; }
  // The constant term; the whole value when is_constant().
  std::int64_t constant() const { return constant_; }
  const std::vector<Term>& terms() const { return terms_; }
  // The name, when this is one symbol with coefficient 1 and nothing else.
  std::optional<std::string> as_symbol() const;

  // Throw ModelError when a coefficient leaves 63 bits or the terms are too many.
  friend Dim operator+(const Dim& a, const Dim& b);
  friend Dim operator-(const Dim& a, const Dim& b);
  friend Dim operator*(const Dim& a, const Dim& b);
  Dim& operator+=(const Dim& b) { return *this = *this + b; }
  Dim& operator*=(const Dim& b) { return *this = *this * b; }
  friend bool operator==(const Dim&, const Dim&) = default;
  // An arbitrary total order, for containers.
  friend bool operator<(const Dim& a, const Dim& b);

  // The exact quotient as a polynomial, when there is one.
  std::optional<Dim> divided_by(const Dim& b) const;
  // All symbols, also those inside opaque atoms.
  std::set<std::string> symbols() const;
  bool uses(std::string_view symbol) const;
  // The coefficient of a symbol when the expression is linear in it and it occurs in no atom; nullopt otherwise.
  std::optional<Dim> coefficient_of(const std::string& symbol) const;
  // Replaces symbols; what the function returns nullopt for stays.
  Dim substitute(const std::function<std::optional<Dim>(const std::string&)>& f) const;
  Dim substitute(const std::map<std::string, Dim>& values) const;
  // The value under an assignment of all symbols; the lookup throws for an unknown one.
  std::int64_t evaluate(const std::function<std::int64_t(const std::string&)>& lookup) const;
  std::int64_t evaluate(const std::map<std::string, std::int64_t>& values) const;

  // "2*N*M + 3", "floordiv(N + 15, 16)".
  std::string str() const;
  std::size_t hash() const { return std::hash<std::string>{}(str()); }

 private:
  friend Dim floordiv(const Dim& a, std::int64_t c, std::source_location where);
  friend Dim mod(const Dim& a, std::int64_t c, std::source_location where);
  friend Dim at_most(const Dim& a, std::int64_t c, std::source_location where);
  template <std::integral T>
  static std::int64_t held(T value, const std::source_location& where) {
    if constexpr (std::is_unsigned_v<T>)
      if (std::uint64_t{value} >> 63 != 0) refuse(value, where);
    return static_cast<std::int64_t>(value);
  }
  [[noreturn]] static void refuse(std::uint64_t value, const std::source_location& where);
  static Dim atom(Atom a);
  void add_term(std::int64_t coefficient, const std::vector<Atom>& factors);

  std::int64_t constant_ = 0;
  std::vector<Term> terms_;  // sorted by factors
};

struct Dim::Opaque {
  enum class Kind { kFloorDiv, kMod, kMin } kind;
  Dim argument;
  std::int64_t divisor;
};

// Folded where the result is certain: constants, and terms that are multiples of c (floordiv(4*N + 8, 4) = N + 2).
// ModelError at the line unless c > 0.
Dim floordiv(const Dim& a, std::int64_t c, std::source_location where = std::source_location::current());
Dim mod(const Dim& a, std::int64_t c, std::source_location where = std::source_location::current());
// min(a, c).
Dim at_most(const Dim& a, std::int64_t c, std::source_location where = std::source_location::current());
// Any of the three.
Dim opaque(Dim::Opaque::Kind kind, const Dim& a, std::int64_t c);
inline Dim ceildiv(const Dim& a, std::int64_t c) { return floordiv(a + Dim(c - 1), c); }
// "floordiv", "mod" and "min": no symbols, in texts.
bool is_dim_function(std::string_view name);
// The product of extents; 1 for none.
Dim product(const std::vector<Dim>& dims);

}  // namespace gcompile
