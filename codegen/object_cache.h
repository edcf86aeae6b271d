// ObjectCache: a folder of compiled programs, one file per key. A file is a header, an object file (or an archive of
// some) and a description of the program, with a checksum over all of it:
//
//   bytes  0  magic "gcmpobj\n"       8  version of the format     16  key
//         32  bytes of the object    40  bytes of the program     48  checksum of everything else
//         64  object, program
//
// An entry is code that will run, so it is used only when it is whole, for this key, and nobody but this user can have
// written it: a regular file of the user's in a folder of the user's, neither writable by others. Anything else is
// reported and replaced. Entries are made by renaming a finished file, so processes need no locks. When the folder has
// grown over its limit the entries that were not used for longest go; a hit touches the file's time.
// What cannot be done here is never an error: the program is compiled as if there were no cache.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "gcompile/codegen/content_hash.h"

namespace gcompile::codegen {

enum class CacheEvent {
  kHit,       // loaded: no pass was run
  kMiss,      // no such entry
  kStored,    // a new entry
  kRejected,  // an entry that must not be used; it is replaced
  kUnusable,  // the folder cannot be used, or an entry cannot be written
};
// Told of what happens, with the file and the reason.
using CacheObserver = std::function<void(CacheEvent event, const std::string& text)>;

inline constexpr std::int64_t kDefaultCacheBytes = std::int64_t{256} << 20;

// The folder that is meant: `option` when not empty, else GCOMPILE_CACHE, else $XDG_CACHE_HOME/gcompile, else
// ~/.cache/gcompile. Empty, for no cache, when the option or the variable is "off" or there is no such place.
std::string cache_folder(const std::string& option);

class ObjectCache {
 public:
  static constexpr const char* kSuffix = ".gco";  // of the files, after the key in hexadecimal

  struct Entry {
    std::string file;
    std::size_t object_bytes = 0;
    std::string_view object() const;
    std::string_view program() const;
  };

  // An empty folder: nothing is read or written. Without an observer kRejected and kUnusable are one line on stderr,
  // each at most once per process.
  explicit ObjectCache(std::string folder, std::int64_t limit = kDefaultCacheBytes, CacheObserver observer = nullptr);

  bool active() const { return !folder_.empty(); }
  std::string path(const ContentHash& key) const;
  // Whether there is a file, good or bad.
  bool has(const ContentHash& key) const;

  // Nothing where there is no such entry or where it must not be used. A hit is told when the code is loaded (`told`).
  std::optional<Entry> read(const ContentHash& key);
  // An entry larger than a quarter of the limit is not kept.
  void write(const ContentHash& key, std::string_view object, std::string_view program);
  // Removes what was not used for longest until three quarters of the limit are left, and what crashed writers left.
  // write does it now and then: its cost, a look at every file, is shared by about 16 entries.
  void trim() const;

  void tell(CacheEvent event, const std::string& text) const;
  void reject(const ContentHash& key, const std::string& why) const;

 private:
  bool usable(int folder);
  void give_up(const std::string& why);

  std::string folder_;
  std::int64_t limit_;
  CacheObserver observer_;
};

}  // namespace gcompile::codegen
