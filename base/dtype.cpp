#include "gcompile/base/dtype.h"

namespace gcompile {

std::string_view name(DType t) {
  switch (t) {
    case DType::kF32: return "f32";
    case DType::kF64: return "f64";
    case DType::kF16: return "f16";
    case DType::kBF16: return "bf16";
    case DType::kI32: return "i32";
    case DType::kI64: return "i64";
    case DType::kU32: return "u32";
    case DType::kU8: return "u8";
    case DType::kBool: return "bool";
  }
  return "?";
}

std::optional<DType> parse_dtype(std::string_view text) {
  for (DType t : kAllDTypes)
    if (name(t) == text) return t;
  return std::nullopt;
}

}  // namespace gcompile
