// What goes when the folder of the compile cache is over its limit.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gcompile/codegen/object_cache.h"

namespace gcompile::codegen {
namespace {

constexpr std::size_t kNameBytes = 32;  // of an entry, before the suffix
constexpr std::size_t kSuffixBytes = std::string_view(ObjectCache::kSuffix).size();
constexpr std::string_view kUnfinished = ".tmp-";  // as write_file_atomically calls them
constexpr std::time_t kAbandonedSeconds = 3600;

}  // namespace

void ObjectCache::trim() const {
  struct File {
    timespec used;
    std::int64_t bytes;
    std::string name;
  };
  DIR* const folder = ::opendir(folder_.c_str());
  if (!folder) return;
  std::vector<File> files;
  std::int64_t total = 0;
  while (const dirent* d = ::readdir(folder)) {
    // Names of entries and of their unfinished files; what else lies there is not ours.
    const std::string name = d->d_name;
    if (name.find_first_not_of("0123456789abcdef") != kNameBytes || name.compare(kNameBytes, kSuffixBytes, kSuffix))
      continue;
    struct stat info {};
    if (::fstatat(::dirfd(folder), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(info.st_mode)) continue;
    if (name.size() > kNameBytes + kSuffixBytes) {
      if (name.compare(kNameBytes + kSuffixBytes, kUnfinished.size(), kUnfinished) == 0 &&
          std::time(nullptr) - info.st_mtim.tv_sec > kAbandonedSeconds)
        ::unlinkat(::dirfd(folder), name.c_str(), 0);
      continue;
    }
    files.push_back({info.st_mtim, info.st_size, name});
    total += info.st_size;
  }
  if (total > limit_) {
    std::sort(files.begin(), files.end(), [](const File& a, const File& b) {
      return std::pair(a.used.tv_sec, a.used.tv_nsec) < std::pair(b.used.tv_sec, b.used.tv_nsec);
    });
    for (const File& f : files) {
      if (total <= limit_ / 4 * 3) break;
      ::unlinkat(::dirfd(folder), f.name.c_str(), 0);
      total -= f.bytes;
    }
  }
  ::closedir(folder);
}

}  // namespace gcompile::codegen
