// What the parser says of wrong texts of graphs: where, what was expected, what is there.
#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "gcompile/base/error.h"
#include "gcompile/ir/parse.h"

namespace gcompile::ir {
namespace {

struct Wrong {
  const char* name;
  std::string text, message;
};
void PrintTo(const Wrong& w, std::ostream* out) { *out << w.name; }

std::string in_graph(const std::string& lines) { return "graph @g(%x: f32[N,8], %y: f32[N,8]) {\n" + lines + "\n}\n"; }

std::string nested_bodies(int n) {
  std::string text, end;
  for (int i = 0; i < n; ++i) text += "graph @g() { %0 = fusion() : f32[] ";
  return text;
}

const Wrong kWrong[] = {
    {"empty", "", "t.gir:1:1: expected 'graph' at the start, found the end of the text"},
    {"other_word", "module @g", "t.gir:1:1: expected 'graph' at the start, found 'module'"},
    {"no_name", "graph main() {}", "t.gir:1:7: expected the graph's name, such as @main, found 'main'"},
    {"lone_at", "graph @ () {}", "t.gir:1:7: expected a name after '@'"},
    {"no_type", "graph @g(%x) {}", "t.gir:1:12: expected ':' before the input's type, found ')'"},
    {"bad_dtype", "graph @g(%x: f8[2]) {}", "t.gir:1:14: expected a type such as f32[N,8], found 'f8'"},
    {"no_extents", "graph @g(%x: f32) {}", "t.gir:1:17: expected '[' after f32, found ')'"},
    {"negative_extent", "graph @g(%x: f32[-2]) {}",
     "t.gir:1:17: expected extents that are not negative, found f32[-2]"},
    {"huge_extent", "graph @g(%x: f32[99999999999999999999]) {}",
     "t.gir:1:18: expected an integer below 2^63, found number 99999999999999999999"},
    {"huge_attribute", in_graph("  %0 = reduce_sum(%x) {axes = [9007199254740993]} : f32[8]"),
     "t.gir:2:32: expected an integer of at most 2^53, found number 9007199254740993"},
    {"huge_product", "graph @g(%x: f32[9007199254740992,9007199254740992]) {}",
     "t.gir:1:17: an extent or its number of elements does not fit in 63 bits"},
    {"too_many_axes", "graph @g(%x: f32[1,1,1,1,1,1,1,1,1]) {}",
     "t.gir:1:34: expected at most 8 extents, found number 1"},
    {"divisor_zero", "graph @g(%x: f32[floordiv(N, 0)]) {}",
     "t.gir:1:30: expected a divisor in 1 .. 9007199254740992, found 0"},
    {"input_twice", "graph @g(%x: f32[], %x: f32[]) {}", "t.gir:1:21: expected a new name, found '%x' again"},
    {"not_closed", "graph @g() {\n",
     "t.gir:2:1: expected a node, 'return', 'update' or '}', found the end of the text"},
    {"after_the_end", "graph @g() {} graph", "t.gir:1:15: expected the end of the text, found 'graph'"},
    {"unknown_op", in_graph("  %0 = frobnicate(%x) : f32[N,8]"), "t.gir:2:8: expected an op, found 'frobnicate'"},
    {"leaf_as_node", in_graph("  %0 = input {name = \"z\"} : f32[]"),
     "t.gir:2:8: expected an op of graphs, found 'input', which is declared above the nodes"},
    {"unknown_value", in_graph("  %0 = neg(%z) : f32[N,8]"), "t.gir:2:12: expected a value defined above, found '%z'"},
    {"used_before", in_graph("  %0 = neg(%1) : f32[N,8]\n  %1 = neg(%x) : f32[N,8]"),
     "t.gir:2:12: expected a value defined above, found '%1'"},
    {"unknown_state", in_graph("  %0 = neg(@w) : f32[N,8]"), "t.gir:2:12: expected a value defined above, found '@w'"},
    {"value_twice", in_graph("  %0 = neg(%x) : f32[N,8]\n  %0 = neg(%x) : f32[N,8]"),
     "t.gir:3:3: expected a new name, found '%0' again"},
    {"no_operand", in_graph("  %0 = neg(3) : f32[N,8]"),
     "t.gir:2:12: expected a value such as %3 or @w, found number 3"},
    {"too_few_operands", in_graph("  %0 = add(%x) : f32[N,8]"), "t.gir:2:8: add: takes 2 operands, got 1"},
    {"wrong_type", in_graph("  %0 = add(%x, %y) : f32[N,7]"),
     "t.gir:2:22: expected f32[N,8], the type of add, found f32[N,7]"},
    {"no_written_type", in_graph("  %0 = add(%x, %y)"), "t.gir:3:1: expected ':' before the node's type, found '}'"},
    {"result_index", in_graph("  %0 = neg(%x#1) : f32[N,8]"), "t.gir:2:12: expected a result below 1, found '%x#1'"},
    {"result_count", in_graph("  %0:2 = neg(%x) : f32[N,8]"), "t.gir:2:3: expected 1 results of neg, found 2"},
    {"attribute_twice", in_graph("  %0 = reduce_sum(%x) {axes = [0], axes = [1]} : f32[8]"),
     "t.gir:2:36: expected each attribute once, found 'axes' again"},
    {"attribute_value", in_graph("  %0 = reduce_sum(%x) {axes = %x} : f32[8]"),
     "t.gir:2:31: expected a value: a number, true, false, a string, a dtype, an array, [integers] or (extents), "
     "found '%x'"},
    {"list_not_closed", in_graph("  %0 = reduce_sum(%x) {axes = [0 1]} : f32[8]"),
     "t.gir:2:34: expected ',' or ']', found number 1"},
    {"string_not_closed", in_graph("  return %x as \"a\n"),
     "t.gir:2:16: expected '\"' at the end of the string, found the end of the line"},
    {"bad_escape", in_graph("  return %x as \"a\\q\""),
     "t.gir:2:18: expected \\\\, \\\", \\n or \\x and two hexadecimal digits, found another escape"},
    {"stray_character", in_graph("  ?"), "t.gir:2:3: expected a node, 'return', 'update' or '}', found '?'"},
    {"constant_too_short", in_graph("  %0 = constant f32[3] [1, 2]"),
     "t.gir:2:24: expected 3 elements of axis 0, found 2"},
    {"constant_too_long", in_graph("  %0 = constant f32[2] [1, 2, 3]"),
     "t.gir:2:31: expected ']' after 2 elements of axis 0, found number 3"},
    {"constant_dtype", in_graph("  %0 = constant i32[1] [1.5]"), "t.gir:2:25: expected an i32, found number 1.5"},
    {"constant_range", in_graph("  %0 = constant u8[1] [256]"), "t.gir:2:24: expected a u8 in 0 .. 255, found 256"},
    {"constant_sign", in_graph("  %0 = constant u32[1] [-1]"),
     "t.gir:2:25: expected a u32 in 0 .. 4294967295, found -1"},
    {"constant_large", in_graph("  %0 = constant i64[1] [9223372036854775808]"),
     "t.gir:2:25: expected an i64 in -9223372036854775808 .. 9223372036854775807, found 9223372036854775808"},
    {"constant_half", in_graph("  %0 = constant f16[1] [70000]"), "t.gir:2:25: expected a number that f16 holds"},
    {"constant_bool", in_graph("  %0 = constant bool[] 1"), "t.gir:2:24: expected true or false, found number 1"},
    {"splat_too_large", in_graph("  %0 = constant f32[1000000000] splat 0"),
     "t.gir:2:33: expected at most 16777216 elements of splats in all, found 1000000000 more"},
    {"bounds_order", "graph @g() {\n  dim N in 5 .. 4\n}",
     "t.gir:2:17: expected a largest value in 5 .. 9007199254740992, found 4"},
    {"bounds_twice", "graph @g() {\n  dim N in 1 .. 4\n  dim N in 1 .. 4\n}",
     "t.gir:3:7: expected each symbol's bounds once, found 'N' again"},
    {"update_of_input", in_graph("  return\n  update @x = %x"), "t.gir:3:10: expected a state, found '@x'"},
    {"update_type", "graph @g(%x: f32[3]) {\n  state @w: f32[2]\n  return\n  update @w = %x\n}",
     "t.gir:4:15: expected f32[2], the type of @w, found f32[3]"},
    {"update_twice", "graph @g(%x: f32[2]) {\n  state @w: f32[2]\n  return\n  update @w = %x\n  update @w = %x\n}",
     "t.gir:5:10: expected each state to be updated once, found '@w' again"},
    {"requirement_of_no_symbol", in_graph("  require M at least 1 \"x\"\n  return %x"),
     "t.gir:1:1: the symbol M of a requirement is in no type of an input or a state"},
    {"requirement_of_what", in_graph("  require N at most 1"), "t.gir:2:16: expected 'least' after 'at', found 'most'"},
    {"unknown_symbol", in_graph("  %0 = dim {dtype = f32, value = (M)} : f32[]\n  return %0"),
     "t.gir:2:3: the symbol M in dim is in no type of an input or a state"},
    {"bodies_too_deep", nested_bodies(17), "t.gir:1:561: expected at most 16 nested bodies"},
    {"location_line", in_graph("  %0 = neg(%x) : f32[N,8] loc(\"a.cpp\":0)"),
     "t.gir:2:39: expected a line in 1 .. 4294967295, found 0"},
};

class GraphParseError : public testing::TestWithParam<Wrong> {};

TEST_P(GraphParseError, SaysWhereAndWhat) {
  try {
    parse_graph(GetParam().text, "t.gir");
    FAIL() << "it was accepted";
  } catch (const ParseError& e) {
    EXPECT_EQ(std::string(e.what()), GetParam().message);
    EXPECT_EQ(e.where().file, "t.gir");
    EXPECT_GT(e.where().line, 0u);
  }
}
INSTANTIATE_TEST_SUITE_P(All, GraphParseError, testing::ValuesIn(kWrong),
                         [](const auto& wrong) { return std::string(wrong.param.name); });

TEST(GraphParse, RefusalsOfOpsAreParseErrors) {
  try {
    parse_graph("graph @g(%x: f32[2], %y: f32[3]) {\n  %0 = add(%x, %y) : f32[2]\n}", "t.gir");
    FAIL();
  } catch (const ParseError& e) {
    EXPECT_EQ(std::string(e.what()).substr(0, 16), "t.gir:2:8: add: ") << e.what();
  }
}

TEST(GraphParse, DeepParenthesesAreRefused) {
  const std::string deep = "graph @g(%x: f32[" + std::string(100000, '(');
  EXPECT_THROW(parse_graph(deep), ParseError);
}

}  // namespace
}  // namespace gcompile::ir
