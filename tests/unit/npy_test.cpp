#include "gcompile/runtime/npy.h"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>

#include "gcompile/base/error.h"
#include "temp_dir.h"

namespace gcompile {
namespace {

template <class T>
std::string bytes_of(std::initializer_list<T> values) {
  return {reinterpret_cast<const char*>(values.begin()), values.size() * sizeof(T)};
}

// A file with this header dict, as NumPy would lay it out.
std::string npy(const std::string& dict, const std::string& data, int version = 1) {
  std::string out = "\x93NUMPY";
  out += {static_cast<char>(version), '\0'};
  const std::string header = dict + "\n";
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i) out += static_cast<char>(header.size() >> (8 * i) & 0xFF);
  return out + header + data;
}

class Npy : public ::testing::Test {
 protected:
  Array load(const std::string& bytes) { return load_npy(files_.write("a.npy", bytes)); }
  std::string error(const std::string& bytes) {
    return testing::message_of<DataError>([&] { load(bytes); });
  }
  testing::TempDir files_;
};

TEST_F(Npy, RoundTripOfAllTypesAndShapes) {
  for (DType dtype : kAllDTypes)
    for (const Shape& shape : {Shape{}, Shape{1}, Shape{5}, Shape{0, 3}, Shape{3, 4}, Shape{2, 1, 3, 2, 1, 1, 2, 2}}) {
      Array a(dtype, shape);
      for (std::int64_t i = 0; i < a.size(); ++i) a.set(i, static_cast<double>(i - 1));
      save_npy(files_.path("a.npy"), a);
      EXPECT_TRUE(same_bits(load_npy(files_.path("a.npy")), a)) << name(dtype) << shape.str();
      EXPECT_EQ((files_.read("a.npy").size() - a.bytes()) % 64, 0u);
    }
  EXPECT_EQ(files_.entries(), 1);  // no temporary file is left
}

TEST_F(Npy, WritesWhatNumpyWrites) {
  save_npy(files_.path("a.npy"), Array{{1.0f, 2.0f}});
  const std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }";
  std::string expected("\x93NUMPY\x01\x00\x76\x00", 10);
  expected += header + std::string(0x76 - header.size() - 1, ' ') + "\n" + bytes_of<float>({1, 2});
  EXPECT_EQ(files_.read("a.npy"), expected);
}

TEST_F(Npy, ReadsOtherLayouts) {
  const std::string six = bytes_of<float>({1, 2, 3, 4, 5, 6});
  const char* fortran = "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }";
  EXPECT_EQ(load(npy(fortran, six)).str(), "f32[2,3] [[1, 3, 5], [2, 4, 6]]");
  EXPECT_EQ(load(npy("{\"shape\":(6,),\"fortran_order\":False,\"descr\":\"<f4\"}", six, 2)).str(),
            "f32[6] [1, 2, 3, 4, 5, 6]");
  EXPECT_EQ(load(npy("{'descr': '<i8', 'fortran_order': True, 'shape': (2, 1, 2)}",
                     bytes_of<std::int64_t>({1, -2, 9007199254740993, -2147483648})))
                .str(),
            "i64[2,1,2] [[[1, 9007199254740993]], [[-2, -2147483648]]]");
  EXPECT_EQ(load(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2,)}", "\xff\x01")).str(), "u8[2] [255, 1]");
  EXPECT_EQ(load(npy("{'descr': '<u4', 'fortran_order': False, 'shape': ()}", "\xff\xff\xff\xff")).str(), "4294967295");
  EXPECT_EQ(load(npy("{'descr': '|b1', 'fortran_order': False, 'shape': ()}", std::string(1, '\1'))).item(), 1);
}

TEST_F(Npy, NamesWhatIsWrong) {
  const std::string four = bytes_of<float>({1});
  const auto expect = [&](const std::string& bytes, const char* what) {
    const std::string message = error(bytes);
    EXPECT_EQ(message.find(files_.path("a.npy") + ":"), 0u) << message;
    EXPECT_NE(message.find(what), std::string::npos) << message;
  };
  expect("", "is no .npy file");
  expect("PK\x03\x04 something", "is no .npy file");
  expect(std::string("\x93NUMPY\x01", 7), "ends inside");
  expect(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", four, 9), "version 9.0");
  expect(npy("{'descr': '>f4', 'fortran_order': False, 'shape': (1,)}", four), "'>f4', expected one of");
  expect(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", four), "4 bytes of elements");
  expect(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", four + "x"), "5 bytes of elements");
  expect(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", four), "extent >= 0");
  expect(npy("{'descr': '<f4', 'fortran_order': False}", four), "expected the keys");
  expect(npy("{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}", four), "True or False");
  expect(npy("{'descr': '<f4', 'descr': '<f4'}", four), "twice");
  expect(npy("{'x': '<f4'}", four), "unknown key 'x'");
  expect(npy("{'descr': '<f4", four), "not closed");
  expect(npy("{'descr': '|b1', 'fortran_order': False, 'shape': (1,)}", "\2"), "neither 0 nor 1");
  expect(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1)}", four), "9 dimensions");
}

TEST_F(Npy, HugeShapesAreRefusedBeforeAnythingIsAllocated) {
  for (const char* shape :
       {"(4611686018427387904, 4611686018427387904)", "(4294967296, 4294967296)", "(9223372036854775807,)",
        "(99999999999999999999,)", "(0, 4294967296, 4294967296, 4294967296)"})
    EXPECT_NE(error(npy(std::string("{'descr': '<f4', 'fortran_order': False, 'shape': ") + shape + "}",
                        bytes_of<float>({1}))),
              "")
        << shape;
}

TEST_F(Npy, AnyTruncationOrFlippedByteGivesAnArrayOrAnError) {
  const std::string good =
      npy("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2), }", bytes_of<float>({1, 2, 3, 4}));
  ASSERT_EQ(load(good).size(), 4);
  for (std::size_t length = 0; length < good.size(); ++length) EXPECT_NE(error(good.substr(0, length)), "") << length;
  int loaded = 0;
  for (std::size_t i = 0; i < good.size(); ++i)
    for (int flip : {1, 2, 4, 8, 16, 32, 64, 128, 255}) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ flip);
      loaded += error(bad).empty();
    }
  EXPECT_GE(loaded, 16 * 9);  // the elements themselves may be anything
}

TEST_F(Npy, FilesThatCannotBeReadOrWritten) {
  EXPECT_THROW(load_npy(files_.path("none.npy")), DataError);
  EXPECT_THROW(load_npy(files_.path()), DataError);
  EXPECT_THROW(save_npy(files_.path("no/such/folder.npy"), Array(1.0f)), DataError);
  EXPECT_THROW(save_npy(files_.path(), Array(1.0f)), DataError);
}

}  // namespace
}  // namespace gcompile
