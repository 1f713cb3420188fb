"""The ledger, counted in JAX's program, against formulas counted by hand; NeuroBench's example; published energies."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.measure.cost import Tally
from jaxneuro.measure.energy import HOROWITZ_45NM, JOUPPI_7NM, LOIHI, TABLES, TRUENORTH, Work, dense_step, event_steps
from jaxneuro.measure.ledger import ledger, size_in_bytes
from jaxneuro.measure.synaptic import fan_out, synaptic_operations

SIZES = [(1, 1), (3, 8), (20, 5)]


def vector(size):
    return jax.ShapeDtypeStruct((size,), jnp.float32)


def shapes(build):
    return jax.eval_shape(build, jax.random.key(0))


@pytest.mark.parametrize(("i", "h"), SIZES)
def test_an_lstm(i, h):
    found = ledger(shapes(lambda key: jn.LSTM(i, h, key=key)), vector(i))
    # 4 gates of h (i + h) products: 4 h (i + h) MAC, which are 8 h (h + i) operations. Per neuron then: W x, U h and b
    # are added up in 4 gates, and c = f c + i g; f c, i g, o tanh(c); 3 logistic functions and 2 tanh.
    assert found.tally == Tally(4 * h * (i + h), additions=9 * h, multiplications=3 * h, transcendentals=5 * h)
    assert 2 * found.tally.macs == 8 * h * (h + i)
    assert found.parameters == 4 * h * (i + h + 1)
    assert (found.state_numbers, found.state_bytes) == (2 * h, 8 * h)
    assert found.traffic_bytes == 4 * (4 * h * (i + h + 1) + 2 * 2 * h + i + h)


@pytest.mark.parametrize(("i", "h"), SIZES)
@pytest.mark.parametrize("after", [False, True])
def test_a_gru(i, h, after):
    found = ledger(shapes(lambda key: jn.gated.GRU(i, h, reset_after=after, key=key)), vector(i))
    # Per neuron: two sums in each of 3 gates, 1 - z, and the last sum; r h, z h, (1 - z) n; 2 logistic functions, tanh.
    adds = 8 + after
    assert found.tally == Tally(3 * h * (i + h), additions=adds * h, multiplications=3 * h, transcendentals=3 * h)
    assert found.parameters == 3 * h * (i + h + 1) + after * h
    assert found.state_bytes == 4 * h
    assert found.traffic_bytes == 4 * (found.parameters + 2 * h + i + h)


@pytest.mark.parametrize(("i", "h"), SIZES)
def test_dense_synapses(i, h):
    found = ledger(shapes(lambda key: jn.Dense(i, h, key=key)), vector(i))
    assert found.tally == Tally(macs=h * i, additions=h)
    assert (found.parameters, found.parameter_bytes, found.state_bytes) == (h * (i + 1), 4 * h * (i + 1), 0)
    assert found.traffic_bytes == 4 * (h * (i + 1) + i + h)


@pytest.mark.parametrize("neurons", [1, 7])
def test_lif_neurons(neurons):
    population = jn.Population(jn.stack(jn.LIF(), neurons), neurons)
    found = ledger(population, vector(neurons))
    membrane = Tally(
        additions=4, multiplications=4, transcendentals=1
    )  # E + R I, V - V_inf, expm1(-dt 1 / tau), V + ..
    held = Tally(multiplications=2, comparisons=2)  # count > dt / 2, before the step and in the jump
    spike = Tally(additions=1, comparisons=1)  # V - theta >= 0
    slope = Tally(additions=2, multiplications=3)  # 1 / (1 + slope |u|)^2, which only gradients need
    reset = Tally(additions=5, multiplications=3)  # V - s ((1 - k) hard + k soft), two of the differences inside
    count = Tally(additions=1, multiplications=2, comparisons=3)  # count - dt; both > dt / 2; s > 0
    assert found.tally == (membrane + held + spike + slope + reset + count) * neurons
    assert (found.state_numbers, found.state_bytes) == (2 * neurons, 8 * neurons)
    # 9 numbers and the slope of the surrogate.
    assert found.parameters == 10 * neurons
    assert found.traffic_bytes == 4 * (10 + 2 * 2 + 1 + 1) * neurons


def test_keys_and_counters_have_bytes_but_are_no_numbers(key):
    delay = jn.Delay(jnp.zeros(3), steps=4)
    found = ledger(delay, vector(3))
    assert (found.state_numbers, found.state_bytes) == (13, 4 * 13)
    assert size_in_bytes(key) == 8


def layer(weights):
    dense = jn.Dense(len(weights[0]), len(weights), key=jax.random.key(0))
    return jax.tree.unflatten(jax.tree.structure(dense), [jnp.asarray(weights), jnp.ones(len(weights))])


EXAMPLE = [[1.3, 0.0, -3.2], [0.0, 1.2, -5.1], [-1.1, 2.7, 0.0]]


def test_the_worked_example_of_neurobench():
    found = synaptic_operations(layer(EXAMPLE), jnp.asarray([[0.0, 1.3, -1.0]]))
    assert (found.dense, found.macs, found.accumulates) == (9, 4, 0)
    spikes = synaptic_operations(layer(EXAMPLE), jnp.asarray([[0.0, 1.0, -1.0], [0.0, 0.0, 0.0]]))
    assert (spikes.dense, spikes.macs, spikes.accumulates) == (9, 0, 2)


@pytest.mark.parametrize(("stride", "padding"), [(1, "same"), (2, "same"), (1, "valid"), (2, "valid")])
def test_the_fan_out_of_a_convolution_is_that_of_a_loop_over_its_kernel(key, stride, padding):
    conv = jn.Conv(2, 3, size=3, stride=stride, padding=padding, key=key)
    kernel = np.asarray(conv.weights).copy()
    kernel[0, 1, 1, 2] = kernel[2, 2, 0, 0] = 0
    conv = jax.tree.unflatten(jax.tree.structure(conv), [jnp.asarray(kernel), jnp.zeros(3)])
    height, width = 5, 6
    rows, columns = conv.respond(jnp.zeros((height, width, 2))).shape[:2]
    padded = max((rows - 1) * stride + 3 - height, 0), max((columns - 1) * stride + 3 - width, 0)
    before = [total // 2 if padding == "same" else 0 for total in padded]
    expected = np.zeros((height, width, 2))
    for i, j, k, m in np.ndindex(rows, columns, 3, 3):
        place = i * stride + k - before[0], j * stride + m - before[1]
        if 0 <= place[0] < height and 0 <= place[1] < width:
            expected[place] += (kernel[k, m] != 0).sum(axis=1)
    np.testing.assert_array_equal(fan_out(conv, (height, width, 2)), expected)


def test_dense_connections_are_the_macs_of_the_program_where_nothing_is_padded(key):
    for made, shape in ((jn.Dense(5, 4, key=key), (5,)), (jn.Conv(2, 3, padding="valid", key=key), (6, 6, 2))):
        found = ledger(made, jax.ShapeDtypeStruct(shape, jnp.float32))
        assert fan_out(made, shape, zeros=True).sum() == found.tally.macs


def test_energies_are_sums_of_the_published_figures():
    work = Work(macs=10, accumulates=100, additions=3, multiplications=2, comparisons=1, traffic_bytes=80)
    bare = 10 * 4.6 + 104 * 0.9 + 2 * 3.7
    assert HOROWITZ_45NM.energy_pj(work, memory=False) == pytest.approx(bare)
    assert HOROWITZ_45NM.energy_pj(work, memory=True) == pytest.approx(bare + 80 / 8 * 10)
    assert JOUPPI_7NM.energy_pj(Work(macs=1), memory=False) == pytest.approx(1.69)
    assert TRUENORTH.energy_pj(work, memory=False) is None
    assert TRUENORTH.energy_pj(Work(accumulates=100, comparisons=5), memory=True) == pytest.approx(2600)
    assert LOIHI.energy_pj(Work(accumulates=1), memory=False) == pytest.approx(23.6)
    assert HOROWITZ_45NM.energy_pj(Work(transcendentals=1), memory=False) == pytest.approx(5 * 4.6)
    assert len(TABLES) >= 3


def test_a_network_of_25856_macs_takes_119_nj():
    # 64-128-128-10: 64 * 128 + 128 * 128 + 128 * 10, at 4.6 pJ.
    assert HOROWITZ_45NM.energy_pj(Work(macs=25_856), memory=False) == pytest.approx(118_937.6)


def test_work_adds_up_and_a_ledger_is_work():
    dense = ledger(shapes(lambda key: jn.Dense(3, 2, key=key)), vector(3))
    assert Work.of(dense) == Work(macs=6, additions=2, traffic_bytes=4 * (8 + 3 + 2))
    assert Work.of(dense.tally) * 2 + Work(accumulates=1) == Work(macs=12, additions=4, accumulates=1)


def test_the_traffic_of_events_is_three_words_and_of_macs_two():
    assert dense_step(100, 10) == Work(macs=100, comparisons=10, traffic_bytes=4 * 210)
    spent = event_steps(accumulates=100, updates=40, spikes=7, macs=5)
    assert spent == Work(macs=5, accumulates=100, additions=7, comparisons=40, traffic_bytes=4 * (300 + 47 + 20))
