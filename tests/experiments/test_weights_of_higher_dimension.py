"""Weights of several algebras in small: equally many real parameters, all compared, the page tells it."""

import jax
import jax.numpy as jnp
import pytest

import jaxneuro as jn
from jaxneuro.algebra import algebra_called
from jaxneuro.launch import experiments
from jaxneuro.launch.config import ConfigError
from jaxneuro.learning.train import count_trained
from tests.experiments.small import ROOT, run

BUDGET = (
    "{parameters: 900, parameter_tolerance: 0.1, learning_rates: [1e-2, 3e-2], seeds: 2, steps: 4, chunk: 2, batch: 4}"
)
TRIAL = "{name: turning, family: gated, task: {kind: Orientation, steps: 3}, evaluation: 8, budget: %s}"


@pytest.fixture(scope="module")
def experiment():
    return experiments.load("weights_of_higher_dimension", ROOT / "configs" / "x.yaml").main.__globals__


@pytest.mark.slow
def test_every_algebra_is_compared_at_equal_real_parameters(tmp_path):
    changes = (f"trials=[{TRIAL % BUDGET}]", "algebras=[real, quaternion]")
    results, sections = run("weights_of_higher_dimension/quick.yaml", tmp_path / "run", *changes)
    real, other = results["scores"]
    assert (real["network"], other["network"]) == ("real", "quaternion")
    assert abs(other["parameters"] / real["parameters"] - 1) <= 0.1
    # An element is four real numbers: there are fewer, which do more arithmetic.
    assert other["units"] < real["units"] < 4 * other["units"]
    assert other["operations_per_step"] > real["operations_per_step"]
    assert [(row["ours"], row["theirs"]) for row in results["differences"]] == [("quaternion", "real")]
    assert len(sections) == 3 + 1


def test_all_are_compared_with_real_numbers_and_quaternions_with_matrices(experiment):
    assert experiment["pairs"](("real", "M2", "quaternion")) == [
        ("M2", "real"),
        ("quaternion", "real"),
        ("quaternion", "M2"),
    ]


@pytest.mark.parametrize("family", ["perceptron", "recurrent", "gated"])
@pytest.mark.parametrize("name", ["real", "complex", "quaternion", "M2", "Cl(1,1)"])
def test_all_numbers_of_a_network_are_trained_and_it_says_real_ones(experiment, family, name, key):
    algebra = algebra_called(name)
    build = experiment["network"]
    shapes = jax.eval_shape(lambda key: build(family, algebra, 10, 3, 2, key), key)
    assert count_trained(shapes, experiment["Config"].model_fields["trained"].default) == jn.count_parameters(shapes)
    state = jax.eval_shape(lambda network: network.init(jax.random.key(0)), shapes)
    _, output = jax.eval_shape(lambda m, s, x: m.step(s, x), shapes, state, jax.ShapeDtypeStruct((10,), "float32"))
    assert (output.shape, output.dtype) == ((2,), "float32")


def test_inputs_fill_up_elements(experiment):
    filled = experiment["Elements"](4).respond(jnp.arange(1.0, 7.0))
    assert filled.tolist() == [1, 2, 3, 4, 5, 6, 0, 0]


def difference(trial, ours, mean, differs, theirs="real"):
    return {"trial": trial, "ours": ours, "theirs": theirs, "mean": mean, "differs": differs, "higher_is_better": False}


def test_the_answer_says_what_the_differences_say(experiment):
    found = [
        difference("a", "complex", -1.0, True),
        difference("b", "complex", 1.0, True),
        difference("a", "M2", 0.1, False),
        difference("b", "M2", -1.0, True),
        difference("a", "complex", 1.0, True, theirs="M2"),
    ]
    assert experiment["answer"](found) == (
        "Against real weights at equal real parameters. complex: better in a; worse in b. "
        "M2: better in b; not to be told apart in 1 of 2 trials."
    )


def test_an_algebra_that_is_not_known_is_told(tmp_path):
    with pytest.raises(ConfigError, match="octonion"):
        run("weights_of_higher_dimension/quick.yaml", tmp_path / "run", "algebras=[real, octonion]")
