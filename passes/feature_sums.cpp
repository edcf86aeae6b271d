#include "gcompile/passes/feature_sums.h"

#include <algorithm>

namespace gcompile::passes {
namespace {

constexpr int kMostPartials = 4;

// The terms of a sum over one constant extent; of others 0.
std::int64_t terms(const std::vector<Dim>& extents) {
  return extents.size() == 1 && extents[0].is_constant() ? extents[0].constant() : 0;
}

}  // namespace

// Each partial sum but one costs an addition more, which a nest over many samples has to pay for and does not wait for
// the others: of few products that is too much.
int partial_sums_of_products(const std::vector<Dim>& extents) {
  constexpr std::int64_t kManyProducts = 16;
  return terms(extents) >= kManyProducts ? kMostPartials : 1;
}

// A sum of elements is dependent additions and nothing else, which softmax waits for twice: here few terms are enough.
int partial_sums_of_elements(const std::vector<Dim>& extents) {
  return terms(extents) >= 2 * kMostPartials ? kMostPartials : terms(extents) >= kMostPartials ? 2 : 1;
}

}  // namespace gcompile::passes
