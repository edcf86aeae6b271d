// What is measured of compiled programs, and how it is shown.
#include "gcompile/runtime/profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "gcompile/base/error.h"
#include "gcompile/codegen/compile.h"
#include "gcompile/ir/parse.h"
#include "gcompile/passes/pipeline.h"
#include "gcompile/passes/work.h"
#include "gcompile/runtime/profile_report.h"
#include "tests/unit/temp_dir.h"

namespace gcompile::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Two kernels: the sum needs the maximum of all rows first.
const char kTwoKernels[] = R"(graph @two(%x: f32[N, 8] loc("model.cpp":3)) {
  dim N in 1 .. 1000
  %0 = reduce_max(%x) {axes = [0]} : f32[8] loc("model.cpp":4)
  %1 = broadcast(%0) {axes = [1], dims = (N, 8)} : f32[N,8] loc("model.cpp":5)
  %2 = sub(%x, %1) : f32[N,8] loc("model.cpp":5)
  %3 = reduce_sum(%2) {axes = [0]} : f32[8] loc("model.cpp":6)
  return %3
})";

void call(Executable& executable, const Array& x) {
  const Array* const arguments[] = {&x};
  std::vector<Array> results(executable.result_count());
  executable.run(arguments, results);
}

codegen::CompileOptions profiled() {
  codegen::CompileOptions options;
  options.profile = true;
  return options;
}

TEST(Profile, CountsTheCallsOfEveryLaunch) {
  const auto executable = codegen::compile(ir::parse_graph(kTwoKernels), profiled());
  const std::size_t launches = executable->program().launches.size();
  for (int i = 0; i < 3; ++i) call(*executable, Array(DType::kF32, Shape{40, 8}));
  const Profile p = executable->profile();
  EXPECT_EQ(p.program, "two");
  EXPECT_EQ(p.calls, 3);
  ASSERT_EQ(p.rows.size(), launches);
  ASSERT_EQ(p.events.size(), 3 * launches);
  double seconds = 0;
  for (std::size_t i = 0; i < launches; ++i) {
    EXPECT_EQ(p.rows[i].kernel, executable->program().module.kernels[i].name);
    EXPECT_EQ(p.rows[i].lines, executable->program().module.kernels[i].locations);
    EXPECT_EQ(p.rows[i].calls, 3);
    EXPECT_GT(p.rows[i].seconds, 0);
    EXPECT_GT(p.rows[i].median, 0);
    EXPECT_GE(p.rows[i].seconds, p.rows[i].median);
    EXPECT_GT(p.rows[i].estimated, 0);
    EXPECT_GT(p.rows[i].estimate_ratio(), 0);
    seconds += p.rows[i].seconds;
  }
  EXPECT_DOUBLE_EQ(p.seconds, seconds);
  for (std::size_t i = 1; i < p.events.size(); ++i) {
    EXPECT_EQ(p.events[i].row, static_cast<int>(i % launches));
    EXPECT_GE(p.events[i].begin, p.events[i - 1].begin + p.events[i - 1].seconds - 1e-12);
  }
  executable->reset_profile();
  EXPECT_EQ(executable->profile().calls, 0);
  EXPECT_EQ(executable->profile().rows[0].seconds, 0);
  EXPECT_TRUE(executable->profile().events.empty());
}

TEST(Profile, CostsFollowTheExtentsOfEachCall) {
  const auto executable = codegen::compile(ir::parse_graph(kTwoKernels), profiled());
  const auto bytes = [&] {
    double sum = 0;
    for (const auto& row : executable->profile().rows) sum += row.bytes;
    return sum;
  };
  call(*executable, Array(DType::kF32, Shape{64, 8}));
  const double small = bytes();
  EXPECT_GE(small, 2 * 64 * 8 * 4);  // each kernel reads x
  call(*executable, Array(DType::kF32, Shape{640, 8}));
  EXPECT_GE(bytes() - small, 2 * 640 * 8 * 4);
}

TEST(Profile, IsNothingOfCodeWithoutOne) {
  const ir::Graph graph = ir::parse_graph(kTwoKernels);
  const auto executable = codegen::compile(graph);
  EXPECT_THROW(executable->profile(), Error);
  EXPECT_EQ(executable->dump("llvm").find("tick"), std::string::npos);
  EXPECT_NE(codegen::compile(graph, profiled())->dump("llvm").find("tick"), std::string::npos);
}

TEST(Profile, WorksOnSeveralThreads) {
  const auto executable = codegen::compile(ir::parse_graph(kTwoKernels), profiled());
  executable->set_threads(2);
  call(*executable, Array(DType::kF32, Shape{900, 8}));
  EXPECT_EQ(executable->profile().calls, 1);
}

