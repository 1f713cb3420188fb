"""The dynamic synapse against the matrix exponential of its three states, for the synapses of the paper's figure 1."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import expm

import jaxneuro as jn
from jaxneuro.synapses import DynamicSynapse, TsodyksMarkram

# Neural Computation 10:821, figure 1; the figure needs a release of 0.6 where the text says 0.5.
NAMES = ("weight", "tau_active_ms", "tau_recovery_ms", "tau_facilitation_ms", "release")
DEPRESSING = dict(zip(NAMES, (250.0, 3.0, 800.0, 0.0, 0.6), strict=True))
FACILITATING = dict(zip(NAMES, (1540.0, 1.5, 130.0, 530.0, 0.03), strict=True))


def oracle(parameters, interval, count):
    """The currents at regular spikes, from x, y, z moved by the matrix exponential of their cycle."""
    active, recovery = parameters["tau_active_ms"], parameters["tau_recovery_ms"]
    cycle = np.asarray([[0, 0, 1 / recovery], [0, -1 / active, 0], [0, 1 / active, -1 / recovery]])
    move = expm(cycle * interval)
    forget = np.exp(-interval / parameters["tau_facilitation_ms"]) if parameters["tau_facilitation_ms"] else 0
    resources, use, out = np.asarray([1.0, 0.0, 0.0]), 0.0, []
    for _ in range(count):
        use += parameters["release"] * (1 - use)
        resources = resources + use * resources[0] * np.asarray([-1, 1, 0])
        out.append(parameters["weight"] * resources[1])
        resources, use = move @ resources, use * forget
    return np.asarray(out)


@pytest.mark.parametrize(("parameters", "rate"), [(DEPRESSING, 20.0), (FACILITATING, 20.0), (FACILITATING, 70.0)])
def test_the_synapses_of_figure_1(parameters, rate, float64):
    steps, count = 100, 60
    machine = DynamicSynapse(**parameters, dt_ms=1000 / rate / steps)
    _, current = jn.run(machine, jnp.tile(jnp.zeros(steps).at[0].set(1.0), count))
    peaks, expected = current[::steps], oracle(parameters, 1000 / rate, count)
    np.testing.assert_allclose(peaks, expected, rtol=1e-9)
    first, steady = float(peaks[0]), float(peaks[-1])
    assert first == pytest.approx(parameters["weight"] * parameters["release"], rel=1e-12)
    if parameters is DEPRESSING:
        assert steady < 0.12 * first
        assert np.all(np.diff(peaks[:10]) < 0)
    else:
        assert peaks.max() > 3 * first


def test_the_defaults_are_those_of_the_depressing_synapse():
    machine = DynamicSynapse()
    assert {name: pytest.approx(float(getattr(machine, name))) for name in DEPRESSING} == DEPRESSING


def test_transmitter_that_acts_briefly_leaves_the_two_state_model(float64):
    spikes = jnp.asarray(np.random.default_rng(1).uniform(size=400) < 0.1, jnp.float64)
    three = DynamicSynapse(1.0, 1e-4, 300.0, 100.0, 0.3, dt_ms=2.0)
    two = TsodyksMarkram(100.0, 300.0, 0.3, dt_ms=2.0)
    np.testing.assert_allclose(jn.run(three, spikes)[1], jn.run(two, spikes)[1], rtol=0, atol=1e-6)
