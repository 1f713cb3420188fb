"""A cell whose structure is fixed: its genome as straight-line code.

`EvolvedCell` computes all that any cell of its space could, and selects. Here nothing is computed that the output does
not need: one product with the input, one with each wire that linear maps read, and each operation as itself. Each
structure is compiled by itself, so this is for one cell that has been chosen, not for a population.
"""

from collections.abc import Sequence
from typing import Annotated, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes, glorot, orthogonal
from jaxneuro.machine import Driven, cast, parameter
from jaxneuro.search.canonical import canonical
from jaxneuro.search.cell import EvolvedCell, initial_bias
from jaxneuro.search.cell_file import genome_called
from jaxneuro.search.genome import Genome
from jaxneuro.search.program import Functions, Program, Weights, evaluate_drive, evaluate_rest, program, read
from jaxneuro.surrogate import FastSigmoid


class StraightState(eqx.Module):
    """What the cell keeps: the states of the genome that the output depends on."""

    values: tuple[Float[Array, "units"], ...]


class StraightCell(Driven[StraightState, Float[Array, "inputs"], Float[Array, "units"], Float[Array, "rows"]]):
    """A layer of neurons with a structure of its own, as straight-line code.

    Of `slot = act(W x + U v + b)` and `node = act(combine(a, b))`, as in `EvolvedCell` with this genome, it holds and
    computes only what the output depends on, and of W x, U v and b those that the slot has. The structure is static:
    each is compiled by itself. To carry over a trained cell use `straight`.

    Fields (all quantities dimensionless):
        program: the structure; it says which slots have which terms, and in which order.
        input_weights: W of the slots that have it, `[slots, units, inputs]`, uniform of variance `2 / (inputs + units)`
            (Glorot and Bengio 2010).
        recurrent_weights: U of the slots that have it, `[slots, units, units]`, orthogonal for each slot (Saxe et al.
            2014).
        bias: b of the slots that have it, `[slots, units]`, what the genome says.

    The constructor also takes for a genome the name of a known cell, such as "LSTM", or the path of a file, as that of
    `EvolvedCell` does.

    Input `[inputs]`. Output `[units]`. Parameters: `parameter_count` of the canonical form of the genome.

    Reference: Miller and Thomson 2000, Cartesian genetic programming, EuroGP, LNCS 1802:121 (the encoding); the linear
    slots and the stages are this project's.
    """

    program: Program = eqx.field(static=True)
    input_weights: Float[Array, "slots units inputs"] = parameter()
    recurrent_weights: Float[Array, "recurrent_slots units units"] = parameter()
    bias: Float[Array, "biased_slots units"] = parameter()

    def __init__(
        self, inputs: int, units: int, genome: Genome | Annotated[str, genome_called], *, key: PRNGKeyArray
    ) -> None:
        check_sizes("StraightCell", inputs=inputs, units=units)
        self.program = program(genome_called(genome) if isinstance(genome, str) else genome)
        self.input_weights, self.recurrent_weights, self.bias = initial_weights(self.program, inputs, units, key)

    @property
    def units(self) -> int:
        """Number of neurons."""
        return self.bias.shape[-1]

    @property
    def weights(self) -> Weights:
        """All weights."""
        return Weights(self.input_weights, self.recurrent_weights, self.bias)

    def init(self, key: PRNGKeyArray) -> StraightState:
        """Zero."""
        return StraightState(tuple(jnp.zeros(self.units, self.bias.dtype) for _ in self.program.next))

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "rows"]:
        """`W x + b` of all slots that have W x, in one product."""
        return evaluate_drive(self.program, self.weights, input, functions(self.bias.dtype))

    def transition(
        self, state: StraightState, drive: Float[Array, "rows"]
    ) -> tuple[StraightState, Float[Array, "units"]]:
        """The lines of the program."""
        values, output = evaluate_rest(self.program, self.weights, state.values, drive, functions(self.bias.dtype))
        return StraightState(tuple(values)), output


def initial_weights(program: Program, inputs: int, units: int, key: PRNGKeyArray) -> Weights:
    """What the weights of a program start at.

    Args:
        program: the program.
        inputs: inputs of the cell.
        units: neurons of the cell.
        key: random key.

    Returns:
        W uniform, U orthogonal for each slot, b as the genome says.
    """
    input_key, recurrent_key, bias_key = jax.random.split(key, 3)
    driven, recurrent = len(program.with_input), len(program.recurrent)
    starts = np.array([program.slots[wire].bias for wire in program.biased], np.int32)
    return Weights(
        glorot(input_key, units, inputs, driven).reshape(driven, units, inputs),
        orthogonal(recurrent_key, units, recurrent).reshape(recurrent, units, units),
        initial_bias(bias_key, jnp.asarray(starts), units),
    )


def functions(dtype: Any) -> Functions:
    """What a program is computed with in JAX; the derivative of a spike is that of `FastSigmoid()`.

    Args:
        dtype: of the numbers.
    """
    spike = cast(FastSigmoid(), dtype)
    return Functions(jnp.tanh, jax.nn.sigmoid, jax.nn.relu, spike, jnp.concatenate, jnp.full)


def specialised(cell: EvolvedCell) -> tuple[Program, Weights]:
    """The program of a cell, and those of its weights that have an effect.

    Args:
        cell: one cell, with a genome of concrete integers; its leaves may be of NumPy.

    Returns:
        The program and its weights, of the kind that the cell has.

    Raises:
        ValueError: if the genome is out of range, or has a leading axis.
    """
    form = canonical(cell.genome)
    program, places = read(form.genome)

    def chosen(weights: Any, wires: Sequence[int]) -> Any:
        at = np.array([form.slots[places[wire]] for wire in wires], np.int32).reshape(-1, 2)
        return weights[at[:, 0], at[:, 1]]

    return program, Weights(
        chosen(cell.input_weights, program.with_input),
        chosen(cell.recurrent_weights, program.recurrent),
        chosen(cell.bias, program.biased),
    )


def straight(cell: EvolvedCell) -> StraightCell:
    """The same cell with a fixed structure and the weights that it has learned.

    Args:
        cell: one cell, with a genome of concrete integers.

    Returns:
        A machine of the same outputs; weights that have no effect are left behind.

    Raises:
        ValueError: if the genome is out of range, or has a leading axis.
    """
    inputs, key = cell.input_weights.shape[-1], jax.random.key(0)
    like = jax.eval_shape(lambda key: StraightCell(inputs, cell.units, cell.genome, key=key), key)
    return jax.tree.unflatten(jax.tree.structure(like), specialised(cell)[1])
