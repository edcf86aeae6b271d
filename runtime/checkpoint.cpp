#include "gcompile/runtime/checkpoint.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "gcompile/base/error.h"
#include "gcompile/runtime/file_io.h"

namespace gcompile {
namespace {

using Json = nlohmann::json;

static_assert(std::endian::native == std::endian::little, "the file's elements are copied as they are");

constexpr std::size_t kLengthBytes = 8;
constexpr std::uint64_t kLargestSize = std::uint64_t{1} << 60;
constexpr const char* kMetadata = "__metadata__";
constexpr std::pair<std::string_view, DType> kTypes[] = {
    {"F32", DType::kF32}, {"F64", DType::kF64}, {"F16", DType::kF16}, {"BF16", DType::kBF16}, {"I32", DType::kI32},
    {"I64", DType::kI64}, {"U32", DType::kU32}, {"U8", DType::kU8},   {"BOOL", DType::kBool}};

std::string type_list() {
  std::string text;
  for (const auto& [known, type] : kTypes) text += (text.empty() ? "" : ", ") + std::string(known);
  return text;
}

std::string type_of(DType dtype, const Shape& shape) { return std::string(name(dtype)) + shape.str(); }

[[noreturn]] void damaged(const std::string& path, const std::string& what) {
  throw DataError(path + ": is no valid safetensors file: " + what);
}

// The header as JSON; refuses a name that is there twice, which JSON libraries let pass.
Json parse_header(const std::string& path, std::string_view text) {
  std::vector<std::set<std::string>> names;
  const auto refuse_duplicates = [&](int, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) names.emplace_back();
    if (event == Json::parse_event_t::object_end) names.pop_back();
    if (event == Json::parse_event_t::key && !names.back().insert(parsed.get<std::string>()).second)
      damaged(path, "the name " + runtime::quoted(parsed.get<std::string>()) + " is there twice");
    return true;
  };
  try {
    Json header = Json::parse(text, refuse_duplicates);
    if (!header.is_object()) damaged(path, "the header is no JSON object");
    return header;
  } catch (const Json::exception& e) {
    damaged(path, std::string("the header: ") + e.what());
  }
}

struct Entry {
  std::string name;
  DType dtype;
  Shape shape;
  std::uint64_t begin, end;  // in the data part
};

std::uint64_t unsigned_number(const std::string& path, const std::string& name, const Json& value) {
  if (!value.is_number_unsigned()) damaged(path, "tensor " + runtime::quoted(name) + ": expected a number >= 0");
  return value.get<std::uint64_t>();
}

// One line of the header, checked by itself: [begin, end) lies in the data and is what dtype and shape need.
Entry parse_entry(const std::string& path, const std::string& name, const Json& value, std::uint64_t data_bytes) {
  const auto fail = [&](const std::string& what) { damaged(path, "tensor " + runtime::quoted(name) + ": " + what); };
  if (!value.is_object() || value.size() != 3 || !value.contains("dtype") || !value.contains("shape") ||
      !value.contains("data_offsets"))
    fail("expected an object of dtype, shape and data_offsets");
  const Json &dtype = value["dtype"], &shape = value["shape"], &offsets = value["data_offsets"];
  if (!dtype.is_string() || !shape.is_array() || !offsets.is_array() || offsets.size() != 2)
    fail("expected a dtype name, a list of extents and two data_offsets");

  const auto* type = std::find_if(std::begin(kTypes), std::end(kTypes),
                                  [&](const auto& t) { return t.first == dtype.get_ref<const std::string&>(); });
  if (type == std::end(kTypes))
    fail("dtype " + runtime::quoted(dtype.get_ref<const std::string&>()) + ", expected one of " + type_list());
  if (shape.size() > static_cast<std::size_t>(kMaxRank))
    fail("has " + std::to_string(shape.size()) + " dimensions, at most " + std::to_string(kMaxRank) + " are possible");

  Entry entry{name, type->second, {}, unsigned_number(path, name, offsets[0]), unsigned_number(path, name, offsets[1])};
  if (entry.begin > entry.end || entry.end > data_bytes)
    fail("its data_offsets " + std::to_string(entry.begin) + " to " + std::to_string(entry.end) + " lie outside the " +
         std::to_string(data_bytes) + " bytes of data");
  std::vector<std::int64_t> dims;
  std::uint64_t elements = 1;
  bool empty = false;
  for (const Json& extent : shape) {
    const std::uint64_t n = unsigned_number(path, name, extent);
    // Checked without the zeros: the product of all others must be a number, even where there are no elements.
    if (n > kLargestSize || (n != 0 && elements > kLargestSize / n)) fail("its shape is too large");
    if (n != 0) elements *= n;
    empty = empty || n == 0;
    dims.push_back(static_cast<std::int64_t>(n));
  }
  if (empty) elements = 0;
  entry.shape = Shape(std::span<const std::int64_t>(dims));
  if (elements * size_of(entry.dtype) != entry.end - entry.begin)
    fail("its " + type_of(entry.dtype, entry.shape) + " does not take " + std::to_string(entry.end - entry.begin) +
         " bytes");
  return entry;
}

Array read_tensor(const std::string& path, const Entry& entry, std::string_view data) {
  Array array = Array::uninitialized(entry.dtype, entry.shape);
  const std::string_view bytes = data.substr(entry.begin, entry.end - entry.begin);
  if (entry.dtype == DType::kBool)
    for (char c : bytes)
      if (c != 0 && c != 1) damaged(path, "tensor " + runtime::quoted(entry.name) + ": a bool that is neither 0 nor 1");
  std::memcpy(array.raw(), bytes.data(), bytes.size());
  return array;
}

}  // namespace

