#include "model.h"

#include <iostream>
#include <iterator>

#include "gcompile/base/error.h"
#include "gcompile/ir/parse.h"
#include "gcompile/runtime/file_io.h"

namespace gcompile::tool {
namespace {

// The first word that is not in a comment.
std::string first_word(const std::string& text) {
  std::size_t i = 0;
  while (i < text.size()) {
    if (text[i] == '#' || text.compare(i, 2, "//") == 0) {
      i = text.find('\n', i);
      if (i == std::string::npos) return "";
    } else if (static_cast<unsigned char>(text[i]) > ' ') {
      const auto end = text.find_first_of(" \t\r\n@({", i);
      return text.substr(i, end - i);
    } else {
      ++i;
    }
  }
  return "";
}

}  // namespace

passes::Stage parse_model(const std::string& text, const std::string& file) {
  if (first_word(text) == "kernels") return ir::parse_kernel_module(text, file);
  return ir::parse_graph(text, file);
}

passes::Stage read_model(const boost::program_options::variables_map& vars, const passes::DimValues& dims) {
  const std::string file = vars.count("file") ? vars["file"].as<std::string>() : "-";
  const std::string text =
      file == "-" ? std::string(std::istreambuf_iterator<char>(std::cin), {}) : runtime::read_file(file);
  passes::Stage stage = parse_model(text, file == "-" ? "<stdin>" : file);
  if (dims.empty()) return stage;
  if (auto* graph = std::get_if<ir::Graph>(&stage)) return passes::specialize(*graph, dims);
  return passes::specialize(std::get<ir::KernelModule>(stage), dims);
}

}  // namespace gcompile::tool
