// What profilers and debuggers are told of generated code, and the comments of printed assembly.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "gcompile/codegen/annotate_assembly.h"
#include "gcompile/codegen/compile.h"
#include "gcompile/codegen/perf_map.h"
#include "gcompile/ir/parse.h"
#include "gcompile/passes/pipeline.h"

namespace gcompile::codegen {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

const char kGraph[] = R"(graph @shift(%x: f32[N] loc("src/model.cpp":3)) {
  dim N in 1 .. 1000
  %0 = abs(%x) : f32[N] loc("src/model.cpp":4)
  %1 = sqrt(%0) : f32[N] loc("src/layers.h":9)
  return %1
})";

ir::Program program() { return passes::run_pipeline(ir::parse_graph(kGraph), {default_target()}); }

std::string read(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST(PerfMap, NamesKernelsWithTheirLines) {
  std::filesystem::remove(perf_map_path());
  ASSERT_FALSE(perf_map_wanted());
  const auto quiet = compile(ir::parse_graph(kGraph));
  EXPECT_FALSE(std::filesystem::exists(perf_map_path()));
  ::setenv("GCOMPILE_PERF_MAP", "1", 1);
  const runtime::NativeCode code = jit(program(), default_target());
  ::unsetenv("GCOMPILE_PERF_MAP");
  const std::string text = read(perf_map_path());
  std::filesystem::remove(perf_map_path());
  EXPECT_THAT(text, HasSubstr(" shift.k0."));
  std::istringstream lines(text);
  std::string line;
  bool has_entry = false;
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::uint64_t address = 0, bytes = 0;
    std::string name;
    words >> std::hex >> address >> bytes >> name;
    EXPECT_GT(bytes, 0u) << line;
    if (name == "gc_entry") has_entry = address == reinterpret_cast<std::uintptr_t>(code.entry);
  }
  EXPECT_TRUE(has_entry) << text;
}

TEST(PerfMap, IsNotWrittenThroughALink) {
  std::filesystem::remove(perf_map_path());
  const std::string victim = perf_map_path() + ".victim";
  std::filesystem::create_symlink(victim, perf_map_path());
  ::testing::internal::CaptureStderr();
  const CodeSymbol symbols[] = {{1, 2, "k"}};
  append_to_perf_map(symbols);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("GCOMPILE_PERF_MAP"));
  EXPECT_FALSE(std::filesystem::exists(victim));
  std::filesystem::remove(perf_map_path());
}

TEST(DebugInfo, ChangesNoCode) {
  const std::string plain = emit_llvm(program(), default_target());
  const std::string lines = emit_llvm(program(), default_target(), {.debug_info = true});
  EXPECT_THAT(plain, Not(HasSubstr("DILocation")));
  EXPECT_THAT(lines, HasSubstr("DILocation(line: 4"));
  EXPECT_THAT(lines, HasSubstr("DILocation(line: 9"));
  EXPECT_THAT(lines, HasSubstr("layers.h"));
  EXPECT_GT(emit_object(program(), default_target(), {.debug_info = true}).size(),
            emit_object(program(), default_target()).size());
  const auto executable = [] {
    CompileOptions options;
    options.debug_info = true;
    options.cache = "off";
    return compile(ir::parse_graph(kGraph), options);
  }();
  const Array x{1.0f, 4.0f, -9.0f};
  const Array* const arguments[] = {&x};
  std::vector<Array> results(1);
  executable->run(arguments, results);
  EXPECT_EQ(results[0].at(2), 3.0);
}

TEST(Assembly, SaysWhichLineIsWhich) {
  const std::string text = emit_assembly(program(), default_target());
  EXPECT_THAT(text, ContainsRegex("\n# kernel k0: [^\n]*model.cpp:4[^\n]*\nshift[.]k0[.][^\n]*:"));
  EXPECT_THAT(text, HasSubstr("\t# model.cpp:4\n"));
  EXPECT_THAT(text, HasSubstr("\t# layers.h:9\n"));
  for (const char* noise : {".loc", ".file", ".debug", ".Ltmp", ".cfi"}) EXPECT_THAT(text, Not(HasSubstr(noise)));
}

TEST(Assembly, Annotated) {
  EXPECT_EQ(annotate_assembly("\t.file\t1 \"src/a.cpp\"\n"
                              "k0:                  # @k0\n"
                              ".Lfunc_begin0:\n"
                              "\t.loc\t1 4 0 prologue_end  # src/a.cpp:4:0\n"
                              "\tret\n"
                              "\t.loc\t1 0 0 is_stmt 0  # src/a.cpp:0:0\n"
                              ".Ltmp3:\n"
                              "\t.loc\t1 4 0 # src/a.cpp:4:0\n"
                              "\tnop\n",
                              {{"k0", "kernel k0: a.cpp:4"}}),
            "# kernel k0: a.cpp:4\n"
            "k0:                  # @k0\n"
            "\t# a.cpp:4\n"
            "\tret\n"
            "\tnop\n");
}

}  // namespace
}  // namespace gcompile::codegen
