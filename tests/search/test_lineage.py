import json
import math

import numpy as np

from jaxneuro.search import lineage
from jaxneuro.search.evolution import Candidate
from jaxneuro.search.named import named
from jaxneuro.search.race import Outcome
from jaxneuro.search.text import parse


def family():
    """0 and 1 are roots; 2 and 3 come from 0, 4 from 2."""
    parents = [(), (), (0,), (0,), (2,)]
    losses = [(3.0,), (math.inf,), (2.5, 2.0), (2.75,), (2.25, 1.5)]
    return [
        lineage.record(
            Candidate(i, p, "gate", named("LSTM"), f"{i}"), Outcome(loss, loss[-1:], (7,), (0.01,)), [loss[-1]]
        )
        for i, (p, loss) in enumerate(zip(parents, losses, strict=True))
    ]


def test_a_record_survives_a_file():
    for record in family():
        again = json.loads(json.dumps(record, allow_nan=False))
        assert again == record
        assert again["units"] == [7]
        last = again["losses"][-1]
        assert list(lineage.objectives_of(again)) == [math.inf if last is None else last]
        assert parse(again["text"]).space.slots == 4


def test_a_line_of_descent_goes_back_to_the_first_ancestor():
    assert [record["number"] for record in lineage.ancestors(family(), 4)] == [0, 2, 4]


def test_trees_are_written_in_newicks_format():
    assert lineage.newick(family()) == "((4)2,3)0;\n1;\n"


def test_the_best_so_far_never_rises():
    np.testing.assert_array_equal(lineage.best_so_far(family()), [3, 3, 2, 2, 1.5])
