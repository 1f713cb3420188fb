"""Our models beside NEST and NEURON: recorded runs on disk, the same inputs, the same numbers."""

import functools
import json
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.launch import beside_nest, beside_neuron, ledger
from jaxneuro.launch.recorded import lasting, sampled, train

REFERENCE = Path(__file__).parents[1] / "neurons" / "spiking" / "reference"
SLOW = {beside_nest.adaptive_exponential, beside_nest.other_neurons, beside_neuron.patches}


def parts(module):
    marks = [pytest.mark.slow, pytest.mark.computing]
    return [pytest.param(part, marks=marks if part in SLOW else (), id=part.__name__) for part in module.PARTS]


@functools.cache
def protocols(program):
    return json.loads((REFERENCE / f"{program}.json").read_text())["protocols"]


@functools.cache
def found(part, program):
    return part(protocols(program))


def assert_kept(checks):
    assert checks
    missed = [(check.model, check.what, check.error) for check in checks if not check.error <= check.allowed]
    assert not missed


@pytest.mark.parametrize("part", parts(beside_nest))
def test_neurons_and_synapses_do_what_nest_does(part, float64):
    assert_kept(found(part, "nest"))


@pytest.mark.parametrize("part", parts(beside_neuron))
def test_membranes_and_cables_do_what_neuron_does(part, float64):
    assert_kept(found(part, "neuron"))


def test_our_step_is_nearer_to_the_solution_than_the_usual_step_of_neuron(float64):
    checks = [check for check in found(beside_neuron.axon, "neuron") if check.usual is not None]
    assert len(checks) == 3
    for check in checks:
        assert check.error < check.usual / 2


def test_both_schemes_of_the_cable_are_those_of_neuron_to_rounding(float64):
    own = [c for c in found(beside_neuron.passive_cable, "neuron") if c.what.endswith("own steps")]
    assert len(own) == 2
    assert max(check.error for check in own) < 1e-11


def test_another_time_constant_is_told(float64):
    protocol = protocols("nest")["depression"]
    slower = {**protocol, "parameters": {**protocol["parameters"], "tau_rec": 801.0}}
    checks = beside_nest.short_term({**protocols("nest"), "depression": slower})
    assert [check.error > check.allowed for check in checks] == [False, True, False]


def test_a_spike_that_is_a_step_late_is_told(float64):
    protocol = protocols("nest")["leaky, jumps"]
    late = {**protocol, "spikes_ms": [protocol["spikes_ms"][0] + 0.1, *protocol["spikes_ms"][1:]]}
    first = beside_nest.jumping({**protocols("nest"), "leaky, jumps": late})[0]
    assert first.unit == "ms"
    assert first.error == pytest.approx(0.1)
    assert first.error > first.allowed


def test_another_rule_of_plasticity_is_told(float64):
    protocol = protocols("nest")["pairs"]
    other = {**protocol, "delay_ms": 1.1}  # postsynaptic spikes one step later at the synapse
    checks = beside_nest.spike_timing({**protocols("nest"), "pairs": other})
    assert [check.error > check.allowed for check in checks] == [True, False, False]


def test_the_records_name_their_program_and_version():
    for program, version in (("nest", "NEST 3.10"), ("neuron", "NEURON 9.0")):
        record = json.loads((REFERENCE / f"{program}.json").read_text())
        assert f"{record['program']} {record['version']}".startswith(version)
        assert record["provenance"].startswith(f"{record['program']} {record['version']}; tests/")


def test_a_hodgkin_huxley_membrane_of_nest_and_of_neuron_is_one_membrane():
    nest, neuron = protocols("nest")["Hodgkin-Huxley"], protocols("neuron")["patch, step of 10 uA/cm2"]
    assert nest["end_ms"] == neuron["end_ms"]
    stride = round(neuron["every_ms"] / nest["every_ms"])
    np.testing.assert_allclose(nest["V_m"][stride - 1 :: stride], neuron["values"]["v"], atol=2e-5)


def test_rows_hold_the_value_that_is_furthest_off():
    row = ledger.worst("model", "what", [[1.0, 2.0], [3.0, 4.0]], [[1.0, 2.5], [3.0, 4.25]], 0.1, "mV").row()
    assert (row["expected"], row["found"], row["error"], row["kept"]) == (2.0, 2.5, 0.5, False)
    assert ledger.worst("model", "what", [1.0, 2.0], [1.0], 0.1, "mV").unit == "counts differ"
    assert ledger.largest([1.0, 2.0], [1.0]) == np.inf


def test_records_are_read_on_our_grid():
    protocol = {"end_ms": 1.0, "every_ms": 0.5}
    np.testing.assert_array_equal(lasting(protocol, [[0.0, 1.0], [0.6, 2.0]], 0.2), [1, 1, 1, 2, 2])
    np.testing.assert_array_equal(train(protocol, [0.2, 0.6], 0.2, early=1), [1, 0, 1, 0, 0])
    np.testing.assert_array_equal(sampled(protocol, np.arange(10), 0.1), [4, 9])


def test_an_alpha_current_for_a_whole_step_is_half_a_step_late(float64):
    """The cause of the largest errors in the ledger: of first order, so that half the step halves them."""
    protocol = protocols("nest")["leaky, alpha currents"]
    cell, (given,) = protocol["parameters"], protocol["inputs"]
    errors = []
    for step in (0.1, 0.05):
        arriving = jnp.asarray(train(protocol, given["arrivals_ms"], step))
        synapse = jn.synapses.Alpha(given["weight"] / 1e3, cell["tau_syn_ex"], dt_ms=step)
        neuron = jn.LIF(cell["tau_m"], 1e3 * cell["tau_m"] / cell["C_m"], cell["E_L"], 1e3, dt_ms=step)
        voltage = jn.run(jn.Chain(synapse, neuron), arriving, observe=lambda state: state.states[1].voltage_mv)[2]
        errors.append(ledger.largest(protocol["V_m"], sampled(protocol, voltage, step)))
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.05)
