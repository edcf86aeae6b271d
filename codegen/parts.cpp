#include "gcompile/codegen/parts.h"

#include <algorithm>
#include <numeric>

#include "gcompile/passes/schedule.h"

namespace gcompile::codegen {

namespace {

// As many parts as are worth it.
std::int64_t most_parts(std::int64_t instructions, int threads) {
  return std::max<std::int64_t>(std::min<std::int64_t>(threads, instructions / kPartInstructions), 1);
}

std::vector<std::int64_t> sizes_of(const ir::Program& program, const SharedKernels& shared) {
  std::vector<std::int64_t> sizes;
  for (std::size_t k = 0; k < program.module.kernels.size(); ++k)
    sizes.push_back(shared.is_first(k) ? passes::unrolled_size(program.module.kernels[k].body) : 0);
  return sizes;
}

}  // namespace

Cuts cuts_of(const ir::Program& program, const SharedKernels& shared, int threads) {
  const std::vector<std::int64_t> sizes = sizes_of(program, shared);
  const std::int64_t all = std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0});
  const std::int64_t share = all / most_parts(all, threads);
  Cuts cuts(sizes.size());
  for (std::size_t k = 0; k < sizes.size(); ++k)
    if (sizes[k] > std::max(share, 2 * kPartInstructions)) cuts[k] = cut_of(program.module.kernels[k]);
  return cuts;
}

// The largest functions first, each to the part that has least: Graham's LPT rule.
std::vector<Part> parts_of(const ir::Program& program, const SharedKernels& shared, int threads, const Cuts& cuts) {
  struct Function {
    std::size_t kernel;
    bool behind;  // the cut
    std::int64_t size;
  };
  std::vector<Function> functions;
  const std::vector<std::int64_t> sizes = sizes_of(program, shared);
  for (std::size_t k = 0; k < sizes.size(); ++k) {
    if (!shared.is_first(k)) continue;
    const std::int64_t behind = k < cuts.size() && cuts[k] ? cuts[k]->size : 0;
    functions.push_back({k, false, sizes[k] - behind});
    if (behind) functions.push_back({k, true, behind});
  }
  const std::int64_t all = std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0});
  const std::int64_t most = std::min<std::int64_t>(most_parts(all, threads), std::ssize(functions));
  std::vector<Part> parts(static_cast<std::size_t>(std::max<std::int64_t>(most, 1)));
  parts[0].entry = true;
  std::stable_sort(functions.begin(), functions.end(),
                   [](const Function& a, const Function& b) { return a.size > b.size; });
  std::vector<std::int64_t> work(parts.size());
  for (const Function& f : functions) {
    const auto least = static_cast<std::size_t>(std::min_element(work.begin(), work.end()) - work.begin());
    (f.behind ? parts[least].behind : parts[least].kernels).push_back(f.kernel);
    work[least] += f.size;
  }
  for (Part& p : parts) {
    std::sort(p.kernels.begin(), p.kernels.end());
    std::sort(p.behind.begin(), p.behind.end());
  }
  std::erase_if(parts, [](const Part& p) { return p.kernels.empty() && p.behind.empty() && !p.entry; });
  return parts;
}

}  // namespace gcompile::codegen
