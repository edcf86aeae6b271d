#include "tests/support/host_scalars.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <stdexcept>

namespace gcompile::testing {
namespace {

using ir::Expr;
using Column = HostScalars::Column;

template <class T>
using Vector = std::vector<T>;

template <class R, class F, class... Columns>
Vector<R> map(F f, const Columns&... columns) {
  const std::size_t n = std::max({columns.size()...});
  Vector<R> out(n);
  for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<R>(f(columns[columns.size() == 1 ? 0 : i]...));
  return out;
}

template <class T>
constexpr bool kIsFloat = std::is_floating_point_v<T>;

template <class T>
T wrap(std::int64_t x) {
  return static_cast<T>(static_cast<std::uint32_t>(x));
}

std::uint32_t word(std::int32_t x) { return static_cast<std::uint32_t>(x); }

// Ops of one dtype; empty when the op is none of them for that dtype.
template <class T>
std::optional<Column> arithmetic(std::string_view op, const Vector<T>& a, const Vector<T>& b) {
  const auto both = [&](auto f) { return Column(map<T>(f, a, b)); };
  const auto truth = [&](auto f) { return Column(map<char>(f, a, b)); };
  if (op == "eq") return truth([](T x, T y) { return x == y; });
  if (op == "ne") return truth([](T x, T y) { return x != y; });
  if (op == "lt") return truth([](T x, T y) { return x < y; });
  if (op == "le") return truth([](T x, T y) { return x <= y; });
  if (op == "gt") return truth([](T x, T y) { return x > y; });
  if (op == "ge") return truth([](T x, T y) { return x >= y; });
  if constexpr (kIsFloat<T>) {
    if (op == "add") return both([](T x, T y) { return x + y; });
    if (op == "sub") return both([](T x, T y) { return x - y; });
    if (op == "mul") return both([](T x, T y) { return x * y; });
    if (op == "div") return both([](T x, T y) { return x / y; });
    if (op == "max") return both([](T x, T y) { return x != x ? x : y != y ? y : x > y ? x : y; });
    if (op == "min") return both([](T x, T y) { return x != x ? x : y != y ? y : x < y ? x : y; });
  } else if constexpr (std::is_same_v<T, std::int32_t>) {
    if (op == "add") return both([](std::int64_t x, std::int64_t y) { return wrap<T>(x + y); });
    if (op == "sub") return both([](std::int64_t x, std::int64_t y) { return wrap<T>(x - y); });
    if (op == "max") return both([](T x, T y) { return std::max(x, y); });
    if (op == "min") return both([](T x, T y) { return std::min(x, y); });
    if (op == "shl") return both([](T x, T y) { return wrap<T>(word(x) << (word(y) & 31)); });
    if (op == "lshr") return both([](T x, T y) { return wrap<T>(word(x) >> (word(y) & 31)); });
    if (op == "ashr") return both([](T x, T y) { return x >> (y & 31); });
    if (op == "bit_and") return both([](T x, T y) { return x & y; });
    if (op == "bit_or") return both([](T x, T y) { return x | y; });
  } else {
    if (op == "and") return both([](T x, T y) { return x && y; });
    if (op == "or") return both([](T x, T y) { return x || y; });
    if (op == "xor") return both([](T x, T y) { return x != y; });
  }
  return std::nullopt;
}

template <class T>
std::optional<Column> of_one(std::string_view op, const Vector<T>& a) {
  const auto all = [&](auto f) { return Column(map<T>(f, a)); };
  if constexpr (kIsFloat<T>) {
    if (op == "neg") return all([](T x) { return -x; });
    if (op == "abs") return all([](T x) { return std::fabs(x); });
    if (op == "sqrt") return all([](T x) { return std::sqrt(x); });
    if (op == "floor") return all([](T x) { return std::floor(x); });
    if (op == "ceil") return all([](T x) { return std::ceil(x); });
    if (op == "round_even") return all([](T x) { return std::nearbyint(x); });
  } else if constexpr (std::is_same_v<T, char>) {
    if (op == "not") return all([](T x) { return !x; });
  }
  return std::nullopt;
}

std::int32_t to_int(double x) {
  if (std::isnan(x)) return 0;
  return static_cast<std::int32_t>(std::clamp(x, -2147483648.0, 2147483647.0));
}

}  // namespace

Expr HostScalars::op(std::string_view name, std::vector<Expr> operands) {
  const ir::OpDef& def = ir::op(name);
  if (const auto* e = std::get_if<ir::ElementLowering>(&def.lower); e && e->expand)
    if (const Expr made = e->expand(*this, operands)) return made;
  const auto column = [&](std::size_t i) -> const Column& {
    return columns_[static_cast<std::size_t>(operands[i].id)];
  };
  std::optional<Column> out;
  if (name == "select") {
    const auto& condition = std::get<Vector<char>>(column(0));
    std::visit(
        [&](const auto& a) {
          using C = std::decay_t<decltype(a)>;
          using T = typename C::value_type;
          out = map<T>([](char c, T x, T y) { return c ? x : y; }, condition, a, std::get<C>(column(2)));
        },
        column(1));
  } else if (name == "fma") {
    std::visit(
        [&](const auto& a) {
          using C = std::decay_t<decltype(a)>;
          using T = typename C::value_type;
          if constexpr (kIsFloat<T>)
            out = map<T>([](T x, T y, T z) { return std::fma(x, y, z); }, a, std::get<C>(column(1)),
                         std::get<C>(column(2)));
        },
        column(0));
  } else {
    std::visit(
        [&](const auto& a) {
          using C = std::decay_t<decltype(a)>;
          out = operands.size() == 1 ? of_one(name, a) : arithmetic(name, a, std::get<C>(column(1)));
        },
        column(0));
  }
  if (!out) throw std::logic_error("HostScalars has no primitive " + std::string(name));
  ++primitives;
  return add(std::move(*out));
}

Expr HostScalars::cast(Expr e, DType to) {
  if (dtype(e) == to) return e;
  ++primitives;
  Column out;
  std::visit(
      [&](const auto& a) {
        using T = typename std::decay_t<decltype(a)>::value_type;
        if (to == DType::kF32) out = map<float>([](T x) { return x; }, a);
        if (to == DType::kF64) out = map<double>([](T x) { return x; }, a);
        if (to == DType::kI32) out = map<std::int32_t>([](T x) { return to_int(static_cast<double>(x)); }, a);
        if (to == DType::kBool) out = map<char>([](T x) { return x != 0; }, a);
      },
      columns_[static_cast<std::size_t>(e.id)]);
  return add(std::move(out));
}

Expr HostScalars::bitcast(Expr e, DType to) {
  if (to == DType::kI32)
    return add(map<std::int32_t>([](float x) { return std::bit_cast<std::int32_t>(x); }, get<float>(e)));
  return add(map<float>([](std::int32_t x) { return std::bit_cast<float>(x); }, get<std::int32_t>(e)));
}

Expr HostScalars::literal(DType dtype, double value) {
  if (dtype == DType::kF32) return add(Vector<float>{static_cast<float>(value)});
  if (dtype == DType::kF64) return add(Vector<double>{value});
  if (dtype == DType::kI32) return add(Vector<std::int32_t>{static_cast<std::int32_t>(value)});
  return add(Vector<char>{static_cast<char>(value != 0)});
}

DType HostScalars::dtype(Expr e) const {
  constexpr DType kOfColumn[] = {DType::kF32, DType::kF64, DType::kI32, DType::kBool};
  return kOfColumn[columns_[static_cast<std::size_t>(e.id)].index()];
}

}  // namespace gcompile::testing
