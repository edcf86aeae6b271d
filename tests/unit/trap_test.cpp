// The record that an executable keeps of what stopped it.
#include "gcompile/runtime/trap.h"

#include <gtest/gtest.h>

#include <cmath>

#include "gcompile/base/error.h"
#include "gcompile/codegen/compile.h"
#include "gcompile/ir/parse.h"
#include "gcompile/passes/pipeline.h"

namespace gcompile::runtime {
namespace {

using Kind = TrapRecord::Kind;

const char kLog[] = "graph @g(%x: f32[]) { %0 = neg(%x) : f32[] %1 = log(%0) : f32[] return %1 }";

void call(Executable& executable, const Array& x) {
  const Array* const arguments[] = {&x};
  std::vector<Array> results(executable.result_count());
  executable.run(arguments, results);
}

TEST(Trap, OfANaN) {
  const auto executable = codegen::compile(ir::parse_graph(kLog), {.check_nan = true, .after_pass = nullptr});
  EXPECT_EQ(executable->result_count(), 1u);
  EXPECT_FALSE(executable->trap());
  EXPECT_THROW(call(*executable, 2.0f), NumericError);
  EXPECT_EQ(executable->trap().kind, Kind::kNaN);
  EXPECT_EQ(executable->trap().code, 3);  // x, neg, log
  EXPECT_EQ(executable->trap().argument, -1);
  EXPECT_THROW(call(*executable, NAN), NumericError);
  EXPECT_EQ(executable->trap().argument, 0);
  call(*executable, -2.0f);
  EXPECT_FALSE(executable->trap());
}

// What is told of a NaN in the results of the graph.
std::string told(const std::string& text, const std::vector<Array>& arguments) {
  const auto executable = codegen::compile(ir::parse_graph(text), {.check_nan = true, .after_pass = nullptr});
  std::vector<const Array*> given;
  for (const Array& a : arguments) given.push_back(&a);
  std::vector<Array> results(executable->result_count());
  try {
    executable->run(given, results);
  } catch (const NumericError& e) {
    return e.what();
  }
  return "";
}

// The carry has a NaN from step 2 on, and what is stacked one step later, where nothing is new.
TEST(Trap, OfANaNInALoop) {
  const char scan[] = R"(graph @g(%h: f32[2], %x: f32[T,2]) {
    %0:2 = scan(%h, %x) {carries = 1, length = (T), reverse = false, sequences = 1} : (f32[2], f32[T,2]) loc("model.cpp":3)
        graph @step(%c: f32[2], %e: f32[2]) {
      %0 = sub(%c, %e) : f32[2] loc("model.cpp":4)
      %1 = sqrt(%0) : f32[2] loc("model.cpp":5)
      %2 = add(%c, %e) : f32[2]
      return %1, %2
    }
    return %0#0, %0#1
  })";
  const Array x{{0.0f, 1.0f}, {0.0f, 2.0f}, {0.0f, 3.0f}, {0.0f, 0.0f}};
  EXPECT_EQ(told(scan, {Array{1.0f, 10.0f}, x}),
            "model.cpp:5: sqrt made a NaN, in step 2 of the scan at model.cpp:3: 1 of 2 elements of f32[2], first at "
            "[1]; nothing was updated\n  operand f32[2]  -2 .. 1  made at model.cpp:4 (sub)");
  EXPECT_EQ(told(scan, {Array{1.0f, 1000.0f}, x}), "");
}

// Halved until it is small: the logarithm of what is left becomes negative, and its root is none.
TEST(Trap, OfANaNInAWhile) {
  const char text[] = R"(graph @g(%x: f32[]) {
    %0 = constant f32[] 0.5
    %1 = while(%x, %0) {carries = 1} : f32[] loc("model.cpp":6) graph @condition(%c: f32[], %k: f32[]) {
      %0 = ge(%c, %k) : bool[]
      return %0
    } graph @step(%c: f32[], %k: f32[]) {
      %0 = mul(%c, %k) : f32[]
      %1 = log(%0) : f32[] loc("model.cpp":7)
      %2 = sqrt(%1) : f32[] loc("model.cpp":8)
      return %2
    }
    return %1
  })";
  EXPECT_EQ(told(text, {Array(40.0f)}),
            "model.cpp:8: sqrt made a NaN, in step 1 of the while at model.cpp:6: f32[]; nothing was updated\n"
            "  operand f32[]  -0.144553  made at model.cpp:7 (log)");
  EXPECT_EQ(told(text, {Array(0.25f)}), "");
}

// The branch that is taken, and the loop in it.
TEST(Trap, OfANaNInABodyOfABody) {
  const char text[] = R"(graph @g(%p: bool[], %x: f32[]) {
    %0 = cond(%p, %x) : f32[] loc("model.cpp":7) graph @then(%c: f32[]) {
      %0 = scan(%c) {carries = 1, length = (3), reverse = true, sequences = 0} : f32[] loc("model.cpp":8) graph @step(%c: f32[]) {
        %0 = log(%c) : f32[] loc("model.cpp":9)
        return %0
      }
      return %0
    } graph @else(%c: f32[]) {
      %0 = neg(%c) : f32[]
      return %0
    }
    return %0
  })";
  const auto flag = [](bool b) { return Array::full(DType::kBool, Shape{}, b); };
  EXPECT_EQ(
      told(text, {flag(true), Array(0.5f)}),
      "model.cpp:9: log made a NaN, in a branch of the cond at model.cpp:7, in step 1 of the scan at model.cpp:8: "
      "f32[]; nothing was updated\n  operand f32[]  -0.693147  (input c of the body)");
  EXPECT_EQ(told(text, {flag(false), Array(0.5f)}), "");
}

TEST(Trap, OfWhatTheCodeReturns) {
  const auto stops = [](void* const*, const std::int64_t*, const Parallel*) -> std::int32_t { return 7; };
  Executable executable(passes::run_pipeline(ir::parse_graph(kLog), {codegen::default_target()}), {stops, nullptr});
  EXPECT_THROW(call(executable, 1.0f), CallError);
  EXPECT_EQ(executable.trap().kind, Kind::kNative);
  EXPECT_EQ(executable.trap().code, 7);
}

}  // namespace
}  // namespace gcompile::runtime
