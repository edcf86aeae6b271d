// Loads and stores of every kind: contiguous, backwards, strided and scattered, with masks, next to a page that must
// not be touched.
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <random>

#include "codegen_program.h"
#include "gcompile/base/error.h"

namespace gcompile::codegen::testing {
namespace {

// `bytes` bytes that end where a page begins that cannot be read or written, or that begin where one ends.
class Guarded {
 public:
  Guarded(std::size_t bytes, bool at_end) : page_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))) {
    pages_ = 2 + (bytes + page_ - 1) / page_;
    base_ =
        static_cast<char*>(mmap(nullptr, pages_ * page_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    EXPECT_NE(base_, MAP_FAILED);
    mprotect(base_, page_, PROT_NONE);
    mprotect(base_ + (pages_ - 1) * page_, page_, PROT_NONE);
    data_ = at_end ? base_ + (pages_ - 1) * page_ - bytes : base_ + page_;
  }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;
  ~Guarded() { munmap(base_, pages_ * page_); }
  void* raw() { return data_; }

 private:
  std::size_t page_, pages_;
  char *base_, *data_;
};

double get(const void* memory, DType dtype, std::int64_t k) {
  return dispatch(dtype, [&](auto t) { return static_cast<double>(static_cast<const decltype(t)*>(memory)[k]); });
}
void set(void* memory, DType dtype, std::int64_t k, double x) {
  dispatch(dtype, [&](auto t) { static_cast<decltype(t)*>(memory)[k] = static_cast<decltype(t)>(x); });
}
double sample(DType dtype, std::int64_t k) {
  return dtype == DType::kBool ? static_cast<double>(k % 3 == 0) : static_cast<double>(k + 1);
}

class CodegenMemory : public OnTarget {};

// out[lane] = x[lane] for lane < N, both arrays exactly N long and next to forbidden pages.
TEST_P(CodegenMemory, MaskedLanesNeverTouchMemory) {
  for (const DType dtype : kAllDTypes)
    for (const bool backwards : {false, true}) {
      TestProgram p;
      p.symbol("N");
      p.buffer("x", dtype, {Dim("N")});
      p.buffer("out", dtype, {Dim("N")});
      const int mask = p.lanes_below(Dim("N"));
      const Dim at = backwards ? Dim("N") - Dim(1) - kLane : kLane;
      p.store("out", {kLane}, p.load("x", {at}, mask), mask);
      const runtime::NativeCode code = jit(p.program(), target());
      for (const bool at_end : {false, true})
        for (std::int64_t n = 0; n <= 16; ++n) {
          const std::size_t bytes = static_cast<std::size_t>(n) * size_of(dtype);
          Guarded x(bytes, at_end), out(bytes, at_end);
          for (std::int64_t k = 0; k < n; ++k) set(x.raw(), dtype, k, sample(dtype, k));
          void* buffers[] = {x.raw(), out.raw()};
          ASSERT_EQ(code.entry(buffers, &n, runtime::serial()), 0);
          for (std::int64_t k = 0; k < n; ++k)
            ASSERT_EQ(get(out.raw(), dtype, k), sample(dtype, backwards ? n - 1 - k : k)) << name(dtype) << n;
        }
    }
}

// What a masked-out lane of a load holds is 0, and a masked-out lane of a store leaves what was there.
TEST_P(CodegenMemory, MaskedOutLanesAreZeroAndKeepTheirMemory) {
  for (const DType dtype : kAllDTypes) {
    TestProgram p;
    for (const char* name : {"x", "loaded", "kept"}) p.buffer(name, dtype, {16});
    const int odd = p.op("eq", {p.index(mod(kLane, 2)), p.index(Dim(1))}, DType::kBool);
    p.store("loaded", {kLane}, p.load("x", {kLane}, odd));
    p.store("kept", {kLane}, p.load("x", {kLane}), odd);
    Array x = Array::full(dtype, {16}, 1), loaded = Array::full(dtype, {16}, 1), kept(dtype, {16});
    p.run(target(), {x.raw(), loaded.raw(), kept.raw()});
    for (std::int64_t k = 0; k < 16; ++k) {
      EXPECT_EQ(loaded.at(k), k % 2) << name(dtype);
      EXPECT_EQ(kept.at(k), k % 2) << name(dtype);
    }
  }
}

// Index expressions over [6, S] that need every kind of access, masked by lane < limit, against Dim::evaluate.
TEST_P(CodegenMemory, EveryKindOfIndex) {
  const Dim s{"S"}, three = Dim(3), i = Dim("i");
  const std::vector<ir::Index> indices = {
      {kLane},                                                         // linear offset, contiguous
      {Dim(2), kLane},                                                 // contiguous
      {Dim(1), Dim(16) - kLane},                                       // backwards
      {Dim(0), Dim(2) * kLane + Dim(1)},                               // constant stride
      {floordiv(kLane, 4), i},                                         // lane inside an atom
      {mod(kLane, 6), floordiv(kLane, 3)},                             // divisor that is no power of two
      {floordiv(Dim(0) - kLane, 3) + Dim(5), mod(Dim(0) - kLane, 5)},  // negative numerators
      {floordiv(Dim(-2) * i, 3) + Dim(2), mod(Dim(-2) * i, 7)},        // scalar ones
      {Dim(5), Dim(3)},                                                // one element for all lanes
      {s * floordiv(kLane, 4) + i},                                    // symbolic
      {Dim(4) * kLane * three + i},                                    // product
      {mod(kLane, 2) * kLane},                                         // lane times lane
      {floordiv(kLane, 8) * s + mod(kLane, 8)},
      {three * i - kLane + Dim(20)},
  };
  constexpr std::int64_t kStride = 37, kRows = 6;
  for (const ir::Index& index : indices)
    for (const bool masked : {false, true}) {
      TestProgram p;
      for (const char* name : {"S", "limit"}) p.symbol(name);
      p.buffer("x", DType::kF32, {kRows, s});
      p.buffer("loaded", DType::kF32, {4, 16});
      p.buffer("stored", DType::kF32, {kRows, s});
      const int mask = masked ? p.lanes_below(Dim("limit")) : -1;
      const bool by_lane = index.size() == 1 ? index[0].uses(ir::kLaneSymbol)
                                             : index[0].uses(ir::kLaneSymbol) || index[1].uses(ir::kLaneSymbol);
      p.loop("i", 4, ir::LoopKind::kSerial, [&](const Dim& n) {
        p.store("loaded", {n, kLane}, p.load("x", index, mask));
        const int tag = p.op("cast", {p.index(n * Dim(100) + kLane + Dim(1))}, DType::kF32);
        if (by_lane) p.store("stored", index, tag, mask);
      });
      Array x(DType::kF32, {kRows, kStride}), loaded(DType::kF32, {4, 16}), stored(DType::kF32, {kRows, kStride});
      for (std::int64_t k = 0; k < x.size(); ++k) x.set(k, static_cast<double>(k + 1));
      const std::int64_t limit = 11;
      p.run(target(), {x.raw(), loaded.raw(), stored.raw()}, {kStride, limit});
      Array expected(DType::kF32, {kRows, kStride});
      for (std::int64_t n = 0; n < 4; ++n)
        for (std::int64_t lane = 0; lane < 16; ++lane) {
          const std::map<std::string, std::int64_t> at{{"S", kStride}, {"limit", limit}, {"i", n}, {"lane", lane}};
          const std::int64_t offset =
              index.size() == 1 ? index[0].evaluate(at) : index[0].evaluate(at) * kStride + index[1].evaluate(at);
          const bool on = !masked || lane < limit;
          EXPECT_EQ(loaded.at(n * 16 + lane), on ? static_cast<double>(offset + 1) : 0.0)
              << index[0].str() << " lane " << lane << " i " << n << " masked " << masked;
          if (on && by_lane) expected.set(offset, static_cast<double>(n * 100 + lane + 1));
        }
      EXPECT_TRUE(same_bits(stored, expected)) << index[0].str() << " stored by lanes, masked " << masked;
    }
}

// Strided and scattered accesses beside forbidden pages: rows that the mask switches off do not exist.
TEST_P(CodegenMemory, MaskedGathersAndScattersStayInside) {
  for (const DType dtype : kAllDTypes) {
    TestProgram p;
    p.symbol("N");
    p.buffer("x", dtype, {Dim("N"), 5});
    p.buffer("out", dtype, {Dim("N"), 5});
    const int mask = p.lanes_below(Dim("N"));
    p.loop("c", 5, ir::LoopKind::kSerial, [&](const Dim& c) {
      p.store("out", {kLane, c}, p.load("x", {kLane, c}, mask), mask);
    });
    const runtime::NativeCode code = jit(p.program(), target());
    for (std::int64_t n = 0; n <= 16; ++n) {
      const std::size_t bytes = static_cast<std::size_t>(n) * 5 * size_of(dtype);
      Guarded x(bytes, true), out(bytes, true);
      for (std::int64_t k = 0; k < 5 * n; ++k) set(x.raw(), dtype, k, sample(dtype, k));
      void* buffers[] = {x.raw(), out.raw()};
      ASSERT_EQ(code.entry(buffers, &n, runtime::serial()), 0);
      ASSERT_EQ(std::memcmp(x.raw(), out.raw(), bytes), 0) << name(dtype) << n;
    }
  }
}

// A scalar access under a scalar mask, and one element for all lanes under a lane mask, at an address that is not
// there.
TEST_P(CodegenMemory, MaskedScalarsStayInside) {
  TestProgram p;
  p.symbol("on");
  for (const char* name : {"x", "y", "out", "all"}) p.buffer(name, DType::kF32, {16});
  const int scalar = p.op("ne", {p.index(Dim("on")), p.index(Dim(0))}, DType::kBool);
  p.store("out", {Dim(3)}, p.load("x", {Dim(3)}, scalar));
  p.store("y", {Dim(3)}, p.literal(DType::kF32, 5), scalar);
  const int some = p.op("gt", {p.index(Dim("on") * Dim(4)), p.index(kLane)}, DType::kBool);
  p.store("all", {kLane}, p.load("x", {Dim(7)}, some));
  const runtime::NativeCode code = jit(p.program(), target());
  Array x = Array::full(DType::kF32, {16}, 2), y(DType::kF32, {16}), out = Array::full(DType::kF32, {16}, 9), all = out;
  void* const nowhere = reinterpret_cast<void*>(64);
  for (const std::int64_t on : {0, 1}) {
    void* buffers[] = {on ? x.raw() : nowhere, on ? y.raw() : nowhere, out.raw(), all.raw()};
    ASSERT_EQ(code.entry(buffers, &on, runtime::serial()), 0);
    EXPECT_EQ(out.at(3), on ? 2 : 0);
    for (std::int64_t k = 0; k < 16; ++k) EXPECT_EQ(all.at(k), on && k < 4 ? 2 : 0);
  }
  EXPECT_EQ(y.at(3), 5);
}

// $0 and $1 in an index are values: rows chosen by lane (an embedding), a row chosen by a scalar.
TEST_P(CodegenMemory, IndicesFromValues) {
  TestProgram p;
  p.buffer("table", DType::kF32, {7, 3});
  p.buffer("rows", DType::kI32, {16});
  for (const char* name : {"by_lane", "by_scalar", "numbers"}) p.buffer(name, DType::kF32, {16});
  const int rows = p.load("rows", {kLane}), row = p.load("rows", {Dim(4)});
  p.store("by_lane", {kLane}, p.load("table", {Dim("$0"), Dim("$1")}, -1, {rows, p.literal(DType::kI32, 2)}));
  p.store("by_scalar", {kLane}, p.load("table", {Dim("$0"), mod(kLane, 3)}, -1, {row}));
  p.store("numbers", {Dim("$0")}, p.op("cast", {p.index(Dim("$0") * Dim(2) + kLane, {rows})}, DType::kF32), -1,
          {p.index(Dim(15) - kLane)});
  Array table(DType::kF32, {7, 3}), picks(DType::kI32, {16}), by_lane(DType::kF32, {16}), by_scalar(DType::kF32, {16}),
      numbers(DType::kF32, {16});
  for (std::int64_t k = 0; k < 21; ++k) table.set(k, static_cast<double>(k));
  for (std::int64_t k = 0; k < 16; ++k) picks.set(k, static_cast<double>((k * 5) % 7));
  p.run(target(), {table.raw(), picks.raw(), by_lane.raw(), by_scalar.raw(), numbers.raw()});
  for (std::int64_t k = 0; k < 16; ++k) {
    EXPECT_EQ(by_lane.at(k), static_cast<double>((k * 5) % 7 * 3 + 2));
    EXPECT_EQ(by_scalar.at(k), static_cast<double>((4 * 5) % 7 * 3 + k % 3));
    EXPECT_EQ(numbers.at(15 - k), static_cast<double>((k * 5) % 7 * 2 + k));
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, CodegenMemory, ::testing::ValuesIn(targets_here()), target_test_name);

}  // namespace
}  // namespace gcompile::codegen::testing
