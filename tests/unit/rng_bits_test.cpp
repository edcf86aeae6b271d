// The op rng_bits: the published answers of Threefry-2x32-20, which element has which counter, and what it refuses.
#include <gtest/gtest.h>

#include "gcompile/base/error.h"
#include "gcompile/codegen/check/compare.h"
#include "gcompile/codegen/compile.h"
#include "gcompile/ir/build.h"
#include "gcompile/runtime/random.h"
#include "tests/unit/temp_dir.h"

namespace gcompile {
namespace {

using codegen::Call;
using codegen::Outcome;
using Dims = std::vector<Dim>;

Array words(std::uint32_t a, std::uint32_t b) { return Array{a, b}; }

// Both words of the elements of `dims`.
ir::Graph both_words(const Type& key, const Dims& dims) {
  ir::Graph graph("bits");
  ir::Builder b(graph);
  const ir::Value k = b.input("key", key), first = b.input("first", key);
  for (const std::int64_t word : {0, 1})
    graph.results.push_back({b.make("rng_bits", {k, first}, {{"dims", dims}, {"word", word}}), ""});
  return graph;
}

// What the interpreter makes, after compiled code for every target that runs here has made the same.
std::vector<Array> made(const ir::Graph& graph, const Call& call) {
  const Outcome expected = codegen::interpret(graph, call);
  for (const std::string& name : codegen::target_names()) {
    codegen::CompileOptions options;
    options.target = codegen::target_named(name);
    options.cache = "off";
    if (!codegen::runs_here(options.target, nullptr)) continue;
    std::vector<const Array*> inputs;
    for (const Array& a : call.inputs) inputs.push_back(&a);
    Outcome out;
    out.results.resize(graph.results.size());
    codegen::compile(graph, options)->run(inputs, out.results);
    const auto difference = codegen::compare_bits(expected, out);
    EXPECT_TRUE(difference.ok()) << name << ": " << difference.str();
  }
  return expected.results;
}

// Random123, kat_vectors: threefry2x32, 20 rounds.
TEST(RngBits, PublishedAnswers) {
  const struct {
    std::uint32_t key[2], counter[2], answer[2];
  } known[] = {{{0, 0}, {0, 0}, {0x6b200159, 0x99ba4efe}},
               {{~0u, ~0u}, {~0u, ~0u}, {0x1cb996fc, 0xbb002be7}},
               {{0x13198a2e, 0x03707344}, {0x243f6a88, 0x85a308d3}, {0xc4923a9c, 0x483df7a0}}};
  const ir::Graph graph = both_words({DType::kU32, {2}}, {});
  for (const auto& k : known) {
    const auto results = made(graph, {{words(k.key[0], k.key[1]), words(k.counter[0], k.counter[1])}, {}, {}});
    EXPECT_EQ(results[0].at_integer(0), k.answer[0]);
    EXPECT_EQ(results[1].at_integer(0), k.answer[1]);
  }
}

// The counter is a number of 64 bits that counts elements row by row and wraps around.
TEST(RngBits, ElementsHaveCountersInRowMajorOrder) {
  const RandomKey key{17, 0x80000001u};
  for (const std::uint64_t first : {std::uint64_t{0}, (std::uint64_t{5} << 32) - 20, ~std::uint64_t{0} - 9}) {
    const auto results = made(
        both_words({DType::kU32, {2}}, {7, 3, 5}),
        {{words(key.k0, key.k1), words(static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(first >> 32))},
         {},
         {}});
    ASSERT_EQ(results[0].shape().str(), Shape({7, 3, 5}).str());
    for (std::int64_t i = 0; i < results[0].size(); ++i) {
      const auto block = threefry2x32(key, first + static_cast<std::uint64_t>(i));
      ASSERT_EQ(results[0].at_integer(i), block[0]) << first << " " << i;
      ASSERT_EQ(results[1].at_integer(i), block[1]) << first << " " << i;
    }
  }
}

TEST(RngBits, EveryKeyCountsForItself) {
  Array keys(DType::kU32, {4, 2}), first(DType::kU32, {4, 2});
  for (std::int64_t i = 0; i < 8; ++i) keys.set_integer(i, 1000 * i), first.set_integer(i, i % 2 ? 3 : 40 * i);
  const auto results = made(both_words({DType::kU32, {4, 2}}, {33}), {{keys, first}, {}, {}});
  ASSERT_EQ(results[0].shape().str(), Shape({4, 33}).str());
  for (std::uint32_t k = 0; k < 4; ++k)
    for (std::uint32_t i = 0; i < 33; ++i)
      EXPECT_EQ(results[0].at_integer(33 * k + i), threefry2x32({2000 * k, 2000 * k + 1000}, {80 * k + i, 3})[0]);
}

TEST(RngBits, Refusals) {
  ir::Graph graph("refused");
  ir::Builder b(graph);
  const auto message = [&](Type key, const Dims& dims, std::int64_t word) {
    const ir::Value k = b.input("k", std::move(key));
    return testing::message_of<ModelError>([&] { b.make("rng_bits", {k, k}, {{"dims", dims}, {"word", word}}); });
  };
  EXPECT_NE(message({DType::kU32, {3}}, {4}, 0).find("a key is u32[2], perhaps with axes before, got u32[3]"),
            std::string::npos);
  EXPECT_NE(message({DType::kU32, {}}, {4}, 0).find("a key is u32[2]"), std::string::npos);
  EXPECT_NE(message({DType::kU32, {2}}, {4}, 2).find("word 2 of a block of two"), std::string::npos);
  EXPECT_NE(message({DType::kU32, {2}}, {65536, 32768}, 0).find("2147483648 elements are more than a key is for"),
            std::string::npos);
  EXPECT_NE(message({DType::kI32, {2}}, {4}, 0).find("is for u32"), std::string::npos);
  EXPECT_EQ(message({DType::kU32, {2}}, {65536, 32767}, 1), "");
}

}  // namespace
}  // namespace gcompile
