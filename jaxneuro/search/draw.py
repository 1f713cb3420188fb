"""A cell as a picture: text for Mermaid, and SVG.

Time runs from left to right: the input and the states before the step, then what is computed of them, then what the
states become and the output. Linear maps that read one wire share a box, as they share a product.
"""

from html import escape

from jaxneuro.search.genome import ACTIVATIONS, ADD, COMBINES, FIRST, FIRST_STATE, ONE, SUBTRACT, Genome
from jaxneuro.search.layers import ROOM, ROW, Box, Line, Row, place
from jaxneuro.search.program import NOTHING, Node, Program, Slot, program

COMBINED = {
    "first": "{0}",
    "add": "{0} + {1}",
    "subtract": "{0} − {1}",
    "multiply": "{0} × {1}",
    "forget": "(1 − {0}) × {1}",
}
ACTIVATED = {"identity": "{}", "sigmoid": "σ({})", "complement": "1 − ({})", "negate": "−({})"}
# Of each kind of box what fills it and what surrounds it.
COLOURS = {
    "input": ("#eceff1", "#607d8b"),
    "state": ("#dbeafe", "#2563eb"),
    "linear": ("#fef3c7", "#b45309"),
    "product": ("#dcfce7", "#15803d"),
    "sum": ("#fce7f3", "#be185d"),
    "function": ("#ede9fe", "#6d28d9"),
    "output": ("#eceff1", "#607d8b"),
}
LINES = ("#2563eb", "#b45309", "#15803d", "#be185d", "#6d28d9", "#0e7490", "#a16207", "#9f1239", "#475569")
X, NOWHERE = -2, -3  # where wires are counted: the input, and what is read after the step
MARGIN = 16.0


def mermaid(genome: Genome) -> str:
    """A cell as a flow chart for Mermaid, which many viewers of Markdown draw.

    Args:
        genome: one genome, of concrete integers.

    Returns:
        The lines of the chart; equal cells have equal charts.

    Raises:
        ValueError: if the genome is out of range.
    """
    code = program(genome)
    names, lines = {X: "x", **dict(enumerate(code.names))}, ["flowchart LR"]
    kinds: dict[str, list[str]] = {}
    for box in _boxes(code):
        for row in box.rows:
            ends = box.kind in ("input", "state", "output")
            label = row.text if row.name in ("input", "state") else f"{row.name} = {row.text}"
            name = names.get(row.wire) or row.name.replace(" ", "_")
            left, right = ('(["', '"])') if ends else ('["', '"]')
            lines.append(f"    {name}{left}{escape(label)}{right}")
            kinds.setdefault(box.kind, []).append(name)
            own = _read_by(code, row.wire) if box.kind == "linear" else box.reads
            lines += [f"    {names[wire]} --> {name}" for wire in own]
    for kind, members in kinds.items():
        fill, stroke = COLOURS[kind]
        lines += [
            f"    classDef {kind} fill:{fill},stroke:{stroke},color:#111",
            f"    class {','.join(members)} {kind}",
        ]
    return "\n".join(lines) + "\n"


def svg(genome: Genome) -> str:
    """A cell as a drawing in SVG.

    Args:
        genome: one genome, of concrete integers.

    Returns:
        An XML document that stands alone; equal cells have equal drawings.

    Raises:
        ValueError: if the genome is out of range.
    """
    boxes = _boxes(program(genome))
    lines, width, height = place(boxes)
    size = f"{width + 2 * MARGIN:.0f}", f"{height + 2 * MARGIN:.0f}"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{size[0]}" height="{size[1]}" '
            f'viewBox="0 0 {size[0]} {size[1]}" font-family="DejaVu Sans Mono, Menlo, Consolas, monospace">',
            "<title>A recurrent cell</title>",
            f'<rect width="{size[0]}" height="{size[1]}" fill="#ffffff"/>',
            f'<g transform="translate({MARGIN:.0f} {MARGIN:.0f})">',
            *(_line(line) for line in lines),
            *(part for box in boxes for part in _box(box)),
            "</g>",
            "</svg>",
            "",
        ]
    )


