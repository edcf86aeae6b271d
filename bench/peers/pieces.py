"""The pieces of gcompile-bench for its peers: names, operands, and what is expected of them, by NumPy in double.

A name is that of a benchmark: the function and its shape, "softmax/1024x1024" or "matmul/32x784x512/nt".
"""
MATMULS = ("64", "256", "512", "1024", "32x784x512", "100", "256/nt", "256/tn", "256/tt", "32x784x512/nt")
PIECES = ("softmax/1024x1024", "softmax/4096x10", "layer_norm/1024x1024", "layer_norm/1000x100", "gelu/1024x1024",
          "chain/1024x1024", "row_sums/1024x1024", "column_sums/1024x1024", "column_sums/64x512", "transpose/1024x1024",
          "transpose/300x500", "add/64x64", "add/8192x1024") + tuple(f"matmul/{shape}" for shape in MATMULS)
TWO_OPERANDS = ("chain", "add", "matmul")


def function(name):
    """What a piece is, and for a product whether the left and the right operand are transposed."""
    first, _, *transposed = name.split("/")
    return first, *(letter == "t" for letter in (transposed or ["nn"])[0])


def operands(name):
    import numpy

    first, a_transposed, b_transposed = function(name)
    extents = [int(extent) for extent in name.split("/")[1].split("x")]
    if first == "matmul":
        m, k, n = extents if len(extents) == 3 else 3 * extents
        shapes = [(k, m) if a_transposed else (m, k), (n, k) if b_transposed else (k, n)]
    else:
        shapes = [extents] * (2 if first in TWO_OPERANDS else 1)
    random = numpy.random.default_rng(1)
    return [random.uniform(-2, 2, shape).astype(numpy.float32) for shape in shapes]


def expected(name, operands):
    import numpy as np

    first, a_transposed, b_transposed = function(name)
    a, b = (operands * 2)[:2]
    a, b = a.astype(np.float64), b.astype(np.float64)
    if first == "softmax":
        e = np.exp(a - a.max(1, keepdims=True))
        return e / e.sum(1, keepdims=True)
    if first == "layer_norm":
        return (a - a.mean(1, keepdims=True)) / np.sqrt(a.var(1, keepdims=True) + 1e-5)
    if first == "gelu":
        return 0.5 * a * (1 + np.tanh(0.7978845608 * (a + 0.044715 * a**3)))
    if first == "chain":
        return 1 / (1 + np.exp(-(np.tanh(np.exp(a * b + a)) * 2 + b))) - a
    if first == "matmul":
        return (a.T if a_transposed else a) @ (b.T if b_transposed else b)
    return {"row_sums": lambda: a.sum(1), "column_sums": lambda: a.sum(0), "transpose": lambda: a.T,
            "add": lambda: a + b}[first]()


def check(name, operands, result):
    """A piece is not timed unless its result is right."""
    import numpy

    reference = expected(name, operands)
    result = numpy.asarray(result)
    if result.shape != reference.shape:
        raise RuntimeError(f"wrong shape, not timed: {result.shape}")
    worst = float(numpy.max(numpy.abs(result - reference) / (1 + numpy.abs(reference))))
    if not worst < 1e-3:
        raise RuntimeError(f"wrong result, not timed: off by {worst:.3g}")
