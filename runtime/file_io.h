// Whole files, in and out, for the readers and writers of this folder: a file is read completely or not at all, and
// written so that a reader, or a crash, sees the old content or the new one, never a part.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace gcompile::runtime {

// The bytes of a regular file. Throws DataError ("PATH: reason") when it is missing, a directory or unreadable.
std::string read_file(const std::string& path);

struct WriteOptions {
  unsigned mode = 0666;  // of a new file, before the process's mask
  bool durable = true;   // synced to disk: survives a power failure
};

// Writes the parts one after the other to a temporary file in the same folder, syncs it and renames it to `path` (or
// to what a symbolic link at `path` points to). Throws DataError ("PATH: reason") and leaves what was there.
void write_file_atomically(const std::string& path, std::span<const std::string_view> parts,
                           const WriteOptions& options = {});

// The text in quotes for an error message: cut after 40 bytes, control characters as \xNN.
std::string quoted(std::string_view text);

}  // namespace gcompile::runtime
