// What an entry of the compile cache says of a program beside its object file: all that an Executable needs, which is
// the program without its kernels. States are named by their index in the graph; their storages are those of the graph
// at hand.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gcompile/ir/graph.h"
#include "gcompile/ir/program.h"

namespace gcompile::codegen {

// Nothing for what does not read back as it is: a state that is not the graph's, a symbol that is no word.
std::optional<std::string> encode_program(const ir::Program& program, const ir::Graph& graph);

// A program without kernels and launches. Throws DataError for bytes that encode_program did not make for such a graph.
ir::Program decode_program(std::string_view bytes, const ir::Graph& graph);

}  // namespace gcompile::codegen
