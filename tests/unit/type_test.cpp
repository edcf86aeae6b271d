// Types of tensors: their text and their sizes.
#include "gcompile/ir/type.h"

#include <gtest/gtest.h>

#include "gcompile/base/array.h"
#include "gcompile/base/error.h"
#include "gcompile/ir/parse.h"

namespace gcompile {
namespace {

const Dim N("N");

TEST(Type, PrintsAndReadsBack) {
  const Type types[] = {{DType::kF32, {}},
                        {DType::kF64, {3}},
                        {DType::kI32, {N, 8}},
                        {DType::kBool, {Dim(2) * N + Dim(1), floordiv(N, 2), 0}},
                        {DType::kF32, {1, 1, 1, 1, 1, 1, 1, 1}}};
  const char* texts[] = {"f32[]", "f64[3]", "i32[N,8]", "bool[2*N + 1,floordiv(N, 2),0]", "f32[1,1,1,1,1,1,1,1]"};
  for (std::size_t i = 0; i < std::size(types); ++i) {
    EXPECT_EQ(types[i].str(), texts[i]);
    EXPECT_EQ(ir::parse_type(texts[i]), types[i]);
  }
  EXPECT_EQ(ir::parse_type(" f32 [ N , 8 ] // a comment"), (Type{DType::kF32, {N, 8}}));
  EXPECT_THROW(ir::parse_type("f32[N,]"), ParseError);
  EXPECT_THROW(ir::parse_type("f32[] f32[]"), ParseError);
}

TEST(Type, SizesAndShapes) {
  const Type t{DType::kF32, {N, 8}};
  EXPECT_EQ(t.size(), Dim(8) * N);
  EXPECT_FALSE(t.is_static());
  const Type s = Type::of(DType::kI32, {2, 3});
  EXPECT_TRUE(s.is_static());
  EXPECT_EQ(s.shape(), (Shape{2, 3}));
  EXPECT_EQ(s.size(), Dim(6));
  EXPECT_EQ((Type{DType::kF32, {}}.size()), Dim(1));
  EXPECT_NE(s, (Type{DType::kF32, {2, 3}}));
}

TEST(Shape, OfMoreElementsThan63BitsHold) {
  constexpr std::int64_t kLarge = std::int64_t{1} << 62;
  EXPECT_THROW((Shape{kLarge + 1, 4}), ModelError);
  EXPECT_THROW((Array(DType::kF32, {kLarge, 2})), ModelError);
  EXPECT_EQ((Shape{kLarge, 0, 4}).size(), 0);
  EXPECT_THROW((Array::uninitialized(DType::kF64, {kLarge})), MemoryError);
  EXPECT_THROW((Array::uninitialized(DType::kU8, {kLarge})), MemoryError);
}

TEST(Shape, HasNoOtherAxes) {
  const Shape s{5};
  EXPECT_EQ(s[0], 5);
  EXPECT_THROW(s[1], ModelError);
  EXPECT_THROW(s[-1], ModelError);
}

}  // namespace
}  // namespace gcompile
