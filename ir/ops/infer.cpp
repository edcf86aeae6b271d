#include "gcompile/ir/ops/infer.h"

#include <algorithm>

namespace gcompile::ir {
namespace {

template <class T>
constexpr const char* kKind = "?";
template <>
constexpr const char* kKind<std::int64_t> = "an integer";
template <>
constexpr const char* kKind<bool> = "true or false";
template <>
constexpr const char* kKind<std::string> = "a string";
template <>
constexpr const char* kKind<DType> = "a dtype";
template <>
constexpr const char* kKind<Ints> = "a list of integers";
template <>
constexpr const char* kKind<Dims> = "a list of extents";
template <>
constexpr const char* kKind<Array> = "an array";

std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i)
    text += (i == 0 ? "" : i + 1 == words.size() ? " and " : ", ") + words[i];
  return text;
}

}  // namespace

template <class T>
const T& attribute(const InferContext& c, std::string_view key) {
  const AttrValue* value = c.attrs.find(key);
  const T* t = value ? std::get_if<T>(value) : nullptr;
  if (!t)
    c.fail(std::string(value ? "the attribute " : "needs the attribute ") + std::string(key) +
           (value ? " must be " : ", ") + kKind<T>);
  return *t;
}
template const bool& attribute(const InferContext&, std::string_view);
template const std::int64_t& attribute(const InferContext&, std::string_view);
template const std::string& attribute(const InferContext&, std::string_view);
template const DType& attribute(const InferContext&, std::string_view);
template const Ints& attribute(const InferContext&, std::string_view);
template const Dims& attribute(const InferContext&, std::string_view);
template const Array& attribute(const InferContext&, std::string_view);

void only_attributes(const InferContext& c, std::initializer_list<std::string_view> keys) {
  for (const auto& [key, value] : c.attrs.entries())
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) c.fail("has no attribute " + key);
}

void check_order(const InferContext& c) {
  if (c.attrs.has("order") && attribute<std::string>(c, "order") != "features")
    c.fail("order '" + attribute<std::string>(c, "order") + "' is not 'features'");
}

namespace {

void check_axis(const InferContext& c, std::string_view key, std::int64_t axis, int rank) {
  if (axis < 0 || axis >= rank)
    c.fail(std::string(key) + " " + std::to_string(axis) + " is out of range for rank " + std::to_string(rank) +
           (c.operands.empty() ? "" : " (" + operand_list(c) + ")"));
}

}  // namespace

std::int64_t axis_attribute(const InferContext& c, std::string_view key, int rank) {
  const auto axis = attribute<std::int64_t>(c, key);
  check_axis(c, key, axis, rank);
  return axis;
}

const Ints& axes_attribute(const InferContext& c, std::string_view key, int rank, bool sorted) {
  const Ints& axes = attribute<Ints>(c, key);
  for (const std::int64_t a : axes) check_axis(c, key, a, rank);
  if (sorted) {
    if (std::adjacent_find(axes.begin(), axes.end(), std::greater_equal<>()) != axes.end())
      c.fail(std::string(key) + " must ascend, without repetition");
  } else {
    Ints copy = axes;
    std::sort(copy.begin(), copy.end());
    if (std::adjacent_find(copy.begin(), copy.end()) != copy.end()) c.fail(std::string(key) + " names an axis twice");
  }
  return axes;
}

std::string operand_list(const InferContext& c) {
  std::vector<std::string> words;
  for (const Type& t : c.operands) words.push_back(t.str());
  return join(words);
}

std::string dtype_list(const std::vector<DType>& dtypes) {
  std::vector<std::string> words;
  for (const DType t : dtypes) words.emplace_back(name(t));
  return join(words);
}

void admit_dtype(const InferContext& c, std::size_t i) {
  const auto& admitted = c.op.dtypes;
  if (admitted.empty() || std::find(admitted.begin(), admitted.end(), c.operands[i].dtype) != admitted.end()) return;
  c.fail("is for " + dtype_list(admitted) + ", not for " + c.operands[i].str());
}

void same_operands(const InferContext& c, std::size_t first) {
  for (std::size_t i = first + 1; i < c.operands.size(); ++i) {
    const Type &a = c.operands[first], &b = c.operands[i];
    if (a.dtype != b.dtype) c.fail("the dtypes differ: " + a.str() + " and " + b.str() + "; cast one of them");
    if (a.dims != b.dims) c.fail("the shapes differ: " + a.str() + " and " + b.str() + "; broadcast one of them");
  }
}

void check_counted(const InferContext& c, std::int64_t axis) {
  const Dim& extent = c.operands[0].dim(axis);
  if (extent.is_constant() && extent.constant() > std::int64_t{INT32_MAX} + 1)
    c.fail("axis " + std::to_string(axis) + " of " + c.operands[0].str() + " has more elements than an i32 counts");
}

void check_dims(const InferContext& c, const Dims& dims) {
  if (dims.size() > static_cast<std::size_t>(kMaxRank))
    c.fail("rank " + std::to_string(dims.size()) + " is more than " + std::to_string(kMaxRank));
  for (const Dim& d : dims)
    if (d.is_constant() && d.constant() < 0) c.fail("the extent " + d.str() + " is negative");
}

std::vector<Type> same_type(const InferContext& c) {
  only_attributes(c, {});
  same_operands(c);
  admit_dtype(c);
  return {c.operands[0]};
}

std::vector<Type> bool_result(const InferContext& c) {
  same_type(c);
  return {{DType::kBool, c.operands[0].dims}};
}

}  // namespace gcompile::ir
