// Transforms and control flow against what JAX gave for the same inputs (tests/reference).
#include <gtest/gtest.h>

#include "tests/support/reference.h"

namespace gcompile {
namespace {

using reference::Functions;
using reference::In;
using List = std::vector<Tensor>;

void expect_as_recorded(const char* family, const Functions& functions) {
  reference::expect_as_recorded(std::string(GCOMPILE_TEST_SOURCE_DIR "/tests/reference/") + family + ".txt", functions);
}

Tensor element(const Tensor& x, std::int64_t i) { return squeeze(slice(x, 0, i, Dim(i + 1)), 0); }

// R^3 -> R^3
Tensor field(const Tensor& v) {
  const Tensor x = element(v, 0), y = element(v, 1), z = element(v, 2);
  return stack({x * y * z, sin(x) + z * z, exp(y - z)});
}
Tensor rosenbrock(const Tensor& x) {
  const Tensor a = slice(x, 0, 0, Dim(-1)), b = slice(x, 0, 1);
  return sum(100 * square(b - a * a) + square(1 - a));
}
Tensor network(const Tensor& w, const Tensor& x) { return sum(square(tanh(matmul(x, w)))); }

TEST(Reference, Transforms) {
  Functions f;
  const auto on_vector = [](Tensor v) { return field(v); };
  f["jacobian"] = [](In in) { return List{jacobian(field(in[0]), in[0])}; };
  f["jvp"] = [=](In in) {
    const auto [y, t] = jvp(on_vector, in[0], in[1]);
    return List{y, t};
  };
  f["vjp"] = [](In in) { return List{vjp(field(in[0]), in[1], in[0])}; };
  f["hessian"] = [](In in) { return List{hessian(rosenbrock(in[0]), in[0])}; };
  f["hvp"] = [](In in) { return List{hvp(rosenbrock(in[0]), in[0], in[1])}; };
  f["third"] = [](In in) {
    const auto g = [](Tensor t) { return tanh(t) * exp(t / 2); };
    return List{vmap([=](Tensor t) { return grad(grad(grad(g)))(t); })(in[0])};
  };
  f["jacobian_of_gradient_of_network"] = [](In in) {
    return List{jacobian(grad(network(in[0], in[1]), in[0]), in[0])};
  };
  f["vmap"] = [](In in) {
    return List{
        vmap([](Tensor p, Tensor q) { return tanh(matmul(p, q)); }, {.in = {0, BatchAxes::kNone}})(in[0], in[1])};
  };
  f["vmap_of_columns"] = [](In in) {
    return List{vmap([](Tensor p, Tensor q) { return matmul(p, q); }, {.in = {2, 1}, .out = 1})(in[0], in[1])};
  };
  f["vmap_in_vmap"] = [](In in) {
    return List{vmap([&](Tensor p) { return vmap([=](Tensor q) { return sum(sin(p * q)); })(in[1]); })(in[0])};
  };
  f["gradient_per_sample"] = [](In in) {
    return List{vmap([&](Tensor s) { return grad(network(in[0], s), in[0]); })(in[1])};
  };
  f["vmap_of_jacobian"] = [](In in) { return List{vmap([](Tensor v) { return jacobian(field(v), v); })(in[0])}; };
  f["gradient_of_vmap"] = [=](In in) { return List{grad(sum(square(vmap(on_vector)(in[0]))), in[0])}; };
  f["vmap_of_take"] = [](In in) { return List{vmap([](Tensor p, Tensor k) { return take(p, k); })(in[0], in[1])}; };
  f["vmap_of_argmax"] = [](In in) { return List{vmap([](Tensor p) { return argmax(p, 0); }, {.in = {1}})(in[0])}; };
  expect_as_recorded("transforms", f);
}

// Carries and outputs of a recurrent layer: x [T,B,I], h [B,H], w [I,H], u [H,H].
std::pair<Tensor, Tensor> recurrent(const Tensor& x, const Tensor& h, const Tensor& w, const Tensor& u, bool reverse) {
  return scan(
      [&](Tensor c, Tensor v) {
        const Tensor next = tanh(matmul(v, w) + matmul(c, u));
        return outputs(next, next * next);
      },
      h, x, {.reverse = reverse});
}

Tensor newton(const Tensor& v) {
  return while_loop([=](Tensor c) { return abs(c * c - v) > 1e-3 * v; }, [=](Tensor c) { return 0.5 * (c + v / c); },
                    v);
}

Tensor branch(const Tensor& condition, const Tensor& v) {
  return cond(
      condition, [=] { return sin(v) * 2; }, [=] { return v * v * v; });
}

TEST(Reference, ControlFlow) {
  Functions f;
  for (const bool reverse : {false, true}) {
    const std::string name = reverse ? "scan_reverse" : "scan";
    f[name] = [=](In in) {
      const auto [last, all] = recurrent(in[0], in[1], in[2], in[3], reverse);
      return List{last, all};
    };
    f[name + "_gradient"] = [=](In in) {
      const auto [last, all] = recurrent(in[0], in[1], in[2], in[3], reverse);
      return grad(sum(square(last)) + sum(sin(all)), List(in.begin(), in.end()));
    };
  }
  f["scan_hvp"] = [](In in) {
    return List{hvp(sum(recurrent(in[2], in[3], in[4], in[0], false).second), in[0], in[1])};
  };
  f["scan_vmap"] = [](In in) {
    return List{vmap([&](Tensor x, Tensor h) { return recurrent(x, h, in[2], in[3], false).second; })(in[0], in[1])};
  };
  f["scan_of_two_carries"] = [](In in) {
    return scan(
               [](Tensor a, Tensor b, Tensor v) {
                 return Step{{b, a + v * b}, {a * b}};
               },
               List{ones({3}, in[0].dtype()), element(in[0], 0)}, {in[0]})
        .stacked;
  };
  f["for_loop"] = [](In in) {
    const Tensor x = for_loop(
        7, [&](Tensor, Tensor c) { return in[0] * c * (1 - c); }, in[1]);
    const List g = grad(sum(x), {in[0], in[1]});
    return List{x, g[0], g[1]};
  };
  f["while"] = [](In in) { return List{newton(in[0])}; };
  f["while_vmap"] = [](In in) { return List{vmap([](Tensor v) { return newton(v); })(in[0])}; };
  for (const char* name : {"cond_true", "cond_false"})
    f[name] = [](In in) {
      const Tensor y = branch(in[0], in[1]);
      return List{y, grad(sum(y), in[1])};
    };
  f["cond_vmap"] = [](In in) { return List{vmap([](Tensor c, Tensor v) { return branch(c, v); })(in[0], in[1])}; };
  f["checkpoint"] = [](In in) {
    return List{grad(checkpoint([](Tensor x) { return sum(sin(exp(tanh(x) * 2))); })(in[0]), in[0])};
  };
  f["custom_vjp"] = [](In in) {
    const auto clipped = custom_vjp([](Tensor v) { return v * v; },
                                    [](Tensor v, Tensor, Tensor g) { return clamp(2 * v * g, -0.5, 0.5); });
    return List{grad(sum(clipped(in[0])), in[0])};
  };
  expect_as_recorded("control", f);
}

}  // namespace
}  // namespace gcompile
