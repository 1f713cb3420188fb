"""A family tree as SVG: a candidate's line of descent from above, and beside it what else was tried.

Between two members of the line stand the mutation and what it did to the loss, below zero for the better. The dots on
the right are the other children of the upper one.
"""

from collections.abc import Sequence
from html import escape

from jaxneuro.search.family import Change, Generation, descent, is_better, shown_change, shown_loss
from jaxneuro.search.lineage import Record

WIDTH, HEIGHT, EDGE, MARGIN = 170.0, 42.0, 50.0, 16.0  # of a member, of the line between two, around all; pixels
CHARACTER, LETTERS = 7.0, 11  # width of a letter, size of the type
DOT, PITCH, PER_ROW = 3.5, 11.0, 24  # of other children: radius, distance, and how many stand side by side
MEMBER, LAST = ("#dbeafe", "#2563eb"), ("#dcfce7", "#15803d")
INK, FAINT, BETTER, WORSE = "#111111", "#9ca3af", "#15803d", "#b91c1c"
KEY = "dots: other children of the candidate on the left; dark: better than it; hollow: diverged"
DARK, PALE = "#4b5563", "#c4c9d1"  # of children that are better than their parent, and that are not


def family_tree(records: Sequence[Record], number: int, scale: float = 1.0) -> str:
    """Draw a candidate's line of descent.

    Args:
        records: of all candidates, or of those alone that `relatives` gives.
        number: of the last in the line.
        scale: what losses are multiplied by.

    Returns:
        An XML document that stands alone. Losses are compared at the last rung that a child and its parent both
        reached, which the drawing names.
    """
    line = descent(records, number)
    labels = [_made(member, scale) for member in line[1:]]
    middle = WIDTH / 2
    longest = max((len(text) for label in labels for text, _ in label), default=0)
    right = max(WIDTH, middle + 14 + longest * CHARACTER) + 40
    parts: list[str] = []
    top = 0.0
    for place, member in enumerate(line):
        last = place == len(line) - 1
        rows = -(-len(member.others) // PER_ROW)
        deep = max(HEIGHT + EDGE * (not last), rows * PITCH + 34)
        if not last:
            tip = top + deep
            parts.append(
                f'<path d="M{middle} {top + HEIGHT:.1f}V{tip - 7:.1f}" stroke="{MEMBER[1]}" stroke-width="1.6"/>'
            )
            parts.append(f'<path d="M{middle} {tip:.1f}l-4.5 -8h9z" fill="{MEMBER[1]}"/>')
            for down, (text, colour) in zip((-3, 12), labels[place], strict=True):
                parts.append(_text(middle + 14, top + HEIGHT + (deep - HEIGHT) / 2 + down, text, colour))
        parts += _others(member, right, top, scale)
        parts += _member(member, top, LAST if last else MEMBER, scale)
        top += deep
    width, height = right + 2 * MARGIN, top + 2 * MARGIN
    if any(member.others for member in line):
        parts.append(_text(0.0, top + 26, KEY, FAINT))
        width, height = max(width + PER_ROW * PITCH, len(KEY) * CHARACTER + 2 * MARGIN), height + 30
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
            f'viewBox="0 0 {width:.0f} {height:.0f}" font-family="DejaVu Sans Mono, Menlo, Consolas, monospace">',
            f"<title>The line of descent of candidate {number}</title>",
            f'<rect width="{width:.0f}" height="{height:.0f}" fill="#ffffff"/>',
            f'<g transform="translate({MARGIN:.0f} {MARGIN:.0f})">',
            *parts,
            "</g>",
            "</svg>",
            "",
        ]
    )


def _made(member: Generation, scale: float) -> list[tuple[str, str]]:
    """The mutation and what it did, with their colours."""
    assert member.change is not None
    loss, rung = member.change.loss, member.change.rung
    colour = BETTER if is_better(member.change) else WORSE if loss else FAINT
    return [(member.record["operator"], INK), (f"{shown_change(loss, scale)} at rung {rung}", colour)]


def _member(member: Generation, top: float, colours: tuple[str, str], scale: float) -> list[str]:
    record = member.record
    rungs = len(record["losses"])
    origin = "" if record["parents"] else f" ({record['operator']})"
    return [
        f'<rect x="0" y="{top:.1f}" width="{WIDTH:.0f}" height="{HEIGHT:.0f}" rx="7" fill="{colours[0]}" '
        f'stroke="{colours[1]}" stroke-width="1.2"/>',
        _text(12.0, top + 17, f"candidate {record['number']}{origin}", colours[1]),
        _text(12.0, top + 33, f"{shown_loss(record['losses'][-1], scale)} after {rungs} rung{'s' * (rungs > 1)}", INK),
    ]


def _others(member: Generation, right: float, top: float, scale: float) -> list[str]:
    """The children that the line does not go through, in rows, and a line to them."""
    if not member.others:
        return []
    level, better = top + HEIGHT / 2, sum(is_better(made) for _, made in member.others)
    told = f"{len(member.others)} other child{'ren' * (len(member.others) > 1)}, {better} better"
    parts = [
        f'<path d="M{WIDTH:.0f} {level:.1f}H{right - 8:.1f}" stroke="{FAINT}" stroke-width="0.8"/>',
        _text(right, level - 8, told, FAINT),
    ]
    for place, (child, made) in enumerate(member.others):
        row, column = divmod(place, PER_ROW)
        parts.append(_dot(child, made, right + DOT + column * PITCH, level + 3 + row * PITCH, scale))
    return parts


def _dot(child: Record, made: Change, x: float, y: float, scale: float) -> str:
    """A child, which tells more where a pointer rests on it."""
    colours = f'fill="none" stroke="{FAINT}"' if made.loss is None else f'fill="{DARK if is_better(made) else PALE}"'
    told = f"candidate {child['number']}: {child['operator']}, {shown_change(made.loss, scale)} at rung {made.rung}"
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{DOT}" {colours}><title>{escape(told)}</title></circle>'


def _text(x: float, y: float, text: str, colour: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{LETTERS}" fill="{colour}">{escape(text)}</text>'
