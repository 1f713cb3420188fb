"""What a linear neuron can count is a matter of its factors: between 0 and 1, between -1 and 1, or complex.

Parity of bits needs a negative factor, counting modulo 3 a complex one that depends on the input (Grazzi et al. 2024,
arXiv:2411.12537, theorems 1 and 2). Shown three ways. By construction: parameters with which a machine counts 10,000
steps without a mistake. By bound: under a constant input, m states with factors between 0 and 1 are sums of m
exponentials, which change their sign at most m times (Descartes), so that no readout follows a parity that changes it
in every step; a linear program finds none. By training: what is learned on 20 steps holds on 40, or is chance.
"""

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from scipy.optimize import linprog

import jaxneuro as jn

linear = jn.linear
LONG = 10_000
OFF, ON = -200.0, 200.0  # A sigmoid of these is 0 and 1 in single precision.
KEY = jax.random.key(0)


def with_parameters(machine, **parameters):
    """The machine with other values, of the same shapes."""
    arrays = [jnp.asarray(value, jnp.result_type(float)) for value in parameters.values()]
    assert [array.shape for array in arrays] == [getattr(machine, name).shape for name in parameters]
    return eqx.tree_at(lambda m: [getattr(m, name) for name in parameters], machine, arrays)


def parity_by_min_gru():
    """A 1 turns the sign and adds 1: 0, 1, 0, 1, ... A 0 changes nothing."""
    machine = linear.MinGRU(2, 1, negative=True, key=KEY)
    return with_parameters(machine, input_weights=[[0, ON - OFF], [0, 0]], bias=[OFF, 0.5])


def parity_by_min_lstm():
    """The same; the forget gate closes where the input gate opens."""
    machine = linear.MinLSTM(2, 1, negative=True, key=KEY)
    return with_parameters(machine, input_weights=[[0, OFF - ON], [0, ON - OFF], [0, 0]], bias=[ON, OFF, 0.5])


def parity_by_rg_lru():
    """What turns the sign adds nothing here, so that the state comes from the start symbol."""
    machine = linear.RGLRU(2, 2, negative=True, key=KEY)
    start = -OFF + np.log(np.log(2) / 160)
    gates = np.zeros((2, 1, 2, 2))
    gates[0, 0, 0] = start, ON - OFF
    return with_parameters(machine, input_weights=gates, bias=[OFF, OFF, ON, OFF], decay=[20, 20])


def parity_by_selective():
    """A 1 takes 100 units of time, in which the state forgets all but its sign; a 0 takes none."""
    machine = linear.Selective(2, 2, states=1, rank=1, negative=True, key=KEY)
    return with_parameters(
        machine,
        input_weights=[[0, 100 - OFF], [0, 0.01]],
        step_weights=[[1], [1]],
        bias=[OFF, OFF],
        log_decay=[[0], [0]],
    )


def thirds():
    """A start symbol sets the state to 1; every 1 turns it by a third of a circle."""
    machine = linear.MinGRU(2, 2, rotating=True, key=KEY)
    return with_parameters(
        machine,
        input_weights=[[ON - OFF, 0], [0, 2 * np.pi / 3], [0, 0], [0, 0]],
        bias=[OFF, 0, 0.5, -1000],
    )


def started(bits):
    """A start symbol, then bits, as two inputs."""
    return jnp.asarray(np.concatenate([[[1, 0]], np.stack([np.zeros_like(bits), bits], 1)]), jnp.result_type(float))


PARITY = {
    # The state of a neuron, and where it says "odd".
    "MinGRU": (parity_by_min_gru, lambda hidden: hidden[:, 0] > 0.5),
    "MinLSTM": (parity_by_min_lstm, lambda hidden: hidden[:, 0] > 0.5),
    "RGLRU": (parity_by_rg_lru, lambda hidden: hidden[:, 0] < 0),
    "Selective": (parity_by_selective, lambda hidden: hidden[:, 1, 0] > 0.5),
}


@pytest.mark.parametrize("executor", ["sequential", "parallel"])
@pytest.mark.parametrize("name", PARITY)
def test_with_a_negative_factor_parity_is_exact_for_10000_steps(name, executor):
    build, odd = PARITY[name]
    bits = np.random.default_rng(0).integers(0, 2, LONG)
    *_, hidden = jn.run(build(), started(bits), observe="hidden", executor=executor)
    np.testing.assert_array_equal(odd(np.asarray(hidden))[1:], np.cumsum(bits) % 2)


@pytest.mark.parametrize("executor", ["sequential", "parallel"])
def test_with_an_angle_that_depends_on_the_input_counting_modulo_3_is_exact_for_10000_steps(executor):
    bits = np.random.default_rng(1).integers(0, 2, LONG)
    *_, hidden = jn.run(thirds(), started(bits), observe="hidden", executor=executor)
    turns = np.angle(np.asarray(hidden)[1:, 0]) / (2 * np.pi / 3)
    # Far from the borders between thirds, which are one half away.
    assert np.abs(turns - np.round(turns)).max() < 0.01
    np.testing.assert_array_equal(np.round(turns).astype(int) % 3, np.cumsum(bits) % 3)


ONES = 30


