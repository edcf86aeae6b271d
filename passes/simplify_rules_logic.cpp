// Identities of conditions, comparisons, select and casts. Comparisons with NaN are false (ne: true), so what holds for
// integers alone says so.
#include "gcompile/passes/simplify_rules.h"

namespace gcompile::passes {
namespace {

using ir::Builder;
using ir::Value;

bool compares_integers(const Match& m) { return !is_float(m.inner().operands.front().type().dtype); }
bool makes_bool(const Match& m) { return m.type().dtype == DType::kBool; }
bool same_type(const Match& m) { return m('x').type() == m.type(); }

// A cast that loses nothing may be left out of a chain: `to` has all integers of the other's range, or its precision.
bool lossless(DType from, DType to) {
  if (from == DType::kBool || from == to) return true;
  if (is_float(from)) return is_float(to) && size_of(to) > size_of(from);  // those of 16 bits have no more than f32
  const IntegerRange range = range_of(from);
  if (is_integer(to)) return range_of(to).holds(range.min) && range_of(to).holds(range.max);
  const int digits = to == DType::kF64 ? 53 : to == DType::kF32 ? 24 : to == DType::kF16 ? 11 : 8;
  const std::int64_t most = std::int64_t{1} << digits;
  return is_float(to) && range.min >= -most && range.max <= most;
}

Value shorter_cast(const Match& m, Builder& b) {
  const DType from = m('x').type().dtype, through = m.inner().types.front().dtype, to = m.type().dtype;
  if (!lossless(from, through)) return {};
  return from == to ? m('x') : b.make("cast", {m('x')}, {{"dtype", to}});
}

constexpr Rule kRules[] = {
    {"not(not(x))", "x"},
    {"and(x, true)", "x"},
    {"and(x, false)", "false"},
    {"and(x, x)", "x"},
    {"or(x, false)", "x"},
    {"or(x, true)", "true"},
    {"or(x, x)", "x"},
    {"xor(x, false)", "x"},
    {"xor(x, true)", "not(x)"},
    {"xor(x, x)", "false"},

    {"not(eq(a, b))", "ne(a, b)"},
    {"not(ne(a, b))", "eq(a, b)"},
    {"not(lt(a, b))", "ge(a, b)", compares_integers},
    {"not(le(a, b))", "gt(a, b)", compares_integers},
    {"not(gt(a, b))", "le(a, b)", compares_integers},
    {"not(ge(a, b))", "lt(a, b)", compares_integers},

    {"lt(x, x)", "false"},
    {"gt(x, x)", "false"},
    {"eq(x, x)", "true", is_integer},
    {"ne(x, x)", "false", is_integer},
    {"le(x, x)", "true", is_integer},
    {"ge(x, x)", "true", is_integer},
    {"eq(x, true)", "x", is_bool},
    {"eq(x, false)", "not(x)", is_bool},
    {"ne(x, true)", "not(x)", is_bool},
    {"ne(x, false)", "x", is_bool},

    {"select(true, a, b)", "a"},
    {"select(false, a, b)", "b"},
    {"select(c, x, x)", "x"},
    {"select(not(c), a, b)", "select(c, b, a)"},
    {"select(c, select(c, a, b), d)", "select(c, a, d)"},
    {"select(c, a, select(c, b, d))", "select(c, a, d)"},
    {"select(c, true, false)", "c", makes_bool},
    {"select(c, false, true)", "not(c)", makes_bool},

    {"cast(x)", "x", same_type},
    {"cast(cast(x))", shorter_cast},
};

}  // namespace

std::span<const Rule> logic_rules() { return kRules; }

}  // namespace gcompile::passes
