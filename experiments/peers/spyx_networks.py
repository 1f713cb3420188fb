"""Spiking networks in Spyx."""

from collections.abc import Callable

Call = Callable[[], object]


def spyx_lif(steps: int, batch: int, inputs: int, units: int, outputs: int, repeat: int) -> dict[str, Call]:
    """Steps of SGD, in one compiled loop, on a feed-forward network of Spyx LIF neurons with a leaky readout."""
    import jax
    import jax.numpy as jnp
    import numpy as np
    import optax
    import spyx  # pyright: ignore[reportMissingImports]
    from flax import nnx

    class Net(nnx.Module):
        def __init__(self, rngs: nnx.Rngs) -> None:
            self.first = nnx.Linear(inputs, units, rngs=rngs)
            self.lif = spyx.nn.LIF((units,), rngs=rngs)
            self.second = nnx.Linear(units, outputs, rngs=rngs)
            self.readout = spyx.nn.LI((outputs,), rngs=rngs)

        def __call__(self, spikes: jax.Array) -> jax.Array:
            def step(state: tuple, x: jax.Array) -> tuple:
                hidden, out = state
                spike, hidden = self.lif(self.first(x), hidden)
                y, out = self.readout(self.second(spike), out)
                return (hidden, out), y

            start = (self.lif.initial_state(batch), self.readout.initial_state(batch))
            return jax.lax.scan(step, start, spikes)[1]

    graph, parameters = nnx.split(Net(nnx.Rngs(0)))
    generator = np.random.default_rng(0)
    spikes = jnp.asarray(generator.random((steps, batch, inputs)) < 0.03, jnp.float32)
    labels = jnp.asarray(generator.integers(0, outputs, batch))

    def loss(parameters: object) -> jax.Array:
        traces = nnx.merge(graph, parameters)(spikes)
        return optax.softmax_cross_entropy_with_integer_labels(traces.mean(0), labels).mean()

    def step(parameters: object, _: None) -> tuple:
        value, gradient = jax.value_and_grad(loss)(parameters)
        return jax.tree.map(lambda p, g: p - 1e-3 * g, parameters, gradient), value

    loop = jax.jit(lambda parameters: jax.lax.scan(step, parameters, None, length=repeat))
    return {"lif train": lambda: jax.block_until_ready(loop(parameters))}
