// The files of GCOMPILE_DUMP.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "gcompile/codegen/dump.h"
#include "tests/unit/temp_dir.h"

namespace gcompile::codegen {
namespace {

std::set<std::string> files_in(const std::string& folder) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) names.insert(entry.path().filename().string());
  return names;
}

TEST(Dump, NumbersFilesByCompilationAndStage) {
  const testing::TempDir dir;
  const std::string folder = dir.path() + "/new/folder";
  Dump first(folder, "step/one");
  first.write("trace", "graph", "graph @a");
  first.write("lower", "kernel", "kernels @a");
  Dump second(folder, "two");
  second.write("llvm", "llvm", "; text");
  const auto names = files_in(folder);
  ASSERT_EQ(names.size(), 3u);
  const std::string& a = *names.begin();
  EXPECT_EQ(a.substr(4), "-step-one-00-trace.gir");
  EXPECT_EQ(std::next(names.begin())->substr(4), "-step-one-01-lower.kir");
  EXPECT_EQ(names.rbegin()->substr(4), "-two-00-llvm.ll");
  EXPECT_NE(names.rbegin()->substr(0, 4), a.substr(0, 4));
  std::ifstream in(folder + "/" + a);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), "graph @a");
}

TEST(Dump, WithoutAFolderNothingIsWritten) {
  Dump none("", "g");
  EXPECT_FALSE(none.active());
  none.write("trace", "graph", "text");
}

TEST(Dump, AFolderThatCannotBeWrittenIsOneWarning) {
  ::testing::internal::CaptureStderr();
  Dump a("/proc/nowhere", "g");
  EXPECT_FALSE(a.active());
  a.write("trace", "graph", "text");
  Dump b("/proc/nowhere", "g");
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(text.find("GCOMPILE_DUMP: /proc/nowhere"), text.rfind("GCOMPILE_DUMP: /proc/nowhere")) << text;
}

}  // namespace
}  // namespace gcompile::codegen
