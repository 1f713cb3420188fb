"""A cell of fixed structure that is evaluated at all times at once: part after part, by associative scans."""

import functools
from collections.abc import Sequence
from typing import Annotated

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes
from jaxneuro.machine import Parallel
from jaxneuro.recurrence import recurrence
from jaxneuro.search.cell import EvolvedCell
from jaxneuro.search.cell_file import genome_called
from jaxneuro.search.genome import COMPLEMENT, FIRST, FIRST_STATE, FORGET, MULTIPLY, NEGATE, ONE, SUBTRACT, ZERO, Genome
from jaxneuro.search.parallel import Part, SequentialError, operands, parts
from jaxneuro.search.program import (
    NOTHING,
    Node,
    Program,
    activated,
    combined,
    program,
    sums,
)
from jaxneuro.search.straight import StraightCell, StraightState, functions, initial_weights, straight

# A value as a sum of wires, each times its factor; the factor of `ONE` is what is added.
Form = dict[int, Array]


def parallel_genome_called(name: str) -> Genome:
    """The genome of a known cell or of a file whose states are linear in themselves.

    Args:
        name: as for `genome_called`.

    Raises:
        ValueError: if there is none, or a state is not linear in itself.
    """
    genome = genome_called(name)
    parts(program(genome))
    return genome


class ParallelCell(StraightCell, Parallel[StraightState, Float[Array, "inputs"], Float[Array, "units"]]):
    """A layer of neurons with a structure of its own, linear in its states, that can be trained in parallel over time.

    The cell, its weights and its steps are those of `StraightCell`. Its states come in parts of one to three that read
    one another, `s_t = A_t s_{t-1} + b_t`, with a matrix A for each neuron, and A and b made of the input and of the
    parts before (`jaxneuro.search.parallel`). One associative scan for each part then gives all of time.

    Fields (all quantities dimensionless):
        program, input_weights, recurrent_weights, bias: as in `StraightCell`.

    The constructor also takes for a genome the name of a known cell, such as "MinGRU", the path of a file, as that of
    `EvolvedCell` does, or a program. To carry over a trained cell use `parallel`.

    Input `[inputs]`. Output `[units]`. Parameters: `parameter_count` of the canonical form of the genome.

    Reference: Blelloch 1990, Prefix sums and their applications, CMU-CS-90-190, section 1.4 (recurrences as scans);
    Martin and Cundy 2018, arXiv:1709.04057 (neurons that are linear in their state).
    """

    def __init__(
        self,
        inputs: int,
        units: int,
        genome: Genome | Program | Annotated[str, parallel_genome_called],
        *,
        key: PRNGKeyArray,
    ) -> None:
        check_sizes("ParallelCell", inputs=inputs, units=units)
        genome = genome_called(genome) if isinstance(genome, str) else genome
        self.program = genome if isinstance(genome, Program) else program(genome)
        try:
            parts(self.program)
        except SequentialError as error:
            raise SequentialError(f"ParallelCell got another kind of cell: {error} Use StraightCell for it.") from error
        self.input_weights, self.recurrent_weights, self.bias = initial_weights(self.program, inputs, units, key)

    def over_time(
        self, state: StraightState, inputs: Float[Array, "time inputs"]
    ) -> tuple[StraightState, Float[Array, "time units"]]:
        """Part after part, and between them the lines for which all is there, each for all of time."""
        known = _Known(self, inputs)
        for part in parts(self.program):
            known.solve(part, [state.values[wire - FIRST_STATE] for wire in part.states])
        values = [known.wires[wire] for wire in self.program.next]
        return jax.tree.unflatten(jax.tree.structure(state), values), known.wires[self.program.output]


