r"""A cell as equations for LaTeX.

    \begin{aligned}
    g_{1} &= \sigma(W_{1} x_{t} + U_{1} h_{t-1} + b_{1}) \\
    n_{1} &= g_{1} \odot h_{t-1} \\
    ...
    \end{aligned}

g are slots, n nodes, h states, as in `show`; each slot has a W, U and b of its own, of the slot's number.
"""

from collections.abc import Sequence

from jaxneuro.search.genome import ACTIVATIONS, COMBINES, FIRST, FIRST_STATE, FORGET, MULTIPLY, Genome
from jaxneuro.search.program import NOTHING, Node, Program, Slot, program

COMBINED = {
    "first": "{0}",
    "add": "{0} + {1}",
    "subtract": "{0} - {1}",
    "multiply": r"{0} \odot {1}",
    "forget": r"(1 - {0}) \odot {1}",
}
CALLS = {
    "tanh": r"\tanh({})",
    "sigmoid": r"\sigma({})",
    "relu": r"\max(0, {})",
    "spike": r"\Theta({})",
}


def latex(genome: Genome) -> str:
    r"""The equations of a cell.

    Args:
        genome: one genome, of concrete integers.

    Returns:
        An `aligned` block for LaTeX's mathematics mode with the package amsmath: \(\sigma\) is the logistic function,
        \(\Theta\) is 1 from 0 on and 0 below, \(\odot\) multiplies element by element. Equal cells have equal texts.

    Raises:
        ValueError: if the genome is out of range.
    """
    code = program(genome)
    shown = _symbols(code)
    lines = [(shown[wire], _right_side(code, line, wire, shown)) for wire, line in code.numbered]
    for state, wire in enumerate(code.next):
        if (symbol := _state(code, state, "t")) != shown[wire]:
            lines.append((symbol, shown[wire]))
    lines.append(("y_{t}", shown[code.output]))
    return "\\begin{aligned}\n" + " \\\\\n".join(f"{left} &= {right}" for left, right in lines) + "\n\\end{aligned}\n"


def _state(code: Program, state: int, time: str) -> str:
    return f"h_{{{time}}}" if len(code.next) == 1 else f"h^{{({state + 1})}}_{{{time}}}"


def _symbols(code: Program) -> list[str]:
    """The symbol of each wire; what a state becomes is that state at time t."""
    symbols = ["0", "1", *(_state(code, state, "t-1") for state in range(len(code.next)))]
    for wire, _ in code.numbered:
        name = code.names[wire]
        taken = _state(code, code.next.index(wire), "t") if wire in code.next else None
        symbols.append(taken or f"{name[0]}_{{{name[1:]}}}")
    return symbols


def _right_side(code: Program, line: Slot | Node, wire: int, shown: Sequence[str]) -> str:
    if isinstance(line, Node):
        combined = COMBINED[list(COMBINES)[line.combine]].format(shown[line.first], shown[line.second])
        return _activated(line.activation, combined, line.combine in (FIRST, MULTIPLY, FORGET))
    number = code.names[wire][1:]
    terms = [f"W_{{{number}}} x_{{t}}"] * line.input
    # A number as a vector of units.
    if line.source != NOTHING:
        read = shown[line.source] if line.source >= FIRST_STATE else f"\\mathbf{{{shown[line.source]}}}"
        terms.append(f"U_{{{number}}} {read}")
    terms += [f"b_{{{number}}}"] * (line.bias > 0)
    return _activated(line.squash, " + ".join(terms) or "0", len(terms) < 2)


def _activated(activation: int, inside: str, is_product: bool) -> str:
    """An activation of an expression; a sign before a product needs no parentheses."""
    name = list(ACTIVATIONS)[activation]
    if name in CALLS:
        return CALLS[name].format(inside)
    sign = {"identity": "", "complement": "1 - ", "negate": "-"}[name]
    return sign + (inside if is_product or not sign else f"({inside})")
