"""The workloads with JAX: jit of value_and_grad and the update, the parameters donated, the loss waited for at every step;
pieces and inference as jitted functions whose results are waited for."""
import jax
import jax.numpy as jnp
import pieces
import workloads


def layer(key, inputs, outputs):
    bound = 1 / inputs**0.5
    weight, bias = jax.random.split(key)
    return [jax.random.uniform(weight, (outputs, inputs), minval=-bound, maxval=bound),
            jax.random.uniform(bias, (outputs,), minval=-bound, maxval=bound)]


def linear(parameters, x):
    weight, bias = parameters
    return x @ weight.T + bias


def cross_entropy(p, y):
    return -(y * jnp.maximum(jnp.log(p), -100) + (1 - y) * jnp.maximum(jnp.log(1 - p), -100))


def model(workload):
    """Initial parameters, and the loss as a function of them and the data."""
    keys = jax.random.split(jax.random.PRNGKey(0), 3)
    if workload == "W1":
        return jnp.float32(1), lambda w, x, y: (x * w - y) ** 2
    if workload == "W2":
        return layer(keys[0], 1, 1), lambda w, x, y: jnp.sum((linear(w, x) - y) ** 2)
    if workload == "W3":
        return layer(keys[0], 1, 1), lambda w, x, y: jnp.sum(cross_entropy(jax.nn.sigmoid(linear(w, x)), y))

    if workload in workloads.WIDTHS:
        widths = workloads.WIDTHS[workload]
        keys = jax.random.split(jax.random.PRNGKey(0), len(widths))

        def classifier(parameters, x, y):
            for w in parameters[:-1]:
                x = jax.nn.relu(linear(w, x))
            z = linear(parameters[-1], x)
            return jnp.mean(jax.nn.logsumexp(z, axis=1) - jnp.take_along_axis(z, y[:, None], axis=1)[:, 0])

        return [layer(*spec) for spec in zip(keys, widths, widths[1:])], classifier

    def loss(parameters, x, y):
        for w in parameters:
            x = jax.nn.sigmoid(linear(w, x))
        return jnp.mean(cross_entropy(x, y))

    return [layer(keys[0], 8, 6), layer(keys[1], 6, 4), layer(keys[2], 4, 1)], loss


def optimizer(workload):
    """What is kept beside parameters, and the new parameters and kept values of old ones and a gradient."""
    rate = workloads.rate(workload)
    tree_map = jax.tree_util.tree_map
    if workload == "W13":  # Adam
        def start(p):
            return tree_map(jnp.zeros_like, p), tree_map(jnp.zeros_like, p), jnp.float32(0)

        def update(p, kept, g):
            m, v, t = kept
            t = t + 1
            m = tree_map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
            v = tree_map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
            p = tree_map(lambda p, m, v: p - rate * (m / (1 - 0.9**t)) / (jnp.sqrt(v / (1 - 0.999**t)) + 1e-8), p, m, v)
            return p, (m, v, t)

        return start, update
    if workload == "W6":  # SGD with momentum
        def update(p, v, g):
            v = tree_map(lambda v, g: 0.5 * v + g, v, g)
            return tree_map(lambda p, v: p - rate * v, p, v), v

        return lambda p: tree_map(jnp.zeros_like, p), update
    return lambda p: None, lambda p, kept, g: (tree_map(lambda p, g: p - rate * g, p, g), None)


def training(workload):
    """The step before jit, and its first arguments."""
    parameters, loss = model(workload)
    x, y = workloads.data(workload)
    x = jnp.asarray(x, dtype=jnp.float32)
    y = jnp.asarray(y, dtype=jnp.int32 if workload in workloads.WIDTHS else jnp.float32)
    start, update = optimizer(workload)

    def train(parameters, kept, x, y):
        value, gradient = jax.value_and_grad(loss)(parameters, x, y)
        return (*update(parameters, kept, gradient), value)

    return train, (parameters, start(parameters), x, y)


def lowered(train, arguments):
    return jax.jit(train, donate_argnums=(0, 1)).lower(*arguments)


def piece_function(name):
    first, a_transposed, b_transposed = pieces.function(name)
    if first == "matmul":
        return lambda a, b: (a.T if a_transposed else a) @ (b.T if b_transposed else b)
    return {"softmax": lambda a: jax.nn.softmax(a, axis=1),
            "layer_norm": lambda a: jax.nn.standardize(a, axis=1, epsilon=1e-5),
            "gelu": lambda a: jax.nn.gelu(a, approximate=True),
            "chain": lambda a, b: jax.nn.sigmoid(jnp.tanh(jnp.exp(a * b + a)) * 2 + b) - a,
            "row_sums": lambda a: jnp.sum(a, axis=1), "column_sums": lambda a: jnp.sum(a, axis=0),
            "transpose": lambda a: a.T, "add": lambda a, b: a + b}[first]


def called(function, *arguments):
    function = jax.jit(function)
    arguments = [jnp.asarray(a) for a in arguments]

    def call(wanted):
        result = function(*arguments)
        result.block_until_ready()
        return result if wanted else None

    return call


class Jax(workloads.Framework):
    version = jax.__version__

    @staticmethod
    def step(workload):
        train, (parameters, kept, x, y) = training(workload)
        compiled = jax.jit(train, donate_argnums=(0, 1))

        def step(wanted):
            nonlocal parameters, kept
            parameters, kept, value = compiled(parameters, kept, x, y)
            value.block_until_ready()
            return float(value) if wanted else None

        return step

    @staticmethod
    def piece(name, operands):
        return called(piece_function(name), *operands)

    @staticmethod
    def predict(workload):
        parameters, _ = model(workload)
        inner, last = (jax.nn.relu, lambda z: z) if workload in workloads.WIDTHS else (jax.nn.sigmoid, jax.nn.sigmoid)

        def forward(parameters, x):
            for w in parameters[:-1]:
                x = inner(linear(w, x))
            return last(linear(parameters[-1], x))

        x = jnp.asarray(workloads.data(workload)[0][:1], dtype=jnp.float32)
        function = jax.jit(forward)
        return lambda wanted: function(parameters, x).block_until_ready()

    @staticmethod
    def compile(workload):
        train, arguments = training(workload)  # not counted

        def once():
            jax.clear_caches()
            lowered(train, arguments).compile()

        return once

    @staticmethod
    def temporaries(workload):
        return lowered(*training(workload)).compile().memory_analysis().temp_size_in_bytes


if __name__ == "__main__":
    workloads.serve(Jax())
