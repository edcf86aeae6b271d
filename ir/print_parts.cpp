// The parts that the texts of graphs, kernels and programs share.
#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>

#include "gcompile/base/convert.h"
#include "gcompile/ir/print.h"

namespace gcompile::ir {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

template <class T, class Bits>
std::string print_float(T value) {
  const Bits bits = std::bit_cast<Bits>(value);
  char text[64];
  char* end = nullptr;
  if (std::isnan(value)) {
    if (bits == std::bit_cast<Bits>(std::numeric_limits<T>::quiet_NaN())) return "nan";
    end = std::to_chars(text, text + sizeof text, bits, 16).ptr;
    return "0x" + std::string(text, end);
  }
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  end = std::to_chars(text, text + sizeof text, value).ptr;
  return {text, end};
}

// The shortest number that is read as these bits.
template <class T>
std::string print_float16(T value) {
  const auto number = static_cast<float>(value);
  char text[64];
  if (std::isnan(number)) {
    if (value.bits() == T(std::numeric_limits<float>::quiet_NaN()).bits()) return "nan";
    return "0x" + std::string(text, std::to_chars(text, text + sizeof text, value.bits(), 16).ptr);
  }
  if (std::isinf(number)) return number < 0 ? "-inf" : "inf";
  for (int digits = 1;; ++digits) {
    char* end = std::to_chars(text, text + sizeof text, number, std::chars_format::general, digits).ptr;
    float again = 0;
    std::from_chars(text, end, again);
    if (T(again).bits() == value.bits()) return {text, end};
  }
}

std::string print_element(const Array& a, std::int64_t i) {
  const auto at = static_cast<std::size_t>(i);
  switch (a.dtype()) {
    case DType::kF32: return print_float<float, std::uint32_t>(a.data<float>()[at]);
    case DType::kF64: return print_float<double, std::uint64_t>(a.data<double>()[at]);
    case DType::kF16: return print_float16(a.data<half>()[at]);
    case DType::kBF16: return print_float16(a.data<bfloat16>()[at]);
    case DType::kBool: return a.data<bool>()[at] ? "true" : "false";
    default: return std::to_string(a.at_integer(i));
  }
}

void print_elements(std::string& out, const Array& a, int axis, std::int64_t& next) {
  if (axis == a.rank()) {
    out += print_element(a, next++);
    return;
  }
  out += '[';
  for (std::int64_t i = 0; i < a.shape()[axis]; ++i) {
    if (i) out += ", ";
    print_elements(out, a, axis + 1, next);
  }
  out += ']';
}

bool all_same(const Array& a) {
  const auto* bytes = static_cast<const std::byte*>(a.raw());
  const std::size_t width = size_of(a.dtype());
  return std::equal(bytes, bytes + a.bytes() - width, bytes + width);
}

}  // namespace

bool is_identifier(std::string_view name) {
  if (name.empty() || !is_letter(name[0]) || name.back() == '.' || name.find("..") != std::string_view::npos)
    return false;
  return std::all_of(name.begin(), name.end(), [](char c) { return is_letter(c) || is_digit(c) || c == '.'; });
}

std::string quote(std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (u < 0x20 || u == 0x7f) {
      out += "\\x";
      out += kHex[u >> 4];
      out += kHex[u & 15];
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string print_name(std::string_view name) { return is_identifier(name) ? std::string(name) : quote(name); }

std::string print_number(DType dtype, double value) {
  switch (dtype) {
    case DType::kF32: return print_float<float, std::uint32_t>(static_cast<float>(value));
    case DType::kF64: return print_float<double, std::uint64_t>(value);
    case DType::kF16: return print_float16(half(value));
    case DType::kBF16: return print_float16(bfloat16(value));
    // What is not a number of the dtype is shown as it is: the verifier refuses it.
    case DType::kBool: return value == 0 ? "false" : value == 1 ? "true" : print_float<double, std::uint64_t>(value);
    default:
      return std::nearbyint(value) == value && std::abs(value) <= 0x1p63 ? std::to_string(convert<std::int64_t>(value))
                                                                         : print_float<double, std::uint64_t>(value);
  }
}

std::string print_array(const Array& array) {
  constexpr std::int64_t kSplatFrom = 5;
  std::string out(name(array.dtype()));
  out += array.shape().str() + " ";
  std::int64_t next = 0;
  if (array.size() == 0 && array.rank() > 1)  // whatever the other extents are
    out += array.dtype() == DType::kBool ? "splat false" : "splat 0";
  else if (array.size() >= kSplatFrom && all_same(array))
    out += "splat " + print_element(array, 0);
  else
    print_elements(out, array, 0, next);
  return out;
}

std::string print_locations(const std::vector<Location>& locations) {
  std::vector<std::string> parts;
  for (const Location& l : locations) {
    if (!l.known()) continue;
    const auto slash = l.file.find_last_of("/\\");
    const bool whole = slash == std::string::npos || slash + 1 == l.file.size();
    std::string part = quote(whole ? l.file : l.file.substr(slash + 1));
    if (l.line != 0) part += ":" + std::to_string(l.line);
    if (std::find(parts.begin(), parts.end(), part) == parts.end()) parts.push_back(std::move(part));
  }
  std::string out;
  for (const std::string& p : parts) out += (out.empty() ? " loc(" : ", ") + p;
  return out.empty() ? out : out + ")";
}

std::string print_bounds(const std::map<std::string, DimBounds>& bounds) {
  std::string out;
  for (const auto& [symbol, b] : bounds)
    out += "  dim " + symbol + " in " + std::to_string(b.min) + " .. " + std::to_string(b.max) + "\n";
  return out;
}

}  // namespace gcompile::ir
