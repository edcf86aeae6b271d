// Assembly for readers: which instructions belong to which line of the user's.
#pragma once

#include <map>
#include <string>

namespace gcompile::codegen {

// `text` as LLVM prints it with the lines as directives. Every `.loc` becomes a comment "# model.cpp:14" where the line
// changes, a comment is put before the label of every function that `functions` has (its symbol to what is said of
// it), and what else there is for debuggers alone goes. It assembles to the same code.
std::string annotate_assembly(const std::string& text, const std::map<std::string, std::string>& functions);

}  // namespace gcompile::codegen
