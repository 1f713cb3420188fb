"""Does it help if weights are complex numbers, quaternions or matrices instead of real numbers?

Networks that differ in the algebra of their weights alone learn the same tasks: a perceptron names digits and turns
points in space; a simple and a gated recurrent network follow a body that is turned again and again; the gated one
solves a problem of memory. All contenders of a trial have the same number of real parameters, the same learning rates
to choose from, the same seeds and batches. A network of elements of dimension d has more neurons for as many
parameters, and does more arithmetic: the table counts both.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray
from pydantic import AfterValidator, Field

import jaxneuro as jn
from jaxneuro.algebra import Algebra, algebra_called
from jaxneuro.launch import comparison, comparison_page
from jaxneuro.launch.config import ExperimentConfig, Fraction
from jaxneuro.launch.directory import Run
from jaxneuro.launch.family_trial import FamilyTrial, prepared
from jaxneuro.launch.report import Section
from jaxneuro.tasks.batch import Task

Family = Literal["perceptron", "recurrent", "gated"]


class Relu(jn.Stateless[Array, Array]):
    """`y = relu(x)`, coordinate by coordinate."""

    def respond(self, input: Array) -> Array:
        """`relu(x)`."""
        return jax.nn.relu(input)


class Elements(jn.Stateless[Float[Array, "inputs"], Float[Array, "features"]]):
    """Real inputs as coordinates of elements of dimension d; zeros fill the last ones."""

    dimension: int = eqx.field(static=True)

    def respond(self, input: Float[Array, "inputs"]) -> Float[Array, "features"]:
        """The inputs, and zeros."""
        return jnp.pad(input, (0, -len(input) % self.dimension))


def network(family: str, algebra: Algebra, inputs: int, units: int, outputs: int, key: PRNGKeyArray) -> jn.Chain:
    """A network of elements, read by real weights from all coordinates.

    Args:
        family: a perceptron of two hidden layers, or a recurrent layer.
        algebra: of all weights but those of the readout.
        inputs: real inputs.
        units: elements of a layer.
        outputs: real outputs.
        key: for the weights.
    """
    first, second, last = jax.random.split(key, 3)
    elements, shown = -(-inputs // algebra.dimension), algebra.dimension * units
    readout = jn.Dense(shown, outputs, key=last)
    if family == "perceptron":
        dense = functools.partial(jn.synapses.AlgebraDense, algebra=algebra, gain=2**0.5)
        hidden = [dense(elements, units, key=first), Relu(), dense(units, units, key=second), Relu()]
    else:
        layer = {"recurrent": jn.complex.AlgebraRNN, "gated": jn.complex.AlgebraLSTM}[family]
        hidden = [layer(elements, units, algebra=algebra, key=first)]
    return jn.Chain(Elements(algebra.dimension), *hidden, readout)


class TrialConfig(FamilyTrial):
    """A family of networks on a task, and what every network may spend on it."""

    family: Family


class Config(ExperimentConfig):
    """See configs/weights_of_higher_dimension/."""

    validation_share: Fraction = 0.15
    test_share: Fraction = 0.2
    trained: tuple[str, ...] = ("weights", "bias", "input_weights", "recurrent_weights")
    algebras: tuple[Annotated[str, AfterValidator(lambda name: (algebra_called(name), name)[1])], ...] = Field(
        default=("real", "complex", "quaternion", "M2"), min_length=2
    )
    trials: tuple[TrialConfig, ...] = Field(min_length=1)


def pairs(algebras: Sequence[str]) -> list[tuple[str, str]]:
    """Every algebra against real numbers, and quaternions against the matrices that have as many coordinates."""
    against = [(name, "real") for name in algebras if name != "real"]
    return [*against, ("quaternion", "M2")]


def main(config: Config, run: Run) -> dict[str, Any]:
    """Train all networks in every trial, and compare them seed by seed."""
    scores, arrays, sources = [], {}, {}
    for trial in config.trials:
        shares = (config.validation_share, config.test_share)
        made, sources[trial.name] = prepared(trial, shares, config.seed, whole=trial.family == "perceptron")

        def builder(
            name: str, units: int, task: Task = made.task, family: str = trial.family
        ) -> Callable[[PRNGKeyArray], jn.Chain]:
            algebra = algebra_called(name)
            return lambda key: network(family, algebra, task.inputs, units, task.outputs, key)

        rows, curves, _ = comparison.compete(
            run,
            {name: functools.partial(builder, name) for name in config.algebras},
            made,
            trial.budget,
            seed=config.seed,
            devices=config.devices,
            trained=config.trained,
        )
        scores += rows
        arrays |= curves
    run.save_arrays(arrays)
    differences = comparison.differences(scores, pairs(config.algebras))
    return {"data": sources, "scores": scores, "differences": differences, "answer": answer(differences)}


def answer(differences: list[dict[str, Any]]) -> str:
    """The finding in words, whichever way it falls.

    Args:
        differences: of every algebra to real numbers, and others, which are not looked at.
    """
    found = []
    against = [row for row in differences if row["theirs"] == "real"]
    for name in dict.fromkeys(row["ours"] for row in against):
        rows = [row for row in against if row["ours"] == name]
        better = [row["trial"] for row in rows if comparison_page.is_better(row)]
        worse = [row["trial"] for row in rows if row["differs"] and row["trial"] not in better]
        told = [f"better in {', '.join(better)}"] if better else []
        told += [f"worse in {', '.join(worse)}"] if worse else []
        rest = len(rows) - len(better) - len(worse)
        told += [f"not to be told apart in {rest} of {len(rows)} trials"] if rest else []
        found.append(f"{name}: {'; '.join(told)}.")
    return " ".join(["Against real weights at equal real parameters.", *found])


def page(config: Config, results: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[Section]:
    """The report."""
    note = (
        "The learning rate of each network is the best on validation data. Of accuracies higher is better, of losses "
        "lower. Operations are those of one step of time, forward; seconds are those of all lanes."
    )
    return comparison_page.sections(results["answer"], results, arrays, config.trials[0].budget.seeds, note)
