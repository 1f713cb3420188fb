import jax
import pytest

import jaxneuro as jn
from jaxneuro.launch import experiments
from jaxneuro.learning.train import count_trained
from tests.experiments.small import ROOT, run

BUDGET = (
    "{parameters: 1500, parameter_tolerance: 0.1, learning_rates: [1e-2, 3e-2], seeds: 2, steps: 4, chunk: 2, batch: 4}"
)
TRIALS = (
    "{name: perceptron, family: perceptron, task: {kind: ImageSequences, order: rows}, budget: %s}",
    "{name: convolution, family: convolution, task: {kind: ImageSequences, order: rows}, budget: %s}",
    "{name: recurrent, family: recurrent, task: {kind: ImageSequences, order: rows}, budget: %s}",
    "{name: gated, family: gated, task: {kind: Adding, steps: 5}, evaluation: 16, budget: %s}",
)


@pytest.fixture(scope="module")
def experiment():
    return experiments.load("complex_gain", ROOT / "configs" / "x.yaml").main.__globals__


@pytest.mark.slow
def test_every_family_has_a_real_and_a_complex_network_of_as_many_real_numbers(tmp_path):
    trials = ", ".join(trial % BUDGET for trial in TRIALS)
    results, sections = run("complex_gain/quick.yaml", tmp_path / "run", "devices=1", f"trials=[{trials}]")
    rows = results["scores"]
    assert [row["network"] for row in rows] == ["real", "complex"] * 4
    for real, complex_ in zip(rows[::2], rows[1::2], strict=True):
        assert abs(complex_["parameters"] / real["parameters"] - 1) <= 0.1
        # A complex neuron is two real ones, so that there are fewer of them.
        assert complex_["units"] < real["units"]
    assert {row["unit"] for row in rows} == {"% right", "squared error"}
    assert [row["trial"] for row in results["differences"]] == ["perceptron", "convolution", "recurrent", "gated"]
    assert len(sections) == 3 + 4


def test_complex_networks_hold_complex_numbers_and_real_ones_do_not(experiment, key):
    for name, family in experiment["FAMILIES"].items():
        inputs = 64 if name in ("perceptron", "convolution") else 3
        for is_complex in (False, True):
            network = jax.eval_shape(lambda key, z=is_complex, f=family, n=inputs: f(z, n, 4, 2, key), key)
            wing = [m for m in network.machines if type(m).__module__.startswith("jaxneuro.neurons.complex")]
            assert bool(wing) == is_complex
            state = jax.eval_shape(lambda network: network.init(jax.random.key(0)), network)
            one = jax.ShapeDtypeStruct((inputs,), "float32")
            _, output = jax.eval_shape(lambda m, s, x: m.step(s, x), network, state, one)
            assert (output.shape, output.dtype) == ((2,), "float32")


def test_only_trained_fields_count_and_all_numbers_of_the_networks_are_trained(experiment, key):
    trained = experiment["Config"].model_fields["trained"].default
    for name, family in experiment["FAMILIES"].items():
        inputs = 64 if name in ("perceptron", "convolution") else 3
        for is_complex in (False, True):
            network = jax.eval_shape(lambda key, z=is_complex, f=family, n=inputs: f(z, n, 4, 2, key), key)
            assert count_trained(network, trained) == jn.count_parameters(network)


def difference(trial, mean, differs):
    return {"trial": trial, "mean": mean, "differs": differs, "higher_is_better": True}


@pytest.mark.parametrize(
    ("rnn", "mlp", "words"),
    [
        ((1.0, True), (1.0, False), "Complex numbers help in recurrent networks alone, in rnn."),
        ((1.0, True), (1.0, True), "Complex numbers help in recurrent networks (rnn) and in mlp too."),
        ((-1.0, True), (1.0, True), "Complex numbers help in mlp, and in no recurrent network."),
        ((1.0, False), (-1.0, True), "Complex numbers help nowhere in these trials."),
    ],
)
def test_the_answer_says_what_the_differences_say(experiment, rnn, mlp, words):
    found = [difference("rnn", *rnn), difference("mlp", *mlp)]
    assert experiment["answer"](found, {"rnn": "recurrent", "mlp": "perceptron"}) == words