Profile by_hand() {
  Profile p;
  p.program = "step \"one\"";
  p.calls = 2;
  p.seconds = 4e-3;
  p.rows = {{"k0", {{"src/model.cpp", 14}}, 2, 1e-3, 5e-4, 2e6, 4e6, 8e-4},
            {"k1.1", {{"model.cpp", 15}, {"model.cpp", 17}}, 2, 3e-3, 1.5e-3, 0, 0}};
  p.events = {{0, 0.25, 5e-4}, {1, 0.5, 1.5e-3}};
  return p;
}

TEST(Profile, PrintsATable) {
  EXPECT_EQ(print(by_hand()),
            "profile of step \"one\": 2 calls, 4.00 ms in kernels\n"
            "  share      total     calls     median     GF/s     GB/s  ratio  kernel  lines\n"
            " 75.0 %    3.00 ms         2    1.50 ms      0.0      0.0      -  k1.1    model.cpp:15, model.cpp:17\n"
            " 25.0 %    1.00 ms         2     500 us      2.0      4.0   1.25  k0      model.cpp:14\n");
}

TEST(Profile, WritesATrace) {
  const Profile profiles[] = {by_hand(), by_hand()};
  const auto trace = nlohmann::json::parse(chrome_trace(profiles));
  const auto& events = trace.at("traceEvents");
  ASSERT_EQ(events.size(), 6u);
  EXPECT_EQ(events[0].at("ph"), "M");
  EXPECT_EQ(events[0].at("args").at("name"), "step \"one\"");
  EXPECT_EQ(events[2].at("ph"), "X");
  EXPECT_EQ(events[2].at("name"), "k1.1");
  EXPECT_EQ(events[2].at("ts"), 500000.0);
  EXPECT_EQ(events[2].at("dur"), 1500.0);
  EXPECT_EQ(events[2].at("args").at("lines"), "model.cpp:15, model.cpp:17");
  EXPECT_EQ(events[1].at("args").at("flops"), 1000000);
  EXPECT_EQ(events[1].at("args").at("bytes"), 2000000);
  EXPECT_EQ(events[1].at("args").at("estimate_us"), 400);
  EXPECT_EQ(events[1].at("pid"), 1);
  EXPECT_EQ(events[5].at("pid"), 2);
}

TEST(ProfileReport, OneTraceForAllPrograms) {
  const testing::TempDir dir;
  ::setenv("GCOMPILE_PROFILE", dir.path("trace.json").c_str(), 1);
  for (int i = 0; i < 2; ++i) {
    const auto executable = codegen::compile(ir::parse_graph(kTwoKernels));
    call(*executable, Array(DType::kF32, Shape{4, 8}));
  }
  codegen::compile(ir::parse_graph(kTwoKernels));  // never called: nothing to tell
  ::unsetenv("GCOMPILE_PROFILE");
  const auto trace = nlohmann::json::parse(dir.read("trace.json"));
  EXPECT_EQ(trace.at("traceEvents").back().at("pid"), 2);
}

TEST(ProfileReport, ATableOnStderr) {
  ::testing::internal::CaptureStderr();
  profile_report("-")(by_hand());
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("profile of step"));
}

TEST(ProfileReport, AFileThatCannotBeWrittenIsOneWarning) {
  ::testing::internal::CaptureStderr();
  profile_report("/proc/nowhere/trace.json")(by_hand());
  profile_report("/proc/nowhere/trace.json")(by_hand());
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(text, HasSubstr("GCOMPILE_PROFILE: /proc/nowhere"));
  EXPECT_EQ(text.find("GCOMPILE_PROFILE"), text.rfind("GCOMPILE_PROFILE"));
}

// The counts, on a kernel that one can count by hand.
TEST(Cost, OfAKernel) {
  const ir::KernelModule module = ir::parse_kernel_module(R"(kernels @m {
  dim N in 1 .. 1000
  input x: f32[N,16]
  input w: f32[16]
  result y: f32[N,16]
  kernel @k {
    for t in 0 .. N {
      %0 = load x[t, lane] : f32x16
      %1 = load w[lane] : f32x16
      %2 = fma(%0, %1, %0) : f32x16
      %3 = div(%2, %1) : f32x16
      %4 = neg(%3) : f32x16
      store y[t, lane] = %4
    }
  }
})");
  const ir::Cost cost = passes::cost_of(module.kernels[0], module);
  EXPECT_EQ(cost.flops.str(), "48*N");
  const double bytes = cost.bytes({{"N", 10}});
  EXPECT_EQ(bytes, 10 * 16 * 4 * 2 + 16 * 4);  // w is in a cache after the first time
  EXPECT_EQ(passes::work_of(module.kernels[0].body[0]).str(), "6*N");
}

}  // namespace
}  // namespace gcompile::runtime
