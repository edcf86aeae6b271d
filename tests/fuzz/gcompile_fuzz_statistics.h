// What a run has drawn and compared: printed at its end, and asked whether anything was left out.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "gcompile/codegen/check/check.h"
#include "gcompile_fuzz_generate.h"
#include "gcompile_fuzz_variants.h"

namespace gcompile::fuzz {

class Statistics {
 public:
  explicit Statistics(const Target& target);
  void count(const Sample& s, const Variants& v);
  void count(const codegen::CheckReport& report);

  void print() const;
  // Ops of the registry, transforms, variants and comparisons of which there was none.
  std::vector<std::string> missing() const;

 private:
  using Counts = std::map<std::string, std::int64_t>;

  void count_ops(const ir::Graph& graph);

  Counts ops_, transforms_, variants_, comparisons_;
  std::vector<std::size_t> nodes_;
  std::int64_t networks_ = 0, symbolic_ = 0, updates_ = 0;
};

}  // namespace gcompile::fuzz
