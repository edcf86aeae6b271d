#include "gcompile/codegen/parts.h"

#include <algorithm>
#include <numeric>

#include "gcompile/passes/schedule.h"

namespace gcompile::codegen {

// The largest kernels first, each to the part that has least: Graham's LPT rule.
std::vector<Part> parts_of(const ir::Program& program, const SharedKernels& shared, int threads) {
  const std::vector<ir::Kernel>& kernels = program.module.kernels;
  std::vector<std::int64_t> sizes;
  std::vector<std::size_t> order;
  for (std::size_t k = 0; k < kernels.size(); ++k) {
    sizes.push_back(shared.is_first(k) ? passes::unrolled_size(kernels[k].body) : 0);
    if (shared.is_first(k)) order.push_back(k);
  }
  const std::int64_t all = std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0});
  const std::int64_t most = std::min<std::int64_t>({threads, all / kPartInstructions, std::ssize(order)});
  std::vector<Part> parts(static_cast<std::size_t>(std::max<std::int64_t>(most, 1)));
  parts[0].entry = true;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return sizes[a] > sizes[b]; });
  std::vector<std::int64_t> work(parts.size());
  for (const std::size_t k : order) {
    const auto least = static_cast<std::size_t>(std::min_element(work.begin(), work.end()) - work.begin());
    parts[least].kernels.push_back(k);
    work[least] += sizes[k];
  }
  for (Part& p : parts) std::sort(p.kernels.begin(), p.kernels.end());
  std::erase_if(parts, [](const Part& p) { return p.kernels.empty() && !p.entry; });
  return parts;
}

}  // namespace gcompile::codegen
