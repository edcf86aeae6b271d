// Transposed loads and lane reductions, of every size that their shuffle networks distinguish.
#include <sys/mman.h>
#include <unistd.h>

#include <cmath>

#include "codegen_program.h"

namespace gcompile::codegen::testing {
namespace {

using Kind = ir::Scratch::Kind;

class CodegenTranspose : public OnTarget {};

// A [rows, stride] matrix that ends where a page begins that must not be touched.
class LastMatrix {
 public:
  LastMatrix(std::int64_t rows, std::int64_t stride) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const auto count = static_cast<std::size_t>(rows * stride);
    bytes_ = (count * 4 + page - 1) / page * page + page;
    base_ = static_cast<char*>(mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    EXPECT_NE(base_, MAP_FAILED);
    mprotect(base_ + bytes_ - page, page, PROT_NONE);
    data = reinterpret_cast<float*>(base_ + bytes_ - page) - count;
    for (std::size_t k = 0; k < count; ++k) data[k] = static_cast<float>(k + 1);
  }
  LastMatrix(const LastMatrix&) = delete;
  LastMatrix& operator=(const LastMatrix&) = delete;
  ~LastMatrix() { munmap(base_, bytes_); }
  float* data;

 private:
  std::size_t bytes_;
  char* base_;
};

// memory[c, lane] = x[lane, column + c] where lane < N, else 0; x is as long as N rows need.
TEST_P(CodegenTranspose, AllColumnsAllRows) {
  for (const auto& [extra, column] : {std::pair<int, int>{0, 0}, {3, 2}})
    for (int columns = 1; columns <= 33; ++columns)
      for (const Kind kind : {Kind::kRegister, Kind::kStack}) {
        if (kind == Kind::kStack && columns % 7 != 0) continue;
        const std::int64_t stride = columns + extra;
        TestProgram p;
        p.symbol("N");
        p.buffer("x", DType::kF32, {Dim("N"), stride});
        p.buffer("out", DType::kF32, {columns, 16});
        p.scratch("t", DType::kF32, {columns, 16}, kind);
        p.load_transposed("t", "x", 0, column, columns, p.lanes_below(Dim("N")));
        p.loop("c", columns, ir::LoopKind::kUnroll, [&](const Dim& c) {
          p.store("out", {c, kLane}, p.load("t", {c, kLane}));
        });
        const runtime::NativeCode code = jit(p.program(), target());
        for (std::int64_t rows = 0; rows <= 16; ++rows) {
          LastMatrix x(rows, stride);
          Array out(DType::kF32, {columns, 16});
          void* buffers[] = {x.data, out.raw()};
          ASSERT_EQ(code.entry(buffers, &rows, runtime::serial()), 0);
          for (std::int64_t c = 0; c < columns; ++c)
            for (std::int64_t lane = 0; lane < 16; ++lane)
              ASSERT_EQ(out.at(c * 16 + lane), lane < rows ? static_cast<double>(lane * stride + column + c + 1) : 0.0)
                  << columns << " columns, " << rows << " rows, c " << c << " lane " << lane;
        }
      }
}

// A constant number of rows: what lanes behind them hold is nobody's, and up to eight take registers of half the width.
TEST_P(CodegenTranspose, ConstantRows) {
  for (const std::int64_t rows : {1, 3, 5, 7, 8, 9, 15})
    for (const int columns : {2, 5, 8, 9, 13, 15, 16, 17, 31}) {
      TestProgram p;
      p.buffer("x", DType::kF32, {rows, columns});
      p.buffer("out", DType::kF32, {columns, 16});
      p.scratch("t", DType::kF32, {columns, 16}, Kind::kRegister);
      p.load_transposed("t", "x", 0, 0, columns, p.lanes_below(Dim(rows)));
      p.loop("c", columns, ir::LoopKind::kUnroll, [&](const Dim& c) {
        p.store("out", {c, kLane}, p.load("t", {c, kLane}));
      });
      const runtime::NativeCode code = jit(p.program(), target());
      LastMatrix x(rows, columns);
      Array out(DType::kF32, {columns, 16});
      void* buffers[] = {x.data, out.raw()};
      ASSERT_EQ(code.entry(buffers, nullptr, runtime::serial()), 0);
      for (std::int64_t c = 0; c < columns; ++c)
        for (std::int64_t lane = 0; lane < rows; ++lane)
          ASSERT_EQ(out.at(c * 16 + lane), static_cast<double>(lane * columns + c + 1))
              << columns << " columns, " << rows << " rows, c " << c << " lane " << lane;
    }
}

// Without a mask, from a later row, of each dtype.
TEST_P(CodegenTranspose, UnmaskedOfEveryDType) {
  for (const DType dtype : kAllDTypes)
    for (const int columns : {1, 2, 3, 4, 5, 6, 7, 8, 11, 16, 18}) {
      TestProgram p;
      p.buffer("x", dtype, {32, columns});
      p.buffer("out", dtype, {2, columns, 16});
      p.loop("t", 2, ir::LoopKind::kSerial, [&](const Dim& t) {
        p.scratch("s" + std::to_string(columns), dtype, {columns, 16}, Kind::kRegister);
        const std::string s = "s" + std::to_string(columns);
        p.load_transposed(s, "x", t * Dim(16), 0, columns);
        p.loop("c", columns, ir::LoopKind::kUnroll, [&](const Dim& c) {
          p.store("out", {t, c, kLane}, p.load(s, {c, kLane}));
        });
      });
      Array x(dtype, {32, columns}), out(dtype, {2, columns, 16});
      for (std::int64_t k = 0; k < x.size(); ++k)
        x.set(k, dtype == DType::kBool ? k * k % 5 == 1 : static_cast<double>(k));
      p.run(target(), {x.raw(), out.raw()});
      for (std::int64_t row = 0; row < 32; ++row)
        for (std::int64_t c = 0; c < columns; ++c)
          ASSERT_EQ(out.at((row / 16 * columns + c) * 16 + row % 16), x.at(row * columns + c))
              << name(dtype) << columns;
    }
}

// And back: a block [c, lane] becomes rows of a buffer, of any extent; rows that the mask leaves out, columns beside
// the block and other batches keep what they had.
TEST_P(CodegenTranspose, StoresColumnsAsRows) {
  for (const DType dtype : {DType::kF32, DType::kF64, DType::kI32, DType::kBool})
    for (const int columns : {1, 2, 3, 4, 5, 8, 11, 16, 18, 33}) {
      TestProgram p;
      p.symbol("N");
      p.buffer("x", dtype, {columns, 16});
      p.buffer("out", dtype, {2, Dim("N"), columns + 3});
      p.scratch("t", dtype, {columns, 16}, columns % 2 ? Kind::kRegister : Kind::kStack);
      p.loop("c", columns, ir::LoopKind::kUnroll, [&](const Dim& c) {
        p.store("t", {c, kLane}, p.load("x", {c, kLane}));
      });
      p.store_transposed("out", {Dim(1), kLane, Dim(2)}, "t", columns, p.lanes_below(Dim("N")));
      const runtime::NativeCode code = jit(p.program(), target());
      for (const std::int64_t rows : {1, 7, 16}) {
        Array x(dtype, {columns, 16}), out(dtype, {2, rows, columns + 3});
        const auto made = [&](std::int64_t k) {
          return dtype == DType::kBool ? k % 3 != 1 : static_cast<double>(k + 1);
        };
        for (std::int64_t k = 0; k < x.size(); ++k) x.set(k, made(k));
        void* buffers[] = {x.raw(), out.raw()};
        ASSERT_EQ(code.entry(buffers, &rows, runtime::serial()), 0);
        for (std::int64_t b = 0; b < 2; ++b)
          for (std::int64_t r = 0; r < rows; ++r)
            for (std::int64_t c = 0; c < columns + 3; ++c)
              ASSERT_EQ(out.at((b * rows + r) * (columns + 3) + c),
                        b == 1 && c >= 2 && c < columns + 2 ? made((c - 2) * 16 + r) : 0)
                  << name(dtype) << columns << " columns, " << rows << " rows, row " << r << " column " << c;
      }
    }
}

template <class T, class F>
T tree(const T* lanes, F combine) {
  T x[16];
  std::copy(lanes, lanes + 16, x);
  for (int step : {8, 4, 2, 1})
    for (int l = 0; l < step; ++l) x[l] = combine(x[l], x[l + step]);
  return x[0];
}

// The same tree for every k whatever the extent, to the last bit.
TEST_P(CodegenTranspose, LaneReduceTakesTheFixedTree) {
  for (const std::string combine : {"add", "max", "min", "mul"})
    for (int extent = 1; extent <= 40; ++extent)
      for (const Kind kind : {Kind::kRegister, Kind::kStack}) {
        if ((combine != "add" || kind == Kind::kStack) && extent % 8 > 1) continue;  // the networks are the same
        TestProgram p;
        p.buffer("x", DType::kF32, {extent, 16});
        p.buffer("out", DType::kF32, {extent});
        p.scratch("from", DType::kF32, {extent, 16}, kind);
        p.scratch("to", DType::kF32, {extent}, kind);
        p.loop("k", extent, ir::LoopKind::kUnroll, [&](const Dim& k) {
          p.store("from", {k, kLane}, p.load("x", {k, kLane}));
        });
        p.lane_reduce("to", "from", combine, extent);
        p.loop("k", extent, ir::LoopKind::kUnroll, [&](const Dim& k) { p.store("out", {k}, p.load("to", {k})); });
        Array x(DType::kF32, {extent, 16}), out(DType::kF32, {extent});
        for (std::int64_t k = 0; k < x.size(); ++k) x.set(k, std::sin(static_cast<double>(k) * 1.7) * 3);
        p.run(target(), {x.raw(), out.raw()});
        for (int k = 0; k < extent; ++k) {
          const float expected = tree(x.data<float>().data() + 16 * k, [&](float a, float b) {
            return combine == "add"   ? a + b
                   : combine == "mul" ? a * b
                   : combine == "max" ? std::max(a, b)
                                      : std::min(a, b);
          });
          ASSERT_EQ(out.data<float>()[static_cast<std::size_t>(k)], expected) << combine << " " << k << "/" << extent;
        }
      }
}

// Straight from and to buffers, of the other dtypes; what lies behind the result stays.
TEST_P(CodegenTranspose, LaneReduceOfOtherDTypes) {
  for (const DType dtype : {DType::kF64, DType::kI32, DType::kBool})
    for (const int extent : {1, 2, 5, 16, 19}) {
      TestProgram p;
      p.buffer("x", dtype, {extent, 16});
      p.buffer("out", dtype, {extent + 1});
      p.lane_reduce("out", "x", dtype == DType::kBool ? "or" : "add", extent);
      Array x(dtype, {extent, 16}), out = Array::full(dtype, {extent + 1}, 1);
      for (std::int64_t k = 0; k < x.size(); ++k) x.set(k, dtype == DType::kBool ? k == 37 : static_cast<double>(k));
      p.run(target(), {x.raw(), out.raw()});
      for (std::int64_t k = 0; k < extent; ++k)
        EXPECT_EQ(out.at(k), dtype == DType::kBool ? static_cast<double>(k == 2) : static_cast<double>(256 * k + 120));
      EXPECT_EQ(out.at(extent), 1);
    }
}

INSTANTIATE_TEST_SUITE_P(Targets, CodegenTranspose, ::testing::ValuesIn(targets_here()), target_test_name);

}  // namespace
}  // namespace gcompile::codegen::testing
