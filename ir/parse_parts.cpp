#include "gcompile/ir/parse_parts.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <limits>

#include "gcompile/base/error.h"

namespace gcompile::ir {
namespace {

constexpr int kMaxDepth = 64;                              // of parentheses in a Dim
constexpr std::int64_t kMaxSplat = std::int64_t{1} << 24;  // elements made by all "splat" of a text

}  // namespace

std::string PartsParser::message_of_refusal() {
  try {
    throw;
  } catch (const ModelError& e) {
    return e.what();
  } catch (const InternalError& e) {
    return e.what();
  }
}

std::string PartsParser::parse_name(std::string_view what) {
  if (lex.at(TokenKind::kString)) return lex.next().text;
  return lex.expect(TokenKind::kWord, what).text;
}

std::int64_t PartsParser::parse_int(std::string_view what, std::int64_t most) {
  const bool negative = lex.accept("-");
  const Token t = lex.expect(TokenKind::kNumber, what);
  std::int64_t value = 0;
  const char* end = t.text.data() + t.text.size();
  const auto [rest, error] = std::from_chars(t.text.data(), end, value);
  if (rest != end && error == std::errc{}) lex.fail(t.at, "expected " + std::string(what) + ", found " + describe(t));
  if (error != std::errc{} || value > most)
    lex.fail(t.at, std::string("expected an integer ") + (most == kMaxInteger ? "of at most 2^53" : "below 2^63") +
                       ", found " + describe(t));
  return negative ? -value : value;
}

std::int64_t PartsParser::parse_int_in(std::string_view what, std::int64_t low, std::int64_t high) {
  const Position at = lex.peek().at;
  const std::int64_t value = parse_int(what);
  if (value < low || value > high)
    lex.fail(at, "expected " + std::string(what) + " in " + std::to_string(low) + " .. " + std::to_string(high) +
                     ", found " + std::to_string(value));
  return value;
}

std::int64_t PartsParser::parse_integer(DType dtype) {
  const Position at = lex.peek().at;
  const IntegerRange range = range_of(dtype);
  const std::string what = (is_unsigned(dtype) ? "a " : "an ") + std::string(name(dtype));
  const bool negative = lex.accept("-");
  const Token t = lex.expect(TokenKind::kNumber, what);
  std::uint64_t size = 0;
  const char* end = t.text.data() + t.text.size();
  const auto [rest, error] = std::from_chars(t.text.data(), end, size);
  if (rest != end && error == std::errc{}) lex.fail(t.at, "expected " + what + ", found " + describe(t));
  const std::uint64_t most =
      negative ? 0 - static_cast<std::uint64_t>(range.min) : static_cast<std::uint64_t>(range.max);
  if (error != std::errc{} || size > most)
    lex.fail(at, "expected " + what + " in " + std::to_string(range.min) + " .. " + std::to_string(range.max) +
                     ", found " + (negative ? "-" : "") + t.text);
  return static_cast<std::int64_t>(negative ? 0 - size : size);
}

AxisOrder PartsParser::parse_order(int rank) {
  const Position at = lex.peek().at;
  if (!lex.accept("order")) return {};
  AxisOrder order;
  parse_list("(", ")", [&] { order.push_back(static_cast<int>(parse_int_in("an axis", 0, kMaxRank - 1))); });
  if (order.empty() || !is_axis_order(order, rank))
    lex.fail(at, "expected an order of " + std::to_string(rank) + " axes, each once, found" + print_order(order));
  return order;
}

DType PartsParser::parse_dtype_name(std::string_view what) {
  const auto dtype = lex.at(TokenKind::kWord) ? parse_dtype(lex.peek().text) : std::nullopt;
  if (!dtype) lex.fail_expected(what);
  lex.next();
  return *dtype;
}

Dim PartsParser::parse_factor() {
  const Position at = lex.peek().at;
  if (lex.at("(") || lex.at("floordiv") || lex.at("mod") || lex.at("min")) {
    if (++depth_ > kMaxDepth) lex.fail(at, "expected at most " + std::to_string(kMaxDepth) + " nested parentheses");
    const std::string function = lex.at("(") ? "" : lex.next().text;
    lex.expect("(", function.empty() ? "" : "after " + function);
    Dim d = parse_dim();
    if (!function.empty()) {
      lex.expect(",", "before the divisor");
      const std::int64_t c = parse_int_in("a divisor", 1, kMaxInteger);
      d = guarded(at, [&] {
        return function == "mod" ? mod(d, c) : function == "min" ? at_most(d, c) : floordiv(d, c);
      });
    }
    lex.expect(")");
    --depth_;
    return d;
  }
  if (lex.at(TokenKind::kNumber)) return parse_int("an integer", std::numeric_limits<std::int64_t>::max());
  if (lex.at(TokenKind::kWord)) return Dim(lex.next().text);
  lex.fail_expected("an integer, a symbol, floordiv, mod, min or '('");
}

Dim PartsParser::parse_product() {
  const Position at = lex.peek().at;
  Dim d = parse_factor();
  while (lex.accept("*")) {
    const Dim f = parse_factor();
    d = guarded(at, [&] { return d * f; });
  }
  return d;
}

Dim PartsParser::parse_dim() {
  const Position at = lex.peek().at;
  Dim d;
  bool negative = lex.accept("-");
  for (;;) {
    const Dim p = parse_product();
    d = guarded(at, [&] { return negative ? d - p : d + p; });
    negative = lex.at("-");
    if (!lex.accept("+") && !lex.accept("-")) return d;
  }
}

void PartsParser::parse_list(std::string_view open, std::string_view close, const std::function<void()>& item) {
  lex.expect(open);
  if (lex.accept(close)) return;
  do item();
  while (lex.accept(","));
  if (!lex.accept(close)) lex.fail_expected("',' or '" + std::string(close) + "'");
}

std::vector<Dim> PartsParser::parse_dims(std::string_view open, std::string_view close) {
  std::vector<Dim> dims;
  parse_list(open, close, [&] {
    if (dims.size() == kMaxRank) lex.fail_expected("at most " + std::to_string(kMaxRank) + " extents");
    dims.push_back(parse_dim());
  });
  return dims;
}

Type PartsParser::parse_type() { return parse_type_after(parse_dtype_name("a type such as f32[N,8]")); }

Type PartsParser::parse_type_after(DType dtype) {
  if (!lex.at("[")) lex.fail_expected("'[' after " + std::string(name(dtype)));
  const Position at = lex.peek().at;
  Type type{dtype, parse_dims("[", "]")};
  for (const Dim& d : type.dims)
    if (d.is_constant() && d.constant() < 0)
      lex.fail(at, "expected extents that are not negative, found " + type.str());
  guarded(at, [&] { return type.size() * Dim(8); });  // bytes and elements can be counted
  return type;
}

double PartsParser::parse_number(DType dtype) {
  switch (dtype) {
    case DType::kF32: return static_cast<double>(parse_element<float>());
    case DType::kF64: return parse_element<double>();
    case DType::kF16: return static_cast<double>(parse_element<half>());
    case DType::kBF16: return static_cast<double>(parse_element<bfloat16>());
    case DType::kBool: return parse_element<bool>() ? 1 : 0;
    default: return static_cast<double>(parse_integer(dtype));
  }
}

template <class T>
T PartsParser::parse_element() {
  const Position at = lex.peek().at;
  if constexpr (std::is_same_v<T, bool>) {
    if (lex.accept("true")) return true;
    if (lex.accept("false")) return false;
    lex.fail_expected("true or false");
  } else if constexpr (sizeof(T) == 2) {
    if (lex.at(TokenKind::kNumber) && lex.peek().text.starts_with("0x")) {  // the bits of a NaN
      const Token t = lex.next();
      std::uint16_t bits = 0;
      const char* end = t.text.data() + t.text.size();
      const auto [rest, error] = std::from_chars(t.text.data() + 2, end, bits, 16);
      if (rest != end || error != std::errc{})
        lex.fail(at, "expected the bits of a " + std::string(name(dtype_of<T>())) + ", found " + describe(t));
      return T::from_bits(bits);
    }
    const float number = parse_element<float>();
    const T value(number);
    if (std::isinf(static_cast<float>(value)) && !std::isinf(number))
      lex.fail(at, "expected a number that " + std::string(name(dtype_of<T>())) + " holds");
    return value;
  } else if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(parse_integer(dtype_of<T>()));
  } else {
    const bool negative = lex.accept("-");
    if (lex.accept("inf")) return negative ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::infinity();
    if (!negative && lex.accept("nan")) return std::numeric_limits<T>::quiet_NaN();
    const Token t = lex.expect(TokenKind::kNumber, "a number");
    const char *begin = t.text.data(), *end = begin + t.text.size();
    if (t.text.starts_with("0x") && !negative) {  // the bits of a NaN
      using Bits = std::conditional_t<std::is_same_v<T, float>, std::uint32_t, std::uint64_t>;
      Bits bits = 0;
      const auto [rest, error] = std::from_chars(begin + 2, end, bits, 16);
      if (rest != end || error != std::errc{})
        lex.fail(at, "expected the bits of an " + std::string(name(dtype_of<T>())) + ", found " + describe(t));
      return std::bit_cast<T>(bits);
    }
    T value = 0;
    const auto [rest, error] = std::from_chars(begin, end, value);
    if (rest != end || error != std::errc{})
      lex.fail(at, "expected an " + std::string(name(dtype_of<T>())) + ", found " + describe(t));
    return negative ? -value : value;
  }
}

