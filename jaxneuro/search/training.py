"""Training a population of cells side by side, in one program for any graphs, any number of them and of steps.

A lane is a cell with a linear readout, its own learning rate and its own seed. Lanes are trained in chunks whose
working set fits the cache, and the loops over chunks and steps end where data say, so that nothing compiles twice.
Cells of fewer units than the widest are padded: units beyond the last do not reach the others, nor the readout.

What a lane becomes depends on its genome, its seed and the task alone, not on the lanes beside it nor on the number of
devices: a lane that diverges cannot touch another.
"""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Float, Int, Key, PRNGKeyArray

from jaxneuro.initial import orthonormal
from jaxneuro.search.adam import Moments, adam, no_moments
from jaxneuro.search.cell import initial_bias
from jaxneuro.search.genome import SPIKE, Genome, Space, parameter_count
from jaxneuro.search.population import Weights, run_population
from jaxneuro.search.tape import Tape, tape_of
from jaxneuro.tasks.batch import Batch, Task


class Model(eqx.Module):
    """The trained parameters of all lanes: cells, and `logits = V h + c`.

    Fields:
        cells: the weights.
        readout: V, `[lanes, outputs, units]`, starts at normal numbers of variance `1 / units`.
        offset: c, `[lanes, outputs]`, starts at 0.
    """

    cells: Weights
    readout: Float[Array, "*lanes outputs units"]
    offset: Float[Array, "*lanes outputs"]


class Lanes(eqx.Module):
    """A population in training.

    Fields:
        tape: the structure of each lane's cell, as the evaluator reads it.
        units: how many units each has.
        rates: learning rates.
        model: parameters.
        moments: state of the optimiser.
    """

    tape: Tape
    units: Int[Array, "lanes"]
    rates: Float[Array, "lanes"]
    model: Model
    moments: Moments[Model]


