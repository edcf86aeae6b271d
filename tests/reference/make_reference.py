#!/usr/bin/env python3
"""Records what JAX and NumPy compute, in double precision, for tests/programs/reference_test.cpp.

    python3 tests/reference/make_reference.py     # needs jax; writes tests/reference/*.txt

A case is a name, inputs and results. Inputs are drawn by a formula that both sides know, or are listed; the function
itself is written once here and once in the test, under the same name. See README.md beside this file for the format.
"""
import os
import pathlib
import platform

os.environ["JAX_ENABLE_X64"] = "1"
os.environ["JAX_PLATFORMS"] = "cpu"

import jax
import jax.extend
import jax.numpy as jnp
import numpy as np

HERE = pathlib.Path(__file__).parent
INF, NAN = float("inf"), float("nan")


def drawn(shape, seed, low, high):
    """Element i is one of 1009 steps from low to high."""
    i = np.arange(int(np.prod(shape)), dtype=np.int64)
    step = (i * 7919 + seed * 104729 + i * i * 31) % 1009
    return (low + (high - low) * step / 1008.0).reshape(shape)


class F:
    """An input of floats that is drawn; `low` and `high` bound it."""

    def __init__(self, *shape, seed=1, low=-1.0, high=1.0):
        self.shape, self.seed, self.low, self.high = shape, seed, low, high

    def value(self):
        return drawn(self.shape, self.seed, self.low, self.high)

    def text(self):
        dims = ",".join(map(str, self.shape))
        return f"in float [{dims}] drawn {self.seed} {self.low!r} {self.high!r}"


class L:
    """An input that is listed: floats, or integers of a dtype."""

    def __init__(self, values, dtype="float"):
        self.dtype = dtype
        self.array = np.array(values, dtype=np.float64 if dtype == "float" else NUMPY[dtype])

    def value(self):
        return self.array

    def text(self):
        return f"in {typed(self.array)}"


NUMPY = {"i32": np.int32, "i64": np.int64, "u32": np.uint32, "u8": np.uint8, "bool": np.bool_}


def typed(array):
    array = np.asarray(array)
    if array.dtype.kind == "f":
        kind, text = "float", lambda v: repr(float(v))
    else:
        kind = next(k for k, t in NUMPY.items() if array.dtype == t)
        text = lambda v: str(int(v))
    dims = ",".join(map(str, array.shape))
    return " ".join([f"{kind} [{dims}] listed", *map(text, array.flatten())])


class Family:
    def __init__(self, name):
        self.name = name
        self.lines = []

    def case(self, name, function, *inputs, scale=1):
        """`scale`: how many times the usual error of the test is admitted."""
        results = function(*(jnp.asarray(i.value()) for i in inputs))
        self.add(name, inputs, results, scale)

    def numpy(self, name, function, *inputs):
        with np.errstate(all="ignore"):
            self.add(name, inputs, function(*(i.value() for i in inputs)), 1)

    def add(self, name, inputs, results, scale):
        results = results if isinstance(results, (tuple, list)) else [results]
        self.lines.append(f"case {name}" + (f" {scale}" if scale != 1 else ""))
        self.lines += [i.text() for i in inputs]
        self.lines += [f"out {typed(r)}" for r in results]

    def write(self):
        versions = f"jax {jax.__version__}, numpy {np.__version__}, python {platform.python_version()}"
        head = [f"# Made by make_reference.py with {versions}; not written by hand."]
        (HERE / f"{self.name}.txt").write_text("\n".join(head + self.lines) + "\n")


def with_derivatives(f):
    """Value, gradient of the sum, and the gradient of the sum of the gradient, by each operand."""

    def sums(*x):
        return f(*x).sum()

    def call(*x):
        wrt = tuple(range(len(x)))
        first = jax.grad(sums, wrt)
        second = jax.grad(lambda *y: sum(g.sum() for g in first(*y)), wrt)
        return [f(*x), *first(*x), *second(*x)]

    return call


