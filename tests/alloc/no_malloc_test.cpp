// Steps 2..n call malloc never. All allocations of the process are counted, by replacing malloc and its kin with
// functions that forward to the C library's.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "gcompile/gcompile.h"

extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
}

namespace {
std::atomic<long> allocations{0};
}

extern "C" {
void* malloc(std::size_t n) { return ++allocations, __libc_malloc(n); }
void* calloc(std::size_t n, std::size_t size) { return ++allocations, __libc_calloc(n, size); }
void* realloc(void* p, std::size_t n) { return ++allocations, __libc_realloc(p, n); }
void* memalign(std::size_t alignment, std::size_t n) { return ++allocations, __libc_memalign(alignment, n); }
void* aligned_alloc(std::size_t alignment, std::size_t n) { return ++allocations, __libc_memalign(alignment, n); }
int posix_memalign(void** p, std::size_t alignment, std::size_t n) {
  ++allocations;
  *p = __libc_memalign(alignment, n);
  return *p ? 0 : 12;
}
}

namespace gcompile {
namespace {

template <class F>
long counted(const F& f) {
  const long before = allocations;
  f();
  return allocations - before;
}

struct Net : nn::Module {
  nn::Linear linear1{this, "linear1", 8, 6}, linear2{this, "linear2", 6, 4}, linear3{this, "linear3", 4, 1};
  Tensor forward(Tensor x) const { return sigmoid(linear3(sigmoid(linear2(sigmoid(linear1(x)))))); }
};

TEST(NoMalloc, TheCounterCounts) {
  EXPECT_GE(counted([] { std::vector<int> v(100); }), 1);
  EXPECT_GE(counted([] { Array a(DType::kF32, {100}); }), 1);
}

TEST(NoMalloc, StepsOfOneShape) {
  const Array x(DType::kF32, {32, 8}), y(DType::kF32, {32, 1});
  Net model;
  TrainStep step(model, nn::BCELoss{}, optim::SGD{.lr = 0.1, .momentum = 0.9});
  step(x, y);
  double last = 0;
  EXPECT_EQ(counted([&] {
              for (int i = 0; i < 100; ++i) last = step(x, y).item();
            }),
            0);
  EXPECT_GT(last, 0);
}

TEST(NoMalloc, StepsThatAreProfiled) {
  const Array x(DType::kF32, {32, 8}), y(DType::kF32, {32, 1});
  Net model;
  TrainStep step(model, nn::BCELoss{}, optim::SGD{.lr = 0.1}, {.profile = true});
  step(x, y);
  EXPECT_EQ(counted([&] {
              for (int i = 0; i < 100; ++i) step(x, y);
            }),
            0);
  EXPECT_EQ(step.compiled().profile().calls, 101);
}

TEST(NoMalloc, StepsThatLookForNaN) {
  const Array x(DType::kF32, {32, 8}), y(DType::kF32, {32, 1}), bad = Array::full(DType::kF32, {32, 8}, NAN);
  Net model;
  TrainStep step(model, nn::BCELoss{}, optim::Adam{}, {.check = Check::NaN});
  step(x, y);
  EXPECT_THROW(step(bad, y), NumericError);  // what a trap needed is gone
  double last = 0;
  EXPECT_EQ(counted([&] {
              for (int i = 0; i < 100; ++i) last = step(x, y).item();
            }),
            0);
  EXPECT_GT(last, 0);
}

// What a sort needs beside its result is in the arena.
TEST(NoMalloc, SortsOfASymbolicExtent) {
  const Array x(DType::kF32, {16, 100});
  auto smallest = jit([](Tensor t) { return sum(slice(sort(t, 1), 1, 0, 2)); }, {.threads = 1});
  smallest(x);
  double last = 1;
  EXPECT_EQ(counted([&] {
              for (int i = 0; i < 100; ++i) last = smallest(x).item();
            }),
            0);
  EXPECT_EQ(last, 0);
}

TEST(NoMalloc, ScalarsInAndSeveralResultsOut) {
  Parameter w{"w", 1.0f};
  auto step = jit([&](Tensor x, Tensor y) {
    const Tensor loss = square(x * w - y), dw = grad(loss, w);
    w.set(w - 0.01f * dw);
    return outputs(loss, dw);
  });
  step(1.0f, 2.0f);
  EXPECT_EQ(counted([&] {
              for (int i = 0; i < 100; ++i) auto [loss, dw] = step(1.0f, 2.0f);
            }),
            0);
}

TEST(NoMalloc, LargeResultsThatAreLetGo) {
  auto f = jit([](Tensor x) { return outputs(x + 1, x * 2); });
  const Array x(DType::kF32, {1000});
  for (int i = 0; i < 4; ++i) f(x);
  std::array<Array, 2> held;
  for (int i = 0; i < 8; ++i) held = f(x);  // every slot gets its buffers
  EXPECT_EQ(counted([&] {
              for (int i = 0; i < 100; ++i) held = f(x);
            }),
            0);
  EXPECT_EQ(held[0].at(999), 1);
}

long page_faults() {
  rusage use{};
  ::getrusage(RUSAGE_SELF, &use);
  return use.ru_minflt + use.ru_majflt;
}

struct Wide : nn::Module {
  nn::Linear linear1{this, "linear1", 196, 256}, linear2{this, "linear2", 256, 10};
  Tensor forward(Tensor x) const { return linear2(relu(linear1(x))); }
};

// Steps whose temporaries take dozens of pages touch no new one: one step of a hundred with a fresh buffer would be
// seen.
TEST(NoPageFaults, StepsOfAMidSizeNetwork) {
  const Array x(DType::kF32, {64, 196}), y(DType::kI32, {64});
  for (const int threads : {1, 2}) {
    Wide model;
    TrainStep step(model, nn::CrossEntropyLoss{}, optim::SGD{.lr = 0.1, .momentum = 0.9}, {.threads = threads});
    for (int i = 0; i < 20; ++i) step(x, y);
    ASSERT_GT(step.compiled().peak_bytes(), 16 * 4096);
    const long before = page_faults();
    EXPECT_EQ(counted([&] {
                for (int i = 0; i < 100; ++i) step(x, y);
              }),
              0);
    EXPECT_LT(page_faults() - before, 16) << threads << " threads";  // what the system does by itself
  }
}

TEST(NoMalloc, VariantsThatTakeTurns) {
  auto f = jit([](Tensor x) { return sum(x); });
  const Array a(DType::kF32, {3}), b(DType::kF32, {3, 3});
  f(a), f(b);
  EXPECT_EQ(counted([&] {
              for (int i = 0; i < 100; ++i) f(a), f(b);
            }),
            0);
}

}  // namespace
}  // namespace gcompile
