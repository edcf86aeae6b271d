// Named tensors in a file, in the safetensors format (https://huggingface.co/docs/safetensors: eight bytes of header
// length, little-endian; a JSON header {"name": {"dtype", "shape", "data_offsets"}}; the elements): what a model knows,
// readable by other frameworks.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>

#include "gcompile/base/array.h"
#include "gcompile/base/state.h"

namespace gcompile {

struct Checkpoint {
  std::map<std::string, Array> tensors;         // of every dtype, by its name there: F32, U8, BOOL, ...
  std::map<std::string, std::string> metadata;  // the file's "__metadata__"
};

// Reads all tensors. Throws DataError ("PATH: ...") for a file that is missing or damaged, and for other dtypes.
Checkpoint read_checkpoint(const std::string& path);
// Writes them, atomically: a crash leaves the old file or the new one. Throws DataError when the file cannot be written
// or a name is no UTF-8 text.
void write_checkpoint(const std::string& path, const Checkpoint& checkpoint);

// Saves the states under their names. Throws CallError when two have one name.
void save_checkpoint(const std::string& path, std::span<const std::shared_ptr<StateStorage>> states,
                     const std::map<std::string, std::string>& metadata = {});
// Sets the states to the file's tensors; returns the metadata. Throws DataError that lists every state missing from the
// file, every tensor that no state has the name of, and every one of another shape or dtype; then nothing was changed.
std::map<std::string, std::string> load_checkpoint(const std::string& path,
                                                   std::span<const std::shared_ptr<StateStorage>> states);

}  // namespace gcompile