def elementwise():
    a = Family("elementwise")
    wide = F(4, 7, low=-4.0, high=4.0)
    positive = F(4, 7, low=0.1, high=5.0)
    for name, f, x in [
        ("exp", jnp.exp, wide), ("expm1", jnp.expm1, wide), ("log", jnp.log, positive),
        ("log1p", jnp.log1p, F(4, 7, low=-0.9, high=4.0)), ("sqrt", jnp.sqrt, positive),
        ("rsqrt", jax.lax.rsqrt, positive), ("tanh", jnp.tanh, wide), ("sigmoid", jax.nn.sigmoid, wide),
        ("erf", jax.lax.erf, wide), ("sin", jnp.sin, F(4, 7, low=-40.0, high=40.0)),
        ("cos", jnp.cos, F(4, 7, low=-40.0, high=40.0)), ("abs", jnp.abs, wide), ("square", jnp.square, wide),
        ("neg", jnp.negative, wide), ("relu", jax.nn.relu, wide),
        ("gelu", lambda v: jax.nn.gelu(v, approximate=False), wide), ("gelu_tanh", jax.nn.gelu, wide),
    ]:
        a.case(name, with_derivatives(f), x)
    other = F(4, 7, seed=2, low=-3.0, high=3.0)
    away = F(4, 7, seed=3, low=0.5, high=3.0)
    for name, f, x, y in [
        ("add", jnp.add, wide, other), ("sub", jnp.subtract, wide, other), ("mul", jnp.multiply, wide, other),
        ("div", jnp.divide, wide, away), ("pow", jnp.power, positive, other), ("maximum", jnp.maximum, wide, other),
        ("minimum", jnp.minimum, wide, other),
        ("pow_3", lambda v, w: v**3 * w, wide, other),
        ("remainder", jnp.remainder, wide, away),
    ]:
        a.case(name, with_derivatives(f), x, y)
    for name, f in [("floor", jnp.floor), ("ceil", jnp.ceil), ("round_even", jnp.round), ("sign", jnp.sign)]:
        a.case(name, f, L([-2.5, -1.5, -0.5, -0.0, 0.0, 0.5, 1.5, 2.5, 2.4999, 1e9 + 0.5]))
    a.case("floor_div", jnp.floor_divide, wide, L([3.0, -3.0, 0.7, -0.7, 1.5, -1.5, 2.0]))
    a.case("where", with_derivatives(lambda v, w: jnp.where(v > w, v * w, v + w)), wide, other)
    a.case("clamp", with_derivatives(lambda v: jnp.clip(v, -1.25, 2.1) * v), wide)
    a.case("broadcast", with_derivatives(lambda v, w: jnp.tanh(v) * w), F(3, 1, 4), F(5, 1, seed=2))
    a.write()