def readable(machine, wanted):
    """Whether some readout `w s + b` of the states has the sign of `wanted` in all of `ONES` steps of ones.

    Of all readouts with weights between -1 and 1 the widest margin is found: it is 0 if there is none.
    """
    with jax.enable_x64(True):
        machine = jn.cast(machine, jnp.float64)
        *_, states = jn.run(machine, started(np.ones(ONES, int)), observe="hidden")
        states = np.asarray(states)[1:].reshape(ONES, -1)
    parts = [states.real, states.imag] if np.iscomplexobj(states) else [states]
    points = np.concatenate([*parts, np.ones((ONES, 1))], 1)
    signed = np.where(wanted, 1, -1)[:, None] * points
    margin = np.eye(points.shape[1] + 1)[-1]
    rows = np.concatenate([-signed, np.ones((ONES, 1))], 1)
    found = linprog(-margin, rows, np.zeros(ONES), bounds=(-1, 1))
    assert found.status == 0, found.message
    return -found.fun > 1e-5


COUNT = np.arange(1, ONES + 1)
KINDS = [linear.MinGRU, linear.MinLSTM, linear.RGLRU, functools.partial(linear.Selective, states=2)]


def varied(machine, seed):
    """The machine with large random parameters: gates that are open, closed and between."""
    generator = np.random.default_rng(seed)
    return jax.tree.map(lambda leaf: jnp.asarray(generator.normal(size=leaf.shape) * 2, leaf.dtype), machine)


@pytest.mark.parametrize("kind", KINDS)
def test_no_readout_of_factors_between_0_and_1_follows_parity(kind):
    for seed in range(20):
        assert not readable(varied(kind(2, 4, key=KEY), seed), COUNT % 2 == 1)


@pytest.mark.parametrize("name", PARITY)
def test_a_readout_of_negative_factors_follows_parity_but_not_the_count_modulo_3(name):
    machine = PARITY[name][0]()
    assert readable(machine, COUNT % 2 == 1)
    assert not readable(machine, COUNT % 3 == 0)


@pytest.mark.parametrize("kind", KINDS)
def test_no_readout_of_real_factors_follows_the_count_modulo_3(kind):
    for seed in range(20):
        assert not readable(varied(kind(2, 4, negative=True, key=KEY), seed), COUNT % 3 == 0)


def test_a_readout_of_complex_factors_follows_the_count_modulo_3():
    for rest in range(3):
        assert readable(thirds(), rest == COUNT % 3)


TRAINED, TESTED, UPDATES, SEEDS, BATCH = 20, 40, 2000, 3, 64


def examples(key, size, steps, modulus):
    """A start symbol and random bits, and how many ones there have been, modulo `modulus`."""
    bits = jax.random.bernoulli(key, 0.5, (size, steps)).astype(jnp.int32)
    inputs = jnp.stack([jnp.zeros_like(bits), bits], -1).astype(jnp.float32)
    start = jnp.broadcast_to(jnp.array([1.0, 0.0]), (size, 1, 2))
    counts = jnp.concatenate([jnp.zeros((size, 1), jnp.int32), jnp.cumsum(bits, 1) % modulus], 1)
    return jnp.concatenate([start, inputs], 1), counts


def scores(network, inputs):
    return jax.vmap(lambda sequence: jn.run(network, sequence)[1])(inputs)


@functools.partial(jax.jit, static_argnums=(0, 1))
def accuracy_on_longer(build, modulus, key):
    """Trains on `TRAINED` steps; how often the second half of `TESTED` steps is counted right."""
    neuron_key, readout_key, data_key, test_key = jax.random.split(key, 4)
    network = jn.Chain(build(neuron_key), jn.Dense(4, modulus, key=readout_key))
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(optax.cosine_decay_schedule(3e-2, UPDATES)))

    def loss(network, inputs, counts):
        return optax.softmax_cross_entropy_with_integer_labels(scores(network, inputs), counts).mean()

    def update(carry, key):
        network, memory = carry
        gradient = jax.grad(loss)(network, *examples(key, BATCH, TRAINED, modulus))
        change, memory = optimizer.update(gradient, memory)
        return (optax.apply_updates(network, change), memory), None

    keys = jax.random.split(data_key, UPDATES)
    (network, _), _ = jax.lax.scan(update, (network, optimizer.init(network)), keys)
    inputs, counts = examples(test_key, 500, TESTED, modulus)
    right = jnp.argmax(scores(network, inputs), -1) == counts
    return right[:, TESTED // 2 :].mean()


def positive(key):
    return linear.MinGRU(2, 4, key=key)


def negative(key):
    return linear.MinGRU(2, 4, negative=True, key=key)


def rotating(key):
    return linear.MinGRU(2, 4, rotating=True, key=key)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("build", "modulus", "learns"),
    [(positive, 2, False), (negative, 2, True), (positive, 3, False), (negative, 3, False), (rotating, 3, True)],
)
def test_training_finds_what_the_factors_allow_and_no_more(build, modulus, learns):
    keys = jax.random.split(jax.random.key(11), SEEDS)
    with jax.numpy_dtype_promotion("standard"):  # Optax counts its steps in whole numbers.
        accuracies = jax.vmap(functools.partial(accuracy_on_longer, build, modulus))(keys)
    if learns:
        assert accuracies.min() > 0.9
    else:
        # Chance is 1 / modulus, of 10,000 answers per seed.
        assert accuracies.max() < 1 / modulus + 0.05