class Trainer(eqx.Module):
    """How a population is trained: the same for all lanes.

    Args:
        task: what is trained; its batches depend on the step alone, so that all lanes see the same ones.
        validation: a fixed batch that scores are measured on.
        space: the space of the genomes.
        width: units of the widest cell.
        batch: sequences of a training batch.
        chunk: lanes trained at once.
        clip: largest norm of a lane's gradient.
        devices: over how many devices the lanes are spread.
    """

    task: Task
    validation: Batch
    space: Space = eqx.field(static=True)
    width: int = eqx.field(static=True)
    batch: int = eqx.field(default=32, static=True)
    chunk: int = eqx.field(default=8, static=True)
    clip: float = eqx.field(default=1.0, static=True)
    devices: int = eqx.field(default=1, static=True)

    def lanes(
        self,
        genomes: Sequence[Genome],
        units: Sequence[int],
        rates: Sequence[float],
        keys: Key[Array, "keys"],
        *,
        room: int | None = None,
    ) -> Lanes:
        """A population at its first step.

        Args:
            genomes: canonical genomes of the space.
            units: units of each cell, at most `width`.
            rates: learning rate of each.
            keys: random key of each; more are not used.
            room: number of lanes that the arrays are made for, so that populations of different sizes share a program;
                a multiple of `chunk`. The smallest that holds all unless given.

        Returns:
            The lanes; those beyond the last genome are copies of the last one.

        Raises:
            ValueError: if a cell is wider than `width`, or there is no room.
        """
        count, turn = len(genomes), self.chunk * self.devices
        room = -(-count // turn) * turn if room is None else room
        if count > room or room % turn:
            raise ValueError(
                f"Trainer.lanes got room={room} for {count} lanes; it must hold them in multiples of {turn}."
            )
        if max(units) > self.width or min(units) < 1:
            raise ValueError(f"Trainer.lanes got units {min(units)} to {max(units)}; they must be 1 to {self.width}.")
        index = self.filled(np.arange(count), room)
        stacked = jax.tree.map(lambda *leaves: np.stack(leaves)[index], *genomes)
        values = np.asarray(units, np.int32)[index], np.asarray(rates, np.float32)[index]
        return _start(self, stacked, *map(jnp.asarray, values), keys[jnp.asarray(index)])

    def places(self, count: int, room: int) -> np.ndarray:
        """Where lanes lie in the arrays: chunks go to the devices in turn, and each device has its part in one piece.

        Args:
            count: number of lanes.
            room: number of lanes that the arrays are made for.

        Returns:
            `[count]`, the place of each lane.
        """
        chunk, place = np.divmod(np.arange(count), self.chunk)
        turn, device = np.divmod(chunk, self.devices)
        return device * (room // self.devices) + turn * self.chunk + place

    def filled(self, lanes: np.ndarray, room: int) -> np.ndarray:
        """What lies at each place of the arrays: the given lanes, and copies of the last where there is none.

        Args:
            lanes: an index for each lane.
            room: number of lanes that the arrays are made for.

        Returns:
            `[room]`.
        """
        index = np.full(room, lanes[-1])
        index[self.places(len(lanes), room)] = lanes
        return index

    def train(
        self, lanes: Lanes, key: PRNGKeyArray, start: int, stop: int, *, count: int | None = None, spiking: bool = False
    ) -> Lanes:
        """Take the steps `start` to `stop - 1`.

        Args:
            lanes: the population.
            key: random key of the batches: that of step n is `fold_in(key, n)`.
            start: number of the first step.
            stop: number of the first step that is not taken.
            count: lanes that are trained; all unless given.
            spiking: whether a cell may have spikes.

        Returns:
            The lanes after these steps.
        """
        numbers = jnp.asarray(start, jnp.int32), jnp.asarray(stop, jnp.int32)
        return _train(self, self._placed(lanes), key, *numbers, self._chunks(lanes, count), spiking=spiking)

    def scores(self, lanes: Lanes, *, count: int | None = None, spiking: bool = False) -> np.ndarray:
        """The validation loss of each lane; infinite for one that has diverged.

        Args:
            lanes: the population.
            count: lanes that are measured; all unless given.
            spiking: whether a cell may have spikes.

        Returns:
            `[count]`.
        """
        found = np.asarray(_scores(self, self._placed(lanes), self._chunks(lanes, count), spiking=spiking))
        room = len(found)
        return np.where(np.isfinite(found), found, np.inf)[self.places(room if count is None else count, room)]

    def _chunks(self, lanes: Lanes, count: int | None) -> Array:
        """How many chunks each device has to go through."""
        count = len(lanes.units) if count is None else count
        chunks = -(-count // self.chunk)
        return jnp.asarray([-(-(chunks - device) // self.devices) for device in range(self.devices)], jnp.int32)

    def _chunk(self, index: Array, tree: Any) -> Any:
        return jax.tree.map(lambda a: jax.lax.dynamic_slice_in_dim(a, index * self.chunk, self.chunk, 0), tree)

    @property
    def _mesh(self) -> Mesh:
        return Mesh(np.asarray(jax.local_devices()[: self.devices]), ("lanes",))

    def _placed(self, lanes: Lanes) -> Lanes:
        """Lanes on the devices that train them: programs are compiled for lanes that lie there, and for no others."""
        if self.devices == 1:
            return lanes
        return jax.device_put(lanes, NamedSharding(self._mesh, PartitionSpec("lanes")))

    def _spread(self, function: Callable[..., Any], *whole: Any) -> Callable[..., Any]:
        """A function of lanes on all devices; what is whole is there on each."""
        if self.devices == 1:
            return functools.partial(function, *whole)
        lanes = PartitionSpec("lanes")
        specs = (*(PartitionSpec() for _ in whole), lanes, lanes)
        shared = jax.shard_map(function, mesh=self._mesh, in_specs=specs, out_specs=lanes, check_vma=False)
        return functools.partial(shared, *whole)

    def _losses(self, model: Model, tape: Tape, units: Array, batch: Batch, spiking: bool) -> Float[Array, "lanes"]:
        there = unit_mask(units, self.width)
        recurrent = model.cells.recurrent * there[:, None, None, None, :]
        cells = eqx.tree_at(lambda cells: cells.recurrent, model.cells, recurrent)
        hidden = run_population(cells, tape, jnp.transpose(batch.inputs, (1, 2, 0)), spiking)
        readout = model.readout * there[:, None, :]
        outputs = jnp.einsum("tlhb,loh->lbto", hidden, readout) + model.offset[:, None, None, :]
        return jax.vmap(lambda outputs: self.task.loss(outputs, batch))(outputs)


@jax.jit
def _start(trainer: Trainer, genomes: Genome, units: Array, rates: Array, keys: Key[Array, "lanes"]) -> Lanes:
    genomes = jax.tree.map(jnp.asarray, genomes)
    draw = functools.partial(_draw, inputs=trainer.task.inputs, outputs=trainer.task.outputs, width=trainer.width)
    # Lanes one after the other: what a lane starts with must not depend on how many there are.
    model = jax.lax.map(lambda lane: draw(*lane), (genomes, units, keys))
    return Lanes(tape_of(genomes), units, rates, model, jax.vmap(no_moments)(model))


@functools.partial(jax.jit, static_argnames="spiking")
def _train(
    trainer: Trainer, lanes: Lanes, key: PRNGKeyArray, start: Array, stop: Array, chunks: Array, spiking: bool
) -> Lanes:
    def local(trainer: Trainer, key: PRNGKeyArray, start: Array, stop: Array, lanes: Lanes, chunks: Array) -> Any:
        def one_chunk(index: Array, trained: tuple[Model, Any]) -> tuple[Model, Any]:
            tape, units, rates = trainer._chunk(index, (lanes.tape, lanes.units, lanes.rates))

            def one_step(step: Array, now: tuple[Model, Any]) -> tuple[Model, Any]:
                model, moments = now
                batch = trainer.task.batch(jax.random.fold_in(key, step), trainer.batch)
                slope = jax.grad(lambda model: trainer._losses(model, tape, units, batch, spiking).sum())(model)
                updates, moments = jax.vmap(functools.partial(adam, clip=trainer.clip))(slope, moments)
                model = jax.tree.map(lambda p, u: p - rates.reshape(-1, *[1] * (p.ndim - 1)) * u, model, updates)
                return model, moments

            now = jax.lax.fori_loop(start, stop, one_step, trainer._chunk(index, trained))
            at = index * trainer.chunk
            return jax.tree.map(lambda a, part: jax.lax.dynamic_update_slice_in_dim(a, part, at, 0), trained, now)

        return jax.lax.fori_loop(0, chunks[0], one_chunk, (lanes.model, lanes.moments))

    model, moments = trainer._spread(local, trainer, key, start, stop)(lanes, chunks)
    return dataclasses.replace(lanes, model=model, moments=moments)


@functools.partial(jax.jit, static_argnames="spiking")
def _scores(trainer: Trainer, lanes: Lanes, chunks: Array, spiking: bool) -> Float[Array, "lanes"]:
    def local(trainer: Trainer, lanes: Lanes, chunks: Array) -> Array:
        def one_chunk(index: Array, found: Array) -> Array:
            model, tape, units = trainer._chunk(index, (lanes.model, lanes.tape, lanes.units))
            losses = trainer._losses(model, tape, units, trainer.validation, spiking)
            return jax.lax.dynamic_update_slice_in_dim(found, losses, index * trainer.chunk, 0)

        return jax.lax.fori_loop(0, chunks[0], one_chunk, jnp.full(lanes.units.shape, jnp.nan))

    return trainer._spread(local, trainer)(lanes, chunks)


def unit_mask(units: Int[Array, "lanes"], width: int) -> Float[Array, "lanes width"]:
    """1 for the units that a cell has, 0 for those that pad it."""
    return (jnp.arange(width)[None] < units[:, None]).astype(jnp.float32)


def _draw(genome: Genome, units: Array, key: PRNGKeyArray, *, inputs: int, outputs: int, width: int) -> Model:
    """The first parameters of one lane, as `EvolvedCell` has them, in the first `units` rows and columns."""
    space = genome.space
    input_key, recurrent_key, bias_key, readout_key = jax.random.split(key, 4)
    slots = space.stages, space.slots
    bound = jnp.sqrt(6 / (inputs + units))
    there = jnp.arange(width) < units
    square = there[:, None] & there[None]
    normal = jax.random.normal(recurrent_key, (space.stages * space.slots, width, width))
    padded = jnp.where(square[None], normal, jnp.eye(width)[None])
    cells = Weights(
        input=jax.random.uniform(input_key, (*slots, width, inputs), minval=-1, maxval=1) * bound,
        recurrent=jax.vmap(orthonormal)(padded).reshape(*slots, width, width),
        bias=initial_bias(bias_key, jnp.asarray(genome.bias), width),
    )
    readout = jax.random.normal(readout_key, (outputs, width)) / jnp.sqrt(units)
    return Model(cells, readout, jnp.zeros(outputs))


def trained_parameters(genome: Genome, inputs: int, units: int, outputs: int) -> int:
    """Parameters of a cell and its readout.

    Args:
        genome: one genome.
        inputs: inputs of the cell.
        units: units of the cell.
        outputs: outputs of the readout.

    Returns:
        The number of scalars.
    """
    return parameter_count(genome, inputs, units) + outputs * (units + 1)


def units_within(genome: Genome, inputs: int, outputs: int, budget: int) -> int:
    """The most units with which a cell and its readout stay within a number of parameters.

    Args:
        genome: one genome.
        inputs: inputs of the cell.
        outputs: outputs of the readout.
        budget: the number of parameters.

    Returns:
        The number of units; 0 if a single one is too many.
    """
    low, high = 0, budget
    while low < high:
        middle = (low + high + 1) // 2
        if trained_parameters(genome, inputs, middle, outputs) <= budget:
            low = middle
        else:
            high = middle - 1
    return low


def may_spike(genomes: Genome) -> bool:
    """Whether any cell of concrete genomes has a spike."""
    return bool((np.asarray(genomes.squash) == SPIKE).any() or (np.asarray(genomes.activation) == SPIKE).any())
