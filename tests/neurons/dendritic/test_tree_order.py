"""The order of elimination of small trees, by hand."""

import numpy as np

from jaxneuro.neurons.dendritic.tree_order import joints_of, levels


def test_elimination_starts_at_the_tips_and_ends_in_the_middle():
    order = levels((-1, *range(8)))
    assert order.members.shape == (5, 2)
    assert order.members[0, 0] == 4
    assert set(order.members[-1]) == {0, 8}
    assert sorted(order.members.ravel()[order.place]) == list(range(9))


def test_every_compartment_is_joined_to_the_level_before():
    parents = (-1, 0, 1, 1, 3, 0)
    order = levels(parents)
    edges = {(child, parent) for child, parent in enumerate(parents) if child}
    found = set()
    for depth in range(1, len(order.members)):
        for slot, member in enumerate(order.members[depth]):
            if member < 6:
                other = int(order.members[depth - 1, order.above[depth, slot]])
                pair = (max(int(member), other), min(int(member), other))
                assert order.edges[depth, slot] == pair[0]
                assert slot in order.below[depth - 1, order.above[depth, slot]]
                found.add(pair)
    assert found == edges
    # From 5 to 4 are 4 links: the middle is 2 from each tip.
    assert order.members[0, 0] == 1
    assert len(order.members) == 3


def test_joints_are_the_links_that_lead_elsewhere():
    joints = joints_of((-1, 0, 1, 1, 3, 0))
    np.testing.assert_array_equal(joints.consecutive, [True, True, False, True, False])
    np.testing.assert_array_equal(joints.children, [3, 5])
    np.testing.assert_array_equal(joints.parents, [1, 0])
    touched = {compartment: set(joints.flows[row]) - {4} for compartment, row in enumerate(joints.rows) if row < 4}
    assert touched == {3: {0}, 1: {2}, 5: {1}, 0: {3}}
