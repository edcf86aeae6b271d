// Loops and their carried values, register scratch, symbols, launches and copies, and the errors for what breaks the
// rules of the kernel IR.
#include <cmath>

#include "codegen_program.h"
#include "gcompile/base/error.h"

namespace gcompile::codegen::testing {
namespace {

using ir::LoopKind;
using Kind = ir::Scratch::Kind;
constexpr ir::VType kScalar{DType::kF32, false}, kVector{DType::kF32, true};

class CodegenLoops : public OnTarget {};

// A loop that carries a scalar, a lane vector that begins as a scalar, and both of them swapped each time.
Array carried(LoopKind kind, const Dim& extent, std::int64_t n, const Target& target) {
  TestProgram p;
  p.symbol("N");
  p.buffer("x", DType::kF32, {40, 16});
  p.buffer("out", DType::kF32, {3, 16});
  const int zero = p.literal(DType::kF32, 0), half = p.literal(DType::kF32, 0.5);
  const auto after = p.loop(
      "i", extent, kind, {zero, half, half}, {kScalar, kVector, kVector}, [&](const Dim& i, const std::vector<int>& c) {
        const int x = p.load("x", {i, kLane}), s = p.load("x", {i, Dim(3)});
        return std::vector<int>{p.op("add", {c[0], s}, DType::kF32), c[2],
                                p.op("add", {p.op("mul", {c[1], half}, DType::kF32), x}, DType::kF32)};
      });
  for (int k = 0; k < 3; ++k) p.store("out", {Dim(k), kLane}, after[static_cast<std::size_t>(k)]);
  Array x(DType::kF32, {40, 16}), out(DType::kF32, {3, 16});
  for (std::int64_t k = 0; k < x.size(); ++k) x.set(k, std::sin(static_cast<double>(k)));
  p.run(target, {x.raw(), out.raw()}, {n});
  return out;
}

TEST_P(CodegenLoops, UnrolledSerialParallelAndSymbolicAgreeToTheBit) {
  for (const std::int64_t n : {0, 1, 2, 7, 40}) {
    const Array expected = carried(LoopKind::kUnroll, n, n, target());
    EXPECT_TRUE(same_bits(expected, carried(LoopKind::kSerial, n, n, target()))) << n;
    EXPECT_TRUE(same_bits(expected, carried(LoopKind::kParallel, n, n, target()))) << n;
    EXPECT_TRUE(same_bits(expected, carried(LoopKind::kSerial, Dim("N"), n, target()))) << n;
  }
  EXPECT_EQ(carried(LoopKind::kSerial, Dim("N"), 0, target()).at(0), 0);  // what came in
  EXPECT_EQ(carried(LoopKind::kSerial, Dim("N"), 0, target()).at(16), 0.5);
}

TEST_P(CodegenLoops, NestedLoopsWithExtentsOfOuterVariables) {
  TestProgram p;
  p.symbol("N");
  p.buffer("count", DType::kF32, {});
  p.store("count", {}, p.literal(DType::kF32, 0));
  p.loop("i", Dim("N"), LoopKind::kSerial, [&](const Dim& i) {
    p.loop("j", i, LoopKind::kSerial, [&](const Dim& j) {
      const int one = p.op("cast", {p.index(Dim(1) + i * Dim(100) + j)}, DType::kF32);
      p.store("count", {}, p.op("add", {p.load("count", {}), one}, DType::kF32));
    });
  });
  Array count(DType::kF32, Shape{});
  p.run(target(), {count.raw()}, {5});
  EXPECT_EQ(count.item(), 1 * (10 + 100 * (1 + 2 * 2 + 3 * 3 + 4 * 4) + (0 + 1 + 3 + 6)));
}

// More strides in one loop than there are multiples of its variable; also from where a thread's iterations begin, and
// negative ones, with the rest of the sum on both sides of the memory.
TEST_P(CodegenLoops, MultiplesOfTheVariable) {
  constexpr int kStrides = 7, kRows = 9;
  for (const LoopKind kind : {LoopKind::kSerial, LoopKind::kParallel}) {
    TestProgram p;
    p.symbol("N");
    p.buffer("x", DType::kF32, {kStrides * kRows});
    p.buffer("out", DType::kF32, {kRows, kStrides});
    p.loop("i", Dim("N"), kind, [&](const Dim& i) {
      for (int stride = 1; stride <= kStrides; ++stride) {
        const Dim from = stride % 2 ? i * Dim(stride) : Dim(stride * kRows) - Dim(stride) * i - Dim(1);
        p.store("out", {i, Dim(stride - 1)}, p.load("x", {from}));
      }
    });
    Array x(DType::kF32, {kStrides * kRows}), out(DType::kF32, {kRows, kStrides});
    for (std::int64_t k = 0; k < x.size(); ++k) x.set(k, static_cast<double>(k));
    p.run(target(), {x.raw(), out.raw()}, {kRows});
    for (int i = 0; i < kRows; ++i)
      for (int stride = 1; stride <= kStrides; ++stride)
        EXPECT_EQ(out.at(i * kStrides + stride - 1), stride % 2 ? i * stride : stride * (kRows - i) - 1)
            << "row " << i << " stride " << stride;
  }
}

// Elements of registers stay what was stored, by lanes and alone, in and around loops.
TEST_P(CodegenLoops, RegisterScratch) {
  TestProgram p;
  p.buffer("x", DType::kF32, {4, 16});
  p.buffer("out", DType::kF32, {4, 16});
  p.buffer("one", DType::kF32, {4});
  p.scratch("r", DType::kF32, {2, 2, 16}, Kind::kRegister);
  p.scratch("s", DType::kF32, {4}, Kind::kRegister);
  for (const int row : {0, 1})
    p.loop("u", 2, LoopKind::kUnroll, [&](const Dim& u) {
      const Dim from = Dim(2 * row) + u;
      p.store("r", {Dim(row), u, kLane}, p.load("x", {from, kLane}));
      p.store("s", {from}, p.load("r", {Dim(row), u, Dim(5)}));  // one element of the vector
    });
  p.loop("i", 3, LoopKind::kSerial, [&](const Dim&) {  // a serial loop may read what was stored outside
    p.loop("u", 4, LoopKind::kUnroll, [&](const Dim& u) {
      const int first = p.lanes_below(Dim(3));
      p.store("out", {Dim(3) - u, kLane}, p.load("r", {u * Dim(16) + kLane}, first));
      p.store("one", {u}, p.load("s", {u}));
    });
  });
  Array x(DType::kF32, {4, 16}), out(DType::kF32, {4, 16}), one(DType::kF32, {4});
  for (std::int64_t k = 0; k < 64; ++k) x.set(k, static_cast<double>(k + 1));
  p.run(target(), {x.raw(), out.raw(), one.raw()});
  for (std::int64_t u = 0; u < 4; ++u) {
    EXPECT_EQ(one.at(u), x.at(u * 16 + 5));
    for (std::int64_t lane = 0; lane < 16; ++lane)
      EXPECT_EQ(out.at((3 - u) * 16 + lane), lane < 3 ? x.at(u * 16 + lane) : 0);
  }
}

// Interleaved iterations give what unrolled ones give: with loops inside, carried values, registers, a serial loop in
// between, and more iterations than are mixed at a time.
TEST_P(CodegenLoops, InterleavedIterations) {
  constexpr std::int64_t kCount = 21;
  const ir::VType lanes{DType::kF32, true};
  const auto run = [&](LoopKind kind) {
    TestProgram p;
    p.symbol("N");
    p.buffer("x", DType::kF32, {kCount, 16});
    p.buffer("out", DType::kF32, {kCount, 16});
    p.scratch("r", DType::kF32, {kCount, 16}, Kind::kRegister);
    p.loop("i", kCount, kind, [&](const Dim& i) {
      const int first = p.load("x", {i, kLane});
      const int sum = p.loop("k", 3, LoopKind::kUnroll, {first}, {lanes}, [&](const Dim& k, std::span<const int> s) {
        return std::vector<int>{p.op("add", {s[0], p.load("x", {mod(i + k, kCount), kLane})}, DType::kF32)};
      })[0];
      const int more =
          p.loop("n", Dim("N"), LoopKind::kSerial, {sum}, {lanes}, [&](const Dim&, std::span<const int> s) {
            return std::vector<int>{p.op("mul", {s[0], first}, DType::kF32)};
          })[0];
      p.store("r", {i, kLane}, more);
    });
    p.loop("i2", kCount, kind, [&](const Dim& i) { p.store("out", {i, kLane}, p.load("r", {i, kLane})); });
    Array x(DType::kF32, {kCount, 16}), out(DType::kF32, {kCount, 16});
    for (std::int64_t k = 0; k < kCount * 16; ++k) x.set(k, 0.25 * static_cast<double>(k % 13) - 1);
    p.run(target(), {x.raw(), out.raw()}, {3});
    return out;
  };
  const Array expected = run(LoopKind::kUnroll), found = run(LoopKind::kInterleave);
  for (std::int64_t k = 0; k < expected.size(); ++k) EXPECT_EQ(found.at(k), expected.at(k)) << k;
}

// Accumulators on the stack: summed over a serial loop, reduced afterwards.
TEST_P(CodegenLoops, StackAccumulators) {
  constexpr int kCount = 40;  // more than there are registers
  TestProgram p;
  p.symbol("N");
  p.buffer("x", DType::kF32, {Dim("N"), kCount});
  p.buffer("sums", DType::kF32, {kCount});
  p.scratch("acc", DType::kF32, {kCount, 16});
  p.scratch("flags", DType::kBool, {kCount});
  p.loop("c", kCount, LoopKind::kSerial, [&](const Dim& c) {
    p.store("acc", {c, kLane}, p.literal(DType::kF32, 0));
    p.store("flags", {c}, p.op("eq", {p.index(mod(c, 2)), p.index(Dim(0))}, DType::kBool));
  });
  p.loop("t", ceildiv(Dim("N"), 16), LoopKind::kSerial, [&](const Dim& t) {
    const int mask = p.op("lt", {p.index(t * Dim(16) + kLane), p.index(Dim("N"))}, DType::kBool);
    p.loop("c", kCount, LoopKind::kUnroll, [&](const Dim& c) {
      const int x = p.load("x", {t * Dim(16) + kLane, c}, mask);
      p.store("acc", {c, kLane}, p.op("add", {p.load("acc", {c, kLane}), x}, DType::kF32));
    });
  });
  p.lane_reduce("sums", "acc", "add", kCount);
  p.loop("c", kCount, LoopKind::kSerial, [&](const Dim& c) {
    const int sum = p.load("sums", {c});
    p.store("sums", {c}, p.op("select", {p.load("flags", {c}), sum, p.op("neg", {sum}, DType::kF32)}, DType::kF32));
  });
  for (const std::int64_t n : {1, 15, 16, 17, 50}) {
    Array x(DType::kF32, {n, kCount}), sums(DType::kF32, {kCount});
    for (std::int64_t k = 0; k < x.size(); ++k) x.set(k, static_cast<double>(k % 17 - 5));
    p.run(target(), {x.raw(), sums.raw()}, {n});
    for (std::int64_t c = 0; c < kCount; ++c) {
      double expected = 0;
      for (std::int64_t row = 0; row < n; ++row) expected += x.at(row * kCount + c);
      EXPECT_EQ(sums.at(c), c % 2 == 0 ? expected : -expected);
    }
  }
}

// Kernels run in launch order, then states are copied; sizes may be symbolic.
TEST_P(CodegenLoops, StateCopiesAfterTheLastLaunch) {
  TestProgram p;
  p.symbol("N");
  p.buffer("w", DType::kF32, {Dim("N")}, ir::BufferRole::kState);
  p.buffer("next", DType::kF32, {Dim("N")});
  p.loop("i", Dim("N"), LoopKind::kSerial, [&](const Dim& i) {
    p.store("next", {i}, p.op("add", {p.load("w", {i}), p.literal(DType::kF32, 1)}, DType::kF32));
  });
  ir::Program& program = p.program();
  program.copies = {{0, 1}};
  const runtime::NativeCode code = jit(program, target());
  for (const std::int64_t n : {0, 1, 1000}) {
    Array w = Array::full(DType::kF32, {n}, 3), next(DType::kF32, {n});
    void* buffers[] = {w.raw(), next.raw()};
    ASSERT_EQ(code.entry(buffers, &n, runtime::serial()), 0);
    for (std::int64_t k = 0; k < n; ++k) ASSERT_EQ(w.at(k), 4);
  }
  program.copies = {{0, 1}, {1, 0}};
  EXPECT_THROW(jit(program, target()), InternalError);
}

INSTANTIATE_TEST_SUITE_P(Targets, CodegenLoops, ::testing::ValuesIn(targets_here()), target_test_name);

// What register scratch cannot do is refused by name.
void expect_refused(TestProgram& p, const std::string& reason) {
  try {
    emit_llvm(p.program(), host_target());
    FAIL() << "was emitted";
  } catch (const InternalError& e) {
    EXPECT_NE(std::string(e.what()).find(reason), std::string::npos) << e.what();
  }
}

TEST(CodegenErrors, RegistersStoredInASerialLoopAndReadAfterIt) {
  TestProgram p;
  p.scratch("r", DType::kF32, {1}, Kind::kRegister);
  p.loop("i", 4, LoopKind::kSerial, [&](const Dim&) { p.store("r", {Dim(0)}, p.literal(DType::kF32, 1)); });
  p.load("r", {Dim(0)});
  expect_refused(p, "after the serial loop");
}

TEST(CodegenErrors, RegistersCarriedRoundASerialLoop) {
  TestProgram p;
  p.scratch("r", DType::kF32, {1}, Kind::kRegister);
  p.store("r", {Dim(0)}, p.literal(DType::kF32, 1));
  p.loop("i", 4, LoopKind::kSerial,
         [&](const Dim&) { p.store("r", {Dim(0)}, p.op("neg", {p.load("r", {Dim(0)})}, DType::kF32)); });
  expect_refused(p, "carried round");
}

TEST(CodegenErrors, RegistersWithAnIndexThatIsNotConstant) {
  TestProgram p;
  p.scratch("r", DType::kF32, {4}, Kind::kRegister);
  p.loop("i", 4, LoopKind::kSerial, [&](const Dim& i) { p.store("r", {i}, p.literal(DType::kF32, 1)); });
  expect_refused(p, "not constant");
}

TEST(CodegenErrors, RegistersReadBeforeTheyAreStored) {
  TestProgram p;
  p.scratch("r", DType::kF32, {4, 16}, Kind::kRegister);
  p.load("r", {Dim(1), kLane});
  expect_refused(p, "before it is stored");
}

TEST(CodegenErrors, UnrollingWhatHasNoConstantExtent) {
  TestProgram p;
  p.symbol("N");
  p.loop("i", Dim("N"), LoopKind::kUnroll, [&](const Dim&) {});
  expect_refused(p, "unrolled");
}

TEST(CodegenErrors, ASymbolThatNothingBinds) {
  TestProgram p;
  p.buffer("x", DType::kF32, {Dim("N")});
  p.load("x", {Dim("N") - Dim(1)});
  expect_refused(p, "nothing binds the symbol N");
}

}  // namespace
}  // namespace gcompile::codegen::testing
