// Ops, gradients and second derivatives against what JAX and NumPy gave for the same inputs (tests/reference).
#include <gtest/gtest.h>

#include "tests/support/reference.h"

namespace gcompile {
namespace {

using reference::Function;
using reference::Functions;
using reference::In;
using reference::with_derivatives;
using List = std::vector<Tensor>;

void expect_as_recorded(const char* family, const Functions& functions) {
  reference::expect_as_recorded(std::string(GCOMPILE_TEST_SOURCE_DIR "/tests/reference/") + family + ".txt", functions);
}

// What follows is written with the names of the DSL, each as (Tensor) -> Tensor.
Function derived(Tensor (*f)(const Tensor&, Where)) {
  return with_derivatives([f](In in) { return f(in[0], Where::current()); });
}
Function derived(Tensor (*f)(const Operand&, const Operand&)) {
  return with_derivatives([f](In in) { return f(in[0], in[1]); });
}
Function plain(Tensor (*f)(const Tensor&, Where)) {
  return [f](In in) { return List{f(in[0], Where::current())}; };
}
Function plain(Tensor (*f)(const Operand&, const Operand&)) {
  return [f](In in) { return List{f(in[0], in[1])}; };
}
Tensor sum_of_sines(const Tensor& x) { return sum(sin(x)); }
// Every element has a weight of its own, so that no two errors cancel.
Tensor weighted(const Tensor& y) {
  std::int64_t size = 1;
  for (const Dim& d : y.shape()) size *= d.constant();
  return y * reshape(arange(Dim(size), y.dtype()) + 1, y.shape());
}

TEST(Reference, Elementwise) {
  expect_as_recorded(
      "elementwise",
      {{"exp", derived(exp)},
       {"expm1", derived(expm1)},
       {"log", derived(log)},
       {"log1p", derived(log1p)},
       {"sqrt", derived(sqrt)},
       {"rsqrt", derived(rsqrt)},
       {"tanh", derived(tanh)},
       {"sigmoid", derived(sigmoid)},
       {"erf", derived(erf)},
       {"sin", derived(sin)},
       {"cos", derived(cos)},
       {"abs", derived(abs)},
       {"square", derived(square)},
       {"neg", with_derivatives([](In in) { return -in[0]; })},
       {"relu", derived(relu)},
       {"gelu", derived(gelu)},
       {"gelu_tanh", derived(gelu_tanh)},
       {"add", derived(operator+)},
       {"sub", derived(operator-)},
       {"mul", derived(operator*)},
       {"div", derived(operator/)},
       {"pow", derived(pow)},
       {"pow_3", with_derivatives([](In in) { return pow(in[0], 3) * in[1]; })},
       {"maximum", derived(maximum)},
       {"minimum", derived(minimum)},
       {"remainder", derived(remainder)},
       {"floor", plain(floor)},
       {"ceil", plain(ceil)},
       {"round_even", plain(round_even)},
       {"sign", plain(sign)},
       {"floor_div", plain(floor_div)},
       {"where", with_derivatives([](In in) { return where(in[0] > in[1], in[0] * in[1], in[0] + in[1]); })},
       {"clamp", with_derivatives([](In in) { return clamp(in[0], -1.25, 2.1) * in[0]; })},
       {"broadcast", with_derivatives([](In in) { return tanh(in[0]) * in[1]; })}});
}

TEST(Reference, SpecialValues) {
  Functions f;
  const std::pair<const char*, Tensor (*)(const Tensor&, Where)> unary[] = {
      {"exp", exp},   {"expm1", expm1},           {"log", log},  {"log1p", log1p}, {"sqrt", sqrt}, {"rsqrt", rsqrt},
      {"tanh", tanh}, {"sigmoid", sigmoid},       {"erf", erf},  {"abs", abs},     {"sign", sign}, {"floor", floor},
      {"ceil", ceil}, {"round_even", round_even}, {"relu", relu}};
  for (const auto& [name, function] : unary) f[std::string(name) + "_at_edges"] = plain(function);
  const std::pair<const char*, Tensor (*)(const Operand&, const Operand&)> binary[] = {
      {"add", operator+ },
       {"sub", operator- },
        {"mul", operator* }, {"div", operator/ }, {"pow", pow}, {"maximum", maximum}, {"minimum", minimum}};
  for (const auto& [name, function] : binary) f[std::string(name) + "_at_edges"] = plain(function);
  f["is_finite"] = plain(is_finite);
  f["sin_cos_at_edges"] = [](In in) { return List{sin(in[0]), cos(in[0])}; };
  f["comparisons"] = [](In in) {
    const Tensor &a = in[0], &b = in[1];
    return List{a == b, a != b, a<b, a <= b, a> b, a >= b};
  };
  f["float_division"] = [](In in) { return List{floor_div(in[0], in[1]), remainder(in[0], in[1])}; };
  f["reductions_at_edges"] = [](In in) { return List{max(in[0], 1), min(in[0], 1), sum(in[0], 1), prod(in[0], 1)}; };
  f["arg_extremes"] = [](In in) {
    return List{argmax(in[0], 1), argmin(in[0], 1), argmax(in[0], 0), argmin(in[0], 0)};
  };
  f["softmax_far"] = [](In in) { return List{softmax(in[0]), log_softmax(in[0]), logsumexp(in[0])}; };
  f["ties_of_max"] = [](In in) { return List{grad(sum(weighted(max(in[0], 1))), in[0])}; };
  f["kink_of_relu"] = [](In in) { return List{grad(sum(relu(in[0])), in[0])}; };
  f["masked_infinity"] = [](In in) {
    const Tensor x = in[0];
    return List{grad(sum(where(x > 0, log(where(x > 0, x, 1)), 0)), x)};
  };
  expect_as_recorded("special", f);
}

TEST(Reference, Integers) {
  Functions f;
  for (const std::string dtype : {"i32", "i64", "u32", "u8"}) {
    f["division_" + dtype] = [](In in) { return List{floor_div(in[0], in[1]), remainder(in[0], in[1])}; };
    f["arithmetic_" + dtype] = [](In in) {
      return List{in[0] + in[1], in[0] - in[1], in[0] * in[1], maximum(in[0], in[1]), minimum(in[0], in[1])};
    };
    f["bits_" + dtype] = [bits = dtype[0] == 'i' ? 31 : 8](In in) {
      const Tensor n = remainder(in[1], bits);
      return List{bit_and(in[0], in[1]), bit_or(in[0], in[1]), bit_xor(in[0], in[1]), shift_left(in[0], n),
                  shift_right(in[0], n)};
    };
  }
  f["casts_of_floats"] = [](In in) {
    const Tensor& x = in[0];
    return List{cast(x, DType::kI32), cast(x, DType::kI64), cast(x, DType::kU32), cast(x, DType::kBool)};
  };
  f["casts_of_integers"] = [](In in) {
    List all;
    for (const DType t : {DType::kI32, DType::kU32, DType::kU8, DType::kBool}) all.push_back(cast(in[0], t));
    all.push_back(cast(in[0], in[1].dtype()));
    return all;
  };
  f["casts_of_unsigned"] = [](In in) {
    List all;
    for (const DType t : {DType::kI32, DType::kI64, DType::kU8}) all.push_back(cast(in[0], t));
    all.push_back(cast(in[0], in[1].dtype()));
    return all;
  };
  f["sums_wrap"] = [](In in) { return List{sum(in[0], 1), prod(in[0], 0), max(in[0], 1), min(in[0], 0)}; };
  f["dot_wraps"] = [](In in) { return List{matmul(in[0], in[1])}; };
  f["argmax_ties"] = [](In in) { return List{argmax(in[0], 1), argmin(in[0], 1)}; };
  f["threefry"] = [](In in) { return List{random::bits(random::key(in[0]), {20})}; };
  expect_as_recorded("integers", f);
}

TEST(Reference, Reductions) {
  Functions f;
  using Reduction = Tensor (*)(const Tensor&, const Axes&, bool, Where);
  const std::pair<const char*, Reduction> reductions[] = {{"sum", sum}, {"mean", mean}, {"max", max},
                                                          {"min", min}, {"prod", prod}, {"variance", variance}};
  for (const auto& [name, g] : reductions) {
    f[name] = with_derivatives([g = g](In in) { return weighted(g(sin(in[0]), 1, false, Where::current())); });
    f[std::string(name) + "_of_all"] = [g = g](In in) {
      const Where here = Where::current();
      return List{g(in[0], {}, false, here), g(in[0], {0, 2}, false, here), g(in[0], 2, true, here)};
    };
  }
  f["logsumexp"] = with_derivatives([](In in) { return weighted(logsumexp(sin(in[0]), 1)); });
  f["softmax"] = with_derivatives([](In in) { return softmax(in[0]) * tanh(in[1]); });
  f["log_softmax"] = with_derivatives([](In in) { return log_softmax(in[0]) * tanh(in[1]); });
  f["softmax_of_columns"] = [](In in) { return List{softmax(in[0], 0)}; };
  f["log_softmax_of_columns"] = [](In in) { return List{log_softmax(in[0], 0)}; };
  f["long_sum"] = [](In in) { return List{sum(in[0], 1), sum(in[0], 0), mean(square(in[0]))}; };
  f["layer_norm"] = with_derivatives([](In in) {
    const Tensor& x = in[0];
    return (x - mean(x, -1, true)) / sqrt(variance(x, -1, true) + 1e-5) * sin(in[1]) + in[2] * in[2];
  });
  f["matmul"] = with_derivatives([](In in) { return tanh(matmul(in[0], in[1])); });
  f["matmul_batched"] = with_derivatives([](In in) { return sin(matmul(in[0], in[1])); });
  f["matmul_large"] = [](In in) { return List{matmul(in[0], in[1])}; };
  f["dot"] = with_derivatives([](In in) { return exp(dot(in[0], in[1])); });
  expect_as_recorded("reductions", f);
}

TEST(Reference, Structure) {
  Functions f;
  for (const int axis : {0, 1})
    f[axis == 0 ? "take_rows" : "take_columns"] = [axis](In in) {
      const Tensor y = take(in[0], in[1], axis);
      return List{y, grad(sum_of_sines(y), in[0])};
    };
  f["scatter_add"] = [](In in) {
    const Tensor y = scatter_add(in[0], in[2], in[1]);
    const List g = grad(sum_of_sines(y), {in[0], in[1]});
    return List{y, g[0], g[1]};
  };
  f["concat"] = with_derivatives([](In in) {
    return sin(concat({in[0], in[1], in[0] * in[1].slice(1, 0, Dim(6))}, 1));
  });
  f["stack"] = [](In in) { return List{stack({in[0], in[1]}), stack({in[0], in[1]}, 2), stack({in[0], in[1]}, -2)}; };
  f["pad"] = with_derivatives([](In in) { return cos(pad(in[0], {1, 0}, {2, 3}, 0.5)) * 2; });
  f["slice"] = with_derivatives(
      [](In in) { return exp(in[0].slice(0, 1, Dim(3)).slice(1, 2) * in[0].slice(0, 0, Dim(2)).slice(1, 0, Dim(4))); });
  f["transpose"] = with_derivatives([](In in) { return matmul(sin(transpose(in[0], {2, 0, 1})), in[0]); });
  f["reshape"] = with_derivatives([](In in) { return tanh(reshape(in[0], {2, 12}) * reshape(T(in[0]), {2, 12})); });
  f["one_hot"] = [](In in) { return List{one_hot(in[0], 4, in[1].dtype())}; };
  f["iota"] = [](In in) { return List{in[0] + arange(6, in[0].dtype()), iota({4, 3}, 0) * 10 + iota({4, 3}, 1)}; };
  expect_as_recorded("structure", f);
}

}  // namespace
}  // namespace gcompile
