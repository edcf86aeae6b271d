// The order in which a nest (lower.h) adds up what it sums along the features of a sample: term k goes to partial sum k
// mod P, each of which takes its terms in ascending order; then the first and the second are added, the third and the
// fourth, then these. One sum would be one chain of dependent instructions, and a batch of one row has little else to
// do. P follows from the number of terms alone, for a result has the same bits whatever the batch or the machine.
#pragma once

#include <vector>

#include "gcompile/ir/dim.h"

namespace gcompile::passes {

// P for a sum over a box: 1, 2 or 4. Over several axes, or a symbolic one, it is 1.
int partial_sums_of_products(const std::vector<Dim>& extents);
int partial_sums_of_elements(const std::vector<Dim>& extents);

// f(a, b) of neighbours, then of what these gave, until one is left.
template <class T, class F>
T pairwise(std::vector<T> sums, F&& f) {
  while (sums.size() > 1) {
    std::vector<T> halves;
    for (std::size_t i = 0; i < sums.size(); i += 2)
      halves.push_back(i + 1 < sums.size() ? f(sums[i], sums[i + 1]) : sums[i]);
    sums = std::move(halves);
  }
  return sums[0];
}

}  // namespace gcompile::passes
