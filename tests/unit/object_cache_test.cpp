// The files of the compile cache: what is read back, what is refused, what goes when it is full.
#include "gcompile/codegen/object_cache.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "tests/support/cache_log.h"
#include "tests/unit/temp_dir.h"

namespace gcompile::codegen {
namespace {

namespace fs = std::filesystem;
using testing::CacheLog;
using testing::TempDir;

constexpr ContentHash kKey{0x0123456789abcdef, 0xfedcba9876543211};
const std::string kObject(100, 'o'), kProgram(50, 'p');

struct CacheFiles : ::testing::Test {
  TempDir dir;
  CacheLog log;
  ObjectCache cache{dir.path(), kDefaultCacheBytes, log.observer()};
  const std::string file = cache.path(kKey), name = fs::path(file).filename();

  void SetUp() override { cache.write(kKey, kObject, kProgram); }

  void expect_refused(const std::string& what) {
    log.events.clear();
    EXPECT_FALSE(cache.read(kKey)) << what;
    EXPECT_EQ(log.count(CacheEvent::kRejected), 1) << what;
  }
  void expect_good() {
    const auto entry = cache.read(kKey);
    ASSERT_TRUE(entry);
    EXPECT_EQ(entry->object(), kObject);
    EXPECT_EQ(entry->program(), kProgram);
  }
};

TEST_F(CacheFiles, AreReadBack) {
  EXPECT_EQ(log.count(CacheEvent::kStored), 1);
  EXPECT_EQ(name, "0123456789abcdeffedcba9876543211.gco");
  expect_good();
  EXPECT_FALSE(cache.read({1, 2}));
  EXPECT_EQ(log.count(CacheEvent::kMiss), 1);
  EXPECT_EQ(log.count(CacheEvent::kRejected), 0);
  EXPECT_EQ(dir.entries(), 1);
  struct stat info {};
  ASSERT_EQ(::stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
}

// Header, key, sizes, checksum, object, program: there is no byte that does not matter.
TEST_F(CacheFiles, WithAnyByteChangedAreRefused) {
  const std::string good = dir.read(name);
  ASSERT_EQ(good.size(), 64 + kObject.size() + kProgram.size());
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ (1 << i % 8));
    dir.write(name, bad);
    expect_refused("byte " + std::to_string(i));
  }
  cache.write(kKey, kObject, kProgram);  // replaced
  expect_good();
}

TEST_F(CacheFiles, OfAnyOtherLengthAreRefused) {
  const std::string good = dir.read(name);
  for (std::size_t length = 0; length < good.size(); ++length) {
    dir.write(name, good.substr(0, length));
    expect_refused("length " + std::to_string(length));
  }
  dir.write(name, good + "x");
  expect_refused("one more");
}

TEST_F(CacheFiles, UnderAnotherKeyAreRefused) {
  const ContentHash other{7, 7};
  fs::copy(file, cache.path(other));
  EXPECT_FALSE(cache.read(other));
  EXPECT_EQ(log.count(CacheEvent::kRejected), 1);
}

TEST_F(CacheFiles, ThatOthersMayWriteAreRefused) {
  for (const mode_t mode : {0620u, 0602u, 0666u}) {
    ASSERT_EQ(::chmod(file.c_str(), mode), 0);
    expect_refused("mode " + std::to_string(mode));
  }
  cache.write(kKey, kObject, kProgram);
  expect_good();
}

TEST_F(CacheFiles, OfAnotherUserAreRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  ASSERT_EQ(::chown(file.c_str(), 65534, 65534), 0);
  expect_refused("file");
  ASSERT_EQ(::chown(dir.path().c_str(), 65534, 65534), 0);
  log.events.clear();
  EXPECT_FALSE(cache.read(kKey));
  EXPECT_EQ(log.count(CacheEvent::kUnusable), 1);
  EXPECT_FALSE(cache.active());
}

TEST_F(CacheFiles, BehindLinksAreRefusedAndLinksAreReplaced) {
  const std::string elsewhere = dir.path("elsewhere");
  fs::rename(file, elsewhere);
  fs::create_symlink(elsewhere, file);
  expect_refused("link");
  cache.write(kKey, kObject, "new");
  EXPECT_FALSE(fs::is_symlink(file));
  EXPECT_EQ(dir.read("elsewhere").size(), 64 + kObject.size() + kProgram.size());
}

TEST_F(CacheFiles, ThatAreNoFilesAreRefused) {
  fs::remove(file);
  ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
  expect_refused("pipe");
  fs::remove(file);
  fs::create_directory(file);
  expect_refused("folder");
  cache.write(kKey, kObject, kProgram);
  EXPECT_EQ(log.count(CacheEvent::kUnusable), 1);
}

TEST(CacheFolder, ThatOthersMayWriteIsNotUsed) {
  const TempDir dir;
  ASSERT_EQ(::chmod(dir.path().c_str(), 0777), 0);
  CacheLog log;
  ObjectCache cache(dir.path(), kDefaultCacheBytes, log.observer());
  cache.write(kKey, kObject, kProgram);
  EXPECT_EQ(log.count(CacheEvent::kUnusable), 1);
  EXPECT_EQ(dir.entries(), 0);
}

TEST(CacheFolder, IsMadeForTheUserAlone) {
  const TempDir dir;
  CacheLog log;
  ObjectCache cache(dir.path("a/b/c/"), kDefaultCacheBytes, log.observer());
  EXPECT_FALSE(cache.read(kKey));
  EXPECT_EQ(log.count(CacheEvent::kMiss), 1);
  cache.write(kKey, kObject, kProgram);
  EXPECT_TRUE(cache.read(kKey));
  struct stat info {};
  ASSERT_EQ(::stat(dir.path("a/b/c").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0700u);
}

TEST(CacheFolder, ThatCannotBeIsToldOnceAndNoFailure) {
  const TempDir dir;
  dir.write("file", "text");
  for (const std::string& folder : {std::string("/proc/nowhere/cache"), dir.path("file"), dir.path("file/under")}) {
    CacheLog log;
    ObjectCache cache(folder, kDefaultCacheBytes, log.observer());
    EXPECT_FALSE(cache.read(kKey));
    cache.write(kKey, kObject, kProgram);
    EXPECT_FALSE(cache.read(kKey));
    EXPECT_EQ(log.count(CacheEvent::kUnusable), 1) << folder;
  }
}

TEST(CacheFolder, WithoutAnObserverThereIsOneLineForEachKind) {
  const TempDir dir;
  ::testing::internal::CaptureStderr();
  for (int i = 0; i < 3; ++i) {
    ObjectCache nowhere("/proc/nowhere");
    nowhere.write(kKey, kObject, kProgram);
    ObjectCache cache(dir.path());
    cache.write(kKey, kObject, kProgram);
    dir.write(fs::path(cache.path(kKey)).filename().string(), "broken");
    EXPECT_FALSE(cache.read(kKey));
  }
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(text.rfind("gcompile: compile cache: /proc/nowhere: ", 0), 0u) << text;
  EXPECT_NE(text.find("it is cut off; compiled anew\n"), std::string::npos) << text;
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2) << text;
}

TEST(CacheFolder, IsWhatOptionVariableAndXdgSay) {
  const auto set = [](const char* name, const char* value) { value ? ::setenv(name, value, 1) : ::unsetenv(name); };
  const auto saved = [](const char* name) { return std::string(std::getenv(name) ? std::getenv(name) : ""); };
  const std::string home = saved("HOME"), mine = saved("GCOMPILE_CACHE"), xdg = saved("XDG_CACHE_HOME");
  set("HOME", "/home/u");
  set("XDG_CACHE_HOME", "/xdg");
  set("GCOMPILE_CACHE", "/env");
  EXPECT_EQ(cache_folder("/option"), "/option");
  EXPECT_EQ(cache_folder("off"), "");
  EXPECT_EQ(cache_folder(""), "/env");
  set("GCOMPILE_CACHE", "off");
  EXPECT_EQ(cache_folder(""), "");
  set("GCOMPILE_CACHE", nullptr);
  EXPECT_EQ(cache_folder(""), "/xdg/gcompile");
  set("XDG_CACHE_HOME", "relative");
  EXPECT_EQ(cache_folder(""), "/home/u/.cache/gcompile");
  set("XDG_CACHE_HOME", nullptr);
  set("HOME", nullptr);
  EXPECT_EQ(cache_folder(""), "");
  set("HOME", home.empty() ? nullptr : home.c_str());
  set("GCOMPILE_CACHE", mine.empty() ? nullptr : mine.c_str());
  set("XDG_CACHE_HOME", xdg.empty() ? nullptr : xdg.c_str());
}

// Entries of 1000 bytes, entry i used i hours after the first.
struct CacheTrim : ::testing::Test {
  TempDir dir;
  CacheLog log;
  ObjectCache cache{dir.path(), 10'000, log.observer()};
  const fs::file_time_type now = fs::file_time_type::clock::now();

  static ContentHash key(int i) { return {static_cast<std::uint64_t>(i), 1}; }
  void add(int count) {
    ObjectCache large(dir.path(), kDefaultCacheBytes, log.observer());  // does not trim
    for (int i = 0; i < count; ++i) {
      large.write(key(i), std::string(500, 'o'), std::string(500 - 64, 'p'));
      fs::last_write_time(large.path(key(i)), now - std::chrono::hours(100 - i));
    }
  }
  bool is_there(int i) const { return fs::exists(cache.path(key(i))); }
};

TEST_F(CacheTrim, RemovesWhatWasNotUsedForLongest) {
  add(12);
  EXPECT_TRUE(cache.read(key(0)));  // used now
  cache.trim();
  EXPECT_EQ(dir.entries(), 7);
  EXPECT_TRUE(is_there(0));
  for (int i = 1; i < 12; ++i) EXPECT_EQ(is_there(i), i >= 6) << i;
}

TEST_F(CacheTrim, LeavesAFolderWithinItsLimitAndFilesThatAreNotTheCaches) {
  add(10);
  const std::string stem = fs::path(cache.path(key(0))).filename();
  dir.write(stem + ".tmp-1-1", "unfinished");
  dir.write(stem + ".tmp-1-2", "abandoned");
  fs::last_write_time(dir.path(stem + ".tmp-1-2"), now - std::chrono::hours(3));
  dir.write("notes.txt", std::string(100'000, 'x'));
  fs::last_write_time(dir.path("notes.txt"), now - std::chrono::hours(1000));
  cache.trim();
  EXPECT_EQ(dir.entries(), 12);
  EXPECT_FALSE(fs::exists(dir.path(stem + ".tmp-1-2")));
}

TEST_F(CacheTrim, IsDoneByWrites) {
  add(20);
  cache.write(key(100), std::string(500, 'o'), "");  // large for this cache
  EXPECT_LE(dir.entries(), 8);
  EXPECT_TRUE(is_there(100));
  cache.write(key(101), std::string(5000, 'o'), "");  // too large for it
  EXPECT_FALSE(is_there(101));
}

}  // namespace
}  // namespace gcompile::codegen
