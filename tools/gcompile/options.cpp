#include "options.h"

#include <charconv>
#include <iostream>

#include "gcompile/base/error.h"
#include "gcompile/codegen/compile.h"

namespace gcompile::tool {

po::options_description common_options() {
  po::options_description options("Options");
  auto add = options.add_options();
  add("dim", po::value<std::vector<std::string>>()->value_name("N=32"), "the value of a symbolic dimension");
  add("target", po::value<std::string>()->value_name("NAME"), "the machine, see `gcompile list targets`");
  add("memory-budget", po::value<std::int64_t>()->value_name("BYTES"),
      "of temporaries, for typical extents: what is cheap is computed again where that takes less");
  add("help", "this text");
  return options;
}

po::variables_map parse(const std::vector<std::string>& words, const po::options_description& options,
                        const std::string& usage) {
  po::options_description all;
  all.add(options).add_options()("file", po::value<std::string>());
  po::positional_options_description positional;
  positional.add("file", 1);
  po::variables_map vars;
  // No guessing of abbreviated names: a script's --dim must not become another option of a later version.
  const int style = po::command_line_style::default_style & ~po::command_line_style::allow_guessing;
  try {
    po::store(po::command_line_parser(words).options(all).positional(positional).style(style).run(), vars);
    po::notify(vars);
  } catch (const po::error& e) {
    throw UsageError(e.what());
  }
  if (vars.count("help")) std::cout << usage << "\n" << options;
  return vars;
}

std::pair<std::string, std::string> split_assignment(const std::string& text, const std::string& option) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size())
    throw UsageError("--" + option + " " + text + ": expected NAME=VALUE");
  return {text.substr(0, equals), text.substr(equals + 1)};
}

std::map<std::string, std::int64_t> dims_of(const po::variables_map& vars) {
  std::map<std::string, std::int64_t> dims;
  if (!vars.count("dim")) return dims;
  for (const std::string& text : vars["dim"].as<std::vector<std::string>>()) {
    const auto [name, number] = split_assignment(text, "dim");
    std::int64_t value = -1;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
    if (error != std::errc{} || end != number.data() + number.size() || value < 0)
      throw UsageError("--dim " + text + ": expected a number >= 0");
    if (!dims.emplace(name, value).second) throw UsageError("--dim " + name + " is given twice");
  }
  return dims;
}

Target target_of(const po::variables_map& vars) {
  try {
    return vars.count("target") ? codegen::target_named(vars["target"].as<std::string>()) : codegen::default_target();
  } catch (const Error& e) {
    throw UsageError(e.what());
  }
}

std::int64_t memory_budget_of(const po::variables_map& vars) {
  if (!vars.count("memory-budget")) return -1;
  const std::int64_t budget = vars["memory-budget"].as<std::int64_t>();
  if (budget < 0) throw UsageError("--memory-budget " + std::to_string(budget) + ": expected a number >= 0");
  return budget;
}

std::vector<std::string> split_commas(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find(',', begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

}  // namespace gcompile::tool
