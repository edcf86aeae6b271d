// Random training steps, and the choice between the two kinds of graphs.
#include "gcompile_fuzz_generate.h"
#include "tests/support/network.h"

namespace gcompile::fuzz {

Sample random_network(RandomStream& random) {
  using testing::Network;
  Network net;
  const bool small = chance(random, 75);
  const std::int64_t width = small ? 7 : 12;
  net.inputs = between(random, 1, width);
  for (std::int64_t depth = between(random, 0, small ? 1 : 3); depth > 0; --depth)
    net.hidden.push_back(between(random, 1, width));
  net.activation = static_cast<Network::Activation>(between(random, 0, 2));
  net.head = static_cast<Network::Head>(between(random, 0, 2));
  net.outputs = net.head == Network::Head::kSoftmaxCrossEntropy ? between(random, 2, 6) : between(random, 1, 3);
  net.momentum = chance(random, 30) ? 0.9 : 0;
  net.adam = chance(random, 15);
  const bool symbolic = chance(random, 70);
  const std::int64_t n = between(random, 1, 40);
  Sample s;
  s.graph = training_graph(net, symbolic ? Dim("N") : Dim(n), random.next());
  s.data_seed = random.next();
  s.network = true;
  if (symbolic)
    s.sizes = {{{"N", n}}, {{"N", between(random, 1, 70)}}};
  else
    s.sizes = {{}};
  return s;
}

Sample generate(std::uint64_t seed, std::uint64_t index, bool with_fma) {
  RandomStream random(fold_in(random_key(seed, "fuzz"), index));
  return chance(random, 10) ? random_network(random) : random_ops(random, with_fma);
}

}  // namespace gcompile::fuzz
