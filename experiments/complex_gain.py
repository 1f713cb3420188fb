"""Do complex numbers help, and only in recurrent networks? Real against complex neurons at equal size.

A perceptron with two hidden layers and a convolutional network name digits; a simple and a gated recurrent network read
the digits pixel by pixel and solve two problems of memory. Every pair has the same number of real parameters (a complex
one counts as two), the same learning rates to choose from, the same seeds and batches. The claim to test: complex
numbers help in recurrent networks alone.
"""

import functools
from collections.abc import Callable
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray
from pydantic import Field

import jaxneuro as jn
from jaxneuro.launch import comparison, comparison_page
from jaxneuro.launch.config import ExperimentConfig, Fraction
from jaxneuro.launch.directory import Run
from jaxneuro.launch.family_trial import FamilyTrial, prepared
from jaxneuro.launch.report import Section
from jaxneuro.neurons.complex.activations import as_features
from jaxneuro.synapses.conv import Conv
from jaxneuro.tasks.batch import Task

Family = Literal["perceptron", "convolution", "recurrent", "gated"]
RECURRENT = ("recurrent", "gated")
SIDE = 8  # pixels


class Relu(jn.Stateless[Array, Array]):
    """`y = relu(x)`, element by element."""

    def respond(self, input: Array) -> Array:
        """`relu(x)`."""
        return jax.nn.relu(input)


class AsImage(jn.Stateless[Float[Array, "pixels"], Float[Array, "side side 1"]]):
    """The pixels of a square image, as an image of one channel."""

    def respond(self, input: Float[Array, "pixels"]) -> Float[Array, "side side 1"]:
        """Row after row."""
        return input.reshape(SIDE, SIDE, 1)


class Flat(jn.Stateless[Array, Float[Array, "features"]]):
    """All numbers of an array in a row; of a complex one the real parts, then the imaginary ones."""

    def respond(self, input: Array) -> Float[Array, "features"]:
        """One vector."""
        flat = input.ravel()
        return as_features(flat, flat.real) if jnp.iscomplexobj(flat) else flat


def perceptron(is_complex: bool, inputs: int, units: int, outputs: int, key: PRNGKeyArray) -> jn.Chain:
    """Two hidden layers."""
    first, second, last = jax.random.split(key, 3)
    if is_complex:
        hidden = [
            jn.complex.ComplexDense(inputs, units, activation="crelu", key=first),
            jn.complex.ComplexDense(units, units, activation="crelu", key=second),
        ]
        return jn.Chain(*hidden, Flat(), jn.Dense(2 * units, outputs, key=last))
    # The same variance as the complex layers before a rectifier (He et al. 2015).
    hidden = [jn.Dense(inputs, units, gain=2**0.5, key=first), Relu(), jn.Dense(units, units, gain=2**0.5, key=second)]
    return jn.Chain(*hidden, Relu(), jn.Dense(units, outputs, key=last))