template <class T>
void PartsParser::parse_block(std::vector<T>& out, const std::vector<std::int64_t>& extents, std::size_t axis) {
  if (axis == extents.size()) {
    out.push_back(parse_element<T>());
    return;
  }
  std::int64_t count = 0;
  const Position at = lex.peek().at;
  parse_list("[", "]", [&] {
    if (++count > extents[axis])
      lex.fail_expected("']' after " + std::to_string(extents[axis]) + " elements of axis " + std::to_string(axis));
    parse_block(out, extents, axis + 1);
  });
  if (count != extents[axis])
    lex.fail(at, "expected " + std::to_string(extents[axis]) + " elements of axis " + std::to_string(axis) +
                     ", found " + std::to_string(count));
}

std::vector<std::int64_t> PartsParser::parse_extents() {
  std::vector<std::int64_t> extents;
  std::int64_t bytes = 8;
  parse_list("[", "]", [&] {
    if (extents.size() == kMaxRank) lex.fail_expected("at most " + std::to_string(kMaxRank) + " extents");
    const Position at = lex.peek().at;
    extents.push_back(parse_int_in("an extent", 0, kMaxInteger));
    if (__builtin_mul_overflow(bytes, std::max<std::int64_t>(extents.back(), 1), &bytes))
      lex.fail(at, "expected fewer than 2^60 elements");
  });
  return extents;
}

