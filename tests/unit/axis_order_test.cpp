// AxisOrder, and states whose axes lie in another order than their shape says: nobody sees it from outside.
#include "gcompile/base/axis_order.h"

#include <gtest/gtest.h>

#include "gcompile/base/error.h"
#include "gcompile/base/state.h"

namespace gcompile {
namespace {

Array counted(const Shape& shape) {
  Array a(DType::kF32, shape);
  for (std::int64_t i = 0; i < a.size(); ++i) a.set(i, static_cast<double>(i));
  return a;
}

void expect_equal(const Array& a, const Array& b) {
  ASSERT_EQ(a.shape(), b.shape());
  for (std::int64_t i = 0; i < a.size(); ++i) EXPECT_EQ(a.at(i), b.at(i)) << i;
}

TEST(AxisOrder, NamesEveryAxisOnce) {
  EXPECT_TRUE(is_axis_order({}, 3));
  EXPECT_TRUE(is_axis_order({2, 0, 1}, 3));
  EXPECT_FALSE(is_axis_order({2, 0}, 3));
  EXPECT_FALSE(is_axis_order({0, 0, 1}, 3));
  EXPECT_FALSE(is_axis_order({0, 1, 3}, 3));
}

TEST(AxisOrder, MovesElements) {
  const Array a = counted({2, 3, 4}), b = in_order(a, {2, 0, 1});
  ASSERT_EQ(b.shape(), (Shape{4, 2, 3}));
  for (std::int64_t i = 0; i < 2; ++i)
    for (std::int64_t j = 0; j < 3; ++j)
      for (std::int64_t k = 0; k < 4; ++k) EXPECT_EQ(b.at((k * 2 + i) * 3 + j), a.at((i * 3 + j) * 4 + k));
  expect_equal(in_order(b, inverse(AxisOrder{2, 0, 1})), a);
}

TEST(AxisOrder, OfNoElements) { EXPECT_EQ(in_order(counted({0, 3}), {1, 0}).shape(), (Shape{3, 0})); }

TEST(PinnedOrder, LaysTheDataOutAndKeepsTheValue) {
  StateStorage state("w", counted({2, 3}), true);
  const void* before = state.raw();
  EXPECT_FALSE(state.pinned_order());
  EXPECT_TRUE(state.pin_order({1, 0}));
  EXPECT_EQ(state.raw(), before);
  EXPECT_EQ(static_cast<const float*>(state.raw())[1], 3.0F);
  expect_equal(state.value(), counted({2, 3}));

  Array other(DType::kF32, Shape{2, 3});
  other.set(1, 7);
  state.assign(other);
  EXPECT_EQ(static_cast<const float*>(state.raw())[2], 7.0F);
  expect_equal(state.value(), other);
}

TEST(PinnedOrder, StaysTheFirst) {
  StateStorage state("w", counted({2, 3}), true);
  EXPECT_TRUE(state.pin_order({}));
  EXPECT_FALSE(state.pin_order({1, 0}));
  EXPECT_TRUE(state.pin_order({}));
  EXPECT_EQ(state.pinned_order(), AxisOrder{});
}

TEST(PinnedOrder, IsOneOfItsAxes) {
  StateStorage state("w", counted({2, 3}), true);
  EXPECT_THROW(state.pin_order({0, 2}), InternalError);
}

}  // namespace
}  // namespace gcompile