Checkpoint read_checkpoint(const std::string& path) {
  const std::string file = runtime::read_file(path);
  if (file.size() < kLengthBytes) damaged(path, "it has " + std::to_string(file.size()) + " bytes, expected 8 or more");
  std::uint64_t length = 0;
  std::memcpy(&length, file.data(), kLengthBytes);
  if (length > file.size() - kLengthBytes)
    damaged(path, "the header is said to have " + std::to_string(length) + " bytes, the file has " +
                      std::to_string(file.size() - kLengthBytes) + " more");
  const Json header = parse_header(path, std::string_view(file).substr(kLengthBytes, length));
  const std::string_view data = std::string_view(file).substr(kLengthBytes + length);

  Checkpoint checkpoint;
  std::vector<Entry> entries;
  for (const auto& [name, value] : header.items()) {
    if (name != kMetadata) {
      entries.push_back(parse_entry(path, name, value, data.size()));
      continue;
    }
    if (!value.is_object()) damaged(path, "__metadata__ is no object");
    for (const auto& [key, text] : value.items()) {
      if (!text.is_string()) damaged(path, "__metadata__: the value of " + runtime::quoted(key) + " is no text");
      checkpoint.metadata[key] = text.get<std::string>();
    }
  }
  // The tensors cover the data: no byte is left out, none is used twice.
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
  std::uint64_t covered = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != covered)
      damaged(path, "the data of " + runtime::quoted(entry.name) + " begins at byte " + std::to_string(entry.begin) +
                        ", expected " + std::to_string(covered));
    covered = entry.end;
    checkpoint.tensors.emplace(entry.name, read_tensor(path, entry, data));
  }
  if (covered != data.size())
    damaged(path, "it has " + std::to_string(data.size()) + " bytes of data, its tensors " + std::to_string(covered));
  return checkpoint;
}

void write_checkpoint(const std::string& path, const Checkpoint& checkpoint) {
  Json header = Json::object();
  if (!checkpoint.metadata.empty()) header[kMetadata] = checkpoint.metadata;
  std::vector<std::string_view> parts(2);
  std::uint64_t offset = 0;
  // Wide elements first, as other writers have it: every tensor lies at a multiple of its element's size.
  for (const std::size_t width : {8u, 4u, 2u, 1u})
    for (const auto& [name, array] : checkpoint.tensors) {
      if (size_of(array.dtype()) != width) continue;
      if (name == kMetadata) throw DataError(path + ": a tensor cannot have the name __metadata__");
      const auto* type =
          std::find_if(std::begin(kTypes), std::end(kTypes), [&](const auto& t) { return t.second == array.dtype(); });
      header[name] = {{"dtype", type->first},
                      {"shape", std::vector<std::int64_t>(array.shape().begin(), array.shape().end())},
                      {"data_offsets", {offset, offset + array.bytes()}}};
      parts.emplace_back(static_cast<const char*>(array.raw()), array.bytes());
      offset += array.bytes();
    }
  std::string text;
  try {
    text = header.dump();
  } catch (const Json::exception& e) {
    throw DataError(path + ": cannot be written: a name or the metadata is no UTF-8 text (" + e.what() + ")");
  }
  text.append((kLengthBytes - text.size() % kLengthBytes) % kLengthBytes, ' ');  // the data begins aligned
  const std::uint64_t length = text.size();
  char length_bytes[kLengthBytes];
  std::memcpy(length_bytes, &length, kLengthBytes);
  parts[0] = {length_bytes, kLengthBytes};
  parts[1] = text;
  runtime::write_file_atomically(path, parts);
}

void save_checkpoint(const std::string& path, std::span<const std::shared_ptr<StateStorage>> states,
                     const std::map<std::string, std::string>& metadata) {
  Checkpoint checkpoint{{}, metadata};
  for (const auto& state : states)
    if (!checkpoint.tensors.emplace(state->name(), state->value()).second)
      throw CallError("save_checkpoint: two states have the name '" + state->name() + "'");
  write_checkpoint(path, checkpoint);
}

std::map<std::string, std::string> load_checkpoint(const std::string& path,
                                                   std::span<const std::shared_ptr<StateStorage>> states) {
  const Checkpoint checkpoint = read_checkpoint(path);
  std::string problems;
  std::set<std::string> wanted;
  for (const auto& state : states) {
    if (!wanted.insert(state->name()).second)
      throw CallError("load_checkpoint: two states have the name '" + state->name() + "'");
    const std::string model = type_of(state->dtype(), state->shape());
    const auto found = checkpoint.tensors.find(state->name());
    if (found == checkpoint.tensors.end())
      problems += "\n  missing:   " + state->name() + ", the model has it as " + model;
    else if (found->second.dtype() != state->dtype() || !(found->second.shape() == state->shape()))
      problems += "\n  different: " + state->name() + " is " + type_of(found->second.dtype(), found->second.shape()) +
                  " in the file, " + model + " in the model";
  }
  for (const auto& [name, array] : checkpoint.tensors)
    if (!wanted.contains(name))
      problems += "\n  extra:     " + name + " " + type_of(array.dtype(), array.shape()) + ", the model has none of it";
  if (!problems.empty()) throw DataError(path + ": does not fit the model; nothing was loaded" + problems);
  for (const auto& state : states) state->assign(checkpoint.tensors.at(state->name()));
  return checkpoint.metadata;
}

}  // namespace gcompile
