#include "gcompile/base/location.h"

namespace gcompile {

std::string Location::str() const {
  if (!known()) return "<unknown>";
  const auto slash = file.find_last_of("/\\");
  const std::string name = slash == std::string::npos ? file : file.substr(slash + 1);
  return line == 0 ? name : name + ":" + std::to_string(line);
}

}  // namespace gcompile
