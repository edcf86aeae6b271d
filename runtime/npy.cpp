#include "gcompile/runtime/npy.h"

#include <bit>
#include <charconv>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "gcompile/base/error.h"
#include "gcompile/runtime/file_io.h"

namespace gcompile {
namespace {

static_assert(std::endian::native == std::endian::little, "the file's elements are copied as they are");

constexpr std::string_view kMagic = "\x93NUMPY";

struct Header {
  std::string descr;
  bool fortran_order = false;
  std::vector<std::int64_t> dims;
  std::size_t data_begin = 0;
};

// The header's dict, {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }, its keys in any order.
class HeaderParser {
 public:
  HeaderParser(const std::string& path, std::string_view text) : path_(path), text_(text), rest_(text) {}

  Header parse() {
    Header header;
    bool descr = false, order = false, shape = false;
    expect('{');
    while (!take('}')) {
      const std::string key = string();
      expect(':');
      bool& seen = key == "descr" ? descr : key == "fortran_order" ? order : key == "shape" ? shape : unknown(key);
      if (std::exchange(seen, true)) fail("the key '" + key + "' is there twice");
      if (key == "descr") header.descr = string();
      if (key == "fortran_order") header.fortran_order = boolean();
      if (key == "shape") header.dims = tuple();
      if (!take(',')) {
        expect('}');
        break;
      }
    }
    skip_space();
    if (!rest_.empty()) fail("text after the dict");
    if (!descr || !order || !shape) fail("expected the keys 'descr', 'fortran_order' and 'shape'");
    return header;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw DataError(path_ + ": the .npy header is damaged: " + what + ", in " + runtime::quoted(text_));
  }
  [[noreturn]] bool& unknown(const std::string& key) const { fail("unknown key '" + key + "'"); }

  void skip_space() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\n' || rest_[0] == '\t')) rest_.remove_prefix(1);
  }
  bool take(char c) {
    skip_space();
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (take(c)) return;
    std::string wanted = "expected '";
    wanted += c;
    fail(wanted + "' before " + runtime::quoted(rest_));
  }
  std::string string() {
    const char quote = take('\'') ? '\'' : '"';
    if (quote == '"') expect('"');
    const std::size_t end = rest_.find(quote);
    if (end == std::string_view::npos) fail("a string is not closed");
    std::string value(rest_.substr(0, end));
    rest_.remove_prefix(end + 1);
    return value;
  }
  bool boolean() {
    skip_space();
    for (const auto& [word, value] : {std::pair<std::string_view, bool>{"True", true}, {"False", false}})
      if (rest_.starts_with(word)) {
        rest_.remove_prefix(word.size());
        return value;
      }
    fail("expected True or False");
  }
  std::vector<std::int64_t> tuple() {
    std::vector<std::int64_t> dims;
    expect('(');
    while (!take(')')) {
      skip_space();
      std::int64_t dim = 0;
      const auto [stop, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), dim);
      if (error != std::errc() || dim < 0) fail("expected an extent >= 0 before " + runtime::quoted(rest_));
      rest_.remove_prefix(static_cast<std::size_t>(stop - rest_.data()));
      dims.push_back(dim);
      if (!take(',')) {
        expect(')');
        break;
      }
    }
    return dims;
  }

  const std::string& path_;
  std::string_view text_, rest_;
};

Header read_header(const std::string& path, std::string_view bytes) {
  if (!bytes.starts_with(kMagic)) throw DataError(path + ": is no .npy file: it does not begin with \\x93NUMPY");
  if (bytes.size() < 12) throw DataError(path + ": ends inside the .npy header");
  const int major = static_cast<unsigned char>(bytes[6]), minor = static_cast<unsigned char>(bytes[7]);
  if ((major != 1 && major != 2) || minor != 0)
    throw DataError(path + ": .npy version " + std::to_string(major) + "." + std::to_string(minor) +
                    ", expected 1.0 or 2.0");
  const std::size_t width = major == 1 ? 2 : 4;
  std::size_t length = 0;
  for (std::size_t i = 0; i < width; ++i)
    length |= static_cast<std::size_t>(static_cast<unsigned char>(bytes[8 + i])) << (8 * i);
  if (length > bytes.size() - 8 - width)
    throw DataError(path + ": ends inside the .npy header: its length is given as " + std::to_string(length));
  Header header = HeaderParser(path, bytes.substr(8 + width, length)).parse();
  header.data_begin = 8 + width + length;
  return header;
}

