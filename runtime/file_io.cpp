#include "gcompile/runtime/file_io.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "gcompile/base/error.h"

namespace gcompile::runtime {
namespace {

[[noreturn]] void fail(const std::string& path, const std::string& doing, int error) {
  throw DataError(path + ": " + doing + ": " + std::generic_category().message(error));
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  // Closes now; false when the system reports a late write error.
  bool close() { return ::close(std::exchange(fd_, -1)) == 0; }

 private:
  int fd_;
};

// Removes the temporary file unless it was renamed.
struct TemporaryFile {
  std::string path;
  bool kept = false;
  ~TemporaryFile() {
    if (!kept) ::unlink(path.c_str());
  }
};

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace

std::string read_file(const std::string& path) {
  // O_NONBLOCK: opening a pipe by mistake must not hang; it has no effect on a regular file.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) fail(path, "cannot be opened", errno);
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) fail(path, "cannot be examined", errno);
  if (S_ISDIR(info.st_mode)) throw DataError(path + ": is a directory, expected a file");
  if (!S_ISREG(info.st_mode)) throw DataError(path + ": is not a regular file");
  std::string bytes(static_cast<std::size_t>(info.st_size) + 1, '\0');  // one more: to see that the end is the end
  std::size_t done = 0;
  for (;;) {
    if (done == bytes.size()) bytes.resize(2 * done);
    const ssize_t n = ::read(file.get(), bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(path, "cannot be read", errno);
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  bytes.resize(done);
  return bytes;
}

void write_file_atomically(const std::string& path, std::span<const std::string_view> parts,
                           const WriteOptions& options) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  const fs::file_status status = fs::status(path, ignored);
  if (fs::exists(status) && !fs::is_regular_file(status))
    throw DataError(path + (fs::is_directory(status) ? ": is a directory" : ": is not a regular file") +
                    ", cannot be replaced by a file");
  fs::path target(path);
  if (fs::is_symlink(fs::symlink_status(target, ignored))) {
    const fs::path resolved = fs::weakly_canonical(target, ignored);
    if (!resolved.empty()) target = resolved;
  }

  static std::atomic<unsigned> serial{0};
  TemporaryFile temporary{target.string() + ".tmp-" + std::to_string(::getpid()) + "-" + std::to_string(++serial)};
  Descriptor file(::open(temporary.path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, options.mode));
  if (file.get() < 0) {
    const int error = errno;
    temporary.kept = true;  // not ours
    fail(path, "cannot be written", error);
  }
  for (std::string_view part : parts)
    if (!write_all(file.get(), part)) fail(path, "cannot be written", errno);
  if (options.durable && ::fsync(file.get()) != 0) fail(path, "cannot be synced to disk", errno);
  if (!file.close()) fail(path, "cannot be written", errno);
  if (::rename(temporary.path.c_str(), target.c_str()) != 0) fail(path, "cannot be written", errno);
  temporary.kept = true;
  if (!options.durable) return;

  // The new name itself must survive a power failure too; file systems that cannot sync a folder are left alone.
  const fs::path folder = target.has_parent_path() ? target.parent_path() : fs::path(".");
  const Descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() >= 0) ::fsync(directory.get());
}

std::string quoted(std::string_view text) {
  std::size_t length = text.size();
  if (length > 40)  // cut between two characters of UTF-8
    for (length = 40; length > 36 && (static_cast<unsigned char>(text[length]) & 0xC0) == 0x80;) --length;
  std::string out = "'";
  for (char c : text.substr(0, length)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= ' ' && byte != 0x7F) {
      out += c;
    } else {
      constexpr char kHex[] = "0123456789abcdef";
      out += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out + (length < text.size() ? "...'" : "'");
}

}  // namespace gcompile::runtime
