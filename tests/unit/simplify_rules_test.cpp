// Every line of simplify's table: it fires on its own pattern, and the interpreter gives the same bits before and
// after, on all combinations of values at which floating-point identities break.
#include <gtest/gtest.h>

#include <limits>

#include "gcompile/base/error.h"
#include "gcompile/ir/build.h"
#include "gcompile/ir/op.h"
#include "gcompile/passes/simplify_rules.h"
#include "graph_testing.h"

namespace gcompile::passes {
namespace {

using ir::Builder;
using ir::Graph;
using ir::Value;
using testing::evaluate;

std::vector<double> special_values(DType dtype) {
  if (dtype == DType::kBool) return {0, 1};
  if (dtype == DType::kI32) return {0, 1, -1, 2, -7, 2147483647.0, -2147483648.0};
  constexpr double kInf = std::numeric_limits<double>::infinity();
  std::vector<double> values{0.0, -0.0, 1, -1, 0.1, -2.5, 1e-39, -3e38, kInf, -kInf, std::nan("")};
  if (dtype == DType::kF64) values.insert(values.end(), {1e300, 5e-324});
  return values;
}

std::string letters_of(std::string_view pattern) {
  std::string letters;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const auto is_word = [&](std::size_t k) {
      return k < pattern.size() && (std::isalnum(static_cast<unsigned char>(pattern[k])) || pattern[k] == '_');
    };
    if (!std::islower(static_cast<unsigned char>(pattern[i])) || is_word(i + 1) || (i > 0 && is_word(i - 1))) continue;
    if (letters.find(pattern[i]) == std::string::npos) letters += pattern[i];
  }
  return letters;
}

struct Typing {
  DType letters, condition, numbers;  // of most letters, of the letter c, of numbers
};

// A graph with the pattern as its result and a vector input per letter, all combinations of special values in them.
struct Case {
  Graph graph;
  std::vector<Array> inputs;
};

std::optional<Case> make_case(std::string_view pattern, Typing typing, double k) {
  Case made;
  Builder b(made.graph);
  const std::string letters = letters_of(pattern);
  const auto dtype_of_letter = [&](char c) { return c == 'c' ? typing.condition : typing.letters; };
  std::int64_t size = 1;
  for (char c : letters)
    if (c != 'k') size *= static_cast<std::int64_t>(special_values(dtype_of_letter(c)).size());
  std::map<char, Value> values;
  std::int64_t stride = 1;
  for (char c : letters) {
    const DType dtype = dtype_of_letter(c);
    if (c == 'k') {
      values[c] = ir::splat(b, {dtype, {size}}, k);
      continue;
    }
    const std::vector<double> special = special_values(dtype);
    Array all(dtype, {size});
    for (std::int64_t i = 0; i < size; ++i) all.set(i, special[static_cast<std::size_t>(i / stride) % special.size()]);
    stride *= static_cast<std::int64_t>(special.size());
    values[c] = b.input(std::string(1, c), {dtype, {size}});
    made.inputs.push_back(all);
  }
  try {
    const Leaves leaves{[&](char c) { return values.at(c); },
                        [&](double number) {
                          return ir::splat(b, {typing.numbers, {size}}, number);
                        }};
    made.graph.results = {{build_term(pattern, leaves, b), ""}};
  } catch (const ModelError&) {
    return std::nullopt;  // ill-typed
  }
  return made;
}

bool needs_attributes(std::string_view pattern) {
  for (const char* op :
       {"cast", "reshape", "transpose", "broadcast", "slice", "reverse", "reduce", "dot", "concat", "pad"})
    if (pattern.find(op) != std::string_view::npos) return true;
  return false;
}

bool same_but_for_nan(const Array& a, const Array& b) {
  if (a.dtype() != b.dtype() || a.shape() != b.shape()) return false;
  for (std::int64_t i = 0; i < a.size(); ++i) {
    const double x = a.at(i), y = b.at(i);
    if (std::isnan(x) && std::isnan(y)) continue;
    if (!(x == y) || std::signbit(x) != std::signbit(y)) return false;
  }
  return true;
}

// How often the rule fired, in all typings that it admits.
int check_rule(const Rule& rule, const RuleSet& only) {
  int fired = 0;
  for (DType letters : kAllDTypes)
    for (DType condition : {letters, DType::kBool})
      for (DType numbers : {letters, DType::kBool})
        for (double k : {1.0, 3.0, -0.25, 1024.0, -0.0, 0x1p-126, 0x1p-130, 0x1p127}) {
          const auto made = make_case(rule.pattern, {letters, condition, numbers}, k);
          if (!made) continue;
          Graph after = made->graph;
          Builder b(after);
          const Value replaced = only.apply(*made->graph.results[0].value.node, b);
          if (!replaced) continue;
          ++fired;
          after.results = {{replaced, ""}};
          ir::verify(after);
          const Array want = evaluate(made->graph, made->inputs)[0], got = evaluate(after, made->inputs)[0];
          EXPECT_TRUE(same_but_for_nan(want, got)) << rule.pattern << " on " << name(letters) << ", k = " << k << "\n"
                                                   << want << "\n"
                                                   << got;
          if (letters_of(rule.pattern).find('k') == std::string::npos) break;
        }
  return fired;
}

TEST(SimplifyRules, EveryLineFiresAndIsExact) {
  int checked = 0;
  for (const auto family : {arithmetic_rules(), logic_rules(), view_rules(), structured_rules()})
    for (const Rule& rule : family) {
      if (needs_attributes(rule.pattern)) continue;  // below, by hand
      const RuleSet only({std::span(&rule, 1)});
      EXPECT_GT(check_rule(rule, only), 0) << rule.pattern << " never fires";
      ++checked;
    }
  EXPECT_GE(checked, 60);
}

// The test above sees a wrong rule.
TEST(SimplifyRules, AWrongRuleIsCaught) {
  static constexpr Rule kWrong[] = {{"add(x, 0)", "x"}, {"neg(sub(a, b))", "sub(b, a)"}, {"mul(x, 0)", "0"}};
  for (const Rule& rule : kWrong) {
    const RuleSet only({std::span(&rule, 1)});
    const auto made = make_case(rule.pattern, {DType::kF32, DType::kF32, DType::kF32}, 1);
    Graph after = made->graph;
    Builder b(after);
    after.results = {{only.apply(*made->graph.results[0].value.node, b), ""}};
    EXPECT_FALSE(same_but_for_nan(evaluate(made->graph, made->inputs)[0], evaluate(after, made->inputs)[0]))
        << rule.pattern;
  }
}

TEST(SimplifyRules, ErrorsInARuleAreFound) {
  for (const char* pattern : {"add(a, b", "add a", "x", "nonsense(x)", "add(a, b))", "neg()"}) {
    const Rule rule{pattern, "x"};
    EXPECT_THROW(RuleSet({std::span(&rule, 1)}), InternalError) << pattern;
  }
}

}  // namespace
}  // namespace gcompile::passes