def special():
    a = Family("special")
    edge = L([NAN, INF, -INF, 0.0, -0.0, 1.0, -1.0, 1e30, -1e30, 1e-30])
    for name, f in [
        ("exp", jnp.exp), ("expm1", jnp.expm1), ("log", jnp.log), ("log1p", jnp.log1p), ("sqrt", jnp.sqrt),
        ("rsqrt", jax.lax.rsqrt), ("tanh", jnp.tanh), ("sigmoid", jax.nn.sigmoid), ("erf", jax.lax.erf),
        ("abs", jnp.abs), ("sign", jnp.sign), ("floor", jnp.floor), ("ceil", jnp.ceil), ("round_even", jnp.round),
        ("relu", jax.nn.relu),
    ]:
        a.case(f"{name}_at_edges", f, edge)
    a.case("sin_cos_at_edges", lambda x: [jnp.sin(x), jnp.cos(x)], L([NAN, INF, -INF, 0.0, -0.0]))
    a.case("is_finite", jnp.isfinite, edge)
    values = [NAN, INF, -INF, 0.0, -0.0, 2.0, -3.0, 0.5]
    left, right = L([v for v in values for _ in values]), L([w for _ in values for w in values])
    for name, f in [
        ("add", jnp.add), ("sub", jnp.subtract), ("mul", jnp.multiply), ("div", jnp.divide), ("pow", jnp.power),
        ("maximum", jnp.maximum), ("minimum", jnp.minimum),
    ]:
        a.case(f"{name}_at_edges", f, left, right)
    a.numpy("comparisons", lambda v, w: [v == w, v != w, v < w, v <= w, v > w, v >= w], left, right)
    finite = [5.5, -5.5, 2.0, -2.0, 7.0, -7.0, 0.3, -0.3]
    a.numpy("float_division", lambda v, w: [np.floor_divide(v, w), np.remainder(v, w)],
            L([v for v in finite for _ in finite]), L([w for _ in finite for w in finite]))
    rows = L([[1.0, NAN, 3.0], [INF, -INF, 0.0], [2.0, 2.0, 1.0], [-INF, -INF, -INF], [NAN, 1.0, NAN]])
    a.case("reductions_at_edges", lambda x: [jnp.max(x, 1), jnp.min(x, 1), jnp.sum(x, 1), jnp.prod(x, 1)], rows)
    a.case("arg_extremes", lambda x: [jnp.argmax(x, 1).astype(jnp.int32), jnp.argmin(x, 1).astype(jnp.int32),
                                      jnp.argmax(x, 0).astype(jnp.int32), jnp.argmin(x, 0).astype(jnp.int32)], rows)
    a.case("softmax_far", lambda x: [jax.nn.softmax(x, -1), jax.nn.log_softmax(x, -1), jax.nn.logsumexp(x, -1)],
           L([[1000.0, 0.0, -1000.0], [-INF, 0.0, 0.0], [-1e30, -1e30, -1e30]]))
    a.case("ties_of_max", jax.grad(lambda x: (jnp.max(x, 1) * jnp.arange(1.0, 4.0)).sum()),
           L([[1.0, 2.0, 2.0, 0.0], [3.0, 3.0, 3.0, 3.0], [1.0, 0.0, -1.0, 0.5]]))
    a.case("kink_of_relu", jax.grad(lambda v: jax.nn.relu(v).sum()), L([0.0, -0.0, 1.0, -1.0]))
    a.case("masked_infinity", jax.grad(lambda x: jnp.where(x > 0, jnp.log(jnp.where(x > 0, x, 1.0)), 0.0).sum()),
           L([0.0, 1.0, -2.0, 4.0]))
    a.write()


def integers():
    a = Family("integers")
    signed = [7, -7, 3, -3, 1, -1, 0, 2147483647, -2147483648]
    for dtype in ("i32", "i64"):
        x, y = L([v for v in signed for _ in signed], dtype), L([w for _ in signed for w in signed], dtype)
        # The least number by -1 wraps around; NumPy leaves it to the processor.
        a.numpy(f"division_{dtype}", lambda v, w: [
            np.where((w == -1), (-v.astype(np.int64)).astype(v.dtype), np.floor_divide(v, np.where(w == 0, 1, w)))
            * (w != 0), np.where((w == -1) | (w == 0), 0, np.remainder(v, np.where(w == 0, 1, w))).astype(v.dtype)],
            x, y)
        a.numpy(f"arithmetic_{dtype}", lambda v, w: [v + w, v - w, v * w, np.maximum(v, w), np.minimum(v, w)], x, y)
        a.numpy(f"bits_{dtype}", lambda v, w: [v & w, v | w, v ^ w, np.left_shift(v, w % 31), np.right_shift(v, w % 31)],
                x, y)
    for dtype, list_ in (("u32", [0, 1, 5, 7, 4294967295, 2147483648]), ("u8", [0, 1, 5, 7, 255, 128])):
        x, y = L([v for v in list_ for _ in list_], dtype), L([w for _ in list_ for w in list_], dtype)
        a.numpy(f"division_{dtype}", lambda v, w: [np.floor_divide(v, w), np.where(w == 0, 0, np.remainder(v, np.where(
            w == 0, 1, w))).astype(v.dtype)], x, y)
        a.numpy(f"arithmetic_{dtype}", lambda v, w: [v + w, v - w, v * w, np.maximum(v, w), np.minimum(v, w)], x, y)
        a.numpy(f"bits_{dtype}", lambda v, w: [v & w, v | w, v ^ w, np.left_shift(v, w % 8), np.right_shift(v, w % 8)],
                x, y)
    # JAX saturates; NumPy leaves what does not fit to the processor.
    a.case("casts_of_floats", lambda x: [x.astype(jnp.int32), x.astype(jnp.int64), x.astype(jnp.uint32), x.astype(bool)],
           L([NAN, INF, -INF, 0.0, -0.0, 0.9, -0.9, 1.5, -1.5, 255.5, 256.0, 3e9, -3e9, 5e9, 1e30, -1e30]))
    wide = L([0, 1, -1, 255, 256, 2147483648, 4294967295, -4294967297, 9223372036854775807], "i64")
    like = L(0.0)  # has the dtype of the floats that are made
    a.numpy("casts_of_integers", lambda x, _: [x.astype(np.int32), x.astype(np.uint32), x.astype(np.uint8),
                                            x.astype(bool), x.astype(np.float64)], wide, like)
    a.numpy("casts_of_unsigned", lambda x, _: [x.astype(np.int32), x.astype(np.int64), x.astype(np.uint8),
                                            x.astype(np.float64)], L([0, 1, 2147483648, 4294967295, 300], "u32"), like)
    matrix = L([[2147483647, 1, -5], [-2147483648, -1, 9]], "i32")
    a.numpy("sums_wrap", lambda x: [x.sum(1, dtype=np.int32), x.prod(0, dtype=np.int32), x.max(1), x.min(0)], matrix)
    a.numpy("dot_wraps", lambda x, y: x @ y, matrix, L([[3, 1], [2, -7], [70000, 70000]], "i32"))
    a.case("argmax_ties", lambda x: [jnp.argmax(x, 1).astype(jnp.int32), jnp.argmin(x, 1).astype(jnp.int32)],
           L([[3, 3, 1, 1], [0, 0, 0, 0], [-1, 5, 5, -1]], "i32"))
    bits = jax.extend.random.threefry_2x32
    key = np.array([123456789, 3000000000], np.uint32)
    both = bits(jnp.asarray(key), jnp.concatenate([jnp.arange(20, dtype=jnp.uint32), jnp.zeros(20, jnp.uint32)]))
    a.add("threefry", [L(key, "u32")], [np.asarray(both[:20])], 1)
    a.write()