Array PartsParser::parse_elements(DType dtype, const std::vector<std::int64_t>& extents) {
  const Position at = lex.peek().at;
  return dispatch(dtype, [&](auto zero) {
    using T = decltype(zero);
    const Shape shape(extents);
    if (lex.accept("splat")) {
      if (shape.size() > kMaxSplat - splat_elements_)
        lex.fail(at, "expected at most " + std::to_string(kMaxSplat) + " elements of splats in all, found " +
                         std::to_string(shape.size()) + " more");
      splat_elements_ += shape.size();
      Array a = Array::uninitialized(dtype, shape);
      const auto out = a.mutable_data<T>();
      std::fill(out.begin(), out.end(), parse_element<T>());
      return a;
    }
    std::vector<T> elements;
    parse_block(elements, extents, 0);
    Array a = Array::uninitialized(dtype, shape);
    std::copy(elements.begin(), elements.end(), static_cast<T*>(a.raw()));
    return a;
  });
}

Array PartsParser::parse_array() {
  const DType dtype = parse_dtype_name("an array such as f32[2] [1, 2]");
  return parse_elements(dtype, parse_extents());
}

std::vector<Location> PartsParser::parse_locations() {
  std::vector<Location> locations;
  if (!lex.accept("loc")) return locations;
  parse_list("(", ")", [&] {
    Location l{lex.expect(TokenKind::kString, "a file name in quotes").text, 0};
    if (lex.accept(":"))
      l.line = static_cast<std::uint32_t>(parse_int_in("a line", 1, std::numeric_limits<std::uint32_t>::max()));
    if (l.known()) locations.push_back(std::move(l));
  });
  return locations;
}

Requirement PartsParser::parse_requirement() {
  Requirement r;
  r.extent = parse_dim();
  lex.expect("at", "after the extent");
  lex.expect("least", "after 'at'");
  r.least = parse_int_in("a least value", -kMaxInteger, kMaxInteger);
  r.what = lex.expect(TokenKind::kString, "in quotes, what needs it").text;
  if (const std::vector<Location> where = parse_locations(); !where.empty()) r.where = where.front();
  return r;
}

void PartsParser::parse_bounds(std::map<std::string, DimBounds>& bounds) {
  const Token symbol = lex.expect(TokenKind::kWord, "a symbol");
  if (is_dim_function(symbol.text)) lex.fail(symbol.at, "expected a symbol, found the function '" + symbol.text + "'");
  lex.expect("in", "after the symbol");
  DimBounds b;
  b.min = parse_int_in("a smallest value", 0, kMaxInteger);
  lex.expect("..", "between the bounds");
  b.max = parse_int_in("a largest value", b.min, kMaxInteger);
  if (!bounds.emplace(symbol.text, b).second)
    lex.fail(symbol.at, "expected each symbol's bounds once, found '" + symbol.text + "' again");
}

}  // namespace gcompile::ir
