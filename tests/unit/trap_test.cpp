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

TEST(Trap, OfWhatTheCodeReturns) {
  const auto stops = [](void* const*, const std::int64_t*, const Parallel*) -> std::int32_t { return 7; };
  Executable executable(passes::run_pipeline(ir::parse_graph(kLog), {codegen::default_target()}), {stops, nullptr});
  EXPECT_THROW(call(executable, 1.0f), CallError);
  EXPECT_EQ(executable.trap().kind, Kind::kNative);
  EXPECT_EQ(executable.trap().code, 7);
}

}  // namespace
}  // namespace gcompile::runtime