def reductions():
    a = Family("reductions")
    x = F(3, 5, 4, low=0.5, high=1.7)
    for name, f in [("sum", jnp.sum), ("mean", jnp.mean), ("max", jnp.max), ("min", jnp.min), ("prod", jnp.prod),
                    ("variance", jnp.var), ("logsumexp", jax.nn.logsumexp)]:
        weighted = lambda v, g=f: (lambda y: y * jnp.arange(1.0, y.size + 1).reshape(y.shape))(g(jnp.sin(v), axis=1))
        a.case(name, lambda v, w=weighted: with_derivatives(w)(v), x)
        if name != "logsumexp":
            a.case(f"{name}_of_all", lambda v, g=f: [g(v), g(v, axis=(0, 2)), g(v, axis=2, keepdims=True)], x)
    logits = F(6, 10, low=-4.0, high=4.0)
    weights = F(6, 10, seed=5)
    for name, f in [("softmax", jax.nn.softmax), ("log_softmax", jax.nn.log_softmax)]:
        a.case(name, with_derivatives(lambda v, w, g=f: g(v, axis=-1) * jnp.tanh(w)), logits, weights)
        a.case(f"{name}_of_columns", lambda v, g=f: g(v, axis=0), logits)
    a.case("long_sum", lambda v: [v.sum(1), v.sum(0), (v * v).mean()], F(5, 1000))
    a.case("layer_norm", with_derivatives(
        lambda v, g, b: (v - v.mean(-1, keepdims=True)) / jnp.sqrt(v.var(-1, keepdims=True) + 1e-5) * jnp.sin(g) + b * b),
        F(4, 24, low=-2.0, high=2.0), F(24, seed=2), F(24, seed=3), scale=4)
    a.case("matmul", with_derivatives(lambda v, w: jnp.tanh(v @ w)), F(7, 12), F(12, 5, seed=2))
    a.case("matmul_batched", with_derivatives(lambda v, w: jnp.sin(v @ w)), F(2, 3, 4, 6), F(3, 6, 5, seed=2))
    a.case("matmul_large", lambda v, w: v @ w, F(20, 130), F(130, 36, seed=2))
    a.case("dot", with_derivatives(lambda v, w: jnp.exp(jnp.dot(v, w))), F(9), F(9, seed=2))
    a.write()


