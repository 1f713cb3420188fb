"""Short-term plasticity against the closed form of its steady state and an event by event loop."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.synapses import TsodyksMarkram


@pytest.mark.parametrize("rate", [5.0, 20.0, 70.0])
@pytest.mark.parametrize(
    ("facilitation", "recovery", "release"), [(0.0, 800.0, 0.5), (530.0, 130.0, 0.03), (50, 50, 0.2)]
)
def test_regular_spikes_lead_to_the_closed_form(rate, facilitation, recovery, release, float64):
    steps = 40
    machine = TsodyksMarkram(facilitation, recovery, release, dt_ms=1000 / rate / steps)
    every = jnp.tile(jnp.zeros(steps).at[0].set(1.0), 1000)
    state, released = jn.run(machine, every)
    forget, recover = np.exp(-1000 / rate / facilitation) if facilitation else 0, np.exp(-1000 / rate / recovery)
    use = release / (1 - (1 - release) * forget)
    resources = (1 - recover) / (1 - (1 - use) * recover)
    assert float(released[-steps]) == pytest.approx(use * resources, rel=1e-9)
    assert float(state.use) == pytest.approx(use * forget ** (1 - 1 / steps), rel=1e-9)


def test_equals_a_loop_over_spikes(float64):
    spikes = np.random.default_rng(0).uniform(size=300) < 0.05
    use, resources, last, expected = 0.0, 1.0, 0, np.zeros(300)
    for now in np.flatnonzero(spikes):
        time = (now - last) * 2.0
        use, resources, last = use * np.exp(-time / 100), 1 - (1 - resources) * np.exp(-time / 300), now
        use += 0.3 * (1 - use)
        expected[now] = use * resources
        resources -= expected[now]
    _, released = jn.run(TsodyksMarkram(100.0, 300.0, 0.3, dt_ms=2.0), jnp.asarray(spikes, jnp.float64))
    np.testing.assert_allclose(released, expected, rtol=0, atol=1e-13)


def test_without_facilitation_gradients_are_finite():
    def total(machine):
        return jn.run(machine, jnp.ones(20))[1].sum()

    slopes = jax.grad(total)(TsodyksMarkram())
    assert all(np.isfinite(slope) for slope in jax.tree.leaves(slopes))


def test_every_presynaptic_neuron_has_its_own_resources():
    terminals = jn.Population(TsodyksMarkram(dt_ms=1.0), 2, shared=True)
    _, released = jn.run(terminals, jnp.asarray([[1.0, 0.0], [1.0, 1.0]]))
    assert released[0, 1] == 0
    assert released[1, 0] < released[1, 1] == 0.5
