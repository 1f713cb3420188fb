"""A cell as text that people read and write.

    states c h
    stage reads h
    i = sigmoid(W x + U h + b)
    f = sigmoid(W x + U h + b from 1)
    o = sigmoid(W x + U h + b)
    g = tanh(W x + U h + b)
    kept = f * c
    written = i * g
    cell = kept + written
    shown = tanh(cell)
    hidden = o * shown
    c <- cell
    h <- hidden
    output hidden

A line with W x, U, or b is a slot, any other one a node: `a`, `a + b`, `a - b`, `a * b` or `(1 - a) * b`, alone or in
an activation, `tanh(a + b)`. `0` and `1` are numbers. What starts with # is a comment.
"""

import dataclasses
import difflib
import re

import numpy as np

from jaxneuro.search.canonical import canonical
from jaxneuro.search.genome import (
    ACTIVATIONS,
    ADD,
    BIASES,
    FIRST,
    FIRST_STATE,
    FORGET,
    IDENTITY,
    LIMITS,
    MULTIPLY,
    SUBTRACT,
    Genome,
    Space,
    check,
    empty,
    live_wires,
)

NAME = r"[A-Za-z_][A-Za-z_0-9]*"
OPERAND = rf"({NAME}|0|1)"
NODE = {
    FIRST: re.compile(rf"{OPERAND}"),
    ADD: re.compile(rf"{OPERAND} ?\+ ?{OPERAND}"),
    SUBTRACT: re.compile(rf"{OPERAND} ?- ?{OPERAND}"),
    MULTIPLY: re.compile(rf"{OPERAND} ?\* ?{OPERAND}"),
    FORGET: re.compile(rf"\( ?1 ?- ?{OPERAND} ?\) ?\* ?{OPERAND}"),
}
SHOWN = {FIRST: "{0}", ADD: "{0} + {1}", SUBTRACT: "{0} - {1}", MULTIPLY: "{0} * {1}", FORGET: "(1 - {0}) * {1}"}
TERMS = re.compile(rf"(W x)?(?:(?:^| ?\+ ?)U ({NAME}|0|1))?(?:(?:^| ?\+ ?)b(?: from (-?\w+))?)?")
CALL = re.compile(rf"({NAME}) ?\((.*)\)")
STARTS = list(BIASES)[1:]
LONGEST = 200_000
RESERVED = {"x", "W", "U", "b", "states", "stage", "output", "reads"}


def show(genome: Genome) -> str:
    """A genome as text; that of its canonical form, so that equal cells have equal texts.

    Args:
        genome: one genome, of concrete integers.

    Returns:
        Lines as in the description of this module; `parse` gives the canonical genome back.
    """
    return show_as_it_is(canonical(genome).genome)


def show_as_it_is(genome: Genome) -> str:
    """A genome as text, without what is dead, and otherwise as it is.

    Args:
        genome: one genome, of concrete integers.

    Returns:
        Lines as in the description of this module.
    """
    space = genome.space
    live = live_wires(genome)
    names = wire_names(genome)
    kept = [s for s in range(space.states) if FIRST_STATE + s in live]
    lines = ["states " + " ".join(names[FIRST_STATE + s] for s in kept)] if kept else []
    for stage in range(space.stages):
        slots = [g for g in range(space.slots) if space.slot(stage, g) in live]
        nodes = [n for n in range(space.nodes) if space.node(stage, n) in live]
        if not slots and not nodes:
            continue
        reads = any(genome.recurrent[stage, g] for g in slots)
        source = names.get(int(genome.source[stage]), "0")
        lines.append(f"stage reads {source}" if reads else "stage")
        constant = []  # a slot without terms is a node of 0, and so comes after the slots
        for g in slots:
            terms = ["W x"] * int(genome.input[stage, g]) + [f"U {source}"] * int(genome.recurrent[stage, g])
            start = list(BIASES)[int(genome.bias[stage, g])]
            terms += {"none": [], "0": ["b"]}.get(start, [f"b from {start}"])
            inside = " + ".join(terms) or "0"
            made = f"{names[space.slot(stage, g)]} = {_within(int(genome.squash[stage, g]), inside)}"
            (lines if terms else constant).append(made)
        lines += constant
        for n in nodes:
            # What a node does not read has no name.
            operands = (names.get(int(array[stage, n]), "0") for array in (genome.first, genome.second))
            inside = SHOWN[int(genome.combine[stage, n])].format(*operands)
            lines.append(f"{names[space.node(stage, n)]} = {_within(int(genome.activation[stage, n]), inside)}")
    lines += [f"{names[FIRST_STATE + s]} <- {names[int(genome.next[s])]}" for s in kept]
    return "\n".join([*lines, f"output {names[int(genome.output)]}"]) + "\n"


