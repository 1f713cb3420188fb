"""What is measured of trained networks: by networks whose answers are known by hand."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.launch.probes import CURVES, has_spikes, heeding, probe, spikes_with, withstanding
from jaxneuro.surrogate import FastSigmoid, Surrogate, Triangular
from jaxneuro.tasks.batch import Batch

STEPS = 8


class Brightest(jn.StateMachine):
    """Adds up its inputs, and says which line had the larger sum; with a spike, or by the sum itself."""

    spike: Surrogate | None = None
    gain: jax.Array = eqx.field(converter=jnp.asarray, default=1.0)

    def init(self, key):
        return jnp.zeros(2)

    def step(self, state, input):
        state = state + input
        apart = self.gain * (state[1] - state[0])
        if self.spike is not None:
            apart = self.spike(apart) - 0.5
        return state, jnp.stack([-apart, apart])


# Any classification of sequences will do: its loss is used, its own sequences are not.
TASK = jn.tasks.FlipFlop(steps=STEPS)


def images(count=40, gap=0.2):
    """Half have the second line brighter by `gap` in all steps; the answer counts in the last."""
    brighter = jnp.arange(count) % 2
    sign = 2.0 * brighter.astype(jnp.float32) - 1
    level = 0.5 + 0.5 * gap * jnp.stack([-sign, sign], -1)
    inputs = jnp.broadcast_to(level[:, None], (count, STEPS, 2))
    weights = jnp.zeros((count, STEPS)).at[:, -1].set(1)
    return Batch(inputs, jnp.broadcast_to(brighter[:, None], weights.shape), weights)


def test_an_attack_succeeds_when_it_may_change_more_than_the_gap_allows():
    # Each line may move by epsilon: the sum changes sign if 2 epsilon exceeds the gap.
    weak = withstanding(TASK, images(), 0.09)(Brightest())
    strong = withstanding(TASK, images(), 0.11)(Brightest())
    assert [float(weak[name]) for name in ("clean", "fgsm", "pgd", "worst")] == [100, 100, 100, 100]
    assert [float(strong[name]) for name in ("clean", "fgsm", "pgd", "worst")] == [100, 0, 0, 0]
    assert float(strong["noise"]) > 80


def test_masked_gradients_are_found_out_by_other_slopes():
    # A slope that vanishes beyond a tiny distance gives the attacker nothing: so it seems strong, and is not.
    masked = Brightest(Triangular(height=1.0, width=1e-3))
    found = withstanding(TASK, images(), 0.11)(masked)
    assert float(found["fgsm"]) == 100
    assert float(found["pgd"]) > 90
    assert float(found["worst"]) == 0


@pytest.mark.slow
def test_curves_start_at_what_is_clean_and_fall():
    found = withstanding(TASK, images(400), 0.01)(Brightest())
    for curve in CURVES:
        points = [float(found[curve.key(point)]) for point in curve.points]
        assert points[-1] <= points[0] <= 100
    # By hand: what is covered adds nothing to either line, so that the brighter line stays the brighter.
    assert [float(found[CURVES[1].key(point)]) for point in CURVES[1].points] == [100] * 4
    noisy = [float(found[CURVES[0].key(point)]) for point in CURVES[0].points]
    assert noisy[0] == 100 > noisy[-1] > 50


@pytest.mark.slow
def test_covered_inputs_are_zero_in_a_stretch_of_steps():
    class Last(jn.StateMachine):
        gain: jax.Array = eqx.field(converter=jnp.asarray, default=1.0)

        def init(self, key):
            return jnp.zeros(1)

        def step(self, state, input):
            return state, self.gain * jnp.stack([jnp.asarray(0.1), input[1]])

    batch = images(4000, gap=1.0)
    found = withstanding(TASK, batch, 0.01)(Last())
    # The last step alone is seen; covered it is dark, and a bright second line goes unseen: half of all, times the
    # chance that a stretch of 6 steps, beginning at one of 3 places, reaches the end.
    assert float(found[CURVES[1].key(0.75)]) == pytest.approx(100 * (1 - 0.5 / 3), abs=2)


@pytest.mark.slow
def test_heeding_tells_the_stream_that_counts_from_the_other():
    batch = jn.tasks.ContextDecision(steps=5).batch(jax.random.key(0), 1000)

    class Rule(jn.StateMachine):
        heed: jax.Array

        def init(self, key):
            return jnp.zeros(2)

        def step(self, state, input):
            state = state + input[:2]
            context = input[2:]
            apart = self.heed[0] * (state * context).sum() + self.heed[1] * (state * context[::-1]).sum()
            return state, jnp.stack([-apart, apart])

    by_rule = {name: heeding(batch)(Rule(jnp.asarray(heed))) for name, heed in RULES.items()}
    assert by_rule["right"]["relevant"] > 10 * abs(by_rule["right"]["irrelevant"])
    assert by_rule["wrong"]["irrelevant"] > 10 * abs(by_rule["wrong"]["relevant"])
    np.testing.assert_allclose(by_rule["both"]["relevant"], by_rule["both"]["irrelevant"], rtol=0.2, atol=0)


RULES = {"right": [1.0, 0.0], "wrong": [0.0, 1.0], "both": [1.0, 1.0]}


def test_what_is_probed_goes_by_the_task():
    assert probe(TASK, images(), 0.0) is None
    assert set(probe(TASK, images(), 0.1)(Brightest())) >= {"clean", "worst"}
    context = jn.tasks.ContextDecision(steps=5)
    assert probe(context, context.batch(jax.random.key(0), 5), 0.0) is not None


def test_another_slope_changes_no_answer():
    machine = Brightest(FastSigmoid(slope=1.0))
    other = spikes_with(machine, Triangular())
    assert isinstance(other.spike, Triangular)
    assert has_spikes(machine)
    assert not has_spikes(Brightest())
    inputs = images().inputs[0]
    np.testing.assert_array_equal(jn.run(machine, inputs)[1], jn.run(other, inputs)[1])
