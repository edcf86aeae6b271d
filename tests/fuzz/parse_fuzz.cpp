// The parsers of graphs and kernels on any text: they accept it or throw ParseError, and what they accept verifies and
// comes back from its own print. The entry is libFuzzer's (`-fsanitize=fuzzer`); parse_fuzz_driver.cpp is a main for
// compilers without it.
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "gcompile/base/error.h"
#include "gcompile/ir/kernel.h"
#include "gcompile/ir/op.h"
#include "gcompile/ir/parse.h"
#include "gcompile/ir/print.h"

namespace {

using namespace gcompile;

// Throws what a user must never see: anything but ParseError, or a text that changes on its way.
template <class Parse>
void check(std::string_view text, Parse&& parse) {
  std::string printed;
  try {
    const auto ir = parse(text);
    printed = ir::print(ir);
  } catch (const ParseError&) {
    return;
  }
  const auto again = parse(printed);
  ir::verify(again);
  if (ir::print(again) != printed)
    throw std::logic_error("the text changes:\n" + printed + "\nbecomes\n" + ir::print(again));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check(text, [](std::string_view t) { return ir::parse_graph(t); });
  check(text, [](std::string_view t) { return ir::parse_kernel_module(t); });
  return 0;
}
