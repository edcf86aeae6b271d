"""The workloads with JAX: jit of value_and_grad and the update, the parameters donated, the loss waited for at every step."""
import jax
import jax.numpy as jnp
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


def make_step(workload):
    parameters, loss = model(workload)
    x, y = workloads.data(workload)
    x = jnp.asarray(x, dtype=jnp.float32)
    y = jnp.asarray(y, dtype=jnp.int32 if workload in workloads.WIDTHS else jnp.float32)
    start, update = optimizer(workload)
    kept = start(parameters)

    def train(parameters, kept, x, y):
        value, gradient = jax.value_and_grad(loss)(parameters, x, y)
        return (*update(parameters, kept, gradient), value)

    compiled = jax.jit(train, donate_argnums=(0, 1))

    def step(wanted):
        nonlocal parameters, kept
        parameters, kept, value = compiled(parameters, kept, x, y)
        value.block_until_ready()
        return float(value) if wanted else None

    return step


if __name__ == "__main__":
    workloads.serve(make_step, jax.__version__)