def structure():
    a = Family("structure")
    x = F(4, 6)
    indices = L([-3, 0, 2, 3, 9, 2], "i32")
    clipped = lambda v, i, axis: jnp.take(v, jnp.clip(i, 0, v.shape[axis] - 1), axis=axis)
    a.case("take_rows", lambda v, i: [clipped(v, i, 0), jax.grad(lambda w: (jnp.sin(clipped(w, i, 0))).sum())(v)], x,
           indices)
    a.case("take_columns", lambda v, i: [clipped(v, i, 1), jax.grad(lambda w: (jnp.sin(clipped(w, i, 1))).sum())(v)], x,
           L([[0, 7], [-1, 5], [3, 3]], "i32"))
    added = lambda v, u, i: v.at[jnp.clip(i, 0, 3)].add(u)
    a.case("scatter_add", lambda v, u, i: [added(v, u, i), *jax.grad(lambda p, q: jnp.sin(added(p, q, i)).sum(), (0, 1))(
        v, u)], x, F(6, 6, seed=2), indices)
    a.case("concat", with_derivatives(lambda v, w: jnp.sin(jnp.concatenate([v, w, v * w[:, :6]], 1))), x,
           F(4, 8, seed=2))
    a.case("stack", lambda v, w: [jnp.stack([v, w]), jnp.stack([v, w], 2), jnp.stack([v, w], -2)], x, F(4, 6, seed=2))
    a.case("pad", with_derivatives(lambda v: jnp.cos(jnp.pad(v, ((1, 2), (0, 3)), constant_values=0.5)) * 2), x)
    a.case("slice", with_derivatives(lambda v: jnp.exp(v[1:3, 2:] * v[:2, :4])), x)
    a.case("transpose", with_derivatives(lambda v: jnp.sin(v.transpose(2, 0, 1)) @ v), F(3, 4, 3))
    a.case("reshape", with_derivatives(lambda v: jnp.tanh(v.reshape(2, 12) * v.T.reshape(2, 12))), x)
    a.case("one_hot", lambda i, like: jax.nn.one_hot(i, 4, dtype=like.dtype), L([0, 3, -1, 4, 2], "i32"), L(0.0))
    a.case("iota", lambda v: [v + jnp.arange(6.0), (jnp.arange(4, dtype=jnp.int32)[:, None] * 10
                                                   + jnp.arange(3, dtype=jnp.int32)[None])], x)
    a.write()


