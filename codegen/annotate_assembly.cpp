#include "gcompile/codegen/annotate_assembly.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace gcompile::codegen {
namespace {

// Directives and labels that only a debugger reads.
bool is_for_debuggers(std::string_view line) {
  constexpr std::array<std::string_view, 6> kBeginnings{"\t.cfi_",      "\t.file\t",        ".Ltmp",
                                                        ".Lfunc_begin", ".Lfunc_end_debug", "\t.section\t.debug"};
  for (const std::string_view beginning : kBeginnings)
    if (line.starts_with(beginning)) return true;
  return false;
}

// "\t.loc\t1 14 0 prologue_end             # some/model.cpp:14:0" is model.cpp:14; empty where it says nothing.
std::string line_of(std::string_view directive) {
  const auto comment = directive.find("# ");
  if (comment == std::string_view::npos) return "";
  std::string_view place = directive.substr(comment + 2);
  const auto column = place.rfind(':');
  if (column == std::string_view::npos) return "";
  const auto line = place.rfind(':', column - 1);
  if (line == std::string_view::npos || place.substr(line + 1, column - line - 1) == "0") return "";
  place = place.substr(0, column);
  return std::string(place.substr(place.rfind('/', line) + 1));
}

}  // namespace

std::string annotate_assembly(const std::string& text, const std::map<std::string, std::string>& functions) {
  std::string out, last;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = std::string_view(text).substr(begin, end - begin);
    begin = end + 1;
    if (line.starts_with("\t.loc\t")) {
      const std::string place = line_of(line);
      if (!place.empty() && place != last) out += "\t# " + place + "\n";
      if (!place.empty()) last = place;
      continue;
    }
    if (is_for_debuggers(line)) continue;
    if (const auto colon = line.find(':'); colon != std::string_view::npos)
      if (const auto known = functions.find(std::string(line.substr(0, colon))); known != functions.end()) {
        out += "# " + known->second + "\n";
        last.clear();
      }
    out.append(line);
    out += '\n';
  }
  return out;
}

}  // namespace gcompile::codegen
