import inspect
from typing import Annotated

import jax
import jax.numpy as jnp
import pytest

import jaxneuro as jn
from jaxneuro.launch.config import ConfigError, ConfigPart, load
from jaxneuro.launch.kinds import Kind, MachineSpec, build, kinds, public
from jaxneuro.launch.reading import read_text, write


class Config(ConfigPart):
    neuron: MachineSpec


class Layer(ConfigPart):
    neuron: Annotated[MachineSpec, Kind(supplied=("inputs", "units"))]


def spec(text, model=Config):
    return load(model, read_text(f"neuron: {text}", "x.yaml")).neuron


def complaint(text, model=Config):
    with pytest.raises(ConfigError) as caught:
        spec(text, model)
    return str(caught.value)


def test_a_spec_builds_what_the_constructor_builds():
    built = build(spec("{kind: LIF, tau_ms: 3, spike: {kind: ArcTangent, slope: 4}}"))
    expected = jn.LIF(tau_ms=3.0, spike=jn.ArcTangent(4.0))
    assert jax.tree.structure(built) == jax.tree.structure(expected)
    for one, other in zip(jax.tree.leaves(built), jax.tree.leaves(expected), strict=True):
        assert (one == other).all()
        assert one.dtype == other.dtype


def test_drawn_weights_come_from_the_key_and_sizes_from_the_experiment(key):
    layer = spec("{kind: LSTM}", Layer)
    built, expected = build(layer, key=key, inputs=3, units=4), jn.LSTM(3, 4, key=key)
    assert jnp.array_equal(built.input_weights, expected.input_weights)
    sized = build(spec("{kind: Dense, inputs: 3, outputs: 2, bias: false}"), key=key)
    assert sized.weights.shape == (2, 3)
    assert sized.bias is None


def test_a_cell_is_named_or_read_from_a_file(key, tmp_path):
    named = jn.search.named("MGU", jn.search.Space(3, 3, 6, 2))
    jn.search.save(named, tmp_path / "cell.json")
    for genome, states in ((tmp_path / "cell.json", 2), ("LSTM", 2), ("MGU", 1)):
        found = spec(f"{{kind: EvolvedCell, genome: {genome}}}", Layer)
        assert found.resolved() == {"kind": "EvolvedCell", "genome": str(genome)}
        built = jax.eval_shape(lambda key, found=found: build(found, key=key, inputs=3, units=4), key)
        assert built.genome.next.shape == (states,)
    with pytest.raises(ConfigError, match="EvolvedCell: genome is missing in the config"):
        build(spec("{kind: EvolvedCell}"), key=key, inputs=3, units=4)


def test_machines_in_machines_have_keys_of_their_own(key):
    built = build(spec("{kind: Population, size: 2, shared: true, machine: {kind: Adaline, inputs: 5}}"), key=key)
    assert built.machine.weights.shape == (5,)
    euler = build(spec("{kind: Euler, dt_ms: 0.5, flow: {kind: LIF, tau_ms: 7}}"))
    assert (float(euler.dt_ms), float(euler.flow.tau_ms)) == (0.5, 7.0)


def test_the_resolved_spec_holds_the_defaults_and_reads_back_the_same():
    found = spec("{kind: LIF, tau_ms: 3}")
    plain = found.resolved()
    assert (plain["tau_ms"], plain["dt_ms"], plain["spike"]) == (3.0, 0.1, {"kind": "FastSigmoid", "slope": 10.0})
    assert spec(write(plain).replace("\n", "\n  ").join(["\n  ", ""])) == found
    assert hash(found) == hash(spec("{kind: LIF, tau_ms: 3.0}"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{kind: LIFF}", "neuron.kind 'LIFF' is not a known kind. Did you mean LIF? Allowed: ATR"),
        ("{kind: lstm}", "Did you mean LSTM?"),
        ("{kind: StateMachine}", "neuron.kind 'StateMachine' is not a known kind"),
        ("{kind: FastSigmoid}", "neuron.kind 'FastSigmoid' is not a known kind"),
        ("{kind: run}", "neuron.kind 'run' is not a known kind"),
        ("{kind: __class__}", "is not a known kind"),
        ("{kind: os.system}", "is not a known kind"),
        ("{kind: [LIF]}", "neuron.kind ['LIF'] is not a known kind"),
        ("{kind: null}", "neuron.kind null is not a known kind"),
        ("{tau_ms: 3}", "neuron.kind is missing; it must be one of ATR"),
        ("LIF", "neuron is 'LIF'; it must be a mapping such as {kind: ATR}. Write {kind: LIF}."),
        ("3", "neuron is 3; it must be a mapping"),
        ("{kind: LIF, tau: 3}", "neuron.tau is not a known field. Did you mean tau_ms? Allowed: tau_ms, resistance"),
        ("{kind: LIF, key: 3}", "neuron.key is set by the experiment"),
        ("{kind: LIF, tau_ms: -3}", "neuron.tau_ms is -3; it must be a finite number above 0 and at most 1e+18 ms."),
        ("{kind: LIF, tau_ms: 0}", "neuron.tau_ms is 0"),
        ("{kind: LIF, tau_ms: 1e-42}", "neuron.tau_ms is 1e-42"),
        ("{kind: LIF, tau_ms: 1e308}", "neuron.tau_ms is 1e+308"),
        ("{kind: LIF, tau_ms: true}", "neuron.tau_ms is true"),
        ("{kind: LIF, tau_ms: '3'}", "neuron.tau_ms is '3'"),
        ("{kind: LIF, tau_ms: [3]}", "neuron.tau_ms is [3]; it must be a finite number"),
        (
            "{kind: LIF, soft_reset: 2}",
            "neuron.soft_reset is 2; it must be a finite number of at least 0 and at most 1",
        ),
        ("{kind: LIF, rest_mv: .inf}", "neuron.rest_mv is inf; it must be a finite number"),
        ("{kind: LIF, spike: {kind: LIF}}", "neuron.spike.kind 'LIF' is not a known kind. Allowed: ArcTangent, Fast"),
        (
            "{kind: LIF, spike: {kind: FastSigmoid, slop: 1}}",
            "neuron.spike.slop is not a known field. Did you mean",
        ),
        (
            "{kind: LIF, spike: {kind: FastSigmoid, slope: 0}}",
            "neuron.spike.slope is 0; it must be a finite",
        ),
        (
            "{kind: LSTM, inputs: 3, units: 0}",
            "neuron.units is refused: LSTM got inputs=3, units=0; both must be at least 1.",
        ),
        ("{kind: Adaline, inputs: 0}", "neuron.inputs is refused: Adaline got inputs=0; it must be at least 1."),
        ("{kind: LSTM, inputs: 1.0, units: 2}", "neuron.inputs is 1.0; it must be a whole number of at least 0 and at"),
        ("{kind: LSTM, units: true}", "neuron.units is true; it must be a whole number"),
        ("{kind: LSTM, units: 2000000000}", "neuron.units is 2000000000; it must be a whole number"),
        ("{kind: Dense, inputs: 1, outputs: 1, bias: 1}", "neuron.bias is 1; it must be true or false."),
        ("{kind: EvolvedCell, genome: 3}", "neuron.genome is 3; it must be text"),
        (
            "{kind: EvolvedCell, genome: lstm}",
            "neuron.genome is 'lstm': genome='lstm' is no known cell. Did you mean LSTM",
        ),
        ("{kind: EvolvedCell, genome: ./a.json}", "neuron.genome is './a.json': a.json: there is no such file."),
    ],
)
def test_a_wrong_spec_is_told_with_its_field_and_what_is_allowed(text, message):
    found = complaint(text)
    assert message in found
    assert found.startswith("x.yaml, line 1: neuron")
    assert "\n" not in found