// Throws unless the elements take exactly the bytes that the file has left.
void check_size(const std::string& path, const Header& header, std::size_t element, std::size_t left) {
  constexpr std::size_t kLargest = std::size_t{1} << 60;
  std::size_t elements = 1;
  bool empty = false, too_large = false;
  for (std::int64_t dim : header.dims) {
    // Checked without the zeros: the product of all others must be a number, even where there are no elements.
    const auto extent = static_cast<std::size_t>(dim);
    empty = empty || extent == 0;
    too_large = too_large || (extent != 0 && elements > kLargest / extent);
    if (!too_large && extent != 0) elements *= extent;
  }
  if (too_large || (empty ? 0 : elements * element) != left)
    throw DataError(path + ": the .npy header promises a shape that " + std::to_string(left) +
                    " bytes of elements do not fill exactly");
}

// Moves an element from where Fortran order has it (the first index runs fastest) to where C order has it.
Array to_c_order(const Array& fortran) {
  const Shape& shape = fortran.shape();
  Array out = Array::uninitialized(fortran.dtype(), shape);
  const std::size_t element = size_of(fortran.dtype());
  const auto* from = static_cast<const std::byte*>(fortran.raw());
  auto* to = static_cast<std::byte*>(out.raw());
  std::vector<std::int64_t> index(static_cast<std::size_t>(shape.rank()), 0);
  for (std::int64_t f = 0; f < shape.size(); ++f) {
    std::int64_t c = 0;
    for (int axis = 0; axis < shape.rank(); ++axis) c = c * shape[axis] + index[static_cast<std::size_t>(axis)];
    std::memcpy(to + static_cast<std::size_t>(c) * element, from + static_cast<std::size_t>(f) * element, element);
    for (std::size_t axis = 0; axis < index.size(); ++axis) {
      if (++index[axis] < shape[static_cast<int>(axis)]) break;
      index[axis] = 0;
    }
  }
  return out;
}

constexpr std::pair<std::string_view, DType> kTypes[] = {
    {"<f4", DType::kF32}, {"<f8", DType::kF64}, {"<f2", DType::kF16}, {"<V2", DType::kBF16}, {"<i4", DType::kI32},
    {"<i8", DType::kI64}, {"<u4", DType::kU32}, {"|u1", DType::kU8},  {"|b1", DType::kBool}};

std::string type_list() {
  std::string text;
  for (const auto& [descr, type] : kTypes) text += (text.empty() ? "" : ", ") + std::string(descr);
  return text;
}

}  // namespace

Array load_npy(const std::string& path) {
  const std::string bytes = runtime::read_file(path);
  const Header header = read_header(path, bytes);
  if (header.dims.size() > static_cast<std::size_t>(kMaxRank))
    throw DataError(path + ": has " + std::to_string(header.dims.size()) + " dimensions, at most " +
                    std::to_string(kMaxRank) + " are possible");
  const std::string_view data = std::string_view(bytes).substr(header.data_begin);

  std::optional<DType> dtype;
  for (const auto& [descr, type] : kTypes)
    if (header.descr == descr) dtype = type;
  if (header.descr == "|V2") dtype = DType::kBF16;  // elements without an order of their bytes
  if (!dtype)
    throw DataError(path + ": elements of type " + runtime::quoted(header.descr) + ", expected one of " + type_list());
  check_size(path, header, size_of(*dtype), data.size());
  const Shape shape{std::span<const std::int64_t>(header.dims)};
  if (*dtype == DType::kBool)
    for (char c : data)
      if (c != 0 && c != 1) throw DataError(path + ": a bool element that is neither 0 nor 1");
  Array array = Array::uninitialized(*dtype, shape);
  std::memcpy(array.raw(), data.data(), data.size());
  return header.fortran_order && shape.rank() > 1 ? to_c_order(array) : array;
}

void save_npy(const std::string& path, const Array& array) {
  std::string_view descr;
  for (const auto& [text, type] : kTypes)
    if (type == array.dtype()) descr = text;
  std::string shape;
  for (std::int64_t dim : array.shape()) shape += std::to_string(dim) + (array.rank() == 1 ? "," : ", ");
  if (array.rank() > 1) shape.resize(shape.size() - 2);
  std::string header = "{'descr': '" + std::string(descr) + "', 'fortran_order': False, 'shape': (" + shape + "), }";
  constexpr std::size_t kPrefix = 10, kAlignment = 64;
  header.append(kAlignment - 1 - (kPrefix + header.size()) % kAlignment, ' ').push_back('\n');
  const char length[2] = {static_cast<char>(header.size() & 0xFF), static_cast<char>(header.size() >> 8)};
  const std::string_view parts[] = {
      kMagic, {"\x01\x00", 2}, {length, 2}, header, {static_cast<const char*>(array.raw()), array.bytes()}};
  runtime::write_file_atomically(path, parts);
}

}  // namespace gcompile
