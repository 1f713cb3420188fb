"""The equations of the simple model against spike times of an adaptive solver of order 8 (izhikevich.json)."""

import functools
import json
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.neurons.spiking import Izhikevich, PreciseIzhikevich
from jaxneuro.neurons.spiking.patterns import izhikevich_patterns, stacked_parameters

FILE = Path(__file__).parent / "reference" / "izhikevich.json"
RECORD = json.loads(FILE.read_text(encoding="utf-8"))["spike_times"]
DT = 0.01
# The last pattern runs away: its intervals shrink for ever.
PATTERNS = izhikevich_patterns()[:-1]


def located(output, dt):
    """The spike times in ms, from steps and offsets."""
    steps = np.flatnonzero(output.spike)
    return steps * dt + np.asarray(output.offset_ms)[steps]


def spike_times(currents, ends):
    """The spike times of nineteen patterns until their ends, of one call, under currents `[patterns, steps]`."""
    parameters = {**stacked_parameters(PATTERNS), "dt_ms": np.full(len(PATTERNS), DT)}
    cells = jax.vmap(lambda parameters: PreciseIzhikevich(**parameters))(parameters)
    _, outputs = jax.vmap(jn.run)(cells, jnp.asarray(currents))
    rows = [jax.tree.map(lambda leaf, i=i: leaf[i], outputs) for i in range(len(PATTERNS))]
    times = [located(row, DT) for row in rows]
    return [row[row < end] for row, end in zip(times, ends, strict=True)]


STEPS = round(max(pattern.duration_ms for pattern in PATTERNS) / DT)


@pytest.fixture(scope="module")
def found():
    """The input of a step is that of its middle."""
    with jax.enable_x64(True):
        middles = DT * (np.arange(STEPS) + 0.5)
        currents = np.stack([pattern.current(middles) for pattern in PATTERNS])
        return spike_times(currents, [pattern.duration_ms for pattern in PATTERNS])


def test_every_pattern_has_the_spikes_of_its_equations(found):
    counts = dict(zip("ABCDEFGHIJKLMNOPQRS", map(len, found), strict=True))
    assert counts == {letter: len(times) for letter, times in RECORD.items()}
    # Eight of them are not those of the published scheme.
    assert {letter: counts[letter] for letter in "CDEHNPQS"} == dict(
        zip("CDEHNPQS", (29, 8, 7, 18, 14, 7, 8, 4), strict=True)
    )


@pytest.mark.parametrize("pattern", range(len(PATTERNS)))
def test_spike_times_are_those_of_a_solver_of_order_eight(pattern, found):
    letter = "ABCDEFGHIJKLMNOPQRS"[pattern]
    # The pulses of L begin at 100 / 11 ms, between two steps.
    np.testing.assert_allclose(found[pattern], RECORD[letter], rtol=0, atol=1e-3 if letter == "L" else 5e-6)


def test_it_is_the_scheme_that_changes_the_counts_not_its_stimulus(float64):
    # The published program holds its input over its own long steps, leaves out both borders of a pulse, and ends with
    # the step that begins at the end of the duration.
    held = [np.repeat(pattern.current(pattern.times()), round(pattern.dt_ms / DT))[:STEPS] for pattern in PATTERNS]
    currents = np.stack([np.pad(row, (0, STEPS - len(row))) for row in held])
    times = spike_times(currents, [pattern.duration_ms + pattern.dt_ms for pattern in PATTERNS])
    counts = dict(zip("ABCDEFGHIJKLMNOPQRS", map(len, times), strict=True))
    # The pulse of I is then too short for its one late spike.
    assert counts == {letter: len(times) for letter, times in RECORD.items()} | {"I": 0}


@functools.partial(jax.jit, static_argnums=2)
def third_spike(neuron, current, steps):
    _, output = jn.run(neuron, jnp.full(steps, current))
    starts = jnp.arange(steps, dtype=current.dtype) * neuron.dt_ms
    step = jnp.nonzero(output.spike, size=3)[0][-1]
    return starts[step] + output.offset_ms[step]


def test_spike_times_do_not_depend_on_the_step_size(float64):
    times = [third_spike(PreciseIzhikevich(dt_ms=dt), jnp.asarray(14.0), round(60 / dt)) for dt in (0.1, 0.05, 0.01)]
    assert times[2] < 50
    assert times[0] == pytest.approx(float(times[2]), abs=2e-3)
    assert times[1] == pytest.approx(float(times[2]), abs=1e-4)


def test_gradients_of_a_spike_time_are_the_true_ones(float64):
    neuron, current = PreciseIzhikevich(dt_ms=0.05), jnp.asarray(14.0)
    by_neuron, by_current = jax.grad(lambda *at: third_spike(*at, 1200), argnums=(0, 1))(neuron, current)
    for name in ("rate_per_ms", "increment", "reset_mv", "peak_mv", "constant", "start_recovery"):
        value = getattr(neuron, name)
        step = 1e-5 * float(jnp.abs(value))

        def moved(by, name=name, value=value):
            return third_spike(eqx.tree_at(lambda cell: getattr(cell, name), neuron, value + by), current, 1200)

        difference = float(moved(step) - moved(-step)) / (2 * step)
        assert getattr(by_neuron, name) == pytest.approx(difference, rel=1e-5, abs=1e-9)
    difference = float(third_spike(neuron, current + 1e-4, 1200) - third_spike(neuron, current - 1e-4, 1200)) / 2e-4
    assert float(by_current) == pytest.approx(difference, rel=1e-5)
    # The constant of the parabola is a current.
    assert by_neuron.constant == pytest.approx(float(by_current), rel=1e-12)


def test_a_spike_changes_voltage_and_recovery_where_it_is(float64):
    # A jump to the peak is a spike at the start of the step; what is left of the step begins at the reset.
    neuron = PreciseIzhikevich(dt_ms=0.1)
    state, output = neuron.step(neuron.init(jax.random.key(0)), jn.VoltageJump(jnp.asarray(500.0)))
    assert (output.spike, output.offset_ms) == (1, 0)
    flow = jn.RungeKutta4(Izhikevich(start_mv=-65.0, start_recovery=-6.0), dt_ms=0.1)
    expected, _ = flow.step(flow.init(jax.random.key(0)), jnp.asarray(0.0))
    assert state.voltage_mv == pytest.approx(float(expected.voltage_mv), rel=1e-12)
    assert state.recovery == pytest.approx(float(expected.recovery), rel=1e-12)
