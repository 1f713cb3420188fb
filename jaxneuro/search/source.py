"""A cell as Python source that stands alone: it needs JAX and nothing of this library."""

import textwrap
from collections.abc import Sequence

from jaxneuro.search.genome import (
    ACTIVATIONS,
    BIASES,
    COMBINES,
    FIRST,
    FIRST_STATE,
    FORGET,
    IDENTITY,
    ONE,
    SPIKE,
    ZERO,
    Genome,
)
from jaxneuro.search.program import NOTHING, Node, Program, Slot, program

# What a value is called, by the activation that made it, or for a node without one by how it combines.
SLOT_NAMES = {
    "identity": "linear",
    "tanh": "candidate",
    "sigmoid": "gate",
    "relu": "rectified",
    "complement": "complement",
    "negate": "negated",
    "spike": "event",
}
NODE_NAMES = SLOT_NAMES | {"tanh": "bounded"}
COMBINED_NAMES = {
    "first": "copy",
    "add": "total",
    "subtract": "difference",
    "multiply": "product",
    "forget": "remainder",
}
COMBINED = {"first": "{0}", "add": "{0} + {1}", "subtract": "{0} - {1}", "multiply": "{0} * {1}"}
COMBINED["forget"] = "(1 - {0}) * {1}"
CALLS = {"tanh": "jnp.tanh({})", "sigmoid": "jax.nn.sigmoid({})", "relu": "jax.nn.relu({})", "spike": "spike({})"}

SPIKE_SOURCE = '''
@jax.custom_jvp
def spike(u):
    """1 where u >= 0, else 0; its derivative is taken to be 1 / (1 + 10 |u|)^2 (Zenke and Ganguli 2018)."""
    return (u >= 0).astype(u.dtype)


@spike.defjvp
def _spike_derivative(primals, tangents):
    (u,), (change,) = primals, tangents
    return spike(u), change / (1 + 10 * jnp.abs(u)) ** 2

'''
SOURCE = '''"""A recurrent cell as straight-line code.

{describes} In one step it computes

    {equations}

x is the input. Each W, U and b belongs to its line alone.
"""

import jax
import jax.numpy as jnp

{spike}
def init(key, inputs, units):
    """The weights: W uniform (Glorot and Bengio 2010), U orthogonal, b as the cell asks for.

    Args:
        key: random key.
        inputs: size of the input.
        units: size of the states and of the output.

    Returns:
        Arrays by name.
    """
    {init}


def start(units):
    """The state before the first input."""
    return {start}


def step(params, state, x):
    """One step of time, `(params, state, x) -> (state, output)`.

    Args:
        params: as `init` gives them.
        state: as `start` or the step before gave it, arrays `[units]` by name.
        x: the input, `[inputs]`.

    Returns:
        The new state and the output, `[units]`.
    """
    {step}
'''


def source(genome: Genome) -> str:
    """Python source of a cell: `init(key, inputs, units)`, `start(units)` and `step(params, state, x)`.

    The arrays that `init` gives are those of `StraightCell`: `W` is its `input_weights`, `b` its `bias`, and the parts
    of its `recurrent_weights` are `U_` with the name of the value that they multiply.

    Args:
        genome: one genome, of concrete integers.

    Returns:
        The text of a module that needs JAX alone; equal cells have equal texts.

    Raises:
        ValueError: if the genome is out of range.
    """
    code = program(genome)
    names = _names(code)
    states = names[FIRST_STATE : FIRST_STATE + len(code.next)]
    kept = f"The cell keeps {', '.join(states)}, at first 0." if states else "The cell keeps nothing."
    activations = {line.squash if isinstance(line, Slot) else line.activation for line in code.lines}
    return SOURCE.format(
        describes=kept,
        equations="\n    ".join(_equations(code, names)),
        spike=SPIKE_SOURCE if SPIKE in activations else "",
        init="\n    ".join(_init(code, names)),
        start="{" + ", ".join(f'"{name}": jnp.zeros(units)' for name in states) + "}",
        step="\n    ".join(_step(code, names)),
    )


def _names(code: Program) -> list[str]:
    """A name for each wire that says what it is; numbered where several are of one kind."""
    kinds = []
    for wire, line in code.numbered:
        if wire in code.next:
            kinds.append("new_" + ("h" if len(code.next) == 1 else f"h{code.next.index(wire) + 1}"))
        elif wire == code.output:
            kinds.append("output")
        elif isinstance(line, Slot):
            alone = line.bias and not line.input and line.source == NOTHING
            kinds.append("learned" if alone else SLOT_NAMES[list(ACTIVATIONS)[line.squash]])
        elif line.activation == IDENTITY:
            kinds.append(COMBINED_NAMES[list(COMBINES)[line.combine]])
        else:
            kinds.append(NODE_NAMES[list(ACTIVATIONS)[line.activation]])
    kinds = ["zero", "one", *["h"] * len(code.next), *kinds]
    return [
        kind if kinds.count(kind) == 1 else f"{kind}{kinds[: place + 1].count(kind)}"
        for place, kind in enumerate(kinds)
    ]


def _groups(code: Program) -> dict[int, list[int]]:
    """The slots that read each wire, in the order of their weights."""
    groups: dict[int, list[int]] = {}
    for wire in code.recurrent:
        groups.setdefault(code.slots[wire].source, []).append(wire)
    return groups


