"""A family: what is compared with what, and its drawing."""

import itertools
import re
from xml.etree import ElementTree

import pytest

from jaxneuro.search import family
from jaxneuro.search.family import Change, change, descent, descent_table, relatives
from jaxneuro.search.family_tree import family_tree

MARK = "{http://www.w3.org/2000/svg}"


def entry(number, parents, losses, operator="gate"):
    return {"number": number, "parents": list(parents), "operator": operator, "losses": list(losses)}


def records():
    """The line of 6 is 0, 2, 6; of 0 there are four other children, of 2 and 6 one each, and 1 is of another family."""
    return [
        entry(0, [], [3.0, 2.5], "random"),
        entry(1, [], [2.0], "random"),
        entry(2, [0], [2.5, 2.0, 1.5]),
        entry(3, [0], [3.25]),
        entry(4, [0], [2.75, None]),
        entry(5, [1], [1.0]),
        entry(6, [2], [2.75, 1.75, 1.0], "nest + <skip>"),
        entry(7, [0], [3.5, 2.0]),
        entry(8, [0], [2.0]),
        entry(9, [2], [None]),
        entry(10, [6], [2.5]),
    ]


def large(line=30, others=60):
    """A long line, whose members have many other children."""
    found = [entry(0, [], [3.0], "given")]
    for place in range(line):
        parent = found[-1]["number"] if place == 0 else found[-1 - others]["number"]
        found.append(entry(len(found), [parent], [3.0 - 0.1 * place], "rewire_node + complexify"))
        found += [entry(len(found) + i, [parent], [3.0 + 0.01 * i], "gate") for i in range(others)]
    return found, found[-1 - others]["number"]


def test_a_child_is_compared_with_its_parent_at_the_last_rung_that_both_reached():
    parent = entry(0, [], [3.0, 2.5])
    assert change(parent, entry(1, [0], [2.5, 2.0, 1.5])) == Change(2, -0.5)
    assert change(parent, entry(1, [0], [3.25])) == Change(1, 0.25)
    assert change(parent, entry(1, [0], [2.0, None])) == Change(2, None)
    assert change(entry(0, [], [3.0, None]), entry(1, [0], [2.0])) == Change(1, -1.0)
    assert change(entry(0, [], [None]), entry(1, [0], [2.0])) == Change(1, None)


def test_a_line_has_its_changes_and_the_other_children_in_order():
    line = descent(records(), 6)
    assert [member.record["number"] for member in line] == [0, 2, 6]
    assert [member.change for member in line] == [None, Change(2, -0.5), Change(3, -0.5)]
    others = [[child["number"] for child, _ in member.others] for member in line]
    assert others == [[7, 8, 3, 4], [9], [10]]


def test_relatives_are_enough():
    assert [record["number"] for record in relatives(records(), 6)] == [0, 2, 3, 4, 6, 7, 8, 9, 10]
    assert descent(relatives(records(), 6), 6) == descent(records(), 6)
    assert family_tree(relatives(records(), 6), 6) == family_tree(records(), 6)


def test_a_line_with_a_member_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="candidate 2 is in the line of 6, but not among the records"):
        descent([record for record in records() if record["number"] != 2], 6)


def test_a_line_is_a_table():
    columns, rows = descent_table(records(), 6, scale=2.0)
    assert columns[:2] == ["candidate", "how it was made"]
    assert rows == [
        ["0", "random", "5", "2", "", "", "4", "2"],
        ["2", "gate", "3", "3", "−1.0000", "2", "1", "0"],
        ["6", "nest + <skip>", "2", "3", "−1.0000", "3", "1", "1"],
    ]


def test_a_candidate_without_a_family_is_drawn():
    assert descent_table(records(), 1)[1] == [["1", "random", "2", "1", "", "", "1", "1"]]
    alone = ElementTree.fromstring(family_tree([entry(0, [], [None], "random")], 0))
    assert "diverged after 1 rung" in [text.text for text in alone.iter(f"{MARK}text")]


def test_the_drawing_tells_of_every_member_and_every_other_child():
    root = ElementTree.fromstring(family_tree(records(), 6))
    texts = [element.text for element in root.iter(f"{MARK}text")]
    assert {"candidate 0 (random)", "candidate 2", "candidate 6", "gate", "nest + <skip>"} <= set(texts)
    assert {"2.5 after 2 rungs", "−0.5000 at rung 2", "−0.5000 at rung 3", "4 other children, 2 better"} <= set(texts)
    dots = {dot.find(f"{MARK}title").text: dot.get("fill") for dot in root.iter(f"{MARK}circle")}
    assert len(dots) == 6
    assert "candidate 8: gate, −1.0000 at rung 1" in dots
    assert dots["candidate 4: gate, diverged at rung 2"] == "none"
    assert dots["candidate 8: gate, −1.0000 at rung 1"] != dots["candidate 3: gate, +0.2500 at rung 1"]


@pytest.mark.parametrize("made", [(records(), 6), large(), large(3, 0), large(2, 1)])
def test_nothing_lies_on_anything_else(made):
    root = ElementTree.fromstring(family_tree(*made))
    shift = float(re.search(r"translate\((\d+) \d+\)", root.find(f"{MARK}g").get("transform")).group(1))
    width, height = (float(root.get(side)) - shift for side in ("width", "height"))
    texts, boxes = [], []
    for text in root.iter(f"{MARK}text"):
        x, y, size = (float(text.get(name)) for name in ("x", "y", "font-size"))
        texts.append((x, y - 0.8 * size, x + 0.61 * size * len(text.text), y + 0.25 * size))
    dots = []
    for dot in root.iter(f"{MARK}circle"):
        x, y, r = (float(dot.get(name)) for name in ("cx", "cy", "r"))
        dots.append((x - r, y - r, x + r, y + r))
    for box in list(root.iter(f"{MARK}rect"))[1:]:
        x, y, wide, high = (float(box.get(name)) for name in ("x", "y", "width", "height"))
        boxes.append((x, y, x + wide, y + high))
    for area in (*texts, *dots, *boxes):
        assert area[0] >= -shift
        assert area[1] >= -shift
        assert area[2] <= width
        assert area[3] <= height
    for one, other in itertools.combinations(texts + dots, 2):
        assert not meet(one, other)
    for one, other in itertools.chain(itertools.combinations(boxes, 2), itertools.product(dots, boxes)):
        assert not meet(one, other)
    for text in texts:
        assert sum(meet(text, box) for box in boxes) == sum(inside(text, box) for box in boxes)


def meet(one, other):
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def inside(one, other):
    return other[0] <= one[0] and other[1] <= one[1] and one[2] <= other[2] and one[3] <= other[3]


def test_equal_records_have_equal_drawings_that_a_scale_changes():
    assert family_tree(records(), 6) == family_tree(records(), 6) != family_tree(records(), 6, 2.0)
    assert family.shown_change(-0.5, 2.0) == "−1.0000"
