// What all commands of the tool share: their exceptions and exit codes, and small parts of their command lines.
#pragma once

#include <boost/program_options.hpp>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "gcompile/ir/target.h"

namespace gcompile::tool {

namespace po = boost::program_options;

enum ExitCode { kOk = 0, kBadInput = 1, kUsage = 2, kInternalError = 3 };

// A command line that makes no sense: exit code 2.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The options that several commands take.
po::options_description common_options();

// Parses the words after the command's name; the only positional argument is called "file". Throws UsageError. When
// --help is among them it is printed, beginning with `usage`, and the map has "help".
po::variables_map parse(const std::vector<std::string>& words, const po::options_description& options,
                        const std::string& usage);

// "N=32" as a pair. Throws UsageError that names the option.
std::pair<std::string, std::string> split_assignment(const std::string& text, const std::string& option);
// The values of --dim. Throws UsageError for what is no number >= 0 and for a name given twice.
std::map<std::string, std::int64_t> dims_of(const po::variables_map& vars);
// What --target names, or the default. Throws UsageError for an unknown one.
Target target_of(const po::variables_map& vars);
// What --memory-budget says; -1: none. Throws UsageError for a negative one.
std::int64_t memory_budget_of(const po::variables_map& vars);
std::vector<std::string> split_commas(const std::string& text);

}  // namespace gcompile::tool
