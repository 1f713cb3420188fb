"""What a table of the last few symbols says of the next answer: a memory that forgets nothing."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

Context = tuple[int, ...]


class Table:
    """Counts of answers after the last 1, 2, ... symbols, the longer trusted the more, the oftener they were seen.

    With n_c the count of answer c after the last k symbols, N their sum, and fewer symbols in `p_(k-1)`:

        p_k(c) = (n_c + strength p_(k-1)(c)) / (N + strength)        p_0(c) = 1 / classes

    Reference: MacKay and Peto 1995, Natural Language Engineering 1:289 (a hierarchical Dirichlet language model).
    """

    def __init__(self, order: int, classes: int, strength: float = 1.0) -> None:
        """A table without counts.

        Args:
            order: the most symbols that it looks back, the present one included.
            classes: how many answers there are.
            strength: how many observations what is known of shorter contexts is worth.

        Raises:
            ValueError: a number is too small.
        """
        if order < 1 or classes < 2 or strength <= 0:
            raise ValueError(
                f"Table got order={order}, classes={classes}, strength={strength}; they must be at least 1, at least "
                "2, and above 0."
            )
        self.order, self.classes, self.strength = order, classes, strength
        self.counts: dict[Context, np.ndarray] = {}

    def contexts(self, past: Sequence[int]) -> list[Context]:
        """The last 1, 2, ... symbols, as many as there are."""
        return [tuple(past[-length:]) for length in range(1, min(self.order, len(past)) + 1)]

    def probabilities(self, past: Sequence[int]) -> Float[np.ndarray, "classes"]:
        """Of every answer.

        Args:
            past: symbols of the sequence so far, the present one last.
        """
        found = np.full(self.classes, 1 / self.classes)
        for context in self.contexts(past):
            if (counts := self.counts.get(context)) is None:
                break
            found = (counts + self.strength * found) / (counts.sum() + self.strength)
        return found

    def learn(self, past: Sequence[int], answer: int) -> None:
        """Count an answer.

        Args:
            past: symbols of the sequence before it.
            answer: its class.
        """
        for context in self.contexts(past):
            self.counts.setdefault(context, np.zeros(self.classes))[answer] += 1