def wire_names(genome: Genome) -> dict[int, str]:
    """A short name for each live wire: h1.. for states, g1.. for slots, n1.. for nodes."""
    space, live = genome.space, live_wires(genome)
    names, counts = {0: "0", 1: "1"}, {"h": 0, "g": 0, "n": 0}
    for wire in sorted(live - {0, 1}):
        place = (wire - space.slot(0)) % (space.slots + space.nodes)
        letter = "h" if wire < space.slot(0) else "g" if place < space.slots else "n"
        counts[letter] += 1
        names[wire] = f"{letter}{counts[letter]}"
    return names


def _within(activation: int, inside: str) -> str:
    return inside if activation == IDENTITY else f"{list(ACTIVATIONS)[activation]}({inside})"


def _shortened(word: str) -> str:
    return word if len(word) <= 100 else f"{word[:97]}..."


class TextError(ValueError):
    """A text that describes no cell."""


def parse(text: str, space: Space | None = None) -> Genome:
    """A genome from text.

    Args:
        text: lines as in the description of this module.
        space: the space of the genome; the smallest that holds it unless given.

    Returns:
        The genome, its slots and nodes in the order of the lines.

    Raises:
        TextError: naming the line, what is wrong with it, and what is allowed; also if the cell does not fit the space.
    """
    if len(text) > LONGEST:
        raise TextError(f"the text has {len(text):,} characters; that of a cell has at most {LONGEST:,}.")
    lines = [(number, line.split("#")[0].strip()) for number, line in enumerate(text.splitlines(), 1)]
    reader = _Reader()
    for number, line in lines:
        if line:
            try:
                reader.read(re.sub(r"\s+", " ", line))
            except TextError as error:
                raise TextError(f"line {number}, {_shortened(line)!r}: {error}") from None
    return reader.genome(space)