def transforms():
    a = Family("transforms")
    field = lambda x: jnp.stack([x[0] * x[1] * x[2], jnp.sin(x[0]) + x[2] ** 2, jnp.exp(x[1] - x[2])])
    rosenbrock = lambda x: (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()
    x = F(3)
    a.case("jacobian", jax.jacobian(field), x)
    a.case("jvp", lambda v, t: list(jax.jvp(field, (v,), (t,))), x, F(3, seed=2))
    a.case("vjp", lambda v, u: jax.vjp(field, v)[1](u)[0], x, F(3, seed=2))
    a.case("hessian", jax.hessian(rosenbrock), F(5))
    a.case("hvp", lambda v, t: jax.jvp(jax.grad(rosenbrock), (v,), (t,))[1], F(5), F(5, seed=2))
    a.case("third", lambda v: jax.vmap(jax.grad(jax.grad(jax.grad(lambda t: jnp.tanh(t) * jnp.exp(t / 2)))))(v), F(9))
    a.case("jacobian_of_gradient_of_network", lambda w, v: jax.jacobian(jax.grad(
        lambda m: (jnp.tanh(v @ m) ** 2).sum()))(w), F(3, 2), F(4, 3, seed=2))
    a.case("vmap", lambda v, w: jax.vmap(lambda p, q: jnp.tanh(p @ q), (0, None))(v, w), F(5, 2, 3), F(3, 4, seed=2))
    a.case("vmap_of_columns", lambda v, w: jax.vmap(lambda p, q: p @ q, (2, 1), 1)(v, w), F(4, 3, 5), F(3, 5, seed=2))
    a.case("vmap_in_vmap", lambda v, w: jax.vmap(lambda p: jax.vmap(lambda q: jnp.sin(p * q).sum())(w))(v), F(4, 3),
           F(6, 3, seed=2))
    a.case("gradient_per_sample", lambda w, v: jax.vmap(jax.grad(lambda m, s: (jnp.tanh(s @ m) ** 2).sum()), (None, 0))(
        w, v), F(3, 2), F(6, 3, seed=2))
    a.case("vmap_of_jacobian", lambda v: jax.vmap(jax.jacobian(field))(v), F(4, 3))
    a.case("gradient_of_vmap", lambda v: jax.grad(lambda m: (jax.vmap(field)(m) ** 2).sum())(v), F(4, 3))
    a.case("vmap_of_take", lambda v, i: jax.vmap(lambda p, k: p[jnp.clip(k, 0, 5)])(v, i), F(3, 6),
           L([[0, 9, 2], [-4, 5, 1], [3, 3, 3]], "i32"))
    a.case("vmap_of_argmax", lambda v: jax.vmap(lambda p: jnp.argmax(p).astype(jnp.int32), 1)(v), F(3, 6))
    a.write()


def control():
    a = Family("control")
    xs, h0, w, u = F(6, 2, 3), F(2, 4, seed=2), F(3, 4, seed=3), F(4, 4, seed=4)

    def recurrent(reverse):
        def run(x, h, p, q):
            def step(c, v):
                c = jnp.tanh(v @ p + c @ q)
                return c, c * c
            return jax.lax.scan(step, h, x, reverse=reverse)
        return run

    for name, reverse in [("scan", False), ("scan_reverse", True)]:
        run = recurrent(reverse)
        loss = lambda *z, r=run: (lambda c, y: (c**2).sum() + jnp.sin(y).sum())(*r(*z))
        a.case(name, lambda *z, r=run: list(r(*z)), xs, h0, w, u)
        a.case(f"{name}_gradient", lambda *z, l=loss: list(jax.grad(l, (0, 1, 2, 3))(*z)), xs, h0, w, u)
    run = recurrent(False)
    loss = lambda q, x, h, p: (run(x, h, p, q)[1]).sum()
    a.case("scan_hvp", lambda q, t, x, h, p: jax.jvp(jax.grad(lambda m: loss(m, x, h, p)), (q,), (t,))[1], u,
           F(4, 4, seed=9), xs, h0, w, scale=4)
    a.case("scan_vmap", lambda x, h, p, q: jax.vmap(lambda v, s: run(v, s, p, q)[1], (0, 0))(x, h), F(5, 6, 2, 3),
           F(5, 2, 4, seed=2), w, u)
    logistic = lambda r, x: jax.lax.scan(lambda c, _: (r * c * (1 - c), c), x, None, length=7)
    a.case("scan_of_two_carries", lambda x: jax.lax.scan(
        lambda c, v: ((c[1], c[0] + v * c[1]), c[0] * c[1]), (jnp.ones(3), x[0]), x)[1], F(6, 3))
    a.case("for_loop", lambda r, x: [logistic(r, x)[0], *jax.grad(lambda p, q: logistic(p, q)[0].sum(), (0, 1))(r, x)],
           F(5, low=1.5, high=3.5), F(5, seed=2, low=0.2, high=0.8))
    # Newton's square root, until it is near.
    newton = lambda v: jax.lax.while_loop(lambda c: jnp.abs(c * c - v) > 1e-3 * v, lambda c: 0.5 * (c + v / c), v)
    a.case("while", newton, L(7.3))
    a.case("while_vmap", jax.vmap(newton), F(6, low=0.3, high=90.0))

    def branch(p, v):
        return jax.lax.cond(p, lambda: jnp.sin(v) * 2, lambda: v**3)

    for name, p in [("cond_true", True), ("cond_false", False)]:
        a.case(name, lambda c, v: [branch(c, v), jax.grad(lambda z: branch(c, z).sum())(v)], L(p, "bool"), F(5))
    a.case("cond_vmap", jax.vmap(branch), L([True, False, False, True], "bool"), F(4, 5))
    deep = lambda x: jnp.sin(jnp.exp(jnp.tanh(x) * 2)).sum()
    a.case("checkpoint", jax.grad(jax.checkpoint(deep)), F(8))

    @jax.custom_vjp
    def clipped(v):
        return v * v

    clipped.defvjp(lambda v: (v * v, v), lambda v, g: (jnp.clip(2 * v * g, -0.5, 0.5),))
    a.case("custom_vjp", jax.grad(lambda v: clipped(v).sum()), F(8))
    a.write()


for family in (elementwise, special, integers, reductions, structure, transforms, control):
    family()