def test_what_the_experiment_supplies_is_not_for_the_config():
    assert "neuron.units is set by the experiment; leave it out." in complaint("{kind: LSTM, units: 3}", Layer)
    assert "neuron.outputs is missing; it must be a whole number" in complaint("{kind: Dense}", Layer)


def test_what_nobody_gives_is_missed_when_the_machine_is_built(key):
    with pytest.raises(ConfigError, match="LSTM: inputs is missing"):
        build(spec("{kind: LSTM, units: 3}"), key=key)
    with pytest.raises(ConfigError, match="LSTM: units is set by the experiment"):
        build(spec("{kind: LSTM, units: 3}"), key=key, inputs=3, units=4)
    with pytest.raises(ConfigError, match="LSTM got inputs=0"):
        build(spec("{kind: LSTM, units: 3}"), key=key, inputs=0)
    with pytest.raises(ValueError, match="needs a key"):
        build(spec("{kind: LSTM, units: 3}"), inputs=3)


def test_every_kind_is_a_public_class_that_is_not_abstract():
    assert {"LIF", "LSTM", "Rate", "LeakyReadout"} <= set(kinds(Kind()))
    for name, machine in public(jn.StateMachine).items():
        assert name == machine.__name__
        assert issubclass(machine, jn.StateMachine)
        assert not inspect.isabstract(machine)


def test_a_machine_that_is_made_of_given_arrays_is_no_kind():
    assert "PairSTDP" in public(jn.StateMachine)
    assert not {"PairSTDP", "TagAndCapture", "SynapticLIF"} & set(kinds(Kind(supplied=("inputs", "outputs"))))


NEEDS = {"inputs": 4, "units": 4, "outputs": 2, "size": 2}
# What else a kind cannot be without.
WANTED = {
    "Population": ", shared: true, machine: {kind: Rate}",
    "NestedLSTM": ", inner: {kind: LSTM}",
    "Residual": ", body: {kind: Rate}",
    "RandomStart": ", machine: {kind: LIF}, variable: voltage_mv, center: 0, spread: 5",
    "ConductanceBased": ", kinetics: {kind: Exponential}",
    "Sparse": ", probability: 0.5",
    "ActiveDendrites": ", context: 3, segments: 2, activation: {kind: KWinners, units: 4, winners: 2}",
    "KWinners": ", winners: 2",
    "MultiThreshold": ", dendrites: 2",
    "TwoLayer": ", branches: 3",
    "DendriticAdaptation": ", dendrites: 2",
    "Fold": ", places: 2",
    "Located": ", flow: {kind: HodgkinHuxley}",
    "ParallelCell": ", genome: MinGRU",
    "TreeLayer": ", height: 4, width: 3",
    **dict.fromkeys(("EvolvedCell", "StraightCell"), ", genome: GRU"),
}


@pytest.mark.parametrize(
    "name", [name for name in public(jn.StateMachine) if name in kinds(Kind(supplied=tuple(NEEDS)))]
)
def test_every_kind_can_be_named_and_built_with_its_defaults(name, key):
    flow = ", flow: {kind: LIF}" if "flow" in inspect.signature(public(jn.StateMachine)[name]).parameters else ""
    initial = ", initial: 0" if name == "Delay" else ""
    found = spec(f"{{kind: {name}{WANTED.get(name, flow or initial)}}}")
    parameters = inspect.signature(found.machine_class).parameters
    missing = {need: size for need, size in NEEDS.items() if need in parameters and need not in dict(found.arguments)}
    machine = build(found, key=key, **missing)
    assert isinstance(machine, public(jn.StateMachine)[name])
