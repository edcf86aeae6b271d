#include "gcompile/runtime/checkpoint.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "gcompile/base/error.h"
#include "temp_dir.h"

namespace gcompile {
namespace {

using States = std::vector<std::shared_ptr<StateStorage>>;

std::shared_ptr<StateStorage> state(const std::string& name, const Array& value) {
  return std::make_shared<StateStorage>(name, value, true);
}

States model(float offset) {
  return {state("linear.weight", Array{{1 + offset, 2.0f}, {3.0f, 4.0f}, {5.0f, 6.0f}}),
          state("linear.bias", Array{offset, 8.0f}), state("step", Array(static_cast<std::int32_t>(offset))),
          state("moment", Array{0.25 + offset, -1e300}), state("mask", Array{true, false, true})};
}

std::string file(const std::string& header, const std::string& data) {
  const std::uint64_t length = header.size();
  std::string out(8, '\0');
  std::memcpy(out.data(), &length, 8);
  return out + header + data;
}

class CheckpointFile : public ::testing::Test {
 protected:
  std::string error(const std::string& bytes) {
    const std::string path = files_.write("bad.safetensors", bytes);
    return testing::message_of<DataError>([&] { read_checkpoint(path); });
  }
  testing::TempDir files_;
};

TEST_F(CheckpointFile, RoundTrip) {
  const std::string path = files_.path("m.safetensors");
  const States saved = model(7), loaded = model(0);
  save_checkpoint(path, saved, {{"epoch", "12"}});
  EXPECT_EQ(load_checkpoint(path, loaded).at("epoch"), "12");
  for (std::size_t i = 0; i < saved.size(); ++i)
    EXPECT_TRUE(same_bits(loaded[i]->value(), saved[i]->value())) << saved[i]->name();
  EXPECT_EQ(files_.entries(), 1);
  save_checkpoint(path, model(8));  // over an old one
  load_checkpoint(path, loaded);
  EXPECT_EQ(loaded[1]->value().at(0), 8);
  EXPECT_EQ(files_.entries(), 1);
}

TEST_F(CheckpointFile, EmptySetsAndEmptyTensors) {
  const std::string path = files_.path("m.safetensors");
  save_checkpoint(path, States{});
  EXPECT_TRUE(read_checkpoint(path).tensors.empty());
  save_checkpoint(path, States{state("a", Array(DType::kF32, {0, 4})), state("b", Array(DType::kF64, {0}))});
  EXPECT_EQ(read_checkpoint(path).tensors.at("a").shape(), (Shape{0, 4}));
  const char* huge = R"({"w":{"dtype":"F32","shape":[4294967296,4294967296,4294967296,0],"data_offsets":[0,0]}})";
  EXPECT_NE(error(file(huge, "")), "");
}

TEST_F(CheckpointFile, IsTheSafetensorsFormat) {
  save_checkpoint(files_.path("m"), States{state("b", Array{1.0f}), state("a", Array{2.0, 3.0})});
  const std::string bytes = files_.read("m");
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  EXPECT_EQ(length % 8, 0u);
  std::string header = bytes.substr(8, length);
  header.erase(header.find_last_not_of(' ') + 1);
  EXPECT_EQ(header, R"({"a":{"data_offsets":[0,16],"dtype":"F64","shape":[2]},)"
                    R"("b":{"data_offsets":[16,20],"dtype":"F32","shape":[1]}})");
  const double a[] = {2, 3};
  const float b[] = {1};
  EXPECT_EQ(std::memcmp(bytes.data() + 8 + length, a, 16), 0);
  EXPECT_EQ(std::memcmp(bytes.data() + 8 + length + 16, b, 4), 0);
  EXPECT_EQ(bytes.size(), 8 + length + 20);
}

TEST_F(CheckpointFile, WhatDoesNotFitIsToldAtOnceAndNothingChanges) {
  const std::string path = files_.path("m.safetensors");
  save_checkpoint(path, model(7));
  States other{state("linear.weight", Array{{1.0f, 2.0f}}), state("linear.bias", Array{0.0f, 0.0f}),
               state("step", Array(0.0f)), state("moment", Array{0.0, 0.0}), state("head.weight", Array{1.0f, 2.0f})};
  EXPECT_EQ(testing::message_of<DataError>([&] { load_checkpoint(path, other); }),
            path + ": does not fit the model; nothing was loaded"
                   "\n  different: linear.weight is f32[3,2] in the file, f32[1,2] in the model"
                   "\n  different: step is i32[] in the file, f32[] in the model"
                   "\n  missing:   head.weight, the model has it as f32[2]"
                   "\n  extra:     mask bool[3], the model has none of it");
  EXPECT_EQ(other[1]->value().at(1), 0);  // would have fitted
}

TEST_F(CheckpointFile, TwoStatesOfOneName) {
  const States twice{state("w", Array(1.0f)), state("w", Array(2.0f))};
  EXPECT_THROW(save_checkpoint(files_.path("m"), twice), CallError);
  EXPECT_EQ(files_.entries(), 0);
  save_checkpoint(files_.path("m"), States{twice[0]});
  EXPECT_THROW(load_checkpoint(files_.path("m"), twice), CallError);
}

TEST_F(CheckpointFile, AnyTruncationIsAnError) {
  save_checkpoint(files_.path("m"), model(7), {{"k", "v"}});
  const std::string good = files_.read("m");
  for (std::size_t length = 0; length < good.size(); ++length)
    EXPECT_NE(error(good.substr(0, length)).find("bad.safetensors: is no valid safetensors file"), std::string::npos)
        << length;
  EXPECT_NE(error(good + "x"), "");
}

TEST_F(CheckpointFile, AnyFlippedByteGivesTensorsOrAnError) {
  save_checkpoint(files_.path("m"), States{state("w", Array{1.0f, 2.0f}), state("f", Array{true})}, {{"k", "v"}});
  const std::string good = files_.read("m");
  const std::size_t data = good.size() - 9;
  int damaged = 0;
  for (std::size_t i = 0; i < good.size(); ++i)
    for (int flip : {1, 2, 4, 8, 16, 32, 64, 128, 255}) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ flip);
      const std::string message = error(bad);
      if (i < 8) {
        EXPECT_NE(message, "") << i << " " << flip;
      }
      if (i >= data && i < data + 8) {
        EXPECT_EQ(message, "");  // an element of w may be anything
      }
      damaged += !message.empty();
    }
  EXPECT_GT(damaged, 500);
}

