// The exact texts of the DSL's errors: what went wrong, the user's line, and the operands with their types and lines.
#include <gtest/gtest.h>

#include "gcompile/frontend/trace.h"
#include "gcompile/gcompile.h"
#include "temp_dir.h"

namespace gcompile {
namespace {

using testing::message_of;

std::string at(int line) { return "frontend_errors_test.cpp:" + std::to_string(line); }

template <class F>
std::string refused(const F& f) {
  return message_of<ModelError>(f);
}

// Inputs of a function being traced; they are made on the line that is told.
class FrontendErrors : public ::testing::Test {
 protected:
  Tensor input(const char* name, Type type, Where where = Where::current()) {
    return trace.input(name, std::move(type), where);
  }
  static Type type(DType dtype, std::vector<Dim> dims) { return {dtype, std::move(dims)}; }

  Trace trace;
  const int made = __LINE__ + 1;
  Tensor x = input("x", type(DType::kF32, {32, 8})), i = input("i", type(DType::kI32, {32})),
         s = input("s", type(DType::kF32, {}));
  const std::string x_line = "f32[32,8]  made at " + at(made) + " (input x)";
};

TEST_F(FrontendErrors, MatmulShowsBothOperandsAndTheParameter) {
  const Parameter w("linear2.weight", Array(DType::kF32, {4, 6}));
  EXPECT_EQ(refused([&] { x.matmul(T(w)); }),
            at(__LINE__ - 1) + ": matmul: the inner dimensions differ: f32[32,8] x f32[6,4] (8 against 6)" +
                "\n  left  " + x_line +
                "\n  right f32[6,4]   transposed from parameter linear2.weight f32[4,6], used at " + at(__LINE__ - 3));
}

TEST_F(FrontendErrors, LinearNamesItsWeightAndTheUsersLine) {
  nn::Module model;
  const nn::Linear linear(&model, "linear2", 6, 4);
  EXPECT_EQ(refused([&] { linear(x); }),
            at(__LINE__ - 1) + ": matmul: the inner dimensions differ: f32[32,8] x f32[6,4] (8 against 6)" +
                "\n  left  " + x_line +
                "\n  right f32[6,4]   transposed from parameter linear2.weight f32[4,6], used at " + at(__LINE__ - 3));
}

TEST_F(FrontendErrors, MatmulOfScalar) {
  EXPECT_EQ(refused([&] { matmul(x, s); }),
            at(__LINE__ - 1) + ": matmul: a scalar is no matrix: f32[32,8] x f32[]; multiply with '*'" + "\n  left  " +
                x_line + "\n  right f32[]      made at " + at(made) + " (input s)");
}

TEST_F(FrontendErrors, ShapesThatDoNotBroadcast) {
  const Tensor y = input("y", type(DType::kF32, {32}));
  EXPECT_EQ(refused([&] { x + y; }), at(__LINE__ - 1) + ": add: the shapes do not broadcast: f32[32,8] and f32[32]" +
                                         "\n  left  " + x_line + "\n  right f32[32]    made at " + at(__LINE__ - 3) +
                                         " (input y)");
}

TEST_F(FrontendErrors, SymbolsBroadcastOnlyToTheirLike) {
  const Tensor n = input("n", type(DType::kF32, {Dim("N")}));
  const Tensor y = input("y", type(DType::kF32, {8}));
  EXPECT_EQ(refused([&] { n* y; }), at(__LINE__ - 1) + ": mul: the shapes do not broadcast: f32[N] and f32[8]" +
                                        "\n  left  f32[N]  made at " + at(__LINE__ - 4) + " (input n)" +
                                        "\n  right f32[8]  made at " + at(__LINE__ - 3) + " (input y)");
  EXPECT_EQ(refused([&] { n + n; }), "");
}

TEST_F(FrontendErrors, DtypesAreNotPromoted) {
  const Tensor y = input("y", type(DType::kF64, {8}));
  EXPECT_EQ(refused([&] { x - y; }),
            at(__LINE__ - 1) +
                ": sub: the dtypes differ: f32[32,8] and f64[8]; tensors are not promoted: cast one of " +
                "them with gc::cast" + "\n  left  " + x_line + "\n  right f64[8]     made at " + at(__LINE__ - 3) +
                " (input y)");
}

TEST_F(FrontendErrors, IntegerDivisionNamesTheTwoForms) {
  EXPECT_EQ(refused([&] { i / 2; }),
            at(__LINE__ - 1) +
                ": div: integers are not divided with '/': write gc::floor_div(a, b), or cast both to a " +
                "float first" + "\n  left i32[32]  made at " + at(made) + " (input i)");
}

TEST_F(FrontendErrors, FractionMeetsIntegers) {
  EXPECT_EQ(refused([&] { i + 0.5; }), at(__LINE__) + ": number: a number with a fraction (0.500000) meets a tensor " +
                                           "i32[32]: cast the tensor to a float first");
}

TEST_F(FrontendErrors, FunctionOfWrongDtype) {
  EXPECT_EQ(refused([&] { exp(i); }), at(__LINE__) + ": exp: is for f32, f64, not for i32[32]" +
                                          "\n  operand i32[32]  made at " + at(made) + " (input i)");
}

TEST_F(FrontendErrors, AxisOutOfRange) {
  EXPECT_EQ(refused([&] { x.sum(2); }),
            at(__LINE__ - 1) + ": sum: axis 2 is out of range: the axes are 0 to 1, or -2 to -1 from the end" +
                "\n  operand " + x_line);
}

TEST_F(FrontendErrors, AxisOfScalar) {
  EXPECT_EQ(refused([&] { max(s, 0); }), at(__LINE__) + ": max: axis 0 of a scalar, which has no axes" +
                                             "\n  operand f32[]  made at " + at(made) + " (input s)");
}

TEST_F(FrontendErrors, AxisGivenTwice) {
  EXPECT_EQ(refused([&] {
              sum(x, {1, -1});
            }),
            at(__LINE__ - 1) + ": sum: axis 1 is given twice" + "\n  operand " + x_line);
}

TEST_F(FrontendErrors, CompositionsShowTheUsersLine) {
  EXPECT_EQ(refused([&] { softmax(x, 3); }),
            at(__LINE__ - 1) + ": softmax: axis 3 is out of range: the axes are 0 to 1, or -2 to -1 from the end" +
                "\n  operand " + x_line);
  const Tensor y = softmax(x);
  EXPECT_EQ(Location::from(y.made_at()).str(), at(__LINE__ - 1));
  for (const ir::Node* node : {trace.value(y, "", Where::current()).node})
    EXPECT_EQ(trace.graph().where(node).front().str(), at(__LINE__ - 3));
}

TEST_F(FrontendErrors, ReshapeToAnotherSize) {
  EXPECT_EQ(refused([&] {
              x.reshape({16, 8});
            }),
            at(__LINE__ - 1) + ": reshape: f32[32,8] has 256 elements, [16,8] has 128" + "\n  operand " + x_line);
  EXPECT_EQ(refused([&] {
              x.reshape({-1, 7});
            }),
            at(__LINE__ - 1) + ": reshape: f32[32,8] has 256 elements, which [-1,7] does not divide" + "\n  operand " +
                x_line);
}

TEST_F(FrontendErrors, SqueezeOfLongAxis) {
  EXPECT_EQ(refused([&] { x.squeeze(1); }),
            at(__LINE__ - 1) + ": squeeze: axis 1 has the extent 8, not 1" + "\n  operand " + x_line);
}

TEST_F(FrontendErrors, TransposeWithoutPermutation) {
  EXPECT_EQ(refused([&] {
              x.transpose({0, 0});
            }),
            at(__LINE__ - 1) + ": transpose: the permutation must name each of the 2 axes once" + "\n  operand " +
                x_line);
}

TEST_F(FrontendErrors, SliceBeyondTheAxis) {
  EXPECT_EQ(refused([&] { x.slice(1, 2, 9); }),
            at(__LINE__ - 1) + ": slice: elements 2 to 9 of axis 1, which has 8" + "\n  operand " + x_line);
}

TEST_F(FrontendErrors, ConcatOfPartsThatDoNotFit) {
  EXPECT_EQ(refused([&] {
              concat({x, x.T()}, 0);
            }),
            at(__LINE__ - 1) + ": concat: the parts do not fit together: f32[32,8] and f32[8,32]" + "\n  first " +
                x_line + "\n  other f32[8,32]  made at " + at(__LINE__ - 2) + " (transpose)");
}

TEST_F(FrontendErrors, ConditionThatIsNoBool) {
  EXPECT_EQ(refused([&] { where(x, x, 0); }),
            at(__LINE__ - 1) + ": where: the condition must be a bool tensor, such as x > 0, not f32[32,8]" +
                "\n  condition " + x_line);
}

TEST_F(FrontendErrors, IndicesThatAreNoIntegers) {
  EXPECT_EQ(refused([&] { take(x, x); }), at(__LINE__) + ": take: the indices must be i32, not f32[32,8]" +
                                              "\n  operand " + x_line + "\n  indices " + x_line);
}

TEST_F(FrontendErrors, LossesDoNotBroadcast) {
  const Tensor y = input("y", type(DType::kF32, {32}));
  EXPECT_EQ(refused([&] { nn::MSELoss{}(x, y); }),
            at(__LINE__ - 1) + ": MSELoss: prediction and target differ: f32[32,8] and f32[32]" + "\n  prediction " +
                x_line + "\n  target     f32[32]    made at " + at(__LINE__ - 3) + " (input y)");
}

TEST_F(FrontendErrors, CrossEntropyWantsClassesOrProbabilities) {
  const Tensor y = input("y", type(DType::kF32, {32}));
  EXPECT_EQ(refused([&] { nn::CrossEntropyLoss{}(x, y); }),
            at(__LINE__ - 1) + ": CrossEntropyLoss: the target must be class indices i32[32] or probabilities " +
                "f32[32,8], not f32[32]" + "\n  prediction " + x_line + "\n  target     f32[32]    made at " +
                at(__LINE__ - 4) + " (input y)");
}

TEST_F(FrontendErrors, GradOfWhatIsNoScalar) {
  EXPECT_EQ(refused([&] { grad(square(x), x); }),
            at(__LINE__ - 1) + ": grad: the loss must be a float scalar, not f32[32,8]; reduce it with gc::mean or " +
                "gc::sum" + "\n  loss f32[32,8]  made at " + at(__LINE__ - 2) + " (mul)");
}

TEST_F(FrontendErrors, GradForAnUnusedParameterNamesIt) {
  const Parameter w("w", 1.0f), unused("unused", Array(DType::kF32, {3}));
  const Tensor loss = sum(x * w);
  EXPECT_EQ(refused([&] { grad(loss, unused); }),
            at(__LINE__ - 1) + ": grad: the loss does not depend on what it is differentiated by" +
                "\n  loss f32[]   made at " + at(__LINE__ - 3) + " (reduce_sum)" +
                "\n  by   f32[3]  parameter unused, used at " + at(__LINE__ - 4 + 1));
}

TEST_F(FrontendErrors, StateSetTwice) {
  const State v("v", 0.0f);
  v.set(s);
  EXPECT_EQ(refused([&] { v.set(s + 1); }),
            at(__LINE__ - 1) + ": set(v): the state is set twice in one function, first at " + at(__LINE__ - 2) +
                "; all updates happen at once, after every read, so there can be one only");
}

TEST_F(FrontendErrors, StateSetToAnotherShape) {
  const State v("v", 0.0f);
  EXPECT_EQ(refused([&] { v.set(x); }),
            at(__LINE__) + ": set(v): the state is f32[], the new value f32[32,8]" + "\n  value " + x_line);
}

TEST_F(FrontendErrors, TensorWithoutValue) {
  const Tensor nothing;
  EXPECT_EQ(refused([&] { x + nothing; }), at(__LINE__) + ": add: a Tensor without a value (default-made)");
}

TEST(FrontendErrorsOutside, TensorThatOutlivedItsTrace) {
  Tensor escaped;
  {
    Trace trace;
    escaped = trace.input("x", {DType::kF32, {}}, Where::current());
  }
  Trace trace;
  EXPECT_EQ(refused([&] { escaped + 1; }),
            at(__LINE__ - 1) + ": number: a Tensor is used outside of the trace it belongs to: made at " +
                at(__LINE__ - 5) + ", used at " + at(__LINE__ - 2) +
                ". Tensors live only while their function is traced; keep data in an Array, and what must outlive a " +
                "call in a State");
}

TEST(FrontendErrorsOutside, NothingIsTraced) {
  EXPECT_EQ(refused([&] { zeros({3}); }),
            at(__LINE__ - 1) + ": full: nothing is being traced here; a Tensor is a value inside of a function given " +
                "to gc::jit, gc::compile or gc::TrainStep (data outside of it is a gc::Array)");
}

TEST(FrontendErrorsOutside, StateReadOutsideOfAFunction) {
  const Parameter w("w", 1.0f);
  EXPECT_EQ(refused([&] { Tensor t = w; }),
            at(__LINE__ - 1) + ": state 'w': nothing is being traced here; a Tensor is a value inside of a function " +
                "given to gc::jit, gc::compile or gc::TrainStep (data outside of it is a gc::Array)");
}

TEST(FrontendErrorsOutside, StateSetOutsideOfAFunction) {
  const Parameter w("w", 1.0f);
  EXPECT_EQ(refused([&] { w.set(2); }),
            at(__LINE__ - 1) + ": set(w): nothing is being traced here; a Tensor is a value inside of a function " +
                "given to gc::jit, gc::compile or gc::TrainStep (data outside of it is a gc::Array)");
}

TEST(FrontendErrorsOutside, TwoMembersOfOneName) {
  nn::Module model;
  const nn::Linear first(&model, "linear", 1, 1);
  EXPECT_EQ(refused([&] { const nn::Linear second(&model, "linear", 1, 1); }),
            "module '(model)' has two members named 'linear'");
}

TEST(FrontendErrorsOutside, LinearWithoutInputs) {
  nn::Module model;
  EXPECT_EQ(refused([&] { const nn::Linear linear(&model, "fc", 0, 3); }),
            at(__LINE__ - 1) + ": Linear 'fc': the numbers of inputs and outputs must be positive: 0, 3");
}

TEST(FrontendErrorsOutside, ItemOfManyElements) {
  const State v("v", Array{1.0f, 2.0f});
  EXPECT_EQ(refused([&] { v.item(); }), "state 'v' has the shape [2]: item() is for one element");
}

}  // namespace
}  // namespace gcompile
