#include "gcompile/codegen/object_cache.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <system_error>
#include <utility>

#include "gcompile/base/error.h"
#include "gcompile/runtime/file_io.h"

namespace gcompile::codegen {
namespace {

constexpr std::uint64_t kFormatVersion = 5;
constexpr std::string_view kMagic = "gcmpobj\n";
constexpr mode_t kWritableByOthers = S_IWGRP | S_IWOTH;

struct Header {
  std::array<char, 8> magic{};
  std::uint64_t version = kFormatVersion;
  ContentHash key;
  std::uint64_t object_bytes = 0, program_bytes = 0;
  ContentHash checksum;
};
static_assert(sizeof(Header) == 64, "the object behind it is aligned");

ContentHash checksum(const Header& h, std::string_view object, std::string_view program) {
  Hasher hasher;
  hasher.add({h.magic.data(), h.magic.size()});
  for (const std::uint64_t n : {h.version, h.key.high, h.key.low}) hasher.add(static_cast<std::int64_t>(n));
  hasher.add(object);
  hasher.add(program);
  return hasher.finish();
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

std::string system_message() { return std::generic_category().message(errno); }

// Why what lies there is not only this user's; empty when it is.
std::string owner_problem(const struct stat& info) {
  if (info.st_uid != ::geteuid()) return "it belongs to another user";
  if (info.st_mode & kWritableByOthers) return "others may write it";
  return "";
}

bool read_all(int fd, std::string& bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n = ::read(fd, bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    done += static_cast<std::size_t>(n);
  }
  return true;
}

// Why these bytes are no entry for the key; empty when they are one.
std::string content_problem(const std::string& file, const ContentHash& key) {
  Header h;
  if (file.size() < sizeof h) return "it is cut off";
  std::memcpy(&h, file.data(), sizeof h);
  if (std::string_view(h.magic.data(), h.magic.size()) != kMagic) return "it is no entry of this cache";
  if (h.version != kFormatVersion) return "its format is of another version";
  if (!(h.key == key)) return "it is an entry for something else";
  const std::uint64_t rest = file.size() - sizeof h;
  if (h.object_bytes > rest || h.program_bytes != rest - h.object_bytes) return "its size is wrong";
  const std::string_view body = std::string_view(file).substr(sizeof h);
  const auto object_bytes = static_cast<std::size_t>(h.object_bytes);
  if (!(checksum(h, body.substr(0, object_bytes), body.substr(object_bytes)) == h.checksum))
    return "its checksum is wrong";
  return "";
}

// A program that may not write so large a file gets a signal for trying, which would end it.
bool may_write(std::size_t bytes) {
  struct rlimit limit {};
  return ::getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY || bytes <= limit.rlim_cur;
}

std::string from_environment(const char* name) {
  const char* value = ::secure_getenv(name);
  return value ? value : "";
}

}  // namespace

std::string cache_folder(const std::string& option) {
  const std::string wanted = option.empty() ? from_environment("GCOMPILE_CACHE") : option;
  if (!wanted.empty()) return wanted == "off" ? "" : wanted;
  // A relative path there is to be ignored, says the XDG Base Directory Specification.
  if (const std::string xdg = from_environment("XDG_CACHE_HOME"); xdg.starts_with('/')) return xdg + "/gcompile";
  if (const std::string home = from_environment("HOME"); home.starts_with('/')) return home + "/.cache/gcompile";
  return "";
}

std::string_view ObjectCache::Entry::object() const {
  return std::string_view(file).substr(sizeof(Header), object_bytes);
}
std::string_view ObjectCache::Entry::program() const {
  return std::string_view(file).substr(sizeof(Header) + object_bytes);
}

ObjectCache::ObjectCache(std::string folder, std::int64_t limit, CacheObserver observer)
    : folder_(std::move(folder)), limit_(limit), observer_(std::move(observer)) {
  while (folder_.size() > 1 && folder_.ends_with('/')) folder_.pop_back();
}

bool ObjectCache::has(const ContentHash& key) const { return ::access(path(key).c_str(), F_OK) == 0; }

std::string ObjectCache::path(const ContentHash& key) const { return folder_ + "/" + key.hex() + kSuffix; }

void ObjectCache::tell(CacheEvent event, const std::string& text) const {
  if (observer_) return observer_(event, text);
  static std::atomic<bool> rejected{false}, unusable{false};
  if (event == CacheEvent::kRejected && !rejected.exchange(true))
    std::cerr << "gcompile: compile cache: " << text << "; compiled anew\n";
  if (event == CacheEvent::kUnusable && !unusable.exchange(true))
    std::cerr << "gcompile: compile cache: " << text << "; going on without it\n";
}

void ObjectCache::reject(const ContentHash& key, const std::string& why) const {
  tell(CacheEvent::kRejected, path(key) + ": " + why);
}

void ObjectCache::give_up(const std::string& why) {
  tell(CacheEvent::kUnusable, folder_ + ": " + why);
  folder_.clear();
}

// Who may write the folder may put there what he likes, and have us follow his links.
bool ObjectCache::usable(int folder) {
  struct stat info {};
  const std::string problem = ::fstat(folder, &info) != 0 ? system_message() : owner_problem(info);
  if (!problem.empty()) give_up(problem);
  return problem.empty();
}

std::optional<ObjectCache::Entry> ObjectCache::read(const ContentHash& key) {
  if (!active()) return std::nullopt;
  const Descriptor folder(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0) {
    if (errno == ENOENT)
      tell(CacheEvent::kMiss, path(key));
    else
      give_up(system_message());
    return std::nullopt;
  }
  if (!usable(folder.get())) return std::nullopt;
  const std::string name = key.hex() + kSuffix;
  const Descriptor file(::openat(folder.get(), name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (file.get() < 0) {
    if (errno == ENOENT)
      tell(CacheEvent::kMiss, path(key));
    else
      reject(key, system_message());
    return std::nullopt;
  }
  struct stat info {};
  std::string problem;
  Entry entry;
  if (::fstat(file.get(), &info) != 0) {
    problem = system_message();
  } else if (!S_ISREG(info.st_mode)) {
    problem = "it is no regular file";
  } else if (info.st_size > limit_) {
    problem = "it is larger than the cache";
  } else if (problem = owner_problem(info); problem.empty()) {
    entry.file.resize(static_cast<std::size_t>(info.st_size));
    problem = read_all(file.get(), entry.file) ? content_problem(entry.file, key) : "it cannot be read";
  }
  if (!problem.empty()) {
    reject(key, problem);
    return std::nullopt;
  }
  Header h;
  std::memcpy(&h, entry.file.data(), sizeof h);
  entry.object_bytes = static_cast<std::size_t>(h.object_bytes);
  ::futimens(file.get(), nullptr);  // used now; a file system that cannot say so evicts by age
  return entry;
}

void ObjectCache::write(const ContentHash& key, std::string_view object, std::string_view program) {
  const std::size_t size = sizeof(Header) + object.size() + program.size();
  if (!active() || static_cast<std::int64_t>(size) > limit_ / 4) return;
  if (!may_write(size)) return give_up("files of this process may not be so large");
  namespace fs = std::filesystem;
  std::error_code error;
  fs::create_directories(fs::path(folder_).parent_path(), error);
  ::mkdir(folder_.c_str(), 0700);  // what is wrong with it the next line finds out
  {
    const Descriptor folder(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder.get() < 0) return give_up(system_message());
    if (!usable(folder.get())) return;
  }

  Header h;
  std::copy(kMagic.begin(), kMagic.end(), h.magic.begin());
  h.key = key;
  h.object_bytes = object.size();
  h.program_bytes = program.size();
  h.checksum = checksum(h, object, program);
  const std::array<std::string_view, 3> parts{std::string_view(reinterpret_cast<const char*>(&h), sizeof h), object,
                                              program};
  try {
    if (fs::is_symlink(fs::symlink_status(path(key), error))) fs::remove(path(key), error);
    runtime::write_file_atomically(path(key), parts, {.mode = 0600, .durable = false});
  } catch (const DataError& e) {
    tell(CacheEvent::kUnusable, e.what());
    return;
  }
  tell(CacheEvent::kStored, path(key));
  if (key.low % 16 == 0 || static_cast<std::int64_t>(size) > limit_ / 64) trim();
}

}  // namespace gcompile::codegen
