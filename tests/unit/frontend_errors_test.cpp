// The exact texts of the DSL's errors: what went wrong, the user's line, and the operands with their types and lines.
// In the texts HERE stands for this file and the line of the call of refused(), THERE for the line of the input or the
// noted value: a wrong line fails to match.
#include <gtest/gtest.h>

#include "gcompile/frontend/trace.h"
#include "gcompile/gcompile.h"
#include "temp_dir.h"

namespace gcompile {
namespace {

using testing::message_of;

std::string at(Where where) { return Location::from(where).str(); }

void replace_all(std::string& text, const std::string& what, const std::string& by) {
  for (std::size_t i = 0; (i = text.find(what, i)) != std::string::npos; i += by.size())
    text.replace(i, what.size(), by);
}

template <class F>
std::string refused(const F& f, Where where = Where::current()) {
  std::string text = message_of<ModelError>(f);
  replace_all(text, at(where), "HERE");
  return text;
}

// Inputs of a function being traced.
class FrontendErrors : public ::testing::Test {
 protected:
  Tensor input(const char* name, DType dtype, std::vector<Dim> dims, Where where = Where::current()) {
    there.push_back(at(where));
    return trace.input(name, {dtype, std::move(dims)}, where);
  }
  template <class F>
  std::string refused(const F& f, Where where = Where::current()) const {
    std::string text = gcompile::refused(f, where);
    for (const std::string& line : there) replace_all(text, "made at " + line, "made at THERE");
    return text;
  }