def convolution(is_complex: bool, inputs: int, units: int, outputs: int, key: PRNGKeyArray) -> jn.Chain:
    """Two layers of 3 x 3 kernels, the second at half the resolution."""
    first, second, last = jax.random.split(key, 3)
    pixels = (SIDE // 2) ** 2
    if is_complex:
        kernels = [
            jn.complex.ComplexConv(1, units, activation="crelu", key=first),
            jn.complex.ComplexConv(units, units, stride=2, activation="crelu", key=second),
        ]
        return jn.Chain(AsImage(), *kernels, Flat(), jn.Dense(2 * units * pixels, outputs, key=last))
    kernels = [
        Conv(1, units, gain=2**0.5, key=first),
        Relu(),
        Conv(units, units, stride=2, gain=2**0.5, key=second),
        Relu(),
    ]
    return jn.Chain(AsImage(), *kernels, Flat(), jn.Dense(units * pixels, outputs, key=last))


def recurrent(is_complex: bool, inputs: int, units: int, outputs: int, key: PRNGKeyArray) -> jn.Chain:
    """A simple recurrent network; both start with a recurrence that keeps the length of the state."""
    first, last = jax.random.split(key)
    if is_complex:
        return jn.Chain(jn.complex.ComplexRNN(inputs, units, key=first), jn.Dense(2 * units, outputs, key=last))
    return jn.Chain(jn.gated.RNN(inputs, units, key=first), jn.Dense(units, outputs, key=last))


def gated(is_complex: bool, inputs: int, units: int, outputs: int, key: PRNGKeyArray) -> jn.Chain:
    """A gated recurrent network; gates and states start as large in both."""
    first, last = jax.random.split(key)
    if is_complex:
        layer = jn.complex.ComplexGRU(inputs, units, unitary=False, activation="hirose", key=first)
        return jn.Chain(layer, jn.Dense(2 * units, outputs, key=last))
    return jn.Chain(jn.gated.GRU(inputs, units, key=first), jn.Dense(units, outputs, key=last))


FAMILIES: dict[str, Callable[[bool, int, int, int, PRNGKeyArray], jn.Chain]] = {
    "perceptron": perceptron,
    "convolution": convolution,
    "recurrent": recurrent,
    "gated": gated,
}


class TrialConfig(FamilyTrial):
    """A family of networks on a task, and what both networks may spend on it."""

    family: Family


class Config(ExperimentConfig):
    """See configs/complex_gain/full.yaml."""

    validation_share: Fraction = 0.15
    test_share: Fraction = 0.2
    trained: tuple[str, ...] = (
        "weights",
        "bias",
        "input_weights",
        "recurrent_weights",
        "state_weights",
        "mixing",
        "modulus_bias",
    )
    trials: tuple[TrialConfig, ...] = Field(min_length=1)


def main(config: Config, run: Run) -> dict[str, Any]:
    """Train both networks in every trial, and compare them seed by seed."""
    scores, arrays, sources = [], {}, {}
    for trial in config.trials:
        shares = (config.validation_share, config.test_share)
        made, sources[trial.name] = prepared(trial, shares, config.seed, whole=trial.family not in RECURRENT)

        def builder(
            is_complex: bool, units: int, task: Task = made.task, family: str = trial.family
        ) -> comparison.Build:
            return lambda key: FAMILIES[family](is_complex, task.inputs, units, task.outputs, key)

        rows, curves, _ = comparison.compete(
            run,
            {"real": functools.partial(builder, False), "complex": functools.partial(builder, True)},
            made,
            trial.budget,
            seed=config.seed,
            devices=config.devices,
            trained=config.trained,
        )
        scores += rows
        arrays |= curves
    run.save_arrays(arrays)
    differences = comparison.differences(scores, [("complex", "real")])
    families = {trial.name: trial.family for trial in config.trials}
    return {"data": sources, "scores": scores, "differences": differences, "answer": answer(differences, families)}


def answer(differences: list[dict[str, Any]], families: dict[str, str]) -> str:
    """The finding in words, whichever way it falls.

    Args:
        differences: complex minus real, for every trial.
        families: of every trial.
    """

    def where(recurrent: bool, better: bool) -> list[str]:
        rows = [row for row in differences if (families[row["trial"]] in RECURRENT) == recurrent and row["differs"]]
        return [row["trial"] for row in rows if comparison_page.is_better(row) == better]

    gains, losses, elsewhere = where(True, True), where(True, False), where(False, True)
    if gains and not elsewhere:
        verdict = f"Complex numbers help in recurrent networks alone, in {', '.join(gains)}"
        verdict += f"; but not in {', '.join(losses)}, where they are worse." if losses else "."
    elif gains:
        verdict = f"Complex numbers help in recurrent networks ({', '.join(gains)}) and in {', '.join(elsewhere)} too."
    elif elsewhere:
        verdict = f"Complex numbers help in {', '.join(elsewhere)}, and in no recurrent network."
    else:
        verdict = "Complex numbers help nowhere in these trials."
    return verdict


def page(config: Config, results: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[Section]:
    """The report."""
    note = (
        "The learning rate of each network is the best on validation data. Of accuracies higher is better, of losses "
        "lower. Operations are those of one step of time, forward; seconds are those of all its lanes."
    )
    return comparison_page.sections(results["answer"], results, arrays, config.trials[0].budget.seeds, note)