class _Reader:
    """What has been read so far."""

    def __init__(self) -> None:
        self.states: list[str] = []
        self.sources: list[str | None] = []
        self.slots: list[list[tuple[str, tuple[int, int, int, int]]]] = []
        self.nodes: list[list[tuple[str, tuple[int, str, str, int]]]] = []
        self.next: dict[str, str] = {}
        self.output: str | None = None
        self.known = {"0", "1"}

    def read(self, line: str) -> None:
        """One line without its comment."""
        word, _, rest = line.partition(" ")
        if word == "states":
            if self.states:
                raise TextError("the states have been named before; name all in one line.")
            self.states = rest.split()
            for name in self.states:
                self._new(name)
        elif word == "stage":
            reads, _, source = rest.partition(" ")
            if rest and (reads != "reads" or not source):
                raise TextError("it must be `stage` or `stage reads WIRE`.")
            self.sources.append(self._old(source) if source else None)
            self.slots.append([])
            self.nodes.append([])
        elif word == "output":
            if self.output is not None:
                raise TextError("there is a line `output WIRE` before.")
            self.output = self._old(rest)
        elif " <- " in line:
            state, wire = line.split(" <- ", 1)
            if state not in self.states:
                known = ", ".join(self.states) or "none"
                raise TextError(f"{_shortened(state)!r} is not a state; the states are {known}.")
            if state in self.next:
                raise TextError(f"{state!r} has its next value before.")
            self.next[state] = self._old(wire)
        elif " = " in line:
            name, made = line.split(" = ", 1)
            if not self.sources:
                raise TextError("a line `stage` must come before it.")
            self._made(name, made)
            self._new(name)
        else:
            raise TextError("it must be states, stage, output, `wire = ...` or `state <- wire`.")

    def _made(self, name: str, made: str) -> None:
        activation, inside = "identity", made
        if (call := CALL.fullmatch(made)) and not made.startswith("("):
            activation, inside = call.groups()
            if activation not in ACTIVATIONS:
                near = difflib.get_close_matches(activation[:100], ACTIVATIONS, 1)
                hint = f" Did you mean {near[0]}?" if near else ""
                allowed = ", ".join(ACTIVATIONS)
                raise TextError(f"{_shortened(activation)!r} is not an activation.{hint} Allowed: {allowed}.")
        which = list(ACTIVATIONS).index(activation)
        if inside and (terms := TERMS.fullmatch(inside)):
            source, start = terms.group(2), terms.group(3)
            bias = 0
            if re.search(r"\bb( from .*)?$", inside):
                if start is not None and start not in STARTS:
                    raise TextError(f"a bias cannot start from {_shortened(start)!r}. Allowed: {', '.join(STARTS)}.")
                bias = list(BIASES).index(start or "0")
            if source is not None and source != self.sources[-1]:
                read = self.sources[-1] or "nothing"
                raise TextError(f"U multiplies {_shortened(source)!r}, but the stage reads {read}.")
            if self.nodes[-1]:
                raise TextError("the linear maps of a stage come before its nodes; start a new stage.")
            self.slots[-1].append((name, (int(inside.startswith("W x")), int(source is not None), bias, which)))
            return
        for combine, pattern in NODE.items():
            if match := pattern.fullmatch(inside):
                operands = [self._old(operand) for operand in match.groups()]
                self.nodes[-1].append((name, (combine, operands[0], (operands[1:] or ["0"])[0], which)))
                return
        raise TextError("a slot has W x, U wire and b; a node is a, a + b, a - b, a * b or (1 - a) * b.")

    def _old(self, name: str) -> str:
        if name not in self.known:
            near = difflib.get_close_matches(name[:100], self.known, 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise TextError(f"{_shortened(name)!r} has not been made yet.{hint}")
        return name

    def _new(self, name: str) -> None:
        if not re.fullmatch(NAME, name) or len(name) > 100 or name in RESERVED or name in ACTIVATIONS:
            raise TextError(f"{_shortened(name)!r} cannot be a name.")
        if name in self.known:
            raise TextError(f"{name!r} has been made before.")
        self.known.add(name)

    def genome(self, space: Space | None) -> Genome:
        """The genome of all that was read."""
        if self.output is None:
            raise TextError("there is no line `output WIRE`.")
        sizes = {
            "stages": max(1, len(self.sources)),
            "slots": max(1, *map(len, self.slots)) if self.slots else 1,
            "nodes": max(0, *map(len, self.nodes)) if self.nodes else 0,
            "states": max(1, len(self.states)),
        }
        for name, size in sizes.items():
            most = LIMITS[name] if space is None else getattr(space, name)
            if size > most:
                raise TextError(f"the cell has {size} {name}, but there is room for {most}.")
        space = space or Space(**sizes)
        form = empty(space)
        wires = {"0": 0, "1": 1} | {name: FIRST_STATE + s for s, name in enumerate(self.states)}
        for stage, (source, slots, nodes) in enumerate(zip(self.sources, self.slots, self.nodes, strict=True)):
            form.source[stage] = wires[source] if source else 0
            for g, (name, terms) in enumerate(slots):
                form.input[stage, g], form.recurrent[stage, g], form.bias[stage, g], form.squash[stage, g] = terms
                wires[name] = space.slot(stage, g)
            for n, (name, (combine, first, second, activation)) in enumerate(nodes):
                form.combine[stage, n], form.activation[stage, n] = combine, activation
                form.first[stage, n], form.second[stage, n] = wires[first], wires[second]
                wires[name] = space.node(stage, n)
        for s, name in enumerate(self.states):
            form.next[s] = wires[self.next.get(name, name)]
        genome = dataclasses.replace(form, output=np.asarray(wires[self.output], np.int32))
        check(genome)
        return genome
