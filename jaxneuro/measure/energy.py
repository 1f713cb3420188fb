"""What operations cost in energy, by published figures.

Figures of this kind rank, they do not measure: they leave out control, clocks, leakage and wires, and they differ by
what they were taken from. Give more than one, with memory and without.
"""

import dataclasses

from jaxneuro.measure.cost import Tally
from jaxneuro.measure.ledger import Ledger

Amount = int | float

WORD = 4  # bytes of a number in single precision

# No table has elementary functions; a polynomial of degree 5 by Horner's rule is taken for one. An assumption.
MACS_PER_TRANSCENDENTAL = 5


@dataclasses.dataclass(frozen=True)
class Work:
    """What is done, in a step or in a run; a mean need not be whole.

    Attributes:
        macs: multiply and add.
        accumulates: add a weight, because a spike arrived.
        additions: one by one; likewise `multiplications`, `comparisons`, `transcendentals`.
        traffic_bytes: read from and written to memory.
    """

    macs: Amount = 0
    accumulates: Amount = 0
    additions: Amount = 0
    multiplications: Amount = 0
    comparisons: Amount = 0
    transcendentals: Amount = 0
    traffic_bytes: Amount = 0

    def __add__(self, other: "Work") -> "Work":
        return Work(*(a + b for a, b in zip(dataclasses.astuple(self), dataclasses.astuple(other), strict=True)))

    def __mul__(self, times: Amount) -> "Work":
        return Work(*(times * number for number in dataclasses.astuple(self)))

    @classmethod
    def of(cls, counted: Ledger | Tally) -> "Work":
        """One dense step of a machine.

        Args:
            counted: its ledger; or a tally, which has no traffic.
        """
        tally, traffic = (counted.tally, counted.traffic_bytes) if isinstance(counted, Ledger) else (counted, 0)
        kinds = {field.name: getattr(tally, field.name) for field in dataclasses.fields(Tally)}
        return cls(**kinds, traffic_bytes=traffic)


@dataclasses.dataclass(frozen=True)
class OperationTable:
    """Energy by operation, single precision, and by byte of memory traffic.

    Attributes:
        name: of the table.
        add_pj: an addition; a comparison is taken for one.
        multiply_pj: a multiplication.
        byte_pj: a byte from or to an 8 kB SRAM.
        source: where the figures come from.
    """

    name: str
    add_pj: float
    multiply_pj: float
    byte_pj: float
    source: str

    def energy_pj(self, work: Work, *, memory: bool) -> float:
        """`(M + A) macs + A (accumulates + additions + comparisons) + M multiplications`, and 5 macs per function.

        Args:
            work: what is done.
            memory: whether its traffic counts.

        Returns:
            The energy (pJ).
        """
        mac = self.add_pj + self.multiply_pj
        macs = work.macs + MACS_PER_TRANSCENDENTAL * work.transcendentals
        adds = work.accumulates + work.additions + work.comparisons
        arithmetic = mac * macs + self.add_pj * adds + self.multiply_pj * work.multiplications
        return arithmetic + (self.byte_pj * work.traffic_bytes if memory else 0.0)


@dataclasses.dataclass(frozen=True)
class EventTable:
    """Energy by synaptic event, on a chip that knows no other operation.

    Attributes:
        name: of the table.
        event_pj: an event, whatever comes with it: neurons, memory and, if the source says so, leakage.
        source: where the figure comes from.
    """

    name: str
    event_pj: float
    source: str

    def energy_pj(self, work: Work, *, memory: bool) -> float | None:
        """`event_pj * accumulates`; memory cannot be told apart.

        Args:
            work: what is done.
            memory: makes no difference.

        Returns:
            The energy (pJ); None if there are graded inputs, which such a chip does not have.
        """
        return None if work.macs else self.event_pj * work.accumulates


HOROWITZ_45NM = OperationTable(
    "45 nm",
    add_pj=0.9,
    multiply_pj=3.7,
    byte_pj=10.0 / 8,
    source="Horowitz 2014, ISSCC, 10.1109/ISSCC.2014.6757323, fig. 1.1.9: 45 nm, 0.9 V; 64 bits of an 8 kB cache 10 pJ",
)
JOUPPI_7NM = OperationTable(
    "7 nm",
    add_pj=0.38,
    multiply_pj=1.31,
    byte_pj=7.5 / 8,
    source="Jouppi et al. 2021, ISCA, 10.1109/ISCA52012.2021.00010, table 2: 7 nm; 64 bits of an 8 kB SRAM 7.5 pJ. "
    "Taken at second hand, the SRAM from memory: not checked against the paper",
)
TRUENORTH = EventTable(
    "TrueNorth",
    event_pj=26.0,
    source="Merolla et al. 2014, Science 345:668: 28 nm, measured, whole chip with leakage, at 20 Hz and 128 active "
    "synapses per neuron. Taken at second hand",
)
LOIHI = EventTable(
    "Loihi",
    event_pj=23.6,
    source="Davies et al. 2018, IEEE Micro 38:82, table 2: 14 nm, a simulation before silicon, at least this much, "
    "without neuron updates. Taken at second hand",
)
TABLES = (HOROWITZ_45NM, JOUPPI_7NM, TRUENORTH, LOIHI)


def dense_step(macs: Amount, neurons: Amount) -> Work:
    """A layer of graded neurons for one input: weight and activation are read for each MAC, an activation is written.

    Args:
        macs: multiply-adds with something to do.
        neurons: how many; each compares once.

    Returns:
        The work; sums stay in registers, nothing is read once for several uses.
    """
    return Work(macs=macs, comparisons=neurons, traffic_bytes=WORD * (2 * macs + neurons))


def event_steps(accumulates: Amount, updates: Amount, spikes: Amount, macs: Amount = 0) -> Work:
    """Integrate-and-fire neurons over some time: weight and membrane for each event, the membrane for each update.

    Args:
        accumulates: events at synapses; each reads a weight, reads a membrane and writes it.
        updates: comparisons of a membrane with its threshold; each reads the membrane.
        spikes: each subtracts the threshold and writes the membrane.
        macs: multiply-adds, where inputs are graded; each reads weight and input, and reads and writes a membrane.

    Returns:
        The work.
    """
    traffic = WORD * (3 * accumulates + updates + spikes + 4 * macs)
    return Work(macs=macs, accumulates=accumulates, additions=spikes, comparisons=updates, traffic_bytes=traffic)