  Trace trace;
  std::vector<std::string> there;
  Tensor x = input("x", DType::kF32, {32, 8});
  Tensor i = input("i", DType::kI32, {32});
  Tensor s = input("s", DType::kF32, {});
};

TEST_F(FrontendErrors, MatmulShowsBothOperandsAndTheParameter) {
  const Parameter w("linear2.weight", Array(DType::kF32, {4, 6}));
  EXPECT_EQ(refused([&] { x.matmul(T(w)); }),
            "HERE: matmul: the inner dimensions differ: f32[32,8] x f32[6,4] (8 against 6)\n"
            "  left  f32[32,8]  made at THERE (input x)\n"
            "  right f32[6,4]   transposed from parameter linear2.weight f32[4,6], used at HERE");
}

TEST_F(FrontendErrors, LinearNamesItsWeightAndTheUsersLine) {
  nn::Module model;
  const nn::Linear linear(&model, "linear2", 6, 4);
  EXPECT_EQ(refused([&] { linear(x); }),
            "HERE: matmul: the inner dimensions differ: f32[32,8] x f32[6,4] (8 against 6)\n"
            "  left  f32[32,8]  made at THERE (input x)\n"
            "  right f32[6,4]   transposed from parameter linear2.weight f32[4,6], used at HERE");
}

TEST_F(FrontendErrors, MatmulOfScalar) {
  EXPECT_EQ(refused([&] { matmul(x, s); }),
            "HERE: matmul: a scalar is no matrix: f32[32,8] x f32[]; multiply with '*'\n"
            "  left  f32[32,8]  made at THERE (input x)\n"
            "  right f32[]      made at THERE (input s)");
}

TEST_F(FrontendErrors, MatmulOfBatchesThatDiffer) {
  const Tensor a = input("a", DType::kF32, {2, 3, 4}), b = input("b", DType::kF32, {5, 4, 3});
  EXPECT_EQ(refused([&] { matmul(a, b); }),
            "HERE: matmul: the leading dimensions do not broadcast: f32[2,3,4] x f32[5,4,3]\n"
            "  left  f32[2,3,4]  made at THERE (input a)\n"
            "  right f32[5,4,3]  made at THERE (input b)");
}

TEST_F(FrontendErrors, ShapesThatDoNotBroadcast) {
  const Tensor y = input("y", DType::kF32, {32});
  EXPECT_EQ(refused([&] { x + y; }), "HERE: add: the shapes do not broadcast: f32[32,8] and f32[32]\n"
                                     "  left  f32[32,8]  made at THERE (input x)\n"
                                     "  right f32[32]    made at THERE (input y)");
}

TEST_F(FrontendErrors, SymbolsBroadcastOnlyToTheirLike) {
  const Tensor n = input("n", DType::kF32, {Dim("N")}), y = input("y", DType::kF32, {8});
  EXPECT_EQ(refused([&] { n + n; }), "");
  EXPECT_EQ(refused([&] { n + y; }), "HERE: add: the shapes do not broadcast: f32[N] and f32[8]\n"
                                     "  left  f32[N]  made at THERE (input n)\n"
                                     "  right f32[8]  made at THERE (input y)");
}

TEST_F(FrontendErrors, DtypesAreNotPromoted) {
  const Tensor y = input("y", DType::kF64, {8});
  EXPECT_EQ(
      refused([&] { x - y; }),
      "HERE: sub: the dtypes differ: f32[32,8] and f64[8]; tensors are not promoted: cast one of them with gc::cast\n"
      "  left  f32[32,8]  made at THERE (input x)\n"
      "  right f64[8]     made at THERE (input y)");
}

TEST_F(FrontendErrors, IntegerDivisionNamesTheTwoForms) {
  EXPECT_EQ(refused([&] { i / 2; }),
            "HERE: div: integers are not divided with '/': write gc::floor_div(a, b), or cast both to a float first\n"
            "  left i32[32]  made at THERE (input i)");
}

TEST_F(FrontendErrors, FractionMeetsIntegers) {
  EXPECT_EQ(
      refused([&] { i + 0.5; }),
      "HERE: number: a number with a fraction (0.500000) meets a tensor i32[32]: cast the tensor to a float first");
}

TEST_F(FrontendErrors, NumberThatTheIntegersDoNotHold) {
  const Tensor u = input("u", DType::kU8, {4}), l = input("l", DType::kI64, {4});
  EXPECT_EQ(refused([&] { u + 256; }),
            "HERE: number: the number 256 meets a tensor u8[4]: u8 holds the integers 0 .. 255");
  EXPECT_EQ(refused([&] { u * -1; }),
            "HERE: number: the number -1 meets a tensor u8[4]: u8 holds the integers 0 .. 255");
  EXPECT_EQ(refused([&] { i + 3000000000; }),
            "HERE: number: the number 3000000000 meets a tensor i32[32]: i32 holds the integers "
            "-2147483648 .. 2147483647");
  EXPECT_EQ(refused([&] { l + 18446744073709551615u; }),
            "HERE: number: the number 18446744073709551616.000000 meets a tensor i64[4]: i64 holds the integers "
            "-9223372036854775808 .. 9223372036854775807");
  EXPECT_EQ(refused([&] { (l == 2) + 1; }).substr(0, 11), "HERE: add: ");
  EXPECT_EQ(refused([&] { (l == 2) == 2; }),
            "HERE: number: the number 2 meets a tensor bool[4]: bool holds 0 and 1, or false and true");
  EXPECT_EQ(refused([&] { full({4}, 0.5, DType::kI32); }),
            "HERE: full: the number is 0.500000, and i32 holds the integers -2147483648 .. 2147483647");
  EXPECT_EQ(refused([&] { shift_left(x, 1); }),
            "HERE: shl: is for i32, i64, u32, u8, not for f32[32,8]\n  left f32[32,8]  made at THERE (input x)");
}

TEST_F(FrontendErrors, FunctionOfWrongDtype) {
  EXPECT_EQ(refused([&] { exp(i); }), "HERE: exp: is for f32, f64, bf16, f16, not for i32[32]\n"
                                      "  operand i32[32]  made at THERE (input i)");
}

TEST_F(FrontendErrors, AxisOutOfRange) {
  EXPECT_EQ(refused([&] { x.sum(2); }),
            "HERE: sum: axis 2 is out of range: the axes are 0 to 1, or -2 to -1 from the end\n"
            "  operand f32[32,8]  made at THERE (input x)");
}

TEST_F(FrontendErrors, AxisOfScalar) {
  EXPECT_EQ(refused([&] { max(s, 0); }), "HERE: max: axis 0 of a scalar, which has no axes\n"
                                         "  operand f32[]  made at THERE (input s)");
}

TEST_F(FrontendErrors, AxisGivenTwice) {
  EXPECT_EQ(refused([&] {
              sum(x, {1, -1});
            }),
            "HERE: sum: axis 1 is given twice\n"
            "  operand f32[32,8]  made at THERE (input x)");
}

TEST_F(FrontendErrors, MeanOfNothing) {
  const Tensor y = input("y", DType::kF32, {0, 3});
  EXPECT_EQ(refused([&] { mean(y, 0); }), "HERE: mean: axis 0 is empty\n"
                                          "  operand f32[0,3]  made at THERE (input y)");
}

TEST_F(FrontendErrors, CompositionsShowTheUsersLine) {
  EXPECT_EQ(refused([&] { softmax(x, 3); }),
            "HERE: softmax: axis 3 is out of range: the axes are 0 to 1, or -2 to -1 from the end\n"
            "  operand f32[32,8]  made at THERE (input x)");
}

TEST_F(FrontendErrors, NodesOfCompositionsHaveTheUsersLine) {
  const Tensor y = softmax(x);
  const std::string line = "frontend_errors_test.cpp:" + std::to_string(__LINE__ - 1);
  EXPECT_EQ(at(y.made_at()), line);
  const ir::Node* divide = trace.value(y, "", Where::current()).node;
  for (const ir::Node* node : {divide, divide->operands[0].node, divide->operands[1].node})
    EXPECT_EQ(trace.graph().where(node).front().str(), line);
}

TEST_F(FrontendErrors, ReshapeToAnotherSize) {
  EXPECT_EQ(refused([&] {
              x.reshape({16, 8});
            }),
            "HERE: reshape: f32[32,8] has 256 elements, [16,8] has 128\n"
            "  operand f32[32,8]  made at THERE (input x)");
}

TEST_F(FrontendErrors, ReshapeThatDoesNotDivide) {
  EXPECT_EQ(refused([&] {
              x.reshape({-1, 7});
            }),
            "HERE: reshape: f32[32,8] has 256 elements, which [-1,7] does not divide\n"
            "  operand f32[32,8]  made at THERE (input x)");
}

TEST_F(FrontendErrors, SqueezeOfLongAxis) {
  EXPECT_EQ(refused([&] { x.squeeze(1); }), "HERE: squeeze: axis 1 has the extent 8, not 1\n"
                                            "  operand f32[32,8]  made at THERE (input x)");
}

TEST_F(FrontendErrors, TransposeWithoutPermutation) {
  EXPECT_EQ(refused([&] {
              x.transpose({0, 0});
            }),
            "HERE: transpose: the permutation must name each of the 2 axes once\n"
            "  operand f32[32,8]  made at THERE (input x)");
}

TEST_F(FrontendErrors, SliceBeyondTheAxis) {
  EXPECT_EQ(refused([&] { x.slice(1, 2, 9); }), "HERE: slice: elements 2 to 9 of axis 1, which has 8\n"
                                                "  operand f32[32,8]  made at THERE (input x)");
}

TEST_F(FrontendErrors, ConcatOfPartsThatDoNotFit) {
  EXPECT_EQ(refused([&] {
              concat({x, x.T()}, 0);
            }),
            "HERE: concat: the parts do not fit together: f32[32,8] and f32[8,32]\n"
            "  first f32[32,8]  made at THERE (input x)\n"
            "  other f32[8,32]  made at HERE (transpose)");
}

TEST_F(FrontendErrors, ConditionThatIsNoBool) {
  EXPECT_EQ(refused([&] { where(x, x, 0); }),
            "HERE: where: the condition must be a bool tensor, such as x > 0, not f32[32,8]\n"
            "  condition f32[32,8]  made at THERE (input x)");
}

TEST_F(FrontendErrors, IndicesThatAreNoIntegers) {
  EXPECT_EQ(refused([&] { take(x, x); }), "HERE: take: the indices must be integers, not f32[32,8]\n"
                                          "  operand f32[32,8]  made at THERE (input x)\n"
                                          "  indices f32[32,8]  made at THERE (input x)");
}

TEST_F(FrontendErrors, LossesDoNotBroadcast) {
  const Tensor y = input("y", DType::kF32, {32});
  EXPECT_EQ(refused([&] { nn::MSELoss{}(x, y); }),
            "HERE: MSELoss: prediction and target differ: f32[32,8] and f32[32]\n"
            "  prediction f32[32,8]  made at THERE (input x)\n"
            "  target     f32[32]    made at THERE (input y)");
}

TEST_F(FrontendErrors, CrossEntropyWantsClassesOrProbabilities) {
  const Tensor y = input("y", DType::kF32, {32});
  EXPECT_EQ(refused([&] { nn::CrossEntropyLoss{}(x, y); }), "HERE: CrossEntropyLoss: the target must be class indices, "
                                                            "integers [32], or probabilities f32[32,8], not f32[32]\n"
                                                            "  prediction f32[32,8]  made at THERE (input x)\n"
                                                            "  target     f32[32]    made at THERE (input y)");
}

TEST_F(FrontendErrors, GradOfWhatIsNoScalar) {
  EXPECT_EQ(refused([&] { grad(square(x), x); }),
            "HERE: grad: the loss must be a float scalar, not f32[32,8]; reduce it with gc::mean or gc::sum\n"
            "  loss f32[32,8]  made at HERE (mul)");
}

TEST_F(FrontendErrors, GradForAnUnusedParameterNamesIt) {
  const Parameter w("w", 1.0f), unused("unused", Array(DType::kF32, {3}));
  EXPECT_EQ(refused([&] { grad(sum(x * w), unused); }),
            "HERE: grad: the loss does not depend on what it is differentiated by\n"
            "  loss f32[]   made at HERE (reduce_sum)\n"
            "  by   f32[3]  parameter unused, used at HERE");
}

TEST_F(FrontendErrors, StateSetTwice) {
  const State v("v", 0.0f);
  EXPECT_EQ(refused([&] { v.set(s), v.set(s + 1); }),
            "HERE: set(v): the state is set twice in one function, first at HERE; all updates happen at once, after "
            "every read, so there can be one only");
}

TEST_F(FrontendErrors, StateSetToAnotherShape) {
  const State v("v", 0.0f);
  EXPECT_EQ(refused([&] { v.set(x); }), "HERE: set(v): the state is f32[], the new value f32[32,8]\n"
                                        "  value f32[32,8]  made at THERE (input x)");
}

TEST_F(FrontendErrors, TensorWithoutValue) {
  const Tensor nothing;
  EXPECT_EQ(refused([&] { x + nothing; }), "HERE: add: a Tensor without a value (default-made)");
}

TEST(FrontendErrorsOutside, TensorThatOutlivedItsTrace) {
  Tensor escaped;
  std::string made;
  {
    const Trace trace;
    escaped = Trace::current()->input("x", {DType::kF32, {}}, Where::current());
    made = "frontend_errors_test.cpp:" + std::to_string(__LINE__ - 1);
  }
  const Trace trace;
  EXPECT_EQ(refused([&] { escaped + 1; }),
            "HERE: add: a Tensor is used outside of the trace it belongs to: made at " + made +
                ", used at HERE. Tensors live only while their function is traced; keep data in an Array, and what "
                "must outlive a call in a State");
}

TEST(FrontendErrorsOutside, NothingIsTraced) {
  EXPECT_EQ(refused([&] { zeros({3}); }),
            "HERE: zeros: nothing is being traced here; a Tensor is a value inside of a function given to gc::jit, "
            "gc::compile or gc::TrainStep (data outside of it is a gc::Array)");
}

TEST(FrontendErrorsOutside, StateReadOutsideOfAFunction) {
  const Parameter w("w", 1.0f);
  EXPECT_EQ(refused([&] { w + 1; }),
            "HERE: state 'w': nothing is being traced here; a Tensor is a value inside of a function given to gc::jit, "
            "gc::compile or gc::TrainStep (data outside of it is a gc::Array)");
}

TEST(FrontendErrorsOutside, StateSetOutsideOfAFunction) {
  const Parameter w("w", 1.0f);
  EXPECT_EQ(refused([&] { w.set(2); }),
            "HERE: set(w): nothing is being traced here; a Tensor is a value inside of a function given to gc::jit, "
            "gc::compile or gc::TrainStep (data outside of it is a gc::Array)");
}

TEST(FrontendErrorsOutside, TwoMembersOfOneName) {
  nn::Module model;
  const nn::Linear first(&model, "linear", 1, 1);
  EXPECT_EQ(refused([&] { nn::Linear(&model, "linear", 1, 1); }), "module '(model)' has two members named 'linear'");
}

TEST(FrontendErrorsOutside, LinearWithoutInputs) {
  nn::Module model;
  EXPECT_EQ(refused([&] { nn::Linear(&model, "fc", 0, 3); }),
            "HERE: Linear 'fc': the numbers of inputs and outputs must be positive: 0, 3");
}

TEST(FrontendErrorsOutside, ItemOfManyElements) {
  const State v("v", Array{1.0f, 2.0f});
  EXPECT_EQ(refused([&] { v.item(); }), "state 'v' has the shape [2]: item() is for one element");
}

}  // namespace
}  // namespace gcompile
