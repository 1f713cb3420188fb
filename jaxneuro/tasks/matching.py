"""Whether two symbols are the same, for symbols that are vectors, and others in the test than in the training."""

import dataclasses
import math

import equinox as eqx

from jaxneuro.tasks.batch import Classification, check_least
from jaxneuro.tasks.draw import check_book


class Matching(Classification):
    """What tasks of matching share: the symbols, and that whoever has the relation needs to know none of them.

    Fields:
        symbols: how many there are.
        features: of each, -1 or 1.
        book: seed of the vectors.
        novel: whether the symbols are those of the test.
    """

    symbols: int = eqx.field(static=True, default=16)
    features: int = eqx.field(static=True, default=8)
    book: int = eqx.field(static=True, default=0)
    novel: bool = eqx.field(static=True, default=False)

    def __check_init__(self) -> None:
        check_least(self, symbols=2, features=1, book=0)
        check_book(type(self).__name__, self.symbols, self.features)

    @property
    def inputs(self) -> int:
        """Features."""
        return self.features

    @property
    def outputs(self) -> int:
        """Different, same."""
        return 2

    @property
    def baseline(self) -> float:
        """Even odds (nats)."""
        return math.log(2)

    @property
    def optimum(self) -> float:
        """The relation is certain."""
        return 0.0

    def transfer(self) -> "Matching":
        """With symbols that the training has not."""
        return dataclasses.replace(self, novel=True)