TEST_F(CheckpointFile, NamesWhatIsWrong) {
  const auto expect = [&](const std::string& header, const std::string& data, const char* what) {
    const std::string message = error(file(header, data));
    EXPECT_NE(message.find(what), std::string::npos) << message;
  };
  const std::string four(4, '\0');
  expect("[]", "", "no JSON object");
  expect("{", "", "parse error");
  expect(
      R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
      four, "'w' is there twice");
  expect(R"({"w":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]}})", four, "dtype 'F8_E4M3'");
  expect(R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", four, "'w': its f32[2] does not take 4 bytes");
  expect(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}})", four, "outside the 4 bytes");
  expect(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", four, "outside");
  expect(R"({"w":{"dtype":"F32","shape":[0],"data_offsets":[0,4]}})", four, "does not take 4 bytes");
  expect(R"({"w":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", four, "a number >= 0");
  expect(R"({"w":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}})", four, "a number >= 0");
  expect(R"({"w":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}})", four,
         "its shape is too large");
  expect(R"({"w":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}})", four, "9 dimensions");
  expect(R"({"w":{"dtype":"F32","shape":[1]}})", four, "expected an object of");
  expect(R"({"w":7})", four, "expected an object of");
  expect(R"({"w":{"dtype":7,"shape":[1],"data_offsets":[0,4]}})", four, "expected a dtype name");
  expect(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", four + four, "begins at byte 4, expected 0");
  expect(
      R"({"v":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
      four, "begins at byte 0, expected 4");
  expect(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", four + "x", "has 5 bytes of data, its tensors 4");
  expect(R"({"w":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}})", "\2", "neither 0 nor 1");
  expect(R"({"__metadata__":{"epoch":12}})", "", "'epoch' is no text");
  expect(R"({"__metadata__":[]})", "", "no object");
  expect(std::string(100000, '[') + std::string(100000, ']'), "", "no JSON object");
}

TEST_F(CheckpointFile, CannotBeWritten) {
  EXPECT_THROW(save_checkpoint(files_.path("no/folder"), model(0)), DataError);
  EXPECT_THROW(save_checkpoint(files_.path(), model(0)), DataError);
  EXPECT_THROW(save_checkpoint(files_.path("m"), States{state("\xFF", Array(1.0f))}), DataError);
  EXPECT_THROW(save_checkpoint(files_.path("m"), States{state("__metadata__", Array(1.0f))}), DataError);
  EXPECT_EQ(files_.entries(), 0);
}

TEST_F(CheckpointFile, AFailedWriteLeavesTheOldFile) {
  save_checkpoint(files_.path("m"), model(7));
  const std::string before = files_.read("m");
  EXPECT_THROW(save_checkpoint(files_.path("m"), States{state("\xFF", Array(1.0f))}), DataError);
  EXPECT_EQ(files_.read("m"), before);
}

TEST_F(CheckpointFile, ThroughASymbolicLink) {
  files_.write("real", "old");
  std::filesystem::create_symlink("real", files_.path("link"));
  save_checkpoint(files_.path("link"), model(7));
  EXPECT_TRUE(std::filesystem::is_symlink(files_.path("link")));
  EXPECT_EQ(read_checkpoint(files_.path("real")).tensors.size(), 5u);
}

}  // namespace
}  // namespace gcompile
