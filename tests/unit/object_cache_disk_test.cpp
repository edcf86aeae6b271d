// The compile cache on a disk that is full, and in a process that may not write large files.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "gcompile/codegen/object_cache.h"
#include "tests/support/cache_log.h"
#include "tests/unit/temp_dir.h"

namespace gcompile::codegen {
namespace {

using testing::CacheLog;
using testing::TempDir;

constexpr ContentHash kKey{1, 2};
constexpr int kCannot = 77;  // not permitted here

// The exit status of a child process that runs f: what is changed there is not changed here.
int in_child(const std::function<int()>& f) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(f());
  int status = -1;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// Whether writing a large entry is told once and leaves nothing, and a small one is kept all the same afterwards.
bool large_fails_small_works(const TempDir& dir, std::size_t large) {
  CacheLog log;
  ObjectCache cache(dir.path(), kDefaultCacheBytes, log.observer());
  cache.write(kKey, std::string(large, 'o'), "program");
  const bool failed = log.kinds() == std::vector<CacheEvent>{CacheEvent::kUnusable} && dir.entries() == 0;
  ObjectCache next(dir.path(), kDefaultCacheBytes, log.observer());
  next.write(kKey, "object", "program");
  return failed && next.read(kKey) && dir.entries() == 1;
}

TEST(CacheDisk, Full) {
  const TempDir dir;
  const int status = in_child([&] {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("none", dir.path().c_str(), "tmpfs", 0, "size=64k,mode=0700") != 0)
      return kCannot;
    return large_fails_small_works(dir, 1 << 20) ? 0 : 1;
  });
  if (status == kCannot) GTEST_SKIP() << "no file system can be mounted here";
  EXPECT_EQ(status, 0);
}

TEST(CacheDisk, FilesOfTheProcessMayNotBeLarge) {
  const TempDir dir;
  const int status = in_child([&] {
    const struct rlimit limit { 4096, 4096 };
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return kCannot;
    return large_fails_small_works(dir, 8192) ? 0 : 1;
  });
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace gcompile::codegen