class _Known:
    """The wires of a cell that are known so far, each for all of time."""

    def __init__(self, cell: ParallelCell, inputs: Float[Array, "time inputs"]) -> None:
        self.code, self.weights, self.functions = cell.program, cell.weights, functions(cell.bias.dtype)
        self.drives = jax.vmap(cell.drive)(inputs)
        shape = len(inputs), cell.units
        self.wires: dict[int, Array] = {wire: jnp.full(shape, wire, cell.bias.dtype) for wire in (ZERO, ONE)}
        self.sums: dict[int, Array] = {}
        self.settle()

    def settle(self) -> None:
        """Compute all lines whose operands are known."""
        for wire, line in self.code.numbered:
            if wire in self.wires or not self.wires.keys() >= {*operands(self.code, wire)}:
                continue
            if isinstance(line, Node):
                value = combined(line.combine, self.wires[line.first], self.wires[line.second])
                self.wires[wire] = activated(line.activation, value, self.functions)
                continue
            if wire not in self.sums:
                source = {} if line.source == NOTHING else {line.source: self.wires[line.source]}
                total = functools.partial(sums, self.code, self.weights, line.source, functions=self.functions)
                self.sums |= jax.vmap(lambda wires, drive, total=total: total(wires, drive))(source, self.drives)
            self.wires[wire] = activated(line.squash, self.sums[wire], self.functions)

    def solve(self, part: Part, start: Sequence[Float[Array, "units"]]) -> None:
        """Find the states of a part, which start at these values, and what follows from them."""
        forms: dict[int, Form] = {state: {state: self.wires[ONE]} for state in part.states}
        for wire in part.lines:
            forms[wire] = self._form(wire, forms)
        taken = [self.code.next[state - FIRST_STATE] for state in part.states]
        rows = [forms.get(wire) or {ONE: self.wires[wire]} for wire in taken]
        factors = [[row.get(state, self.wires[ZERO]) for state in part.states] for row in rows]
        values = [row.get(ONE, self.wires[ZERO]) for row in rows]
        if part.states[0] in rows[0] or len(rows) > 1:
            values = _scanned(factors, values, start)
        for state, wire, first, after in zip(part.states, taken, start, values, strict=True):
            self.wires[state] = jnp.concatenate([first[None], after[:-1]])
            self.wires[wire] = after
        self.settle()

    def _form(self, wire: int, forms: dict[int, Form]) -> Form:
        """A node that is linear in the states of a part, as such."""
        line = self.code.lines[wire - FIRST_STATE - len(self.code.next)]
        assert isinstance(line, Node)
        one: Form = {ONE: self.wires[ONE]}
        first, second = (forms.get(operand) or {ONE: self.wires[operand]} for operand in (line.first, line.second))
        first = _sum(one, _scaled(first, -1)) if line.combine == FORGET else first
        second = _scaled(second, -1) if line.combine == SUBTRACT else second
        if line.combine in (MULTIPLY, FORGET):
            form = _scaled(first, second[ONE]) if second.keys() == {ONE} else _scaled(second, first[ONE])
        else:
            form = first if line.combine == FIRST else _sum(first, second)
        form = _scaled(form, -1) if line.activation in (COMPLEMENT, NEGATE) else form
        return _sum(one, form) if line.activation == COMPLEMENT else form


def _scaled(form: Form, by: Array | int) -> Form:
    return {wire: by * factor for wire, factor in form.items()}


def _sum(first: Form, second: Form) -> Form:
    both = {wire: first[wire] + second[wire] for wire in first.keys() & second.keys()}
    return first | second | both


def _scanned(
    factors: Sequence[Sequence[Float[Array, "time units"]]],
    added: Sequence[Float[Array, "time units"]],
    start: Sequence[Float[Array, "units"]],
) -> list[Float[Array, "time units"]]:
    """All `s_t = A_t s_{t-1} + b_t`; A and b are lists over the states, with entries for each time and neuron."""
    # The first step absorbs the initial state.
    absorbed = [
        b.at[0].add(functools.reduce(jnp.add, [a[0] * value for a, value in zip(row, start, strict=True)]))
        for row, b in zip(factors, added, strict=True)
    ]
    return recurrence(factors, absorbed)


def parallel(cell: EvolvedCell | StraightCell) -> ParallelCell:
    """The same cell as one that can be trained in parallel over time, with the weights that it has learned.

    Args:
        cell: one cell; of an `EvolvedCell` the genome must be concrete integers.

    Returns:
        A machine of the same outputs and weights.

    Raises:
        ValueError: if a state is not linear in itself, or the genome is out of range.
    """
    cell = straight(cell) if isinstance(cell, EvolvedCell) else cell
    inputs, units, code, key = cell.input_weights.shape[-1], cell.units, cell.program, jax.random.key(0)
    like = jax.eval_shape(lambda key: ParallelCell(inputs, units, code, key=key), key)
    return jax.tree.unflatten(jax.tree.structure(like), cell.weights)