def _boxes(code: Program) -> list[Box]:
    """The boxes of a cell, in their columns."""
    names = code.names
    boxes = [Box("input", [Row(X, "input", "x")], (), 0)] if code.with_input else []
    states = range(FIRST_STATE, FIRST_STATE + len(code.next))
    boxes += [Box("state", [Row(wire, "state", names[wire])], (), 0) for wire in states]
    layers = dict.fromkeys((X, *states), 0)
    shared: dict[int, Box] = {}
    for wire, line in code.numbered:
        if isinstance(line, Node):
            reads = tuple(dict.fromkeys(operand for operand in line.operands if operand > ONE))
            layer = 1 + max((layers[read] for read in reads), default=0)
            boxes.append(Box(_kind(line), [Row(wire, names[wire], _formula(code, line))], reads, layer))
        else:
            if line.source not in shared:
                shared[line.source] = Box("linear", [], (), 1 + layers.get(line.source, 0))
                boxes.append(shared[line.source])
            box = shared[line.source]
            box.rows.append(Row(wire, names[wire], _formula(code, line)))
            box.reads = tuple(dict.fromkeys((*box.reads, *_read_by(code, wire))))
            layer = box.layer
        layers[wire] = layer
    last = 1 + max(layers.values())
    ends = [("state", f"next {names[state]}", wire) for state, wire in zip(states, code.next, strict=True)]
    for kind, name, wire in [*ends, ("output", "output", code.output)]:
        boxes.append(Box(kind, [Row(NOWHERE, name, names[wire])], (wire,) if wire > ONE else (), last))
    return boxes


def _read_by(code: Program, wire: int) -> tuple[int, ...]:
    """The wires that a slot reads."""
    slot = code.slots[wire]
    return (X,) * slot.input + (slot.source,) * (slot.source > ONE)


def _kind(node: Node) -> str:
    if node.combine == FIRST:
        return "function"
    return "sum" if node.combine in (ADD, SUBTRACT) else "product"


def _formula(code: Program, line: Slot | Node) -> str:
    names = code.names
    if isinstance(line, Node):
        inside = COMBINED[list(COMBINES)[line.combine]].format(names[line.first], names[line.second])
        activation, alone = line.activation, line.combine == FIRST
    else:
        terms = ["W x"] * line.input + [f"U {names[line.source]}"] * (line.source != NOTHING) + ["b"] * (line.bias > 0)
        inside, activation, alone = " + ".join(terms) or "0", line.squash, len(terms) < 2
    name = list(ACTIVATIONS)[activation]
    form = ACTIVATED.get(name, f"{name}({{}})")
    return (
        form.replace("({})", "{}").format(inside) if alone and name in ("complement", "negate") else form.format(inside)
    )


def _line(line: Line) -> str:
    """A wire between two columns, with an arrow where it is read."""
    colour, tip = LINES[line.wire % len(LINES)], line.enters - 6 * line.arrives
    middle = (line.leaves + tip) / 2
    path = f"M{line.start:.1f} {line.before:.1f}H{line.leaves:.1f}"
    path += f"C{middle:.1f} {line.before:.1f} {middle:.1f} {line.after:.1f} {tip:.1f} {line.after:.1f}"
    drawn = f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.4"/>'
    if not line.arrives:
        return drawn
    return drawn + f'<path d="M{line.enters:.1f} {line.after:.1f}l-8 -4v8z" fill="{colour}"/>'


def _box(box: Box) -> list[str]:
    fill, stroke = COLOURS[box.kind]
    top = box.y - box.height / 2
    parts = [
        f'<rect x="{box.x:.1f}" y="{top:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="7" fill="{fill}" '
        f'stroke="{stroke}" stroke-width="1.2"/>'
    ]
    for i, row in enumerate(box.rows):
        y = top + i * ROW
        if i:
            parts.append(f'<path d="M{box.x:.1f} {y:.1f}h{box.width:.1f}" stroke="{stroke}" stroke-width="0.6"/>')
        for text, down, size, colour in ((row.name, 15, 10, stroke), (row.text, 31, 12, "#111111")):
            place = f'x="{box.x + ROOM:.1f}" y="{y + down:.1f}" font-size="{size}"'
            parts.append(f'<text {place} fill="{colour}">{escape(text)}</text>')
    return parts
