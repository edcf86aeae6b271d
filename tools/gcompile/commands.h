// The commands of the tool. Each takes the words after its name and returns an exit code; what goes wrong is thrown.
#pragma once

#include <string>
#include <vector>

namespace gcompile::tool {

int emit_command(const std::vector<std::string>& words);   // no name: gcompile model.gir --emit=...
int run_command(const std::vector<std::string>& words);    // gcompile run
int check_command(const std::vector<std::string>& words);  // gcompile check
int list_command(const std::vector<std::string>& words);   // gcompile list

}  // namespace gcompile::tool