def _equations(code: Program, names: Sequence[str]) -> list[str]:
    shown = ["0", "1", *names[FIRST_STATE:]]
    lines = []
    for wire, line in code.numbered:
        if isinstance(line, Node):
            inside, activation = _combined(line, shown), line.activation
        else:
            terms = ["W x"] * line.input + [f"U {shown[line.source]}"] * (line.source != NOTHING)
            inside, activation = " + ".join(terms + ["b"] * (line.bias > 0)) or "0", line.squash
        name = list(ACTIVATIONS)[activation]
        lines.append(f"{names[wire]} = " + (inside if activation == IDENTITY else f"{name}({inside})"))
    states = names[FIRST_STATE:]
    lines += [f"{state} <- {shown[wire]}" for state, wire in zip(states, code.next, strict=False)]
    return [*lines, f"output {shown[code.output]}"]


def _combined(line: Node, shown: Sequence[str]) -> str:
    return COMBINED[list(COMBINES)[line.combine]].format(shown[line.first], shown[line.second])


def _init(code: Program, names: Sequence[str]) -> list[str]:
    """The body of `init`."""
    starts = [list(BIASES.values())[code.slots[wire].bias] for wire in code.biased]
    lines = ["w_key, u_key, b_key = jax.random.split(key, 3)", "bound = (6 / (inputs + units)) ** 0.5"]
    if code.recurrent:
        lines.append(f"U = jax.random.orthogonal(u_key, units, ({len(code.recurrent)},))")
    if any(often for _, often in starts):
        lines += [
            "# A sigmoid of such a bias forgets within a time between 1 and 100 steps (Tallec and Ollivier 2018).",
            f"times = jnp.log(jax.random.uniform(b_key, ({len(starts)}, units), minval=1.0, maxval=100.0))",
        ]
    lines += ["return {", f'    "W": jax.random.uniform(w_key, ({len(code.with_input)}, units, inputs)']
    lines[-1] += ", minval=-bound, maxval=bound),"
    at = 0
    for read, group in _groups(code).items():
        lines.append(f'    "U_{names[read]}": U[{at}:{at + len(group)}],')
        at += len(group)
    numbers = ", ".join(f"{number:.1f}" for number, _ in starts)
    bias = f"jnp.repeat(jnp.array([{numbers}])[:, None], units, axis=1)" if starts else "jnp.zeros((0, units))"
    if any(often for _, often in starts):
        bias += f" + jnp.array([{', '.join(f'{often:.1f}' for _, often in starts)}])[:, None] * times"
    return [*lines, f'    "b": {bias},', "}"]


def _step(code: Program, names: Sequence[str]) -> list[str]:
    """The body of `step`."""
    states = names[FIRST_STATE : FIRST_STATE + len(code.next)]
    unpacked = ", ".join(states) + " = " + ", ".join(f'state["{name}"]' for name in states)
    lines = [unpacked] if states else []
    driven, rest = code.with_input, code.biased
    product, bias = 'params["W"] @ x', 'params["b"]'
    if folded := bool(driven) and rest[: len(driven)] == driven:
        rest = rest[len(driven) :]
        product += f" + {bias}[:{len(driven)}]" if rest else f" + {bias}"
        bias += f"[{len(driven)}:]"
    terms: dict[int, list[str]] = {wire: [] for wire in code.slots}

    def has_one_term(slot: Slot) -> bool:
        count = slot.input + (slot.source != NOTHING) + (slot.bias > 0 and not (folded and slot.input))
        return slot.squash == IDENTITY and count == 1

    def unpack(wires: Sequence[int], suffix: str, value: str) -> None:
        # A value that is no more than this one term has its name at once.
        parts = [names[wire] if has_one_term(code.slots[wire]) else f"{names[wire]}_{suffix}" for wire in wires]
        for wire, part in zip(wires, parts, strict=True):
            terms[wire].append(part)
        unpacked = ", ".join(parts) if len(parts) > 1 else f"({parts[0]},)"
        if len(unpacked) + len(value) > 110:
            unpacked = f"(\n{textwrap.fill(unpacked, 110, initial_indent=' ' * 8, subsequent_indent=' ' * 8)}\n    )"
        lines.append(f"{unpacked} = {value}")

    if driven:
        unpack(driven, "x", product)
    if rest:
        unpack(rest, "b", bias)
    body, vectors = [], set()
    groups = _groups(code)

    def vector(wire: int) -> str:
        vectors.update({wire} & {ZERO, ONE})
        return names[wire]

    for wire, line in code.numbered:
        if isinstance(line, Node):
            constant = all(operand in (ZERO, ONE) for operand in line.operands)
            shown = [vector(o) if constant or o > ONE else str(o) for o in (line.first, line.second)]
            inside = COMBINED[list(COMBINES)[line.combine]].format(*shown)
            body.append(f"{names[wire]} = {_activated(line.activation, inside, line.combine)}")
            continue
        if line.source in groups:
            readers, before = groups.pop(line.source), len(lines)
            unpack(readers, names[line.source], f'params["U_{names[line.source]}"] @ {vector(line.source)}')
            body += lines[before:]
            del lines[before:]
        if not has_one_term(line):
            body.append(f"{names[wire]} = {_activated(line.squash, ' + '.join(terms[wire]) or vector(ZERO), None)}")
    new = ", ".join(f'"{name}": {vector(wire)}' for name, wire in zip(states, code.next, strict=True))
    body.append(f"return {{{new}}}, {vector(code.output)}")
    constants = [
        f'{names[wire]} = jnp.{names[wire]}s(params["b"].shape[1], params["b"].dtype)' for wire in sorted(vectors)
    ]
    return [*lines, *constants, *body]


def _activated(activation: int, inside: str, combine: int | None) -> str:
    """An activation of an expression."""
    name = list(ACTIVATIONS)[activation]
    if name in CALLS:
        return CALLS[name].format(inside)
    if activation == IDENTITY:
        return inside
    sign = "-" if name == "negate" else "1 - "
    return sign + (inside if combine in (FIRST, FORGET) or inside.isidentifier() else f"({inside})")
