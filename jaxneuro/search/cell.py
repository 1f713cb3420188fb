"""A cell whose structure is data: a genome and its weights as one machine."""

from typing import Annotated

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float, Int, PRNGKeyArray

from jaxneuro.initial import check_sizes, glorot, orthogonal
from jaxneuro.machine import Driven, cast, parameter
from jaxneuro.search.cell_file import genome_called
from jaxneuro.search.genome import ACTIVATIONS, BIASES, COMBINES, FIRST_STATE, ONE, SPIKE, Genome, check
from jaxneuro.surrogate import FastSigmoid


class EvolvedState(eqx.Module):
    """What the cell keeps, a vector for each of its states."""

    values: Float[Array, "states units"]


class EvolvedCell(
    Driven[EvolvedState, Float[Array, "inputs"], Float[Array, "units"], Float[Array, "stages slots units"]]
):
    """A layer of neurons with the structure of a genome.

    In every stage `slot = act(W x + U v + b)` for each slot, then `node = act(p a + q b + r a b)` for each node; the
    next states and the output are wires; see `jaxneuro.search.genome`. The structure is integer leaves, so that all
    cells of one space, alone or many under `vmap`, share one compiled program. For one cell that has been chosen
    `straight` gives a faster machine, and for populations `run_population` a faster gradient.

    Fields (all quantities dimensionless):
        genome: the structure.
        input_weights: W, `[stages, slots, units, inputs]`, uniform of variance `2 / (inputs + units)` (Glorot and
            Bengio 2010).
        recurrent_weights: U, `[stages, slots, units, units]`, orthogonal for each slot (Saxe et al. 2014).
        bias: b, `[stages, slots, units]`, what the genome says.

    The constructor also takes for a genome the name of a known cell, such as "LSTM" (`jaxneuro.search.named`), or the
    path of a file that `jaxneuro.search.save` has written; of weights in that file it takes no notice.

    Input `[inputs]`. Output `[units]`. Weights of terms that the genome does not have are there, but have no effect.
    The derivative of a spike is that of `FastSigmoid()`.

    Reference: Miller and Thomson 2000, Cartesian genetic programming, EuroGP, LNCS 1802:121 (the encoding); the linear
    slots and the stages are this project's.
    """

    genome: Genome
    input_weights: Float[Array, "stages slots units inputs"] = parameter()
    recurrent_weights: Float[Array, "stages slots units units"] = parameter()
    bias: Float[Array, "stages slots units"] = parameter()

    def __init__(
        self, inputs: int, units: int, genome: Genome | Annotated[str, genome_called], *, key: PRNGKeyArray
    ) -> None:
        check_sizes("EvolvedCell", inputs=inputs, units=units)
        if isinstance(genome, str):
            genome = genome_called(genome)
        if not isinstance(genome.output, Tracer):
            check(genome)
        space, input_key, recurrent_key, bias_key = genome.space, *jax.random.split(key, 3)
        slots = space.stages * space.slots
        shape = space.stages, space.slots, units
        self.genome = jax.tree.map(jnp.asarray, genome)
        self.input_weights = glorot(input_key, units, inputs, slots).reshape(*shape, inputs)
        self.recurrent_weights = orthogonal(recurrent_key, units, slots).reshape(*shape, units)
        self.bias = initial_bias(bias_key, jnp.asarray(genome.bias), units)

    @property
    def units(self) -> int:
        """Number of neurons."""
        return self.bias.shape[-1]

    def init(self, key: PRNGKeyArray) -> EvolvedState:
        """Zero."""
        return EvolvedState(jnp.zeros((self.genome.space.states, self.units), self.bias.dtype))

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "stages slots units"]:
        """`W x + b` of all slots."""
        has_input, has_bias = self.genome.input[..., None] > 0, self.genome.bias[..., None] > 0
        return jnp.where(has_input, self.input_weights @ input, 0) + jnp.where(has_bias, self.bias, 0)

    def transition(
        self, state: EvolvedState, drive: Float[Array, "stages slots units"]
    ) -> tuple[EvolvedState, Float[Array, "units"]]:
        """Stage after stage, each value into its place; nodes by a loop, as to write them all out compiles for long."""
        genome, dtype, space = self.genome, self.bias.dtype, self.genome.space
        combine = jnp.asarray(list(COMBINES.values()), dtype)[genome.combine]
        wires = jnp.zeros((space.wires, self.units), dtype)
        wires = wires.at[ONE].set(1).at[FIRST_STATE : space.slot(0)].set(state.values)

        def node(
            wires: Float[Array, "wires units"], genes: tuple[Array, ...]
        ) -> tuple[Float[Array, "wires units"], None]:
            place, (p, q, r), first, second, activation = genes
            first, second = wires[first], wires[second]
            value = activate(p * first + q * second + r * first * second, activation)
            return jax.lax.dynamic_update_index_in_dim(wires, value, place, 0), None

        for stage in range(space.stages):
            product = self.recurrent_weights[stage] @ wires[genome.source[stage]]
            linear = drive[stage] + jnp.where(genome.recurrent[stage][:, None] > 0, product, 0)
            slots = activate(linear, genome.squash[stage][:, None])
            wires = jax.lax.dynamic_update_slice_in_dim(wires, slots, space.slot(stage), 0)
            genes = (combine, genome.first, genome.second, genome.activation)
            places = jnp.arange(space.nodes) + space.node(stage)
            wires, _ = jax.lax.scan(node, wires, (places, *(array[stage] for array in genes)))
        return EvolvedState(wires[genome.next]), wires[genome.output]


def activate(u: Float[Array, "*shape"], which: Int[Array, "*broadcast"]) -> Float[Array, "*shape"]:
    """The activations with these indices, all by one formula.

    Args:
        u: values.
        which: indices into `ACTIVATIONS`, of a shape that broadcasts to that of `u`.

    Returns:
        The activated values; the derivative of a spike is that of `FastSigmoid()`.
    """
    table = jnp.asarray(np.array(list(ACTIVATIONS.values())), u.dtype)
    gain, scale, linear, relu, _, constant = jnp.moveaxis(table[which], -1, 0)
    smooth = gain * jnp.tanh(scale * u) + linear * u + relu * jax.nn.relu(u) + constant
    return jnp.where(which == SPIKE, cast(FastSigmoid(), u.dtype)(u), smooth)


def initial_bias(key: PRNGKeyArray, bias: Int[Array, "*slots"], units: int) -> Float[Array, "*slots units"]:
    """What biases start at.

    Args:
        key: random key.
        bias: indices into `BIASES`.
        units: neurons of the cell.

    Returns:
        `[*slots, units]`; "long" is `log u`, u uniform between 1 and 100: a sigmoid then forgets within u steps (Tallec
        and Ollivier 2018, arXiv:1804.11188, section 2).
    """
    shape = (*bias.shape, units)
    times = jnp.log(jax.random.uniform(key, shape, minval=1.0, maxval=100.0))
    start, often = jnp.moveaxis(jnp.asarray(list(BIASES.values()), times.dtype)[bias], -1, 0)
    return start[..., None] + often[..., None] * times
