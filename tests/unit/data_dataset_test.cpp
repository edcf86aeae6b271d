#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "gcompile/base/error.h"
#include "gcompile/runtime/data/dataset.h"
#include "gcompile/runtime/data/scale.h"
#include "temp_dir.h"

namespace gcompile::data {
namespace {

using gcompile::testing::message_of;

// Row i is [10 i, 10 i + 1], its label i.
Table counting_table(std::int64_t rows) {
  Array inputs(DType::kF32, {rows, 2}), labels(DType::kF32, {rows, 1});
  for (std::int64_t i = 0; i < rows; ++i) {
    inputs.set(2 * i, static_cast<double>(10 * i));
    inputs.set(2 * i + 1, static_cast<double>(10 * i + 1));
    labels.set(i, static_cast<double>(i));
  }
  return {inputs, labels, {{"a", "b"}, {"y"}, {}}};
}

TEST(DataTable, GetsOneSampleWithoutBatchDimension) {
  const Table table = counting_table(5);
  EXPECT_EQ(table.size(), 5);
  const Example e = table.get(3);
  EXPECT_EQ(e.input.str(), "f32[2] [30, 31]");
  EXPECT_EQ(e.label.str(), "f32[1] [3]");
  EXPECT_THROW(table.get(5), CallError);
  EXPECT_THROW(table.get(-1), CallError);
}

TEST(DataTable, ClassIndicesAreScalarLabels) {
  const Table table(Array(DType::kF32, {3, 2}), Array{0, 1, 1}, {{}, {}, {"no", "yes"}});
  EXPECT_EQ(table.get(2).label.shape(), Shape{});
  EXPECT_EQ(table.get(2).label.item(), 1);
  EXPECT_EQ(table.class_names()[1], "yes");
}

TEST(DataTable, RefusesPartsThatDoNotFit) {
  const Array inputs(DType::kF32, {3, 2});
  EXPECT_NE(message_of<CallError>([&] {
              Table(inputs, Array(DType::kF32, {4, 1}));
            }).find("f32[3,2] and labels f32[4,1]"),
            std::string::npos);
  EXPECT_THROW(Table(Array(1.0f), Array(1.0f)), CallError);
  EXPECT_THROW(Table(inputs, Array{0, 1, 2}, {{}, {}, {"a", "b"}}), CallError);           // class 2 has no name
  EXPECT_THROW(Table(inputs, Array{0.0f, 1.0f, 1.0f}, {{}, {}, {"a", "b"}}), CallError);  // no indices
  EXPECT_THROW(Table(inputs, Array{0, 1, 1}, {{"x"}, {}, {}}), CallError);                // two columns, one name
}

TEST(DataTable, GatherReusesWhatFitsAndLeavesWhatIsShared) {
  const Table table = counting_table(100);
  std::vector<std::int64_t> indices(20);
  for (std::size_t i = 0; i < 20; ++i) indices[i] = static_cast<std::int64_t>(99 - i);
  Batch batch;
  table.gather(indices, batch);
  EXPECT_EQ(batch.inputs.shape(), (Shape{20, 2}));
  EXPECT_EQ(batch.inputs.at(1), 991);
  EXPECT_EQ(batch.labels.at(19), 80);
  const void* address = std::as_const(batch.inputs).raw();
  indices[0] = 0;
  table.gather(indices, batch);
  EXPECT_EQ(std::as_const(batch.inputs).raw(), address);
  const Array kept = batch.inputs;
  indices[0] = 1;
  table.gather(indices, batch);
  EXPECT_EQ(kept.at(0), 0);
  EXPECT_EQ(batch.inputs.at(0), 10);
  indices[0] = 100;
  EXPECT_THROW(table.gather(indices, batch), CallError);
}

TEST(DataTable, GatherCopiesRowsOfAnySize) {
  for (std::int64_t columns : {0, 1, 2, 3, 4, 8, 9, 16, 17}) {
    Array inputs(DType::kF32, {10, columns});
    for (std::int64_t i = 0; i < inputs.size(); ++i) inputs.set(i, static_cast<double>(i));
    const Table table(inputs, Array(DType::kBool, {10, 1}));
    const std::int64_t indices[] = {9, 0, 4};
    Batch batch;
    table.gather(indices, batch);
    ASSERT_EQ(batch.inputs.shape(), (Shape{3, columns}));
    for (std::int64_t c = 0; c < columns; ++c) {
      EXPECT_EQ(batch.inputs.at(c), static_cast<double>(9 * columns + c));
      EXPECT_EQ(batch.inputs.at(2 * columns + c), static_cast<double>(4 * columns + c));
    }
  }
}

TEST(DataTable, SplitIsAShuffledPartition) {
  const Table table = counting_table(101);
  const auto [first, second] = table.split(0.8, 1);
  EXPECT_EQ(first.size(), 81);
  EXPECT_EQ(second.size(), 20);
  EXPECT_EQ(first.names().inputs, table.names().inputs);
  std::multiset<double> seen;
  for (const Table* part : {&first, &second})
    for (std::int64_t i = 0; i < part->size(); ++i) {
      EXPECT_EQ(part->inputs().at(2 * i), 10 * part->labels().at(i));  // rows stay whole
      seen.insert(part->labels().at(i));
    }
  EXPECT_EQ(seen.size(), 101u);
  EXPECT_EQ(std::set<double>(seen.begin(), seen.end()).size(), 101u);
  const auto labels = first.labels().data<float>();
  EXPECT_FALSE(std::is_sorted(labels.begin(), labels.end()));

  EXPECT_TRUE(same_bits(table.split(0.8, 1).first.labels(), first.labels()));
  EXPECT_FALSE(same_bits(table.split(0.8, 2).first.labels(), first.labels()));
}

TEST(DataTable, SplitRefusesAnEmptyPart) {
  const Table table = counting_table(10);
  for (double fraction : {0.0, 1.0, -1.0, 2.0, 0.01, std::numeric_limits<double>::quiet_NaN()})
    EXPECT_NE(message_of<CallError>([&] { table.split(fraction); }).find("data_dataset_test.cpp:"), std::string::npos)
        << fraction;
}

TEST(DataTable, RowsIsARange) {
  const Table part = counting_table(10).rows(2, 5);
  EXPECT_EQ(part.labels().str(), "f32[3,1] [[2], [3], [4]]");
  EXPECT_THROW(counting_table(10).rows(5, 11), CallError);
  EXPECT_THROW(counting_table(10).rows(5, 4), CallError);
}

TEST(DataScaler, CentresAndScalesByTheFittedTable) {
  const Table train(Array{{1.0f, 5.0f}, {3.0f, 5.0f}}, Array{{0.0f}, {1.0f}});
  const StandardScaler scaler(train);
  EXPECT_EQ(scaler.mean().str(), "f64[2] [2, 5]");
  EXPECT_EQ(scaler.std().str(), "f64[2] [1, 1]");  // the second column is constant
  EXPECT_EQ(scaler.transform(train).inputs().str(), "f32[2,2] [[-1, 0], [1, 0]]");
  const Table test(Array{{5.0f, 6.0f}}, Array{{1.0f}});
  EXPECT_EQ(scaler.transform(test).inputs().str(), "f32[1,2] [[3, 1]]");
  EXPECT_EQ(scaler.transform(test).labels().item(), 1);
  EXPECT_EQ(scaler.transform(Array{4.0f, 5.0f}).str(), "f32[2] [2, 0]");
  const StandardScaler again(scaler.mean(), scaler.std());
  EXPECT_TRUE(same_bits(again.transform(test.inputs()), scaler.transform(test.inputs())));
}

TEST(DataScaler, ConstantColumnOfAnInexactValueIsExactlyCentred) {
  const Table table(Array::full(DType::kF32, {1000, 1}, 0.1), Array(DType::kF32, {1000, 1}));
  const Array scaled = StandardScaler(table).transform(table.inputs());
  for (std::int64_t i = 0; i < scaled.size(); ++i) ASSERT_EQ(scaled.at(i), 0.0);
}

TEST(DataScaler, RefusesWhatItCannotFit) {
  const Array labels(DType::kF32, {2, 1});
  EXPECT_THROW(StandardScaler(Table(Array(DType::kI32, {2, 2}), labels)), CallError);
  EXPECT_THROW(StandardScaler(Table(Array(DType::kF32, {2, 2, 2}), labels)), CallError);
  EXPECT_THROW(StandardScaler(Table(Array(DType::kF32, {0, 2}), Array(DType::kF32, {0, 1}))), CallError);
  Array bad(DType::kF32, {2, 2});
  bad.set(3, std::numeric_limits<double>::quiet_NaN());
  EXPECT_NE(message_of<CallError>([&] { StandardScaler(Table(bad, labels)); }).find("row 1, column 1"),
            std::string::npos);
  const StandardScaler scaler(Table(Array(DType::kF32, {2, 2}), labels));
  EXPECT_THROW(scaler.transform(Array(DType::kF32, {2, 3})), CallError);
  EXPECT_THROW(StandardScaler(Array{0.0}, Array{0.0}), CallError);
  EXPECT_THROW(StandardScaler(Array{0.0f}, Array{1.0f}), CallError);
}

}  // namespace
}  // namespace gcompile::data
