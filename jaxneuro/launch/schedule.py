"""What a compiled program launches, read from the scheduled HLO text that XLA's GPU and TPU compilers print.

A scheduled program is a list of computations, each a list of instructions in the order in which they are issued. How
kernels are counted:

- A fusion is one launch, whatever is inside of it; so is any other instruction that does work (copy, dot, custom call,
  sort, collective ...).
- Instructions that only name memory are none: parameters, constants, tuples and their elements, bitcasts, buffers.
- The start of an asynchronous operation is the launch; its update and its end are none.
- `call` (a command buffer is one), and `async-start` are followed into the computation they call; of the branches of a
  conditional the longest counts.
- The body of a `while` counts as often as it runs. The number of iterations is the compiler's `known_trip_count`, or
  the constant that the condition compares with, as loops made by `jax.lax.scan` count up from 0. The condition itself
  is evaluated on the host when the number is known. A loop whose number of iterations cannot be told gives NaN.

So a scan unrolled by u of T steps is a loop of T // u iterations, and what remains of T stands outside of it.
"""

import math
import re
from collections.abc import Mapping
from typing import NamedTuple

NAMES = frozenset({"parameter", "constant", "get-tuple-element", "tuple", "bitcast", "partition-id", "replica-id"})
ORDER = frozenset({"after-all", "add-dependency", "opt-barrier", "domain"})
BUFFERS = frozenset({"AllocateBuffer", "CreateBuffer"})

_COMPUTATION = re.compile(r"^(ENTRY )?%?([\w.\-]+) .*\{$")
_INSTRUCTION = re.compile(r"^\s+(ROOT )?%?[\w.\-]+ = (.*)$")


class Instruction(NamedTuple):
    """An operation, and the text from its name on: operands and attributes."""

    operation: str
    text: str


class Launches(NamedTuple):
    """What one execution of a program costs."""

    outside: float  # kernels launched outside of loops
    in_loops: float  # kernels launched in loops, over all iterations
    cycles: float  # the TPU compiler's estimates, summed; 0 where it gives none

    @property
    def total(self) -> float:
        """All kernels."""
        return self.outside + self.in_loops


Computations = Mapping[str, list[Instruction]]


def launches(hlo: str) -> Launches:
    """Count the kernels that one execution of a program launches.

    Args:
        hlo: the text of a scheduled HLO module, as `jax.stages.Compiled.as_text` gives it.

    Returns:
        The counts.

    Raises:
        ValueError: if the text has no entry computation.
    """
    program, entry = _parse(hlo)
    if entry is None:
        raise ValueError("launches got a text without an ENTRY computation; it must be the HLO of a compiled program.")
    return _count(program, entry)


def _parse(hlo: str) -> tuple[Computations, str | None]:
    program: dict[str, list[Instruction]] = {}
    entry = None
    current: list[Instruction] = []
    for line in hlo.splitlines():
        if (head := _COMPUTATION.match(line)) and not line.startswith("HloModule"):
            current = program.setdefault(head[2], [])
            entry = head[2] if head[1] else entry
        elif body := _INSTRUCTION.match(line):
            text = _after_shape(body[2])
            if operation := re.match(r"[\w\-]+", text):
                current.append(Instruction(operation[0], text))
    return program, entry


def _after_shape(text: str) -> str:
    """What follows the shape of the result; the shape of a tuple is in parentheses, with others inside."""
    if not text.startswith("("):
        return text.partition(" ")[2]
    depth = 0
    for position, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return text[position + 2 :]
    return ""


def _count(program: Computations, name: str) -> Launches:
    outside, in_loops, cycles = 0.0, 0.0, 0.0
    for operation, text in program[name]:
        if operation == "while":
            trips = _trips(program, text)
            body = _count(program, _attribute(text, "body"))
            inner = Launches(0.0, trips * body.total, trips * body.cycles)
        elif operation in ("call", "async-start"):
            inner = _count(program, _attribute(text, "to_apply" if operation == "call" else "calls"))
        elif operation == "conditional":
            inner = max((_count(program, branch) for branch in _branches(text)), key=lambda branch: branch.total)
        elif operation in NAMES | ORDER or operation.endswith(("-done", "-update")) or _is_buffer(text):
            continue
        else:
            estimate = re.search(r'"estimated_cycles":"(\d+)"', text)
            inner = Launches(1.0, 0.0, float(estimate[1]) if estimate else 0.0)
        outside, in_loops, cycles = outside + inner.outside, in_loops + inner.in_loops, cycles + inner.cycles
    return Launches(outside, in_loops, cycles)


def _trips(program: Computations, loop: str) -> float:
    if known := re.search(r'"known_trip_count":\{"n":"(\d+)"', loop):
        return float(known[1])
    condition = program[_attribute(loop, "condition")]
    fused = [i for i in condition if i.operation == "fusion"]
    tests = [*condition, *(test for i in fused for test in program[_attribute(i.text, "calls")])]
    limits = [found[1] for test in tests if (found := re.match(r"constant\((\d+)\)", test.text))]
    upwards = any(test.operation == "compare" and "direction=LT" in test.text for test in tests)
    return float(limits[0]) if upwards and len(limits) == 1 else math.nan


def _attribute(text: str, name: str) -> str:
    found = re.search(rf"\b{name}=%?([\w.\-]+)", text)
    if found is None:
        raise ValueError(f"the HLO instruction {text[:80]!r} has no {name}.")
    return found[1]


def _branches(text: str) -> list[str]:
    if listed := re.search(r"branch_computations=\{([^}]*)\}", text):
        return [name.strip().lstrip("%") for name in listed[1].split(",")]
    return [_attribute(text, "true_computation"), _attribute(text, "false_computation")]


def _is_buffer(text: str) -> bool:
    target = re.search(r'custom_call_target="([^"]+)"', text)
    return target is not None and target[1] in BUFFERS
