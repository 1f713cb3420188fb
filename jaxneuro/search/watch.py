"""What goes on inside a cell: the value of every wire over a sequence, by the names that its text gives them."""

import jax
from jaxtyping import Array, Float

from jaxneuro.search.program import evaluate_wires
from jaxneuro.search.straight import StraightCell, functions

OUTPUT = "output"


def watch(cell: StraightCell, inputs: Float[Array, "time inputs"]) -> dict[str, Float[Array, "time units"]]:
    """All that a cell computes while it reads a sequence, from its initial state on.

    Every line of the cell's text (`show`) holds at every time: of `n1 = g1 * h1` all three are in the record, and a
    state is what it was before the step, so that what it becomes is the wire that its line `h1 <- n2` names.

    Args:
        cell: a cell, such as `straight` gives for one that is trained.
        inputs: the sequence.

    Returns:
        The states, the slots and nodes in the order of the program, and last "output".
    """
    wires = _wires(cell, inputs)
    record = dict(zip(cell.program.names, wires, strict=True)) | {OUTPUT: wires[cell.program.output]}
    return {name: values for name, values in record.items() if name not in ("0", "1")}


@jax.jit
def _wires(cell: StraightCell, inputs: Float[Array, "time inputs"]) -> list[Float[Array, "time units"]]:
    program, table = cell.program, functions(cell.bias.dtype)

    def step(
        states: tuple[Float[Array, "units"], ...], x: Float[Array, "inputs"]
    ) -> tuple[tuple[Float[Array, "units"], ...], list[Float[Array, "units"]]]:
        wires = evaluate_wires(program, cell.weights, states, cell.drive(x), table)
        return tuple(wires[wire] for wire in program.next), wires

    return jax.lax.scan(step, cell.init(jax.random.key(0)).values, inputs)[1]
