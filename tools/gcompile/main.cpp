// gcompile, the command-line tool: text of an IR in, text of any level out; runs and checks models too. This file picks
// the command and turns exceptions into exit codes: 0 ok, 1 bad input, 2 usage, 3 internal error.
#include <algorithm>
#include <array>
#include <exception>
#include <iostream>

#include "commands.h"
#include "gcompile/base/error.h"
#include "gcompile/version.h"
#include "options.h"

namespace gcompile::tool {
namespace {

struct Command {
  std::string_view name;
  int (*run)(const std::vector<std::string>&);
};
constexpr std::array<Command, 3> kCommands{{{"run", run_command}, {"check", check_command}, {"list", list_command}}};

int dispatch(std::vector<std::string> words) {
  if (std::find(words.begin(), words.end(), "--version") != words.end()) {
    std::cout << "gcompile " << GCOMPILE_VERSION_STRING << '\n';
    return kOk;
  }
  for (const Command& c : kCommands)
    if (!words.empty() && words[0] == c.name) return c.run({words.begin() + 1, words.end()});
  return emit_command(words);
}

int guarded(const std::vector<std::string>& words) {
  try {
    const int code = dispatch(words);
    if (!std::cout.flush()) throw DataError("<stdout>: cannot be written");
    return code;
  } catch (const UsageError& e) {
    std::cerr << "gcompile: " << e.what() << "\nTry `gcompile --help`.\n";
    return kUsage;
  } catch (const InternalError& e) {
    std::cerr << "gcompile: internal error: " << e.what() << '\n';
    return kInternalError;
  } catch (const Error& e) {
    std::cerr << e.what() << '\n';
    return kBadInput;
  } catch (const std::exception& e) {
    std::cerr << "gcompile: internal error: " << e.what() << '\n';
    return kInternalError;
  }
}

}  // namespace
}  // namespace gcompile::tool

int main(int argc, char** argv) { return gcompile::tool::guarded({argv + 1, argv + argc}); }
