// Dim: the canonical form, its algebra, and its text.
#include "gcompile/ir/dim.h"

#include <gtest/gtest.h>

#include "gcompile/base/error.h"
#include "gcompile/ir/parse.h"
#include "gcompile/passes/simplify_index.h"

namespace gcompile {
namespace {

const Dim N("N"), M("M"), K("K");

TEST(Dim, IsCanonical) {
  EXPECT_EQ(N * M, M * N);
  EXPECT_EQ((N + Dim(1)) * (N - Dim(1)), N * N - Dim(1));
  EXPECT_EQ(N + M + K, K + (M + N));
  EXPECT_EQ(N - N, Dim(0));
  EXPECT_TRUE((N - N).is(0));
  EXPECT_EQ(Dim(0) * N, Dim(0));
  EXPECT_NE(N, M);
  EXPECT_NE(N * N, N);
  EXPECT_EQ(product({N, 4, 8}), product({N, 32}));
  EXPECT_EQ(product({}), Dim(1));
  EXPECT_EQ((Dim(2) * N).hash(), (N + N).hash());
}

TEST(Dim, Prints) {
  EXPECT_EQ(Dim(0).str(), "0");
  EXPECT_EQ(Dim(-3).str(), "-3");
  EXPECT_EQ((Dim(2) * M * N + Dim(3)).str(), "2*M*N + 3");
  EXPECT_EQ((Dim(3) - N).str(), "-N + 3");
  EXPECT_EQ((N - Dim(2) * M - Dim(1)).str(), "-2*M + N - 1");
  EXPECT_EQ((N * N).str(), "N*N");
  EXPECT_EQ(ceildiv(N, 16).str(), "floordiv(N + 15, 16)");
  EXPECT_EQ((mod(N + M, 4) * Dim(2)).str(), "2*mod(M + N, 4)");
}

TEST(Dim, TextReadsBack) {
  const Dim dims[] = {0,
                      -3,
                      N,
                      Dim(3) - N,
                      Dim(2) * N * M + Dim(3),
                      N * N * N - Dim(5) * N + Dim(1),
                      ceildiv(N, 16),
                      at_most(N - Dim(8) * M, 8) + N,
                      mod(floordiv(N * M, 3) + N, 7) * Dim(2) - K,
                      floordiv(mod(N, 4) + mod(N, 5), 2) * mod(N, 4),
                      Dim("$0") + Dim(16) * Dim("t.1") + Dim("lane")};
  for (const Dim& d : dims) EXPECT_EQ(ir::parse_dim(d.str()), d) << d.str();
  EXPECT_EQ(ir::parse_dim("(N + 1)*(N - 1) + 1"), N * N);
  EXPECT_EQ(ir::parse_dim("-(N - M)*2"), Dim(2) * M - Dim(2) * N);
}

TEST(Dim, TextErrors) {
  const auto message = [](const char* text) {
    try {
      ir::parse_dim(text);
    } catch (const ParseError& e) {
      return std::string(e.what());
    }
    return std::string("accepted");
  };
  EXPECT_EQ(message(""),
            "<text>:1:1: expected an integer, a symbol, floordiv, mod, min or '(', found the end of the text");
  EXPECT_EQ(message("N M"), "<text>:1:3: expected the end of the text, found 'M'");
  EXPECT_EQ(message("N +"),
            "<text>:1:4: expected an integer, a symbol, floordiv, mod, min or '(', found the end of the text");
  EXPECT_EQ(message("floordiv(N, M)"), "<text>:1:13: expected a divisor, found 'M'");
  EXPECT_EQ(message("mod(N)"), "<text>:1:6: expected ',' before the divisor, found ')'");
  EXPECT_EQ(message("4194304*N*4194304*4194304"),
            "<text>:1:1: an extent or its number of elements does not fit in 63 bits");
}

TEST(Dim, RefusesOverflow) {
  const Dim big(std::int64_t{1} << 62);
  EXPECT_THROW(big + big, ModelError);
  EXPECT_THROW(big * Dim(2) * N, ModelError);
  EXPECT_THROW(Dim(0) - big - big, ModelError);
  EXPECT_EQ((big - Dim(1) + big).constant(), std::numeric_limits<std::int64_t>::max());
}

TEST(Dim, Divides) {
  EXPECT_EQ((Dim(4) * N + Dim(8)).divided_by(4), N + Dim(2));
  EXPECT_EQ((Dim(4) * N + Dim(7)).divided_by(4), std::nullopt);
  EXPECT_EQ((Dim(6) * N * M).divided_by(Dim(2) * N), Dim(3) * M);
  EXPECT_EQ((N * N + N * M).divided_by(N), N + M);
  EXPECT_EQ((N + Dim(1)).divided_by(N), std::nullopt);
  EXPECT_EQ((N + Dim(1)).divided_by(N + Dim(1)), Dim(1));
  EXPECT_EQ(N.divided_by(0), std::nullopt);
  EXPECT_EQ(Dim(32).divided_by(8), Dim(4));
}

TEST(Dim, FloordivAndModFold) {
  EXPECT_EQ(floordiv(Dim(7), 2), Dim(3));
  EXPECT_EQ(floordiv(Dim(-7), 2), Dim(-4));
  EXPECT_EQ(mod(Dim(-7), 2), Dim(1));
  EXPECT_EQ(floordiv(N, 1), N);
  EXPECT_EQ(mod(N, 1), Dim(0));
  EXPECT_EQ(floordiv(Dim(4) * N + Dim(8), 4), N + Dim(2));
  EXPECT_EQ(floordiv(Dim(4) * N + Dim(11), 4), N + Dim(2));
  EXPECT_EQ(mod(Dim(4) * N + Dim(11), 4), Dim(3));
  EXPECT_EQ(floordiv(Dim(4) * N + M + Dim(9), 4), N + Dim(2) + floordiv(M + Dim(1), 4));
  EXPECT_EQ(mod(Dim(4) * N + M + Dim(9), 4), mod(M + Dim(1), 4));
  EXPECT_EQ(ceildiv(Dim(16) * N, 16), N);
  EXPECT_THROW(floordiv(N, 0), ModelError);
}

TEST(Dim, AtMostFoldsPrintsAndSimplifies) {
  EXPECT_EQ(at_most(Dim(7), 5), Dim(5));
  EXPECT_EQ(at_most(Dim(-7), 5), Dim(-7));
  EXPECT_EQ(at_most(N + Dim(1), 5).str(), "min(N + 1, 5)");
  EXPECT_EQ(at_most(N, 5), at_most(N, 5));
  EXPECT_EQ(at_most(N, 5).evaluate({{"N", 9}}), 5);
  EXPECT_EQ(at_most(N, 5).substitute({{"N", Dim(3)}}), Dim(3));
  EXPECT_EQ(floordiv(Dim(4) * at_most(N, 5) + Dim(2), 4), at_most(N, 5));
  EXPECT_THROW(at_most(N, 0), ModelError);
  EXPECT_EQ(simplify(at_most(N, 5), {{"N", {0, 5}}}), N);
  EXPECT_EQ(simplify(at_most(N, 5), {{"N", {5, 90}}}), Dim(5));
  EXPECT_EQ(simplify(at_most(N, 5), {{"N", {0, 90}}}), at_most(N, 5));
  EXPECT_EQ(bounds_of(at_most(N, 5), {{"N", {2, 90}}}), (Interval{2, 5}));
}

TEST(Dim, FloordivAndModAgreeWithNumbers) {
  for (std::int64_t c = 1; c < 7; ++c)
    for (std::int64_t n = -13; n < 14; ++n) {
      const Dim e = Dim(3) * N + Dim(6) * M - Dim(5);
      const std::map<std::string, std::int64_t> at{{"N", n}, {"M", 2 - n}};
      const std::int64_t q = floordiv(e, c).evaluate(at), r = mod(e, c).evaluate(at);
      EXPECT_EQ(q * c + r, e.evaluate(at));
      EXPECT_GE(r, 0);
      EXPECT_LT(r, c);
    }
}

TEST(Dim, Substitutes) {
  const Dim e = Dim(2) * N * M + ceildiv(N, 16);
  EXPECT_EQ(e.substitute({{"N", Dim(32)}}), Dim(64) * M + Dim(2));
  EXPECT_EQ(e.substitute({{"N", Dim(16) * K}}), Dim(32) * K * M + K);
  EXPECT_EQ(e.substitute({{"X", Dim(1)}}), e);
  EXPECT_EQ(e.evaluate({{"N", 33}, {"M", 2}}), 2 * 33 * 2 + 3);
  EXPECT_THROW(e.evaluate(std::map<std::string, std::int64_t>{{"N", 33}}), InternalError);
}

TEST(Dim, KnowsItsSymbols) {
  const Dim e = Dim(2) * N * M + floordiv(K + N, 3);
  EXPECT_EQ(e.symbols(), (std::set<std::string>{"K", "M", "N"}));
  EXPECT_TRUE(e.uses("K"));
  EXPECT_FALSE(e.uses("L"));
  EXPECT_EQ(N.as_symbol(), "N");
  EXPECT_EQ((N + Dim(1)).as_symbol(), std::nullopt);
  EXPECT_EQ((Dim(2) * N).as_symbol(), std::nullopt);
  EXPECT_EQ(floordiv(N, 2).as_symbol(), std::nullopt);
}

TEST(Dim, Coefficients) {
  EXPECT_EQ((Dim(16) * N + M * N + Dim(3)).coefficient_of("N"), Dim(16) + M);
  EXPECT_EQ((Dim(16) * N).coefficient_of("M"), Dim(0));
  EXPECT_EQ((N * N).coefficient_of("N"), std::nullopt);
  EXPECT_EQ(floordiv(N, 2).coefficient_of("N"), std::nullopt);
}

}  // namespace
}  // namespace gcompile
