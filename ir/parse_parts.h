// What the parsers of graphs and kernels have in common: names, numbers, Dims, types, arrays, locations and bounds.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "gcompile/ir/graph.h"
#include "gcompile/ir/lexer.h"

namespace gcompile::ir {

// Integers of texts are within +-kMaxInteger, so that arithmetic on a few of them cannot overflow. In Dims, whose
// arithmetic is checked, they have 63 bits.
inline constexpr std::int64_t kMaxInteger = std::int64_t{1} << 53;

class PartsParser {
 public:
  PartsParser(std::string_view text, const std::string& file) : lex(text, file) {}

  Lexer lex;

  // A word or a string.
  std::string parse_name(std::string_view what);
  std::string parse_global(std::string_view what) { return lex.expect(TokenKind::kGlobal, what).text; }
  // Signed, within +-most.
  std::int64_t parse_int(std::string_view what, std::int64_t most = kMaxInteger);
  std::int64_t parse_int_in(std::string_view what, std::int64_t low, std::int64_t high);
  // Any integer of the dtype.
  std::int64_t parse_integer(DType dtype);
  DType parse_dtype_name(std::string_view what = "a dtype such as f32");
  Dim parse_dim();
  // "[" dims "]" and "(" dims ")".
  std::vector<Dim> parse_dims(std::string_view open, std::string_view close);
  Type parse_type();
  // The rest of a type whose dtype was read.
  Type parse_type_after(DType dtype);
  // ["order" "(" axes ")"]: empty when there is none.
  AxisOrder parse_order(int rank);
  // A number of the dtype (or true, false) as print_number writes it; an i64 beyond 2^53 is rounded.
  double parse_number(DType dtype);
  // The elements after "f32[2,2]".
  Array parse_elements(DType dtype, const std::vector<std::int64_t>& extents);
  // "dtype [ extents ]" with extents that are numbers, then the elements.
  Array parse_array();
  std::vector<std::int64_t> parse_extents();
  // [loc(...)]; empty when there is none.
  std::vector<Location> parse_locations();
  // After "dim": "N in 1 .. 1024" into bounds.
  void parse_bounds(std::map<std::string, DimBounds>& bounds);
  Requirement parse_requirement();
  // A list in brackets: calls item() once per element.
  void parse_list(std::string_view open, std::string_view close, const std::function<void()>& item);

  // Calls f; a ModelError or InternalError it throws becomes a ParseError at `where` with the message `prefix` + its.
  template <class F>
  auto guarded(Position where, F&& f) -> decltype(f()) {
    std::string message;
    try {
      return f();
    } catch (...) {
      message = message_of_refusal();
    }
    lex.fail(where, message);
  }

 private:
  // The text of the exception in flight when it is a ModelError or InternalError; rethrows any other.
  static std::string message_of_refusal();
  Dim parse_product();
  Dim parse_factor();
  template <class T>
  T parse_element();
  template <class T>
  void parse_block(std::vector<T>& out, const std::vector<std::int64_t>& extents, std::size_t axis);

  int depth_ = 0;                    // of parentheses in Dims
  std::int64_t splat_elements_ = 0;  // made from "splat" so far
};

}  // namespace gcompile::ir
