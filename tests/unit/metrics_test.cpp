#include "gcompile/runtime/metrics.h"

#include <gtest/gtest.h>

#include <limits>

#include "gcompile/base/error.h"
#include "temp_dir.h"

namespace gcompile {
namespace {

using testing::message_of;
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

TEST(Metrics, BinaryAccuracyAtOneHalf) {
  const Array labels{{1.0f}, {0.0f}, {1.0f}, {0.0f}};
  EXPECT_EQ(accuracy(Array{{0.9f}, {0.1f}, {0.5f}, {0.499f}}, labels), 1.0);
  EXPECT_EQ(accuracy(Array{{0.9f}, {0.6f}, {0.4f}, {0.1f}}, labels), 0.5);
  EXPECT_EQ(accuracy(Array{0.9f, 0.1f, 0.1f, 0.1f}, Array{1, 0, 1, 0}), 0.75);
  EXPECT_EQ(accuracy(Array{{0.9}, {0.1}}, Array{true, false}), 1.0);
  EXPECT_EQ(accuracy(Array{{kNaN}, {0.1f}}, Array{{0.0f}, {0.0f}}), 0.5);  // NaN is a miss, whatever the label
  EXPECT_EQ(accuracy(Array{{kNaN}, {0.1f}}, Array{{1.0f}, {0.0f}}), 0.5);
}

TEST(Metrics, AccuracyOfSeveralClasses) {
  const Array scores{{0.1f, 0.7f, 0.2f}, {3.0f, 3.0f, 1.0f}, {-5.0f, -4.0f, -3.0f}, {kNaN, 1.0f, 0.0f}};
  EXPECT_EQ(accuracy(scores, Array{1, 0, 2, 1}), 0.75);  // the first of equals; NaN is a miss
  EXPECT_EQ(accuracy(scores, Array{1, 1, 2, 0}), 0.5);
  EXPECT_EQ(accuracy(scores, Array{{1}, {0}, {0}, {0}}), 0.5);
  EXPECT_EQ(accuracy(Array{{0.0, 1.0}}, Array{1}), 1.0);
}

TEST(Metrics, WhatDoesNotFit) {
  const Array binary{{0.5f}, {0.5f}}, scores{{0.5f, 0.5f}, {0.1f, 0.9f}};
  EXPECT_EQ(message_of<CallError>([&] { accuracy(binary, Array{{1.0f}}); }).find("metrics_test.cpp:"), 0u);
  EXPECT_NE(message_of<CallError>([&] {
              accuracy(binary, Array{{1.0f}});
            }).find("accuracy of predictions f32[2,1] against labels f32[1,1]: there must be one label"),
            std::string::npos);
  EXPECT_THROW(accuracy(scores, Array{0.0f, 1.0f}), CallError);      // f32 labels for classes
  EXPECT_THROW(accuracy(scores, Array{{0, 1}, {1, 0}}), CallError);  // one-hot
  EXPECT_THROW(accuracy(scores, Array{0, 2}), CallError);
  EXPECT_THROW(accuracy(scores, Array{0, -1}), CallError);
  EXPECT_THROW(accuracy(binary, Array{{0.0f}, {0.5f}}), CallError);
  EXPECT_THROW(accuracy(binary, Array{{0.0f}, {kNaN}}), CallError);
  EXPECT_THROW(accuracy(Array{1, 0}, Array{1, 0}), CallError);
  EXPECT_THROW(accuracy(Array(DType::kF32, {0, 1}), Array(DType::kF32, {0, 1})), CallError);
  EXPECT_THROW(accuracy(Array(DType::kF32, {2, 0}), Array{0, 0}), CallError);
  EXPECT_THROW(accuracy(Array(1.0f), Array(1.0f)), CallError);
}

TEST(Metrics, ConfusionMatrixHasTrueClassesAsRows) {
  EXPECT_EQ(confusion_matrix(Array{{0.9f}, {0.8f}, {0.1f}}, Array{{1.0f}, {0.0f}, {0.0f}}).str(),
            "i32[2,2] [[1, 1], [0, 1]]");
  EXPECT_EQ(confusion_matrix(Array{{0.f, 1.f, 0.f}, {0.f, 0.f, 1.f}}, Array{1, 1}).str(),
            "i32[3,3] [[0, 0, 0], [0, 1, 1], [0, 0, 0]]");
  EXPECT_NE(message_of<CallError>([] {
              confusion_matrix(Array{{0.1f}, {kNaN}}, Array{0, 1});
            }).find("sample 1 is NaN"),
            std::string::npos);
}

TEST(Metrics, MajorityClass) {
  EXPECT_EQ(majority_class_accuracy(Array{{1.0f}, {0.0f}, {0.0f}, {0.0f}}), 0.75);
  EXPECT_EQ(majority_class_accuracy(Array{2, 1, 2, 0}), 0.5);
  EXPECT_THROW(majority_class_accuracy(Array(DType::kF32, {0, 1})), CallError);
  EXPECT_THROW(majority_class_accuracy(Array{{1.0f, 0.0f}}), CallError);
  EXPECT_THROW(majority_class_accuracy(Array{kNaN}), CallError);
}

}  // namespace
}  // namespace gcompile
