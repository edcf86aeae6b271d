"""W1 to W5 with JAX: jit of value_and_grad and the update, the parameters donated, the loss waited for at every step."""
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

    def loss(parameters, x, y):
        for w in parameters:
            x = jax.nn.sigmoid(linear(w, x))
        return jnp.mean(cross_entropy(x, y))

    return [layer(keys[0], 8, 6), layer(keys[1], 6, 4), layer(keys[2], 4, 1)], loss


def make_step(workload):
    parameters, loss = model(workload)
    x, y = (jnp.asarray(values, dtype=jnp.float32) for values in workloads.data(workload))
    learning_rate = workloads.rate(workload)

    def update(parameters, x, y):
        value, gradient = jax.value_and_grad(loss)(parameters, x, y)
        return jax.tree_util.tree_map(lambda w, g: w - learning_rate * g, parameters, gradient), value

    compiled = jax.jit(update, donate_argnums=0)

    def step(wanted):
        nonlocal parameters
        parameters, value = compiled(parameters, x, y)
        value.block_until_ready()
        return float(value) if wanted else None

    return step


if __name__ == "__main__":
    workloads.serve(make_step, jax.__version__)
