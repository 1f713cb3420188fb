"""Machines of every kind from vectors to vectors, for the adaptors; and the run of a batch that they must equal."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int, Key

import jaxneuro as jn


class NoisyState(eqx.Module):
    """A random key, and the steps done."""

    key: Key[Array, ""]
    steps: Int[Array, ""]


class Noisy(jn.StateMachine):
    """`y = gain (x[choice] + noise)`: of its leaves one is trained, one a whole number and one a random key."""

    gain: Float[Array, ""]
    choice: Int[Array, ""]
    seed: Key[Array, ""]

    def init(self, key):
        return NoisyState(jax.random.fold_in(self.seed, jax.random.bits(key)), jnp.asarray(0, jnp.int32))

    def step(self, state, input):
        key = jax.random.fold_in(state.key, state.steps)
        output = self.gain * (input[self.choice] + jax.random.normal(key, (), input.dtype))
        return NoisyState(state.key, state.steps + 1), output[None]


def lifs(size):
    return jn.Population(jax.vmap(lambda tau: jn.LIF(tau_ms=tau, dt_ms=1.0))(jnp.linspace(3.0, 9.0, size)), size)


def readouts(size):
    return jn.Population(jn.LeakyReadout(tau_ms=3.0), size, shared=True)


def spiking_network(key):
    first, second = jax.random.split(key)
    return jn.Chain(jn.Dense(3, 4, gain=60.0, key=first), lifs(4), jn.Dense(4, 2, key=second), readouts(2))


KINDS = {
    "LSTM": lambda key: jn.LSTM(3, 4, key=key),
    "GRU": lambda key: jn.gated.GRU(3, 4, key=key),
    "perceptron": lambda key: jn.Perceptron(3, key=key),
    "dense": lambda key: jn.Dense(3, 2, bias=False, key=key),
    "LIF population": lambda key: lifs(3),
    "readout population": lambda key: readouts(3),
    "chain": spiking_network,
    "noisy": lambda key: Noisy(jnp.asarray(0.5), jnp.asarray(1), jax.random.clone(key)),
}
BATCH, TIME = 5, 9


def sequences(dtype=np.float32):
    """`[batch, time, 3]`, with currents strong enough for spikes."""
    return jnp.asarray(np.random.default_rng(0).uniform(-2, 30, (BATCH, TIME, 3)), dtype)


@jax.jit
def expected(machine, inputs, key):
    """The final states and outputs of a batch by `run`, each element from a key of its own."""
    keys = jax.random.split(key, inputs.shape[:1])
    return jax.vmap(lambda key, x: jn.run(machine, x, state=machine.init(key)))(keys, inputs)


def adam(learning_rate):
    """Optax's Adam, whose floats to the power of integers the strict promotion of these tests forbids."""
    optimizer = optax.adam(learning_rate)

    def update(*arguments):
        with jax.numpy_dtype_promotion("standard"):
            return optimizer.update(*arguments)

    return optax.GradientTransformation(optimizer.init, update)
